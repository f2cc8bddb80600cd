"""What our SCM client reads before an order, on the sandbox; and that the preflight foresees what SCM then says."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from reconciler.errors import ServiceRejectedError
from reconciler.execution.survey import survey_scm
from reconciler.model.certificate import InstanceName
from reconciler.model.domain import (
    DcvMethod,
    DcvStatus,
    OrganizationDetails,
    PasswordState,
    PasswordStatus,
    Privilege,
    ValidationLevel,
    ValidationStatus,
)
from reconciler.model.names import DnsName
from reconciler.model.order import OrderRequest, OrganizationId, ProfileId
from reconciler.model.policy import Instance, Login, LoginKind
from reconciler.planning.findings import errors
from reconciler.planning.preflight import preflight
from reconciler.planning.profiles import Kind
from reconciler.planning.prospects import Prospect
from reconciler.services.clock import SandboxClock
from reconciler.services.connect import clock_for, scm_client
from reconciler.services.scm.client import ScmClient
from reconciler.settings import Settings, read_settings
from tests.support.certs import desired
from tests.support.csrs import make_csr
from tests.support.prospects import COMPANY, WEB, prospect

if TYPE_CHECKING:
    from reconciler.sandbox.scm.portal import ScmPortal
    from reconciler.sandbox.server import BackgroundSandbox

ENTERPRISE = InstanceName("enterprise")
NOW = datetime(2026, 11, 16, tzinfo=UTC)
PROFILES = {Kind.DV: ProfileId(2002), Kind.OV: ProfileId(2012), Kind.EV: ProfileId(2022)}
PASSWORD = Login(kind=LoginKind.PASSWORD, login="SECTIGO_LOGIN", password="SECTIGO_PASSWORD", customer_uri="elsewhere")
OAUTH = Login(kind=LoginKind.OAUTH, client_id="SECTIGO_CLIENT_ID", client_secret="SECTIGO_CLIENT_SECRET")
CERTIFICATE = replace(
    PASSWORD,
    kind=LoginKind.CERTIFICATE,
    password=None,
    certificate_file="SECTIGO_CERT_FILE",
    key_file="SECTIGO_KEY_FILE",
)


@pytest.fixture
def settings(sandbox: "BackgroundSandbox") -> Settings:
    return read_settings(sandbox.environment)


@pytest.fixture
def connect(settings: Settings) -> Iterator[Callable[[Login], ScmClient]]:
    clients: list[ScmClient] = []
    with closing(clock_for(settings)) as clock:
        assert isinstance(clock, SandboxClock)

        def connected(login: Login) -> ScmClient:
            instance = Instance(
                name=ENTERPRISE,
                base_url="https://cert-manager.com/api",
                login=login,
                location=desired().location,
            )
            clients.append(scm_client(instance, settings, clock))
            return clients[-1]

        yield connected
        for client in clients:
            client.close()


@pytest.fixture
def scm(connect: Callable[[Login], ScmClient]) -> ScmClient:
    return connect(PASSWORD)


def names(*texts: str) -> frozenset[DnsName]:
    return frozenset(map(DnsName, texts))


@pytest.mark.parametrize("spelling", ["header", "admin"])
def test_domains_are_read_with_delegations_and_validation(
    sandbox: "BackgroundSandbox", scm: ScmClient, spelling: str
) -> None:
    sandbox.set(validation_spelling=spelling)
    reading = scm.domains(names("www.example.com", "*.example.com", "a.unvalidated-example.com", "www.example.test"))
    assert reading.complete
    validated, missing = reading.values
    assert (validated.name, validated.active, validated.dcv_status) == ("example.com", True, DcvStatus.VALIDATED)
    assert (validated.dcv_method, validated.dcv_done_on) == (DcvMethod.CNAME, date(2026, 11, 6))
    assert validated.dcv_until == date(2027, 5, 23)
    of_company = [one for one in validated.delegations if one.organization_id == COMPANY.id]
    assert [(one.active, one.ssl, one.privileges) for one in of_company] == [(True, True, frozenset(Privilege))]
    assert (missing.name, missing.dcv_status) == ("unvalidated-example.com", DcvStatus.NOT_VALIDATED)
    assert (missing.dcv_method, missing.dcv_done_on, missing.dcv_until) == (None, None, None)


def test_validations_are_those_of_the_organization_at_this_moment(sandbox: "BackgroundSandbox", scm: ScmClient) -> None:
    sandbox.run(lambda: sandbox.scm.portal.expire_organization("Example Ltd", level="EV_SSL"))
    found = {one.level: one for one in scm.validations(COMPANY.id).values}
    assert found[ValidationLevel.OV].status is ValidationStatus.VALIDATED
    assert found[ValidationLevel.OV].expires_at == datetime(2027, 12, 9, tzinfo=UTC)
    assert found[ValidationLevel.EV].status is ValidationStatus.EXPIRED


def test_details_are_what_the_ca_will_write(scm: ScmClient) -> None:
    assert scm.organization_details(COMPANY.id).values == OrganizationDetails(
        id=COMPANY.id, name="Example Ltd", city="Manchester", state_or_province="Greater Manchester", country="GB"
    )
    unknown = scm.organization_details(OrganizationId(4711))
    assert (unknown.values, unknown.complete) == (None, False)


def test_a_password_has_a_state_and_other_logins_have_none(
    sandbox: "BackgroundSandbox", connect: Callable[[Login], ScmClient]
) -> None:
    assert connect(PASSWORD).password_state().values == PasswordState(status=PasswordStatus.NEVER_EXPIRES)
    end = datetime(2026, 12, 12, tzinfo=UTC)
    sandbox.run(lambda: sandbox.scm.portal.expire_password("api-admin", at=end))
    alive = PasswordState(status=PasswordStatus.ALIVE, expires_on=date(2026, 12, 12))
    assert connect(PASSWORD).password_state().values == alive
    for login in (OAUTH, CERTIFICATE):
        reading = connect(login).password_state()
        assert (reading.values, reading.complete) == (None, True)


# What the preflight says, and what SCM says


def ready(*of_names: str, kind: Kind = Kind.OV) -> Prospect:
    return prospect(*of_names, kind=kind, issue_at=NOW)


def submit(scm: ScmClient, wanted: Prospect) -> None:
    first = wanted.desired.common_name
    assert wanted.kind is not None
    scm.submit_order(
        OrderRequest(
            organization_id=wanted.organization.id,
            profile_id=PROFILES[wanted.kind],
            term_days=199,
            csr_pem=make_csr(first),
            sans=(first, *sorted(wanted.desired.sans - {first})),
            comments="",
        )
    )


def nothing(portal: "ScmPortal") -> None:
    """All is as the sandbox starts."""


def suspended(portal: "ScmPortal") -> None:
    portal.suspend_domain("example.com")


def expired(portal: "ScmPortal") -> None:
    portal.expire_domain("example.com")


def unapproved(portal: "ScmPortal") -> None:
    portal.domain("example.com").delegations[0].status = "REQUESTED"


def without_wildcards(portal: "ScmPortal") -> None:
    portal.domain("example.com").delegations[0].privileges = ["DOMAIN", "SUBDOMAIN"]


def without_identity(portal: "ScmPortal") -> None:
    portal.expire_organization("Example Ltd")


@pytest.mark.parametrize(
    ("wanted", "before", "rules"),
    [
        (ready("www.example.com", "*.example.net", "example.co.uk"), nothing, []),
        (ready("www.example.com", kind=Kind.DV), nothing, []),
        (replace(ready("www.example.com"), organization=WEB), nothing, []),
        (ready("www.example.com", kind=Kind.DV), without_identity, []),
        (ready("www.example.test"), nothing, ["DOM-01"]),
        (ready("www.example.com"), suspended, ["DOM-01"]),
        (ready("www.example.com"), unapproved, ["DOM-01"]),
        (ready("www.example.com"), without_wildcards, []),
        (ready("*.example.com"), without_wildcards, ["DOM-01"]),
        (ready("*.a.example.com"), without_wildcards, ["DOM-01"]),
        (ready("www.unvalidated-example.com"), nothing, ["DCV-01"]),
        (ready("www.example.com"), expired, ["DCV-01"]),
        (ready("www.example.com"), without_identity, ["ORG-01"]),
    ],
)
def test_the_preflight_foresees_what_scm_refuses(
    sandbox: "BackgroundSandbox",
    scm: ScmClient,
    wanted: Prospect,
    before: Callable[["ScmPortal"], None],
    rules: list[str],
) -> None:
    sandbox.run(lambda: before(sandbox.scm.portal))
    facts = survey_scm([wanted], {ENTERPRISE: scm})
    assert [one.rule for one in errors(preflight(wanted, facts[ENTERPRISE]))] == rules
    if rules:
        with pytest.raises(ServiceRejectedError):
            submit(scm, wanted)
    else:
        submit(scm, wanted)


def test_where_orders_validate_for_themselves_the_preflight_says_that_it_cannot_tell(
    sandbox: "BackgroundSandbox", scm: ScmClient
) -> None:
    sandbox.set(pre_validation=False)
    wanted = ready("www.unvalidated-example.com")
    facts = survey_scm([wanted], {ENTERPRISE: scm})[ENTERPRISE]
    assert [(one.rule, one.skipped) for one in preflight(wanted, facts)] == [("DCV-01", True)]


def test_the_reads_change_nothing(sandbox: "BackgroundSandbox", scm: ScmClient) -> None:
    survey_scm([ready("www.example.com")], {ENTERPRISE: scm})
    scm.password_state()
    assert sandbox.sandbox.gate.mutating_calls == {}

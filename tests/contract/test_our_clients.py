"""Our clients on the sandbox: what they send is taken, what they read is there, and what fails is told apart."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from reconciler.errors import (
    AuthenticationError,
    LookAgainError,
    OutcomeUnknownError,
    ServiceError,
    ServiceRejectedError,
    ServiceUnavailableError,
)
from reconciler.model.certificate import (
    AccountName,
    ChangeId,
    Contact,
    ContractId,
    DesiredCertificate,
    EnrollmentId,
    InstanceName,
    KeyType,
    MutualAuthentication,
    PostalOrganization,
    Subject,
)
from reconciler.model.chains import find_leaf, order_chain
from reconciler.model.enrollment import Change, ChangeState, Csr, InputKind, UploadHalf
from reconciler.model.names import DnsName
from reconciler.model.order import OrderRequest, OrderStatus, OrganizationId, ProfileId, SslId
from reconciler.model.policy import Account, Instance, Login, LoginKind
from reconciler.model.x509 import parse_certificates, parse_csr
from reconciler.sandbox.faults import Fault, FaultKind
from reconciler.services.clock import RealClock, SandboxClock
from reconciler.services.connect import clock_for, cps_client, scm_client
from reconciler.services.cps.client import CpsClient
from reconciler.services.scm.client import ScmClient
from reconciler.settings import Settings, read_settings
from tests.support.certs import desired

if TYPE_CHECKING:
    from reconciler.sandbox.server import BackgroundSandbox

CONTRACT = ContractId("C-1ABCDEF")
BOTH = frozenset({CONTRACT, ContractId("C-2GHIJKL")})
ORGANIZATION, OV_MULTI, EV_MULTI = OrganizationId(1101), ProfileId(2012), ProfileId(2022)
PLACE = desired().location
ACCOUNT = Account(name=AccountName("main"), edgerc_section="default", location=PLACE)

LOGINS = {
    "password": Login(
        kind=LoginKind.PASSWORD, login="SECTIGO_LOGIN", password="SECTIGO_PASSWORD", customer_uri="elsewhere"
    ),
    "certificate": Login(
        kind=LoginKind.CERTIFICATE,
        login="SECTIGO_LOGIN",
        certificate_file="SECTIGO_CERT_FILE",
        key_file="SECTIGO_KEY_FILE",
        customer_uri="elsewhere",
    ),
    "oauth": Login(kind=LoginKind.OAUTH, client_id="SECTIGO_CLIENT_ID", client_secret="SECTIGO_CLIENT_SECRET"),
}


@pytest.fixture
def settings(sandbox: "BackgroundSandbox") -> Settings:
    return read_settings(sandbox.environment)


@pytest.fixture
def clock(settings: Settings) -> Iterator[RealClock | SandboxClock]:
    with closing(clock_for(settings)) as running:
        yield running


@pytest.fixture
def cps(settings: Settings, clock: SandboxClock) -> Iterator[CpsClient]:
    with closing(cps_client(ACCOUNT, settings, clock)) as client:
        yield client


@pytest.fixture
def connect(settings: Settings, clock: SandboxClock) -> Iterator[Callable[[str], ScmClient]]:
    """Return a function that logs in to SCM in one of three ways."""
    clients: list[ScmClient] = []

    def connected(login: str) -> ScmClient:
        instance = Instance(
            name=InstanceName("enterprise"),
            base_url="https://cert-manager.com/api",
            login=LOGINS[login],
            location=PLACE,
        )
        clients.append(scm_client(instance, settings, clock))
        return clients[-1]

    yield connected
    for client in clients:
        client.close()


@pytest.fixture
def scm(connect: Callable[[str], ScmClient]) -> ScmClient:
    return connect("password")


def wanted(*names: str, key_types: frozenset[KeyType] = frozenset(KeyType), **fields: object) -> DesiredCertificate:
    """Return a certificate as a file with usual defaults asks for it."""
    base = desired(*names, profile="OV Multi-Domain")
    enrollment = replace(
        base.enrollment,
        contract=CONTRACT,
        subject=Subject(country="GB", state="Greater Manchester", locality="Manchester", organization="Example Ltd"),
        admin_contact=Contact(first_name="Ada", last_name="Byron", email="tls@example.com", phone="+44 161 0000000"),
        tech_contact=Contact(first_name="Ari", last_name="Kam", email="ari@akamai.com", phone="+1 617 0000000"),
        org=PostalOrganization(
            name="Example Ltd",
            address_line_one="1 Main Street",
            city="Manchester",
            region="Greater Manchester",
            postal_code="M1 1AA",
            country="GB",
            phone="+44 161 0000000",
        ),
        **fields,  # type: ignore[arg-type]
    )
    return replace(base, enrollment=enrollment, key_types=key_types)


def order_for(csr: Csr, *, profile: ProfileId = OV_MULTI, comments: str = "tag") -> OrderRequest:
    info = parse_csr(csr.pem)
    assert info.common_name is not None
    names = (DnsName(info.common_name), *sorted(info.sans - {info.common_name}))
    return OrderRequest(
        organization_id=ORGANIZATION,
        profile_id=profile,
        term_days=199,
        csr_pem=csr.pem,
        sans=names,
        comments=comments,
        external_requester=("tls@example.com",),
        custom_fields={"CostCenter": "4711"},
    )


def wait(
    cps: CpsClient, clock: SandboxClock, enrollment: EnrollmentId, change: ChangeId, ready: Callable[[Change], bool]
) -> Change:
    """Look every ten minutes, for two days of service time at most."""
    seen = cps.change(enrollment, change)
    for _ in range(300):
        if ready(seen):
            return seen
        clock.sleep(timedelta(minutes=10))
        seen = cps.change(enrollment, change)
    raise AssertionError(f"the change stays {seen}")


def csrs_of(cps: CpsClient, clock: SandboxClock, wish: DesiredCertificate) -> tuple[EnrollmentId, ChangeId, list[Csr]]:
    opened = cps.create_enrollment(wish)
    assert opened.change_id is not None
    wait(cps, clock, opened.enrollment_id, opened.change_id, lambda seen: InputKind.CERTIFICATE in seen.inputs)
    found = cps.csrs(opened.enrollment_id, opened.change_id)
    assert found is not None
    return opened.enrollment_id, opened.change_id, [csr for csr in found if csr.key_type in wish.wanted_key_types]


def half_of(csr: Csr, pems: tuple[str, ...]) -> UploadHalf:
    certificates = parse_certificates("".join(pems))
    leaf = find_leaf(certificates, parse_csr(csr.pem).spki_sha256)
    assert leaf is not None
    chain = order_chain(leaf, certificates)
    return UploadHalf(key_type=csr.key_type, leaf_pem=leaf.pem, chain_pem="".join(each.pem for each in chain))


def test_a_certificate_goes_from_nothing_to_production(cps: CpsClient, scm: ScmClient, clock: SandboxClock) -> None:
    enrollment, change, csrs = csrs_of(cps, clock, wanted("www.example.com", "img.example.com"))
    assert {csr.key_type for csr in csrs} == {KeyType.RSA, KeyType.ECDSA}

    placed = [scm.submit_order(order_for(csr)).ssl_id for csr in csrs]
    assert [scm.collect(ssl_id) for ssl_id in placed] == [None, None]
    clock.sleep(timedelta(hours=1))
    halves = tuple(half_of(csr, scm.collect(ssl_id) or ()) for csr, ssl_id in zip(csrs, placed, strict=True))

    cps.upload(enrollment, change, halves)
    seen = wait(cps, clock, enrollment, change, lambda seen: bool(seen.inputs))
    if InputKind.POST_WARNINGS in seen.inputs:
        assert cps.warnings(enrollment, change, InputKind.POST_WARNINGS)
        cps.acknowledge_warnings(enrollment, change, InputKind.POST_WARNINGS)
    wait(cps, clock, enrollment, change, lambda seen: InputKind.CHANGE_MANAGEMENT in seen.inputs)

    serials = {half.key_type: parse_certificates(half.leaf_pem)[0].serial for half in halves}
    staged = cps.served(BOTH).values[enrollment]
    assert {key_type: each.serial for key_type, each in staged.staging.items()} == serials
    assert staged.production == {}
    management = cps.change_management(enrollment, change)
    assert management is not None
    assert management.errors == ()
    assert {parse_certificates(pem)[0].serial for pem in management.pending_pems} == set(serials.values())
    cps.acknowledge_change_management(enrollment, change, management.validation_hash)
    wait(cps, clock, enrollment, change, lambda seen: seen.state is ChangeState.COMPLETED)

    live = cps.served(BOTH).values[enrollment].production
    assert {key_type: each.serial for key_type, each in live.items()} == serials
    assert {key_type: each.sha256 for key_type, each in live.items()} == {
        half.key_type: parse_certificates(half.leaf_pem)[0].sha256 for half in halves
    }
    (record,) = cps.history(enrollment)
    assert (record.action, record.status) == ("new-certificate", "completed")
    assert {csr.pem.strip() for csr in record.csrs} == {csr.pem.strip() for csr in csrs}
    assert cps.change_management(enrollment, change) is None
    orders = {order.ssl_id: order for order in scm.orders().values}
    assert {orders[ssl_id].serial for ssl_id in placed} == set(serials.values())


def test_an_enrollment_reads_back_as_it_was_asked_for(cps: CpsClient) -> None:
    wish = wanted(
        "www.example.com",
        "img.example.com",
        geography="core",
        disallowed_tls_versions=frozenset({"TLSv1"}),
        fips_mode=False,
        exclude_sans=False,
        change_management=False,
    )
    opened = cps.create_enrollment(wish)
    reading = cps.enrollments(BOTH)
    assert reading.complete, reading.problems
    (found,) = reading.values
    assert (found.id, found.contract, found.account, found.third_party) == (
        opened.enrollment_id,
        CONTRACT,
        "main",
        True,
    )
    assert [pending.id for pending in found.pending] == [opened.change_id]
    assert (found.common_name, found.sans) == ("www.example.com", wish.sans)
    asked = wish.enrollment
    assert (found.subject, found.org) == (asked.subject, asked.org)
    assert (found.admin_contact, found.tech_contact) == (asked.admin_contact, asked.tech_contact)
    assert (found.secure_network, found.sni_only) == (asked.secure_network, asked.sni_only)
    assert found.disallowed_tls_versions == {"TLSv1"}
    assert (found.ocsp_stapling, found.clone_dns_names, found.fips_mode) == ("on", True, False)
    assert (found.change_management, found.multi_stacked, found.exclude_sans) == (False, True, False)


@pytest.mark.parametrize(
    "options",
    [
        {"id_type": "string", "location_prefix": "/cps-api"},
        {"contract_on_list": "required"},
        {"change_management_booleans": "booleans", "csr_order": "ecdsa-first"},
        {"signature_algorithm_echo": "as-sent"},
    ],
)
def test_every_spelling_of_cps_is_understood(
    sandbox: "BackgroundSandbox", cps: CpsClient, clock: SandboxClock, options: dict[str, object]
) -> None:
    sandbox.set(**options)
    enrollment, change, csrs = csrs_of(cps, clock, wanted("www.example.com"))
    reading = cps.enrollments(BOTH)
    assert reading.complete, reading.problems
    assert [(found.id, found.pending[0].id) for found in reading.values] == [(enrollment, change)]
    assert {csr.key_type for csr in csrs} == {KeyType.RSA, KeyType.ECDSA}


def test_both_contracts_are_found(cps: CpsClient) -> None:
    assert cps.contracts().values == BOTH
    other = wanted("img.example.com")
    other = replace(other, enrollment=replace(other.enrollment, contract=ContractId("C-2GHIJKL")))
    cps.create_enrollment(wanted("www.example.com"))
    cps.create_enrollment(other)
    contracts = {found.common_name: found.contract for found in cps.enrollments(BOTH).values}
    assert contracts == {"www.example.com": "C-1ABCDEF", "img.example.com": "C-2GHIJKL"}


def test_mutual_authentication_follows_a_create(cps: CpsClient) -> None:
    opened = cps.create_enrollment(wanted("www.example.com"))
    settings = MutualAuthentication(set_id="12345", send_ca_list_to_client=True, ocsp_enabled=False)
    again = cps.update_enrollment(
        opened.enrollment_id,
        wanted("www.example.com", client_mutual_authentication=settings),
        force_renewal=False,
        cancel_pending=True,
        add_missing=False,
    )
    assert again.enrollment_id == opened.enrollment_id
    assert again.change_id != opened.change_id
    (found,) = cps.enrollments(BOTH).values
    assert found.client_mutual_authentication == settings
    assert found.sans == {"www.example.com"}
    assert [pending.id for pending in found.pending] == [again.change_id]


def test_a_second_enrollment_of_a_name_needs_a_purpose(cps: CpsClient) -> None:
    first = cps.create_enrollment(wanted("www.example.com"))
    with pytest.raises(LookAgainError):
        cps.create_enrollment(wanted("www.example.com"))
    second = cps.create_enrollment(wanted("www.example.com", allow_duplicate_cn=True))
    assert second.enrollment_id != first.enrollment_id


def test_a_contract_that_is_not_ours_is_refused(cps: CpsClient) -> None:
    wish = wanted("www.example.com")
    with pytest.raises(ServiceRejectedError, match="contract"):
        cps.create_enrollment(replace(wish, enrollment=replace(wish.enrollment, contract=ContractId("C-OTHER"))))


def test_what_is_not_there_yet_is_none(cps: CpsClient) -> None:
    opened = cps.create_enrollment(wanted("www.example.com"))
    assert opened.change_id is not None
    assert cps.csrs(opened.enrollment_id, opened.change_id) is None
    assert cps.warnings(opened.enrollment_id, opened.change_id, InputKind.PRE_WARNINGS) is None
    with pytest.raises(LookAgainError):
        cps.acknowledge_warnings(opened.enrollment_id, opened.change_id, InputKind.PRE_WARNINGS)


# SCM


@pytest.mark.parametrize("login", LOGINS)
def test_each_login_sees_the_same(connect: Callable[[str], ScmClient], login: str) -> None:
    scm = connect(login)
    organizations = {each.path: each.id for each in scm.organizations().values}
    assert organizations["Example Ltd / Web"] == 1102
    profiles = {each.name: each for each in scm.profiles().values}
    assert profiles["OV Multi-Domain"].terms_days == {199}
    assert "2048" in profiles["OV Multi-Domain"].key_types["RSA"]
    assert scm.orders().complete


@pytest.mark.parametrize("login", LOGINS)
def test_each_login_orders_and_collects(
    connect: Callable[[str], ScmClient], cps: CpsClient, clock: SandboxClock, login: str
) -> None:
    scm = connect(login)
    _, _, (csr,) = csrs_of(cps, clock, wanted("www.example.com", key_types=frozenset({KeyType.ECDSA})))
    placed = scm.submit_order(order_for(csr, comments="certrecon/1 i=x; e=1"))
    clock.sleep(timedelta(hours=1))
    assert half_of(csr, scm.collect(placed.ssl_id) or ()).chain_pem
    (order,) = scm.orders().values
    assert (order.ssl_id, order.status, order.comments) == (
        placed.ssl_id,
        OrderStatus.ISSUED,
        "certrecon/1 i=x; e=1",
    )


@pytest.fixture
def two_orders(cps: CpsClient, scm: ScmClient, clock: SandboxClock) -> list[SslId]:
    """One issued order, and one that waits for approval."""
    _, _, csrs = csrs_of(cps, clock, wanted("www.example.com", "img.example.com"))
    issued = scm.submit_order(order_for(csrs[0], comments="first"))
    clock.sleep(timedelta(hours=1))
    waiting = scm.submit_order(order_for(csrs[1], profile=EV_MULTI, comments="second"))
    return [issued.ssl_id, waiting.ssl_id]


@pytest.mark.parametrize("options", [{}, {"details_dates": "ISO", "serials": "plain", "details_sans": "without_cn"}])
def test_report_list_and_details_tell_the_same(
    sandbox: "BackgroundSandbox", scm: ScmClient, two_orders: list[SslId], options: dict[str, object]
) -> None:
    sandbox.set(**options)
    reported = {order.ssl_id: order for order in scm.orders().values}
    listed = {order.ssl_id: order for order in scm._orders._list().values}
    assert sorted(reported) == sorted(listed) == sorted(two_orders)
    for ssl_id in two_orders:
        # Who approved is an admin's login in one answer and a name in the other; only details know of successors.
        assert replace(reported[ssl_id], approver="") == replace(listed[ssl_id], approver="", renewed=None)
        assert scm.order(ssl_id) == listed[ssl_id]
    issued, waiting = (reported[ssl_id] for ssl_id in two_orders)
    assert (issued.status, waiting.status) == (OrderStatus.ISSUED, OrderStatus.REQUESTED)
    assert issued.serial is not None
    assert (issued.organization_id, issued.profile_id, issued.term_days) == (ORGANIZATION, OV_MULTI, 199)
    assert waiting.serial is None
    assert issued.sans == {"www.example.com", "img.example.com"}


def test_a_successor_that_is_linked_shows_in_the_details(scm: ScmClient, two_orders: list[SslId]) -> None:
    older, newer = two_orders
    before = scm.order(older)
    scm.link_orders(older, newer)
    after = scm.order(older)
    assert before is not None
    assert after is not None
    assert (before.renewed, after.renewed) == (False, True)
    with pytest.raises(ServiceError, match="-130"):  # only what is issued can have been renewed
        scm.link_orders(newer, older)


@pytest.mark.parametrize(
    "options",
    [
        {"list_order": "shuffle"},
        {"list_order": "descending", "report_san_separator": ", "},
        {"sa_approved_spelling": "SAApproved", "unknown_id": "always_400"},
        {"unknown_members": True, "x509_order": "leaf_first", "chain_cross": True},
    ],
)
def test_every_spelling_of_scm_is_understood(
    sandbox: "BackgroundSandbox", scm: ScmClient, two_orders: list[SslId], options: dict[str, object]
) -> None:
    sandbox.set(**options)
    for reading in (scm.orders(), scm._orders._list()):
        assert reading.complete, reading.problems
        assert sorted(order.ssl_id for order in reading.values) == sorted(two_orders)
        assert {order.sans for order in reading.values} == {frozenset({"www.example.com", "img.example.com"})}
    assert scm.order(SslId(999_999)) is None
    assert len(parse_certificates("".join(scm.collect(two_orders[0]) or ()))) >= 2


@pytest.mark.parametrize("pending", ["by_state", "0", "-23", "-103", "-109", "-183", "-1400", "empty"])
def test_every_way_to_say_not_yet_is_understood(
    sandbox: "BackgroundSandbox", scm: ScmClient, two_orders: list[SslId], pending: str
) -> None:
    sandbox.set(pending_code=pending)
    assert scm.collect(two_orders[1]) is None


def test_a_revoked_certificate_is_never_collected(
    sandbox: "BackgroundSandbox", scm: ScmClient, two_orders: list[SslId]
) -> None:
    sandbox.run(lambda: sandbox.scm.portal.revoke(two_orders[0]))
    with pytest.raises(ServiceRejectedError):
        scm.collect(two_orders[0])
    assert {order.ssl_id: order.status for order in scm.orders().values}[two_orders[0]] is OrderStatus.REVOKED


def test_an_unknown_domain_is_refused(cps: CpsClient, scm: ScmClient, clock: SandboxClock) -> None:
    _, _, (csr,) = csrs_of(cps, clock, wanted("www.example.dev", key_types=frozenset({KeyType.RSA})))
    with pytest.raises(ServiceRejectedError) as caught:
        scm.submit_order(order_for(csr))
    assert caught.value.code == "-1010"
    assert scm.orders().values == ()


# Faults


def test_a_lost_answer_may_have_placed_the_order(
    sandbox: "BackgroundSandbox", cps: CpsClient, scm: ScmClient, clock: SandboxClock
) -> None:
    _, _, (csr,) = csrs_of(cps, clock, wanted("www.example.com", key_types=frozenset({KeyType.RSA})))
    sandbox.faults.arm(Fault(kind=FaultKind.LOSE_ANSWER, operation="scm.enroll"))
    with pytest.raises(OutcomeUnknownError):
        scm.submit_order(order_for(csr, comments="lost"))
    assert [order.comments for order in scm.orders().values] == ["lost"]
    assert sandbox.calls["scm.enroll"] == 1


@pytest.mark.parametrize(
    "kind", [FaultKind.LOSE_ANSWER, FaultKind.HALF_BODY, FaultKind.EMPTY_BODY, FaultKind.STATUS_AFTER]
)
def test_a_broken_answer_leaves_a_create_unknown(sandbox: "BackgroundSandbox", cps: CpsClient, kind: FaultKind) -> None:
    sandbox.faults.arm(Fault(kind=kind, operation="cps.create_enrollment", status=500))
    with pytest.raises(OutcomeUnknownError):
        cps.create_enrollment(wanted("www.example.com"))
    assert len(cps.enrollments(BOTH).values) == 1
    assert sandbox.calls["cps.create_enrollment"] == 1


READS = ["cps.list_enrollments", "cps.list_active_certificates", "scm.report", "scm.list_organizations"]
BREAKS = [FaultKind.STATUS, FaultKind.REFUSE, FaultKind.HALF_BODY, FaultKind.EMPTY_BODY, FaultKind.LOSE_ANSWER]


def readings(cps: CpsClient, scm: ScmClient) -> dict[str, tuple[bool, int]]:
    """Return of each bulk read whether it is complete, and how much it brought."""
    found = {
        "cps.list_enrollments": cps.enrollments(BOTH),
        "cps.list_active_certificates": cps.served(BOTH),
        "scm.report": scm.orders(),
        "scm.list_organizations": scm.organizations(),
    }
    return {name: (reading.complete, len(reading.values)) for name, reading in found.items()}


@pytest.mark.parametrize("operation", READS)
@pytest.mark.parametrize("kind", BREAKS)
def test_a_read_that_fails_once_is_made_again(
    sandbox: "BackgroundSandbox", cps: CpsClient, scm: ScmClient, operation: str, kind: FaultKind
) -> None:
    sandbox.faults.arm(Fault(kind=kind, operation=operation, status=503))
    assert all(complete for complete, _ in readings(cps, scm).values())


@pytest.mark.parametrize("operation", READS)
@pytest.mark.parametrize("kind", [*BREAKS, FaultKind.WRONG_TYPES])
def test_a_read_that_keeps_failing_is_incomplete_and_no_other(
    sandbox: "BackgroundSandbox", cps: CpsClient, scm: ScmClient, operation: str, kind: FaultKind
) -> None:
    sandbox.faults.arm(Fault(kind=kind, operation=operation, status=500, times=0))
    complete = {name: done for name, (done, _) in readings(cps, scm).items()}
    assert complete == {name: name != operation for name in READS}


def test_a_report_that_lost_a_row_is_noticed(
    sandbox: "BackgroundSandbox", scm: ScmClient, two_orders: list[SslId]
) -> None:
    sandbox.faults.arm(Fault(kind=FaultKind.DROP_ITEM, operation="scm.report", times=0))
    reading = scm.orders()
    assert reading.complete
    assert sorted(order.ssl_id for order in reading.values) == sorted(two_orders)
    assert sandbox.calls["scm.report"] == 2
    assert sandbox.calls["scm.get_order"] == 2


def test_a_list_that_lost_a_row_is_noticed(
    sandbox: "BackgroundSandbox", scm: ScmClient, two_orders: list[SslId]
) -> None:
    sandbox.faults.arm(Fault(kind=FaultKind.DROP_ITEM, operation="scm.report", times=0))
    sandbox.faults.arm(Fault(kind=FaultKind.DROP_ITEM, operation="scm.list_orders", times=0))
    reading = scm.orders()
    assert not reading.complete
    assert "does not add up" in reading.problems[0]
    assert two_orders


# Limits, credentials, clocks


def test_the_limits_of_an_account_are_kept(sandbox: "BackgroundSandbox", cps: CpsClient, clock: SandboxClock) -> None:
    opened = cps.create_enrollment(wanted("www.example.com"))
    assert opened.change_id is not None
    started = clock.now()
    for _ in range(75):
        cps.change(opened.enrollment_id, opened.change_id)
    for _ in range(12):
        assert cps.served(BOTH).complete
    assert sandbox.calls["cps.get_change"] == 75  # a refused call would have been made again
    assert sandbox.calls["cps.list_active_certificates"] == 12
    assert timedelta(minutes=2) <= clock.now() - started < timedelta(minutes=4)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"too_many_requests_body": "docs"},
        {"too_many_requests_body": "field-report", "retry_after_header": False},
        {"retry_after_header": False, "rate_limit_headers": "omitted"},
        {"rate_limit_headers": "all"},
    ],
)
def test_a_limit_that_others_used_up_is_waited_for(
    sandbox: "BackgroundSandbox", settings: Settings, clock: SandboxClock, options: dict[str, object]
) -> None:
    sandbox.set(**options)
    hasty = replace(ACCOUNT, calls_per_minute=1000)
    with closing(cps_client(hasty, settings, clock)) as cps:
        assert all(cps.contracts().complete and cps.enrollments(BOTH).complete for _ in range(25))


def test_a_wrong_secret_is_told(sandbox: "BackgroundSandbox", clock: SandboxClock) -> None:
    names = {name: f"AKAMAI_{name.upper()}" for name in ("host", "client_token", "client_secret", "access_token")}
    account = replace(ACCOUNT, edgerc_section=None, variables=names)
    settings = read_settings({**sandbox.environment, "AKAMAI_CLIENT_SECRET": "wrong"})
    with closing(cps_client(account, settings, clock)) as cps:
        with pytest.raises(AuthenticationError, match="signature does not match"):
            cps.contracts()
        with pytest.raises(AuthenticationError):
            cps.create_enrollment(wanted("www.example.com"))


def test_a_clock_that_is_off_is_told(cps: CpsClient, monkeypatch: pytest.MonkeyPatch) -> None:
    import akamai.edgegrid.edgegrid as signer

    behind = datetime.now(UTC) - timedelta(minutes=2)  # noqa: TID251 - signatures follow real time
    monkeypatch.setattr(signer, "eg_timestamp", lambda: behind.strftime("%Y%m%dT%H:%M:%S+0000"))
    with pytest.raises(AuthenticationError, match="Invalid timestamp") as caught:
        cps.contracts()
    assert "NTP" in caught.value.remedy


def test_a_client_that_may_only_read_is_refused_with_the_remedy(settings: Settings, clock: SandboxClock) -> None:
    with closing(cps_client(replace(ACCOUNT, edgerc_section="readonly"), settings, clock)) as cps:
        assert cps.enrollments(BOTH).complete
        with pytest.raises(ServiceRejectedError) as caught:
            cps.create_enrollment(wanted("www.example.com"))
    assert "read-write" in caught.value.remedy


@pytest.mark.parametrize(
    ("login", "variable"),
    [("password", "SECTIGO_PASSWORD"), ("password", "SECTIGO_LOGIN"), ("oauth", "SECTIGO_CLIENT_SECRET")],
)
def test_a_wrong_login_is_told(sandbox: "BackgroundSandbox", clock: SandboxClock, login: str, variable: str) -> None:
    settings = read_settings({**sandbox.environment, variable: "wrong"})
    instance = Instance(
        name=InstanceName("e"), base_url="https://cert-manager.com/api", login=LOGINS[login], location=PLACE
    )
    with closing(scm_client(instance, settings, clock)) as scm, pytest.raises(AuthenticationError):
        scm.orders()


def test_a_token_that_died_early_is_renewed(sandbox: "BackgroundSandbox", connect: Callable[[str], ScmClient]) -> None:
    scm = connect("oauth")
    assert scm.organizations().complete
    sandbox.run(sandbox.scm.state.tokens.clear)
    assert scm.organizations().complete
    assert sandbox.calls["oauth.token"] == 2


def test_sleeping_moves_the_sandbox_to_the_instant(sandbox: "BackgroundSandbox", clock: SandboxClock) -> None:
    before = clock.now()
    clock.sleep(timedelta(hours=3, seconds=0.5))
    assert clock.now() == before + timedelta(hours=3, seconds=0.5) == sandbox.clock.now()
    clock.sleep(timedelta(0))
    clock.sleep(timedelta(seconds=-5))
    assert clock.now() == sandbox.clock.now() == before + timedelta(hours=3, seconds=0.5)


def test_a_sandbox_that_does_not_run_is_told(sandbox: "BackgroundSandbox", unused_url: str) -> None:
    with closing(clock_for(read_settings({**sandbox.environment, "CERTRECON_SANDBOX": unused_url}))) as clock:
        with pytest.raises(ServiceUnavailableError, match="cannot connect") as caught:
            clock.now()
        assert "certrecon sandbox serve" in caught.value.remedy


@pytest.fixture
def unused_url() -> str:
    from tests.support.scripted import closed_port

    return f"https://localhost:{closed_port()}"


def test_without_a_sandbox_the_clock_is_the_machines() -> None:
    with closing(clock_for(read_settings({}))) as clock:
        assert isinstance(clock, RealClock)
        assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)  # noqa: TID251

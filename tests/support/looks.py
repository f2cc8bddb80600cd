"""What a look saw, as values: accounts, instances, changes, orders; for tests of the deciding parts."""

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.model.certificate import (
    AccountName,
    ChangeId,
    ContractId,
    DesiredCertificate,
    EnrollmentId,
    InstanceName,
    KeyType,
    Subject,
)
from reconciler.model.enrollment import (
    Change,
    ChangeRecord,
    ChangeState,
    Csr,
    Enrollment,
    InputKind,
    PendingChange,
    Served,
    ServedCertificate,
)
from reconciler.model.entry import CauseId
from reconciler.model.names import DnsName
from reconciler.model.order import Order, OrderStatus, Organization, OrganizationId, Profile, ProfileId, SslId
from reconciler.model.policy import Policy
from reconciler.model.reading import Reading
from reconciler.model.x509 import Certificate, parse_csr
from reconciler.planning.case import Context, Trust
from reconciler.planning.indexes import EnrollmentIndex, OrderBook
from reconciler.planning.observed import AccountView, ChangeView, InstanceView, Observed
from reconciler.planning.tags import OrderTag, key_of

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACCOUNT = AccountName("main")
INSTANCE = InstanceName("enterprise")
ENROLLMENT = EnrollmentId(10002)
CHANGE = ChangeId(20003)


def enrollment_for(desired: DesiredCertificate, **fields: Any) -> Enrollment:
    """Return the enrollment that a create for `desired` would have led to, its change pending."""
    wanted = desired.enrollment
    made = Enrollment(
        id=ENROLLMENT,
        account=ACCOUNT,
        contract=wanted.contract,
        third_party=True,
        common_name=desired.common_name,
        sans=desired.sans,
        subject=wanted.subject or Subject(),
        secure_network=wanted.secure_network,
        sni_only=wanted.sni_only,
        geography=wanted.geography or "core",
        must_have_ciphers=wanted.must_have_ciphers or "ak-akamai-2020q1",
        preferred_ciphers=wanted.preferred_ciphers or "ak-akamai-2020q1",
        disallowed_tls_versions=wanted.disallowed_tls_versions or frozenset(),
        ocsp_stapling=wanted.ocsp_stapling or "on",
        clone_dns_names=True,
        client_mutual_authentication=None,
        fips_mode=None,
        exclude_sans=bool(wanted.exclude_sans),
        change_management=True,
        multi_stacked=True,
        org=wanted.org,
        admin_contact=wanted.admin_contact,
        tech_contact=wanted.tech_contact,
        pending=(PendingChange(id=CHANGE, change_type="new-certificate"),),
    )
    return dataclasses.replace(made, **fields)


def change(state: ChangeState, status: str, *inputs: InputKind, **fields: Any) -> Change:
    return Change(id=CHANGE, state=state, status=status, inputs=frozenset(inputs), **fields)


def waiting_for_certificate(*csr_pems: str, opened_at: datetime = NOW - timedelta(minutes=5)) -> ChangeView:
    """Return a change that waits for its certificate and shows these CSRs."""
    csrs = tuple(
        Csr(key_type=KeyType.ECDSA if parse_csr(pem).key.algorithm == "EC" else KeyType.RSA, pem=pem)
        for pem in csr_pems
    )
    return ChangeView(
        change=change(ChangeState.AWAITING_INPUT, "wait-upload-third-party", InputKind.CERTIFICATE),
        csrs=csrs,
        record=ChangeRecord(
            action="new-certificate", status="incomplete", created_by="robot", created_at=opened_at, csrs=csrs
        ),
    )


def order_for(desired: DesiredCertificate, csr_pem: str | None = None, *, ssl_id: int = 501, **fields: Any) -> Order:
    """Return an order for `desired`, tagged as ours for the CSR where one is given."""
    made = Order(
        ssl_id=SslId(ssl_id),
        common_name=desired.common_name,
        sans=desired.sans,
        status=OrderStatus.APPLIED,
        status_text="Applied",
        organization_id=OrganizationId(1101),
        profile_id=ProfileId(2002),
        profile_name=desired.order.profile,
        term_days=199,
        comments=str(tag_for(csr_pem)) if csr_pem is not None else "",
        serial=None,
        requested_at=NOW,
        issued_at=None,
        expires_at=None,
        requester="api-admin",
    )
    return dataclasses.replace(made, **fields)


def tag_for(csr_pem: str) -> OrderTag:
    info = parse_csr(csr_pem)
    return OrderTag(
        installation="0a1b2c3d",
        enrollment_id=ENROLLMENT,
        change_id=CHANGE,
        key_type=info.key.key_type or KeyType.RSA,
        key=key_of(info.spki_sha256),
        cause=CauseId("ab12"),
    )


def served_by(
    *leaves: Certificate, network: str = "production", expires_at: datetime | None = None
) -> Mapping[str, Mapping[KeyType, ServedCertificate]]:
    """Return `Served`'s argument for one network."""
    return {
        network: {
            leaf.key.key_type or KeyType.RSA: ServedCertificate(
                key_type=leaf.key.key_type or KeyType.RSA,
                serial=leaf.serial,
                sha256=leaf.sha256,
                expires_at=expires_at or leaf.not_after,
                issuer=leaf.issuer,
            )
            for leaf in leaves
        }
    }


def account_view(
    *enrollments: Enrollment, served: Mapping[EnrollmentId, Served] | None = None, complete: bool = True
) -> AccountView:
    problems = () if complete else ("half of the list is missing",)
    return AccountView(
        contracts=Reading(values=frozenset({ContractId("C-1")})),
        enrollments=Reading(values=enrollments, complete=complete, problems=problems),
        served=Reading(values=served or {}),
        index=EnrollmentIndex.of(enrollments),
    )


def instance_view(*orders: Order, complete: bool = True) -> InstanceView:
    keys = {"RSA": frozenset({"2048"}), "EC": frozenset({"P-256"})}
    names = ("DV Single", "OV Multi-Domain", "EV Multi-Domain", "Private TLS")
    profiles = tuple(
        Profile(id=ProfileId(2001 + place), name=name, terms_days=frozenset({199, 30}), key_types=keys)
        for place, name in enumerate(names)
    )
    problems = () if complete else ("the report has 3 rows and should have 4",)
    return InstanceView(
        organizations=Reading(values=(Organization(id=OrganizationId(1101), name="Example Ltd"),)),
        profiles=Reading(values=profiles),
        orders=Reading(values=orders, complete=complete, problems=problems),
        book=OrderBook.of(orders),
    )


def context(
    account: AccountView,
    instance: InstanceView,
    *,
    view: ChangeView | None = None,
    collected: Mapping[int, Iterable[Certificate]] | None = None,
    roots: tuple[Certificate, ...] = (),
    now: datetime = NOW,
    **fields: Any,
) -> Context:
    """Return what all decisions of a look share; `collected` is by order id."""
    observed = Observed(
        at=now,
        accounts={ACCOUNT: account},
        instances={INSTANCE: instance},
        changes={(ACCOUNT, ENROLLMENT): view} if view is not None else {},
        collected={(INSTANCE, SslId(ssl_id)): tuple(given) for ssl_id, given in (collected or {}).items()},
        staging_handshakes=fields.pop("handshakes", {}),
    )
    return Context(
        observed=observed,
        policy=fields.pop("policy", Policy()),
        trust=Trust(public_roots=roots, private_roots={}),
        installation="0a1b2c3d",
        claimed={},
        promote=fields.pop("context_promote", frozenset()),
        journals={ACCOUNT: journal} if (journal := fields.pop("journal", None)) is not None else {},
        **fields,
    )


def names(*texts: str) -> frozenset[DnsName]:
    return frozenset(map(DnsName, texts))

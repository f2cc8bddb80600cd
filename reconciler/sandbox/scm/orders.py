"""The life of an order: what people decide at once, what the CA does later as events of the clock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from reconciler.sandbox.ca import IssueRequest, SubjectFields
from reconciler.sandbox.clock import Payload
from reconciler.sandbox.hierarchy import Kind
from reconciler.sandbox.scm.csr import Csr
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.leaf import serial_hex
from reconciler.sandbox.scm.names import all_names
from reconciler.sandbox.scm.state import Admin, CustomValue, OldCertificate, Order, OrderDcv, Profile, Status
from reconciler.sandbox.scm.world import World

AUTO_APPROVE = "scm.order.approve"
APPLY = "scm.order.apply"
ISSUE = "scm.order.issue"
EXPIRE = "scm.order.expire"
REVOKE_REPLACED = "scm.order.revoke_replaced"
CHECK_DCV = "scm.order.check_dcv"
AUTO_RENEW = "scm.order.auto_renew"

EDITABLE = frozenset({Status.REQUESTED, Status.DECLINED, Status.REJECTED, Status.INVALID})
_AT_THE_CA = frozenset({Status.APPROVED, Status.SA_APPROVED, Status.APPLIED})
_CA = "Sectigo"
_APPROVER = "approver"
_DCV_RECHECK = timedelta(hours=1)
FIRST_SSL_ID = 5001
FIRST_ORDER_NUMBER = 7344326


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An order that passed all checks."""

    org_id: int
    profile: Profile
    csr: Csr
    sans: Sequence[str]
    term: int
    comments: str = ""
    external_requester: str = ""
    custom_fields: Sequence[CustomValue] = ()
    dcv: Sequence[OrderDcv] = field(default=())
    renew_id: str | None = None


def register(world: World) -> None:
    """Tell the clock what to do when an order's time comes."""
    steps: dict[str, Callable[[World, Order], None]] = {
        AUTO_APPROVE: _approve_by_second_admin,
        APPLY: _apply,
        ISSUE: issue,
        CHECK_DCV: check_dcv,
    }
    for kind, step in steps.items():
        world.clock.on(kind, partial(_if_current, world, step))
    world.clock.on(EXPIRE, partial(_expire, world))
    world.clock.on(REVOKE_REPLACED, partial(_revoke_replaced, world))


def place(world: World, admin: Admin, draft: Draft) -> Order:
    """Take an order into the books and send it on its way."""
    options = world.options
    order = Order(
        ssl_id=world.ids.next("scm.ssl_id", first=FIRST_SSL_ID),
        renew_id=draft.renew_id or world.ids.text("scm.renew_id", 20),
        org_id=draft.org_id,
        profile_id=draft.profile.id,
        csr_pem=draft.csr.pem,
        common_name=draft.csr.common_name,
        sans=list(draft.sans),
        term=draft.term,
        requester=admin.email,
        requester_id=admin.id,
        requested_via=options.requested_via,
        requested=world.now,
        visible_at=world.now + timedelta(seconds=options.visible_after_s),
        comments=draft.comments,
        external_requester=draft.external_requester,
        custom_fields=list(draft.custom_fields),
        dcv=list(draft.dcv),
    )
    world.state.orders[order.ssl_id] = order
    world.record(admin.login, "requested", order)
    _start(world, order, admin, draft.profile)
    return order


def _start(world: World, order: Order, admin: Admin, profile: Profile) -> None:
    if profile.kind == "EV" or (profile.approval and not admin.auto_approve):
        order.status = Status.REQUESTED
        if world.options.approvals == "auto":
            later(world, order, AUTO_APPROVE, world.options.approval_s)
    else:
        _accept(world, order)


def later(world: World, order: Order, kind: str, delay_s: float) -> None:
    """Plan a step of an order; it is dropped if somebody changes the order's course before."""
    world.clock.after(timedelta(seconds=delay_s), kind, ssl_id=order.ssl_id, turn=order.turn)


def _if_current(world: World, step: Callable[[World, Order], None], payload: Payload) -> None:
    order = world.state.orders.get(int(payload["ssl_id"]))
    if order is not None and order.turn == payload["turn"]:
        step(world, order)


def approve(world: World, order: Order, admin: Admin, message: str = "") -> None:
    """Let an order go to the CA.

    Raises:
        RefusedError: -1112 not waiting for approval, -1140 EV and approved by its requester.
    """
    if order.status is not Status.REQUESTED and not (order.status in EDITABLE and order.edited):
        raise RefusedError(-1112, order.status)
    if world.state.profiles[order.profile_id].kind == "EV" and admin.id == order.requester_id:
        raise RefusedError(-1140)
    order.approver, order.approver_id = admin.full_name, admin.id
    world.record(admin.login, "approved", order, message)
    _accept(world, order)


def decline(world: World, order: Order, admin: Admin, message: str = "") -> None:
    """End an order before the CA sees it; -1112 if it does not wait for approval."""
    if order.status is not Status.REQUESTED:
        raise RefusedError(-1112, order.status)
    _stop(world, order, Status.DECLINED, admin.login, message)
    order.declined = world.now


def reject(world: World, order: Order, reason: str = "") -> None:
    """Have the CA refuse an order; -1112 if it does not have it."""
    if order.status not in _AT_THE_CA:
        raise RefusedError(-1112, order.status)
    _stop(world, order, Status.REJECTED, _CA, reason)


def invalidate(world: World, order: Order, reason: str = "") -> None:
    """Have SCM find an order wrong, for example impossible to send; -1112 once it is issued or ended."""
    if order.status not in _AT_THE_CA | {Status.INIT, Status.REQUESTED}:
        raise RefusedError(-1112, order.status)
    _stop(world, order, Status.INVALID, _CA, reason)


def _stop(world: World, order: Order, status: Status, actor: str, note: str) -> None:
    order.status = status
    order.edited = False
    order.turn += 1
    world.record(actor, status.lower(), order, note)


def _approve_by_second_admin(world: World, order: Order) -> None:
    if order.status is Status.REQUESTED and world.options.approvals == "auto":
        approve(world, order, world.state.admins[_APPROVER])


def _accept(world: World, order: Order) -> None:
    order.status = Status.APPROVED
    order.approved = world.now
    order.edited = False
    order.turn += 1
    later(world, order, APPLY, world.options.apply_s)


def _apply(world: World, order: Order) -> None:
    if order.status is Status.APPROVED and world.options.sa_approval_s > 0:
        order.status = Status.SA_APPROVED
        later(world, order, APPLY, world.options.sa_approval_s)
        return
    order.status = Status.APPLIED
    if order.order_number is None:
        order.order_number = world.ids.next("scm.order_number", first=FIRST_ORDER_NUMBER)
    if any(entry.passed_at is None for entry in order.dcv):
        _plan_check(world, order, timedelta(seconds=world.options.dcv_check_s))
    else:
        later(world, order, ISSUE, issue_delay_s(world, order))


def issue_delay_s(world: World, order: Order) -> float:
    options = world.options
    delays: dict[Kind, float] = {
        "DV": options.issue_dv_s,
        "OV": options.issue_ov_s,
        "EV": options.issue_ev_s,
        "PRIVATE": options.issue_private_s,
    }
    return delays[world.state.profiles[order.profile_id].kind]


def _plan_check(world: World, order: Order, delay: timedelta) -> None:
    for entry in order.dcv:
        if entry.passed_at is None:
            entry.next_check = world.now + delay
    later(world, order, CHECK_DCV, delay.total_seconds())


def check_dcv(world: World, order: Order) -> None:
    """Look for the validation values of an order at the CA; issue when all are found, else look again in an hour."""
    if order.status is not Status.APPLIED:
        return
    domains = {domain.name: domain for domain in world.state.domains.values()}
    for entry in order.dcv:
        if entry.passed_at is None:
            entry.last_check = world.now
            if entry.domain in domains and domains[entry.domain].answers:
                entry.passed_at = world.now
                entry.next_check = None
    if all(entry.passed_at is not None for entry in order.dcv):
        later(world, order, ISSUE, issue_delay_s(world, order))
    else:
        _plan_check(world, order, _DCV_RECHECK)


def issue(world: World, order: Order) -> None:
    """Have the CA sign what was ordered. A replacement ends when the replaced certificate would have."""
    profile = world.state.profiles[order.profile_id]
    names = all_names(order.common_name, order.sans)
    if world.options.add_www:
        names = all_names(names[0], [*names[1:], _added(order.common_name)])
    certificate = world.authority.issue(
        IssueRequest(
            csr_pem=order.csr_pem,
            kind=profile.kind,
            common_name=order.common_name,
            sans=tuple(names),
            subject=subject_of(world, order.org_id),
            term_days=order.term if order.ends_at is None else _days_to(order.ends_at, world.now),
            now=world.now,
        )
    )
    put_in_place(world, order, certificate.leaf_pem, certificate.serial, certificate.not_after, world.now)
    world.record(_CA, "issued", order)


def _added(common_name: str) -> str:
    """Return the name that comes with a product: the bare one with a wildcard, else the one with www."""
    if common_name.startswith("*."):
        return common_name.removeprefix("*.")
    return common_name if common_name.startswith("www.") else f"www.{common_name}"


def put_in_place(
    world: World, order: Order, leaf_pem: str, serial: int, not_after: datetime, issued_at: datetime
) -> None:
    """Make an order Issued with this certificate, and plan its end."""
    order.status = Status.ISSUED
    order.turn += 1
    order.issued_by = world.state.profiles[order.profile_id].kind
    order.leaf_pem = leaf_pem
    order.serial = serial_hex(serial)
    order.issued = issued_at
    order.expires = not_after
    order.ends_at = None
    world.clock.schedule(not_after + timedelta(seconds=1), EXPIRE, ssl_id=order.ssl_id, serial=order.serial)
    plan_auto_renewal(world, order)


def plan_auto_renewal(world: World, order: Order) -> None:
    """Plan SCM's own renewal, if the order asks for it."""
    if order.auto_renew and order.status is Status.ISSUED and order.expires is not None:
        due = order.expires - timedelta(days=order.auto_renew_days)
        world.clock.schedule(due, AUTO_RENEW, ssl_id=order.ssl_id, serial=order.serial)


def subject_of(world: World, org_id: int) -> SubjectFields:
    """Return what the validated organization record gives to a subject."""
    identity = world.identity(org_id)
    return SubjectFields(
        organization=identity.name,
        locality=identity.city or None,
        state=identity.state_or_province or None,
        country=identity.country or None,
        business_category=identity.business_category,
        registration_number=identity.registration_number or None,
        jurisdiction_country=identity.country or None,
    )


def _days_to(end: datetime, now: datetime) -> int:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return max((end + timedelta(seconds=1) - midnight).days, 1)


def revoke(world: World, order: Order, actor: str, reason_code: int = 0, reason: str = "") -> None:
    """Revoke an issued certificate; -102 for any other."""
    if order.status is not Status.ISSUED:
        raise RefusedError(-102)
    order.reason_code = reason_code
    order.revoked = world.now
    _stop(world, order, Status.REVOKED, actor, reason)


def replace(world: World, order: Order, admin: Admin, csr: Csr, sans: Sequence[str], common_name: str) -> None:
    """Order a new certificate under the same id, with the end of the present one."""
    old = OldCertificate(serial=order.serial, leaf_pem=order.leaf_pem, replaced_at=world.now)
    order.old_certificates.append(old)
    order.ends_at = order.expires
    order.csr_pem, order.common_name, order.sans = csr.pem, common_name, list(sans)
    order.replaced = world.now
    order.turn += 1
    world.record(admin.login, "replaced", order)
    _revoke_later(world, order, old)
    match world.options.replace_status:
        case "Requested":
            _start(world, order, admin, world.state.profiles[order.profile_id])
        case "Applied":
            _apply(world, order)
        case "Issued":
            later(world, order, ISSUE, issue_delay_s(world, order))


def _revoke_later(world: World, order: Order, old: OldCertificate) -> None:
    delay_s = world.options.replaced_revoked_after_s
    if delay_s > 0:
        world.clock.after(timedelta(seconds=delay_s), REVOKE_REPLACED, ssl_id=order.ssl_id, serial=old.serial)


def _expire(world: World, payload: Payload) -> None:
    order = world.state.orders.get(int(payload["ssl_id"]))
    if order is not None and order.status is Status.ISSUED and order.serial == payload["serial"]:
        _stop(world, order, Status.EXPIRED, _CA, "")


def _revoke_replaced(world: World, payload: Payload) -> None:
    order = world.state.orders[int(payload["ssl_id"])]
    for old in order.old_certificates:
        if old.serial == payload["serial"] and old.revoked_at is None:
            old.revoked_at = world.now
            world.record(_CA, "revoked replaced", order, old.serial)

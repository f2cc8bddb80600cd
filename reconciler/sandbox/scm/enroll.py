"""Enroll: an order from a CSR, checked in a fixed order."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from reconciler.sandbox.scm import names, order_dcv
from reconciler.sandbox.scm.answers import json_answer
from reconciler.sandbox.scm.csr import Csr, check_text, read_csr
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.fields import Members
from reconciler.sandbox.scm.options import ScmOptions
from reconciler.sandbox.scm.orders import Draft, place
from reconciler.sandbox.scm.organizations import validation_now
from reconciler.sandbox.scm.state import Admin, CustomValue, Domain, Order, OrderDcv, Profile, Status
from reconciler.sandbox.scm.terms import longest_term, terms_of
from reconciler.sandbox.scm.world import Visit, World

DCV_MODES = ("CNAME", "EMAIL", "HTTP", "HTTPS", "TXT", "AUTO")
_LEVELS = {"OV": "OV_SSL", "EV": "EV_SSL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """An order as it was sent, each field inside its own limits."""

    org_id: int
    csr_text: str
    profile_id: int | None
    term: int | None
    sans: Sequence[str]
    comments: str = ""
    external_requester: str = ""
    custom_fields: Sequence[CustomValue] = ()
    dcv_mode: str | None = None
    dcv_email: str | None = None
    renew_id: str | None = None


def enroll(world: World, visit: Visit) -> Response:
    form = _read_form(Members.parse(visit.call.body), world.options)
    order = place(world, visit.admin, checked(world, visit.admin, form))
    return json_answer({"sslId": order.ssl_id, "renewId": order.renew_id})


def _read_form(members: Members, options: ScmOptions) -> Form:
    return Form(
        org_id=members.required_integer("orgId"),
        csr_text=check_text(members.required_text("csr")),
        profile_id=members.integer("certType"),
        term=members.integer("term", lowest=1),
        sans=_read_sans(members, options),
        comments=members.text("comments", longest=1024) or "",
        external_requester=members.emails("externalRequester") or "",
        custom_fields=read_custom_fields(members) or (),
        dcv_mode=members.choice("dcvMode", DCV_MODES),
        dcv_email=members.emails("dcvEmail"),
    )


def _read_sans(members: Members, options: ScmOptions) -> list[str]:
    if options.sans_as_list == "accept" and isinstance(members.values.get("subjAltNames"), list):
        return names.split_names(",".join(members.texts("subjAltNames") or []))
    return names.split_names(members.text("subjAltNames") or "")


def read_custom_fields(members: Members) -> list[CustomValue] | None:
    entries = members.objects("customFields")
    if entries is None:
        return None
    return [
        CustomValue(
            name=entry.required_text("name", longest=256), value=entry.required_text("value", shortest=0, longest=256)
        )
        for entry in entries
    ]


def checked(world: World, admin: Admin, form: Form) -> Draft:
    """Return the order that a form makes, or refuse it for the first thing that is wrong."""
    organization = world.organization(form.org_id, admin)
    if not organization.api_enabled:
        raise RefusedError(-1021, organization.name)
    profile = _profile(world, form)
    term = _term(world, profile, form.term)
    csr = _csr(world, form, profile)
    sans = _sans(world, form, csr, profile)
    check_custom_fields(world, form.custom_fields)
    if world.options.external_requester_mandatory and not form.external_requester:
        raise RefusedError(-139)
    dcv = _dcv(world, form, names.all_names(csr.common_name, sans), profile)
    _check_organization(world, form.org_id, profile)
    _check_quota(world, admin)
    return Draft(
        org_id=form.org_id,
        profile=profile,
        csr=csr,
        sans=sans,
        term=term,
        comments=form.comments,
        external_requester=form.external_requester,
        custom_fields=form.custom_fields,
        dcv=dcv,
        renew_id=form.renew_id,
    )


def _profile(world: World, form: Form) -> Profile:
    if form.profile_id is None:
        raise RefusedError(-39, "The certificate profile id is invalid!")
    return world.profile(form.profile_id, form.org_id)


def _term(world: World, profile: Profile, term: int | None) -> int:
    offered = terms_of(profile, world.options, world.now)
    if term is not None and term in offered:
        return term
    too_long = term is not None and profile.kind != "PRIVATE" and term > longest_term(world.now)
    if too_long and world.options.over_long_term == "cut":
        return max(offered)
    raise RefusedError(-36)


def _csr(world: World, form: Form, profile: Profile) -> Csr:
    csr = read_csr(form.csr_text, profile, world.options)
    orders = world.state.orders.values()
    if world.options.duplicate_csr == "refuse" and any(order.csr_pem == csr.pem for order in orders):
        raise RefusedError(-138)
    return csr


def _sans(world: World, form: Form, csr: Csr, profile: Profile) -> list[str]:
    merged = [*form.sans, *csr.sans] if world.options.csr_sans == "merge" else form.sans
    sans = list(dict.fromkeys(merged))
    names.check_shape(names.all_names(csr.common_name, sans), profile)
    return sans


def check_custom_fields(world: World, values: Sequence[CustomValue]) -> None:
    """Refuse unknown custom fields (-135) and missing mandatory ones (-62)."""
    known = {field.name: field for field in world.state.custom_fields}
    for value in values:
        if value.name not in known:
            raise RefusedError(-135, value.name)
    filled = {value.name for value in values if value.value}
    if any(field.mandatory and field.name not in filled for field in known.values()):
        raise RefusedError(-62)


def _dcv(world: World, form: Form, listed: Sequence[str], profile: Profile) -> list[OrderDcv]:
    """Return the validations that the order itself has to pass. Private CAs ask for none."""
    if profile.kind == "PRIVATE":
        return []
    domains = names.check_domains(world, listed, form.org_id)
    if world.options.pre_validation:
        names.check_validated(world, domains)
        return []
    return _asked_dcv(world, form, domains)


def _asked_dcv(world: World, form: Form, domains: Sequence[Domain]) -> list[OrderDcv]:
    if form.dcv_mode is None:
        raise RefusedError(world.options.no_dcv_mode_code, "dcvMode")
    if form.dcv_mode == "EMAIL" and not form.dcv_email:
        raise RefusedError(-7, "dcvEmail")
    return [order_dcv.new_entry(world, domain, form.dcv_mode, form.dcv_email) for domain in domains]


def _check_organization(world: World, org_id: int, profile: Profile) -> None:
    level = _LEVELS.get(profile.kind)
    if level is None:
        return
    status = validation_now(world, org_id, level)
    if status != "VALIDATED":
        raise RefusedError(-843, status)
    if profile.kind == "EV" and world.options.ev_anchor:
        raise RefusedError(-181)


def _check_quota(world: World, admin: Admin) -> None:
    if world.options.orders_restricted:
        raise RefusedError(-993)
    most = world.options.max_certificates
    if most and sum(_counts(order, admin) for order in world.state.orders.values()) >= most:
        raise RefusedError(-188, most)


def _counts(order: Order, admin: Admin) -> bool:
    return order.requester_id == admin.id and order.status is Status.ISSUED

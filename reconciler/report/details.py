"""What is known of one certificate: file, enrollment, what both networks serve, the pending change, its orders."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from reconciler.model.certificate import DesiredCertificate, KeyType, MutualAuthentication
from reconciler.model.enrollment import Enrollment, ServedCertificate
from reconciler.model.order import Order, SslId
from reconciler.planning.case import Case
from reconciler.planning.indexes import OrderBook
from reconciler.planning.plan import Standing
from reconciler.planning.steps import Act, Blocked, Done, Unread, Wait, operation_of
from reconciler.planning.tags import order_tag
from reconciler.report.facts import Fact, Section, Value


def details(case: Case, standing: Standing) -> tuple[Section, ...]:
    """Return everything that one look says of a certificate."""
    enrollment = standing.enrollment
    sections = [certificate_facts(case)]
    if enrollment is None:
        sections.append(Section(key="enrollment", facts=(Fact(key="id", value=None, why="there is none"),)))
    else:
        sections.append(enrollment_facts(enrollment))
        sections += served_facts(case, enrollment)
        sections += change_facts(case, enrollment)
    sections += [_order_facts(order) for order in orders_of(case, enrollment)]
    return (*sections, decision_facts(standing))


def certificate_facts(case: Case) -> Section:
    """Return what the file asks for."""
    desired, order = case.desired, case.desired.order
    term = f"at most {order.term_days} days" if order.term_days is not None else "the longest allowed"
    return Section(
        key="certificate",
        facts=(
            Fact(key="name", value=desired.name, source=str(desired.location)),
            _named(desired, "common_name", desired.common_name, "commonName"),
            _named(desired, "names", names_of(desired.common_name, desired.sans), "dnsNames", "the common name alone"),
            _key_types(desired),
            _named(desired, "state", desired.state.value, "state"),
            _named(desired, "account", desired.enrollment.account, "akamai.account", _ONLY_ONE),
            _named(desired, "contract", desired.enrollment.contract, "akamai.contract"),
            _named(desired, "secure_network", desired.enrollment.secure_network, "akamai.secureNetwork"),
            _named(desired, "sni_only", desired.enrollment.sni_only, "akamai.sniOnly"),
            _named(desired, "promote", desired.enrollment.promote.value, "akamai.promote"),
            _named(desired, "scm_instance", order.instance, "sectigo.instance", _ONLY_ONE),
            _named(desired, "organization", order.organization, "sectigo.organization"),
            _named(desired, "profile", order.profile, "sectigo.profile"),
            _named(desired, "issuer", order.issuer.value, "sectigo.issuer"),
            _named(desired, "term", term, "sectigo.term"),
            Fact(key="digest", value=case.digest, why="of the effective certificate"),
        ),
    )


_ONLY_ONE = "the only one in certrecon.yaml"


def _named(desired: DesiredCertificate, key: str, value: Value, pointer: str, otherwise: str = "built in") -> Fact:
    return Fact(key=key, value=value, source=source_of(desired, pointer, otherwise))


def source_of(desired: DesiredCertificate, pointer: str, otherwise: str = "built in") -> str:
    """Return where this very field is written; `otherwise` where no file names it."""
    written = desired.sources.get(pointer)
    return str(written) if written is not None else otherwise


def _key_types(desired: DesiredCertificate) -> Fact:
    if desired.key_types is not None:
        return _named(desired, "key_types", _spelt(desired.key_types), "keyTypes")
    return Fact(key="key_types", value=None, why="not named: RSA-2048 for a create, afterwards what is served")


def _spelt(kinds: Iterable[KeyType]) -> list[str]:
    return [one.spelt for one in KeyType if one in set(kinds)]


def names_of(common_name: str, sans: Iterable[str]) -> list[str]:
    """Return all names, the common name first."""
    return [common_name, *sorted(set(sans) - {common_name})]


def enrollment_facts(enrollment: Enrollment) -> Section:
    """Return the enrollment's body as CPS has it: the latest wanted state, not what is served."""
    subject = enrollment.subject
    return Section(
        key="enrollment",
        facts=(
            Fact(key="id", value=enrollment.id),
            Fact(key="contract", value=enrollment.contract),
            Fact(key="third_party", value=enrollment.third_party),
            Fact(key="names", value=names_of(enrollment.common_name, enrollment.sans)),
            *(
                Fact(key=f"subject_{part}", value=value)
                for part in subject.__dataclass_fields__
                if (value := getattr(subject, part)) is not None
            ),
            Fact(key="secure_network", value=enrollment.secure_network),
            Fact(key="sni_only", value=enrollment.sni_only),
            Fact(key="geography", value=enrollment.geography),
            Fact(key="must_have_ciphers", value=enrollment.must_have_ciphers),
            Fact(key="preferred_ciphers", value=enrollment.preferred_ciphers),
            Fact(key="disallowed_tls_versions", value=sorted(enrollment.disallowed_tls_versions)),
            Fact(key="ocsp_stapling", value=enrollment.ocsp_stapling),
            Fact(key="clone_dns_names", value=enrollment.clone_dns_names),
            Fact(key="client_mutual_authentication", value=_mutual(enrollment.client_mutual_authentication)),
            Fact(key="fips_mode", value=enrollment.fips_mode),
            Fact(key="exclude_sans", value=enrollment.exclude_sans),
            Fact(key="change_management", value=enrollment.change_management),
            Fact(key="auto_renewal_starts", value=enrollment.auto_renewal_starts_at),
            Fact(key="pending_changes", value=[_pending(one.id, one.change_type) for one in enrollment.pending]),
        ),
    )


def _mutual(value: MutualAuthentication | None) -> str | None:
    return None if value is None else f"set {value.set_id or '-'}"


def _pending(number: int, kind: str | None) -> str:
    return f"{number} {kind}" if kind else str(number)


def served_facts(case: Case, enrollment: Enrollment) -> Iterator[Section]:
    """Yield what each network serves, a section for each certificate."""
    served = case.served(enrollment)
    for network, live in (("production", served.production), ("staging", served.staging)):
        if not live:
            yield Section(key=network, facts=(Fact(key="serves", value=None, why="nothing is deployed"),))
        for key_type in KeyType:
            if key_type in live:
                yield _served(f"{network}_{key_type.value}", live[key_type], case.instance.book)


def _served(key: str, one: ServedCertificate, book: OrderBook) -> Section:
    order = book.by_serial.get(one.serial)
    return Section(
        key=key,
        facts=(
            Fact(key="serial", value=f"{one.serial:X}"),
            Fact(key="sha256", value=one.sha256),
            Fact(key="issuer", value=one.issuer),
            Fact(key="issued", value=order.issued_at if order is not None else None, why="" if order else _UNKNOWN),
            Fact(key="expires", value=one.expires_at),
            Fact(key="order", value=order.ssl_id if order is not None else None),
            Fact(key="names", value=names_of(order.common_name, order.sans) if order is not None else None),
        ),
    )


_UNKNOWN = "SCM does not know this serial"


def change_facts(case: Case, enrollment: Enrollment) -> Iterator[Section]:
    """Yield the pending change, if there is one."""
    if not enrollment.pending:
        return
    pending, view = enrollment.pending[-1], case.view(enrollment)
    facts = [Fact(key="id", value=pending.id), Fact(key="type", value=pending.change_type)]
    if view is not None and view.problem is not None:
        facts.append(Fact(key="problem", value=view.problem))
    if view is not None and view.record is not None:
        facts.append(Fact(key="opened_by", value=view.record.created_by))
        facts.append(Fact(key="opened", value=view.record.created_at))
    if view is not None and (change := view.change) is not None:
        facts += [
            Fact(key="state", value=change.state.value),
            Fact(key="status", value=change.status, why=change.description),
            Fact(key="waits_for", value=sorted(change.inputs)),
            Fact(key="error", value=change.error),
            Fact(key="deploy_not_before", value=change.deploy_not_before),
            Fact(key="csrs", value=[csr.key_type.spelt for csr in view.csrs or ()]),
            Fact(key="warnings", value=(view.warnings or "").splitlines()),
        ]
    yield Section(key="change", facts=tuple(facts))


def orders_of(case: Case, enrollment: Enrollment | None) -> tuple[Order, ...]:
    """Return the orders of a certificate: of its tags, of what it serves, untagged ones of its name; newest first."""
    book, found = case.instance.book, dict[SslId, Order]()
    if enrollment is not None:
        found |= {
            one.order.ssl_id: one.order
            for (number, _), orders in book.by_change.items()
            if number == enrollment.id
            for one in orders
        }
        live = case.served(enrollment)
        serials = [one.serial for one in (*live.production.values(), *live.staging.values())]
        found |= {order.ssl_id: order for serial in serials if (order := book.by_serial.get(serial)) is not None}
    found |= {order.ssl_id: order for order in book.untagged.get(case.desired.common_name, ())}
    return tuple(sorted(found.values(), key=lambda one: one.ssl_id, reverse=True))


def _order_facts(order: Order) -> Section:
    tag = order_tag(order.comments)
    return Section(
        key=f"order_{order.ssl_id}",
        facts=(
            Fact(key="status", value=order.status_text),
            Fact(key="names", value=names_of(order.common_name, order.sans)),
            Fact(key="profile", value=order.profile_name),
            Fact(key="term", value=f"{order.term_days} days" if order.term_days is not None else None),
            Fact(key="requested", value=order.requested_at, why=order.requester),
            Fact(key="issued", value=order.issued_at, why=order.approver and f"approved by {order.approver}"),
            Fact(key="expires", value=order.expires_at),
            Fact(key="serial", value=f"{order.serial:X}" if order.serial is not None else None),
            Fact(
                key="placed_by",
                value="certrecon" if tag is not None else "somebody else",
                why=f"its tag names change {tag.change_id}, cause {tag.cause}" if tag is not None else "it has no tag",
            ),
        ),
    )


def decision_facts(standing: Standing) -> Section:
    """Return what was decided, and what it consists of."""
    facts = [Fact(key="phase", value=standing.phase.value), *_decided(standing)]
    if standing.action is not None:
        facts.append(Fact(key="cause", value=standing.action.cause, why="equal as long as its inputs are"))
        facts.append(Fact(key="precondition", value=standing.action.precondition, why="digest of the live objects"))
    if standing.refused is not None:
        facts.append(Fact(key="refused_by_guard", value=standing.refused.guard.value, why=standing.refused.text))
    if standing.throttled is not None:
        facts.append(Fact(key="throttled", value=standing.throttled))
    if standing.attention:
        facts.append(Fact(key="attention", value=standing.attention))
    if standing.failure is not None:
        facts.append(Fact(key="failure", value=standing.failure))
    return Section(key="decision", facts=tuple(facts))


def _decided(standing: Standing) -> Iterator[Fact]:
    match standing.decision:
        case Act(kind=kind, reason=reason, text=text, steps=steps, notes=notes):
            yield Fact(key="action", value=kind.value, why=f"{reason}: {text}")
            yield Fact(key="steps", value=[operation_of(step) for step in steps])
            yield from _notes(notes)
        case Wait(actor=actor, text=text, since=since, until=until, remedy=remedy, notes=notes):
            yield Fact(key="waits_for", value=actor.value, why=text)
            yield from _times(since, until)
            yield from [Fact(key="remedy", value=remedy)] if remedy else []
            yield from _notes(notes)
        case Blocked(actor=actor, text=text, remedy=remedy, reason=reason):
            yield Fact(key="blocked", value=reason, why=text)
            yield Fact(key="actor", value=actor.value)
            yield Fact(key="remedy", value=remedy)
        case Unread(text=text):
            yield Fact(key="not_read", value=text)
        case Done(notes=notes):
            yield Fact(key="action", value="none", why="what is wanted is what is served, or nothing is left to do")
            yield from _notes(notes)


def _notes(notes: tuple[str, ...]) -> Iterator[Fact]:
    if notes:
        yield Fact(key="notes", value=notes)


def _times(since: datetime | None, until: datetime | None) -> Iterator[Fact]:
    for key, value in (("since", since), ("until", until)):
        if value is not None:
            yield Fact(key=key, value=value)

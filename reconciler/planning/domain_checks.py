"""Whether SCM will take an order for these names: DOM-01, DCV-01, DCV-02.

DOM-01: each domain is known to SCM, active, and delegated to the ordering organization with the privilege that each
name needs. DCV-01 and DCV-02: its validation holds on the day of issue, and for some days after.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

from reconciler.model.domain import DcvMethod, DcvStatus, Domain, Privilege, covering_domain, privilege_for
from reconciler.model.limits import public_limit
from reconciler.model.names import DnsName, registrable_domain
from reconciler.model.reading import Reading
from reconciler.planning.findings import error, listed, skipped, warning
from reconciler.planning.prospects import Caused, Prospect

_MARGIN = timedelta(days=2)  # a validation is not counted on in its last days (pki-rules 2.4)
_SLACK = timedelta(days=7)  # for retries after the day on which an order is due
_EMAIL_ENDS = date(2028, 3, 15)  # e-mail validations made before can't be used either (pki-rules 1.3)


def domain_findings(prospect: Prospect, reading: Reading[tuple[Domain, ...]]) -> Iterator[Caused]:
    """Find what keeps SCM from taking an order for the names of a public certificate."""
    known = {domain.name: domain for domain in reading.values}
    below: defaultdict[DnsName | None, set[DnsName]] = defaultdict(set)
    for name in prospect.desired.sans:
        below[covering_domain(name, known)].add(name)
    if uncovered := below.pop(None, None):
        yield from _uncovered(prospect, uncovered, reading)
    for name, names in sorted((name, names) for name, names in below.items() if name is not None):
        yield from _delegation_findings(prospect, known[name], names)
        yield from _dcv_findings(prospect, known[name], names)


def _uncovered(prospect: Prospect, names: set[DnsName], reading: Reading[tuple[Domain, ...]]) -> Iterator[Caused]:
    if not reading.complete:
        why = f"the domain of {listed(names)} could not be read: {'; '.join(reading.problems)}"
        yield Caused(finding=skipped("DOM-01", why))
        yield Caused(finding=skipped("DCV-01", why))
        return
    for domain in sorted({registrable_domain(name) or name for name in names}):
        cause = f'SCM knows no domain "{domain}" for this login'
        remedy = f"create it there and delegate it to {prospect.organization.path}"
        yield Caused(finding=error("DOM-01", f"{cause}: {remedy}"), cause=cause)


def _delegation_findings(prospect: Prospect, domain: Domain, names: set[DnsName]) -> Iterator[Caused]:
    if not domain.active:
        cause = f"domain {domain.name} is suspended in SCM"
        yield Caused(finding=error("DOM-01", cause), cause=cause)
    organization = prospect.organization
    given = [one for one in domain.delegations if one.organization_id == organization.id and one.ssl is not False]
    active = [one for one in given if one.active]
    if not active:
        why = "waits for approval" if given else "is missing"
        cause = f"the delegation of domain {domain.name} to {organization.path} for SSL {why}"
        yield Caused(finding=error("DOM-01", cause), cause=cause)
        return
    if any(one.ssl is None or one.privileges is None for one in active):
        yield Caused(finding=skipped("DOM-01", f"SCM does not say what the delegation of {domain.name} allows"))
        return
    granted = frozenset[Privilege]().union(*(one.privileges or () for one in active))
    for privilege, needing in _privileges(domain, names):
        if privilege not in granted:
            cause = f"the delegation of domain {domain.name} to {organization.path} lacks {privilege}"
            yield Caused(finding=error("DOM-01", f"{cause}, which {listed(needing)} need"), cause=cause)


def _privileges(domain: Domain, names: set[DnsName]) -> list[tuple[Privilege, set[DnsName]]]:
    needing: defaultdict[Privilege, set[DnsName]] = defaultdict(set)
    for name in names:
        needing[privilege_for(name, domain.name)].add(name)
    return sorted(needing.items())


# Validation


def usable_until(domain: Domain, issue_on: date) -> date | None:
    """Return the last day on which a validation can be counted on for issue; None where SCM tells no date.

    The reuse limit of the day of issue holds for validations that were done before it too, whatever SCM still shows.
    """
    ends = [domain.dcv_until] if domain.dcv_until is not None else []
    if domain.dcv_done_on is not None:
        ends.append(domain.dcv_done_on + timedelta(days=public_limit(issue_on).dcv_days))
    return min(ends) - _MARGIN if ends else None


def _dcv_findings(prospect: Prospect, domain: Domain, names: set[DnsName]) -> Iterator[Caused]:
    with_order = prospect.desired.order.dcv_mode is not None  # the order itself has the domains validated
    match domain.dcv_status:
        case None:
            if not with_order:
                yield Caused(finding=skipped("DCV-01", f"SCM does not show whether {domain.name} is validated"))
        case DcvStatus.VALIDATED:
            yield from _date_findings(prospect, domain, with_order=with_order)
            yield from _method_findings(domain, names)
        case DcvStatus.UNKNOWN:
            yield Caused(finding=skipped("DCV-01", f"SCM gives {domain.name} a validation status that is not known"))
        case DcvStatus.NOT_VALIDATED | DcvStatus.EXPIRED:
            is_not = "has expired" if domain.dcv_status is DcvStatus.EXPIRED else "is missing"
            yield _unusable(f"the validation of domain {domain.name} {is_not}", with_order=with_order)


def _date_findings(prospect: Prospect, domain: Domain, *, with_order: bool) -> Iterator[Caused]:
    issue_on = prospect.issue_at.date()
    until = usable_until(domain, issue_on)
    if until is None:
        yield Caused(finding=skipped("DCV-01", f"SCM does not say until when {domain.name} is validated"))
    elif domain.dcv_method is DcvMethod.EMAIL and issue_on >= _EMAIL_ENDS:
        cause = f"domain {domain.name} was validated by e-mail, which does not count from {_EMAIL_ENDS} on"
        yield _unusable(cause, with_order=with_order)
    elif until < issue_on:
        cause = f"the validation of domain {domain.name} can be used until {until}"
        yield _unusable(cause, with_order=with_order, detail=f"; issue is expected on {issue_on}")
    elif until < prospect.planned_on + _SLACK:
        cause = f"the validation of domain {domain.name} can be used until {until}"
        text = f"{cause}; the order is planned for {prospect.planned_on}, with {_SLACK.days} days to spare"
        yield Caused(finding=warning("DCV-02", text), cause=cause)


def _unusable(cause: str, *, with_order: bool, detail: str = "") -> Caused:
    if with_order:
        return Caused(finding=warning("DCV-01", f"{cause}{detail}: the order will wait for it"), cause=cause)
    return Caused(finding=error("DCV-01", f"{cause}{detail}: validate it in SCM first"), cause=cause)


def _method_findings(domain: Domain, names: set[DnsName]) -> Iterator[Caused]:
    method = domain.dcv_method
    if method is DcvMethod.EMAIL:
        cause = f"domain {domain.name} is validated by e-mail: no machine can repeat it, and it ends on {_EMAIL_ENDS}"
        yield Caused(finding=warning("DCV-02", cause), cause=cause)
    elif method is not None and method.exact and (others := names - {domain.name}):
        cause = f"domain {domain.name} is validated over {method}, which shows control of that name alone"
        yield Caused(finding=warning("DCV-02", f"{cause}, not of {listed(others)}"), cause=cause)

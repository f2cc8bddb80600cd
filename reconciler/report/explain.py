"""Explain one decision: everything that went into it, each with the rule and the place that it comes from."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.errors import Problem
from reconciler.model.certificate import IssuerClass, KeyType, RenewBefore
from reconciler.model.enrollment import Enrollment
from reconciler.model.journal import OpenState, identity_key, refusal_key
from reconciler.model.limits import public_limit
from reconciler.planning.campaign_states import stuck_by
from reconciler.planning.campaigns import Issued, judge
from reconciler.planning.case import Case
from reconciler.planning.diff import differences
from reconciler.planning.freezes import pull_forward
from reconciler.planning.health import critical_at
from reconciler.planning.lifetime import SLIP, max_term_days, near_cut
from reconciler.planning.matching import Absent, Found, InTheWay, Match, match_enrollment
from reconciler.planning.needs import Need, Serving
from reconciler.planning.ownership import AUTO_RENEWAL, Owner, intent_of
from reconciler.planning.plan import Standing
from reconciler.planning.served import need_for
from reconciler.report.details import (
    certificate_facts,
    change_facts,
    decision_facts,
    names_of,
    served_facts,
    source_of,
)
from reconciler.report.document import difference_row
from reconciler.report.facts import Fact, Section
from reconciler.report.jsonout import difference_json
from reconciler.report.lines import difference_text

_DAY = timedelta(days=1)


def explanation(case: Case, standing: Standing, problems: Iterable[Problem] = ()) -> tuple[Section, ...]:
    """Return every input of the decision on a certificate, then the decision."""
    enrollment, serving = standing.enrollment, standing.serving
    need = need_for(case, enrollment, serving) if enrollment is not None and serving is not None else None
    sections = [certificate_facts(case), _match(case)]
    if enrollment is not None:
        sections += [_compared(case, enrollment, serving), *served_facts(case, enrollment)]
    if serving is not None:
        sections.append(_dates(case, serving))
    if enrollment is not None:
        sections.append(_need(need, serving))
        sections.append(_campaigns(case, standing))
        sections += change_facts(case, enrollment)
        sections += _ownership(case, enrollment)
    sections += [_order(case, problems), _policy(case), _journal(case, enrollment)]
    return (*sections, decision_facts(standing))


# The enrollment, and the three things that are compared


def _match(case: Case) -> Section:
    pinned = case.context.claimed.get(case.desired.enrollment.account, frozenset())
    own = case.desired.enrollment.enrollment_id
    rule = "its id is in the file" if own is not None else "account, contract, common name, secureNetwork, sniOnly"
    found = match_enrollment(case.desired, case.account.index, claimed=pinned - {own})
    return Section(key="identity", facts=(_matched(found, rule),))


def _matched(found: Match, rule: str) -> Fact:
    match found:
        case Found(enrollment=enrollment):
            return Fact(key="enrollment", value=enrollment.id, why=f"matched by: {rule}")
        case Absent():
            return Fact(key="enrollment", value=None, why=f"none is equal in: {rule}")
        case InTheWay(why=why, remedy=remedy):
            return Fact(key="enrollment", value=None, why=f"{why}. {remedy}")


def _compared(case: Case, enrollment: Enrollment, serving: Serving | None) -> Section:
    """Return what the file, the enrollment's body and the served certificate say, and how the first two differ."""
    desired, served = case.desired, case.served(enrollment)
    live = serving.names if serving is not None else None
    kinds = serving.key_types if serving is not None else frozenset[KeyType]()
    found = differences(desired, enrollment, served)
    return Section(
        key="compared",
        facts=(
            Fact(key="names_file", value=names_of(desired.common_name, desired.sans)),
            Fact(key="names_enrollment", value=names_of(enrollment.common_name, enrollment.sans)),
            Fact(
                key="names_served",
                value=names_of(desired.common_name, live) if live is not None else None,
                why="" if live is not None else "nothing is served, or SCM does not know its serial",
            ),
            Fact(key="key_types_file", value=_kinds(desired.key_types), why=_unnamed(desired.key_types)),
            Fact(key="key_types_served", value=_kinds(kinds)),
            Fact(key="differences", value=[difference_text(difference_row(difference_json(one))) for one in found]),
        ),
    )


def _kinds(kinds: frozenset[KeyType] | None) -> list[str]:
    return [one.spelt for one in KeyType if kinds is not None and one in kinds]


def _unnamed(kinds: frozenset[KeyType] | None) -> str:
    return "" if kinds is not None else "no file names them: those served are left as they are"


# Dates


def _dates(case: Case, serving: Serving) -> Section:
    """Return when what is served was issued, is due, and is close to its end; each with its rule."""
    facts = [
        Fact(key="now", value=case.now, why="service time of the look"),
        Fact(key="issued", value=serving.issued_at, why=_issued_why(serving)),
        Fact(key="expires", value=serving.expires_at, why="the earlier of a key pair"),
        Fact(key="remaining", value=serving.remaining),
        Fact(key="lifetime", value=serving.lifetime, why="expires - issued, rounded up to whole days"),
        *_due(case, serving),
        Fact(key="warn_from", value=serving.warn_at, why=_level_why(case.context.policy.warn_days, "warn")),
        Fact(
            key="critical_from",
            value=critical_at(serving, case.context.policy),
            why=_level_why(case.context.policy.critical_days, "critical"),
        ),
        Fact(key="revoked", value=serving.revoked, why="by the status of its order at SCM"),
    ]
    return Section(key="dates", facts=tuple(facts))


def _issued_why(serving: Serving) -> str:
    return "by SCM's report" if serving.issued_at is not None else "SCM does not know the served serial"


def _level_why(days: float | None, name: str) -> str:
    formulas = {
        "warn": "the lesser of 21 d and 0.7 x renew before; at least 9 d where the lifetime is 24 d or more",
        "critical": "the lesser of 10 d and half of renew before; at least 8 d where the lifetime is 24 d or more",
    }
    return f"policy.expiry.{name}: {days:g} days" if days is not None else f"built in: {formulas[name]}"


def _due(case: Case, serving: Serving) -> Iterator[Fact]:
    before, half = serving.before, serving.half_life
    if before is None or half is None or serving.due_at is None:
        yield Fact(key="due", value=None, why="without a lifetime, it is due when fewer days than warn are left")
        return
    yield _window(case, serving)
    jitter = serving.expires_at - before - serving.due_at
    clamped = serving.due_at == half
    yield Fact(
        key="jitter",
        value=max(jitter, timedelta()),
        why="never due in the first half of its life" if clamped else "earlier, by the common name alone",
    )
    yield Fact(key="due", value=serving.due_at, why="expires - renew before - jitter")
    freezes = case.context.policy.freezes
    moved = pull_forward(serving.due_at, freezes, warn_at=serving.warn_at, earliest=half)
    if moved != serving.due_at:
        yield Fact(key="due_with_freezes", value=moved, why="moved out of a freeze", source="policy.renewal.freeze")


def _window(case: Case, serving: Serving) -> Fact:
    why, source = _renewal_rule(case)
    if serving.wrong_override is not None:
        why = f"built in: {_BUILT_IN_WINDOW}; {serving.wrong_override}"
    return Fact(key="renew_before", value=serving.before, why=why, source=source)


_BUILT_IN_WINDOW = "the lesser of 30 d and a third of the lifetime; half of it where it is under 10 d"


def _renewal_rule(case: Case) -> tuple[str, str]:
    """Return what says how long before its end the certificate is renewed, in words, and where that is written."""
    if case.desired.renew_before is not None:
        return _spelt(case.desired.renew_before), source_of(case.desired, "renewal.before")
    if case.context.policy.renew_before is not None:
        return f"policy.renewal.before: {_spelt(case.context.policy.renew_before)}", "certrecon.yaml"
    return _BUILT_IN_WINDOW, "built in"


def _spelt(before: RenewBefore) -> str:
    return f"{before.days:g} days" if before.days is not None else f"{before.percent:g}% of the lifetime"


# Need, ownership, order


def _need(need: Need | None, serving: Serving | None) -> Section:
    if serving is None:
        return Section(key="need", facts=(Fact(key="needs", value="a certificate", why="production serves nothing"),))
    if need is None:
        return Section(key="need", facts=(Fact(key="needs", value="nothing"),))
    return Section(
        key="need",
        facts=(
            Fact(key="needs", value=need.kind.value, why=f"{need.reason}: {need.text}"),
            Fact(key="cause", value=need.cause),
            Fact(key="new_order", value=need.new_order),
            Fact(
                key="urgent",
                value=need.urgent,
                why="revoked, expired, below warn, or of a campaign: freezes do not hold it",
            ),
        ),
    )


def _campaigns(case: Case, standing: Standing) -> Section:
    """Return how far the certificate is with each campaign that is about it, and by which times."""
    candidate = standing.candidate
    if candidate is None:
        return Section(key="campaigns", facts=())
    of_standing = replace(candidate, blocked=stuck_by(standing))
    facts = [
        Fact(
            key=f"requested_{place}_{number}", value=half.requested.at if half.requested is not None else None, why=why
        )
        for place, halves in (("served", candidate.served), ("ordered", candidate.ordered))
        for number, half in enumerate(halves, 1)
        for why in (_requested_why(half),)
    ]
    for one in case.context.campaigns.replacements:
        judged = judge(one, of_standing)
        value = judged.progress.value if judged is not None else "not about it"
        cause = f"{judged.cause}; " if judged is not None and judged.cause else ""
        why = f"{cause}replaces what was requested before {_at(one.campaign.issued_before)}"
        facts.append(Fact(key=one.campaign.name, value=value, why=why, source="policy.replace"))
    return Section(key="campaigns", facts=tuple(facts))


def _requested_why(half: Issued) -> str:
    serial = f"serial {half.serial:X}, " if half.serial is not None else ""
    if half.requested is None:
        return f"{serial}neither the journal nor SCM knows its order"
    if half.requested.at is None:
        return f"{serial}ordered at SCM, and nothing says when"
    return serial + ("by the journal or SCM's report" if half.requested.exact else "of SCM only the day is known")


def _ownership(case: Case, enrollment: Enrollment) -> Iterator[Section]:
    """Yield whose the pending change is, and by which rule."""
    if not enrollment.pending:
        return
    owner, why = _owner(case, enrollment)
    value = owner.value if owner is not None else "not known"
    yield Section(key="ownership", facts=(Fact(key="pending_change_is", value=value, why=why),))


def _owner(case: Case, enrollment: Enrollment) -> tuple[Owner | None, str]:
    number, view, journal = enrollment.pending[-1].id, case.view(enrollment), case.journal
    if case.desired.enrollment.adopt_change == number:
        return Owner.OURS, f"akamai.adoptChange names it ({case.desired.source('akamai.adoptChange')})"
    record = view.record if view is not None else None
    owner = case.opened_by(enrollment)
    if (enrollment.id, number) in case.instance.book.by_change:
        return owner, "an order with our tag was placed for it"
    if journal is not None and number in journal.changes:
        return owner, "its id is in the journal"
    if record is None:
        return owner, "its history was not read"
    if record.created_by == AUTO_RENEWAL:
        return owner, f"CPS's history says that {AUTO_RENEWAL} opened it"
    if journal is not None and (intent := intent_of(enrollment, case.desired, record, journal)) is not None:
        return owner, f"open intent {intent.id} of ours fits it"
    return owner, f"opened by {record.created_by or 'somebody'}; no journal entry, tag or open intent of ours fits it"


def _order(case: Case, problems: Iterable[Problem]) -> Section:
    """Return what an order placed now would ask for, and which limit its date of issue sets."""
    desired, today = case.desired, case.now.date()
    limit = max_term_days(today, desired.order.issuer)
    cut = near_cut(today) if desired.order.issuer is IssuerClass.PUBLIC else None
    wanted = desired.order.term_days
    facts = [
        Fact(key="expected_issue", value=f"{today} to {today + SLIP}", why="an order may be issued some days later"),
        Fact(key="limit", value=f"{limit} days" if limit is not None else None, why=_limit_why(case)),
        Fact(
            key="term_wanted",
            value=f"at most {wanted} days" if wanted is not None else "the longest",
            source=source_of(desired, "sectigo.term"),
        ),
    ]
    if cut is not None:
        facts.append(Fact(key="limit_after_slip", value=f"{cut.max_days} days", why=f"from {cut.since} on"))
    if (terms := case.terms) is not None:
        offered = [f"{days} days" for days in sorted(terms.profile.terms_days)]
        facts += [
            Fact(key="organization_id", value=terms.organization_id, why=desired.order.organization),
            Fact(key="profile_id", value=terms.profile.id, why=terms.profile.name),
            Fact(key="terms_offered", value=offered),
            Fact(key="term", value=f"{terms.term_days} days", why="the longest that all of this allows"),
            Fact(key="notes", value=terms.notes),
        ]
    facts.append(Fact(key="problems", value=[str(problem) for problem in problems]))
    return Section(key="order", facts=tuple(facts))


def _limit_why(case: Case) -> str:
    if case.desired.order.issuer is IssuerClass.PRIVATE:
        return "no rule limits a private issuer"
    return f"public certificates ordered from {public_limit(case.now.date()).since} on"


# Policy and journal


def _policy(case: Case) -> Section:
    policy = case.context.policy
    freezes = [f"{one.first} to {one.last}{f': {one.reason}' if one.reason else ''}" for one in policy.freezes]
    accepted = sorted(policy.accept_warnings | {one.id for one in case.desired.accept_warnings})
    return Section(
        key="policy",
        facts=(
            Fact(key="approval", value=policy.approval.value),
            Fact(key="csr_max_age", value=policy.csr_max_age),
            Fact(key="freezes", value=freezes),
            Fact(key="accepted_warnings", value=accepted),
            Fact(key="protect", value=case.desired.protect),
        ),
    )


def _journal(case: Case, enrollment: Enrollment | None) -> Section:
    """Return what the journal knows that can stop a step."""
    journal = case.journal
    if journal is None:
        return Section(key="journal", facts=(Fact(key="known", value=None, why="there is no journal"),))
    known = journal.enrollments.get(identity_key(case.desired.identity))
    opened = [one.intent for one in journal.open if one.intent.certificate == case.desired.name]
    return Section(
        key="journal",
        facts=(
            Fact(key="managed_enrollment", value=known, why="" if known is not None else "not managed yet"),
            Fact(key="our_changes", value=_changes(journal, enrollment)),
            Fact(key="open_intents", value=[f"{one.operation} of {_at(one.at)}, cause {one.cause}" for one in opened]),
            Fact(key="refusals", value=list(_refusals(case, journal))),
        ),
    )


def _changes(journal: OpenState, enrollment: Enrollment | None) -> list[str]:
    if enrollment is None:
        return []
    return [
        f"{number}, cause {one.cause}, opened {_at(one.opened_at)}"
        for number, one in sorted(journal.changes.items())
        if one.enrollment_id == enrollment.id
    ]


def _refusals(case: Case, journal: OpenState) -> Iterator[str]:
    prefix = refusal_key(case.desired.name, "")
    for key, one in sorted(journal.refusals.items()):
        if key.startswith(prefix):
            state = "holds until" if one.desired_digest == case.digest else "was of another version of the file; until"
            yield f"{key.removeprefix(prefix)}: {one.detail} ({one.count} times; {state} {_at(one.not_before)})"


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"

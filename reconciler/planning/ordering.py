"""What an order needs from SCM: organization and profile by name, and the term for the day of issue."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from reconciler.errors import Problem
from reconciler.model.certificate import DesiredCertificate
from reconciler.model.order import Organization, OrganizationId, Profile
from reconciler.planning.findings import errors
from reconciler.planning.lifetime import term_for
from reconciler.planning.observed import InstanceView
from reconciler.planning.profiles import check_profile


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTerms:
    """What the file's names mean at SCM today."""

    organization_id: OrganizationId
    profile: Profile
    term_days: int
    notes: tuple[str, ...] = ()


def order_terms(
    desired: DesiredCertificate, instance: InstanceView, *, today: date
) -> tuple[OrderTerms | None, tuple[Problem, ...]]:
    """Resolve organization, profile and term. What cannot be resolved is a problem at the place that names it."""
    organization = _organization(desired, instance.organizations.values)
    profile = _profile(desired, instance.profiles.values)
    problems = [one for one in (organization, profile) if isinstance(one, Problem)]
    if isinstance(organization, Problem) or isinstance(profile, Problem):
        return None, tuple(problems)
    unfit = errors(check_profile(desired, profile, desired.wanted_key_types))
    if unfit:
        return None, tuple(_problem(desired, "sectigo.profile", f"{one.text}.", rule=one.rule) for one in unfit)
    term = term_for(profile.terms_days, desired.order.term_days, today, desired.order.issuer)
    if isinstance(term, str):
        return None, (_problem(desired, "sectigo.term", term, rule="TERM-01"),)
    terms = OrderTerms(organization_id=organization.id, profile=profile, term_days=term.days, notes=term.notes)
    return terms, ()


def _organization(desired: DesiredCertificate, known: Iterable[Organization]) -> Organization | Problem:
    wanted = desired.order.organization
    by_path = {one.path: one for one in known}
    by_id = {str(one.id): one for one in by_path.values()}
    found = by_path.get(_spaced(wanted)) or by_id.get(wanted)
    if found is not None:
        return found
    return _problem(
        desired,
        "sectigo.organization",
        f'SCM instance {desired.order.instance} has no organization "{wanted}" for this login.',
        remedy=_suggestion(wanted, by_path),
        rule="PROF-01",
    )


def _profile(desired: DesiredCertificate, known: Iterable[Profile]) -> Profile | Problem:
    wanted = desired.order.profile
    of_name = [one for one in known if one.name == wanted] or [one for one in known if str(one.id) == wanted]
    if len(of_name) == 1:
        return of_name[0]
    if of_name:
        ids = ", ".join(str(one.id) for one in of_name)
        return _problem(
            desired,
            "sectigo.profile",
            f'{len(of_name)} profiles are called "{wanted}": {ids}.',
            remedy="Write the id of the one that is meant.",
            rule="PROF-01",
        )
    return _problem(
        desired,
        "sectigo.profile",
        f'SCM instance {desired.order.instance} has no profile "{wanted}" for this login.',
        remedy=_suggestion(wanted, {one.name: one for one in known}),
        rule="PROF-01",
    )


def _spaced(path: str) -> str:
    return " / ".join(part.strip() for part in path.split("/"))


def _suggestion(wanted: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(wanted, known, n=1)
    if close:
        return f'Did you mean "{close[0]}"?'
    return f"It has: {', '.join(sorted(known))}." if known else "The login sees none: check its rights in SCM."


def _problem(desired: DesiredCertificate, pointer: str, text: str, *, rule: str, remedy: str = "") -> Problem:
    return Problem(location=desired.source(pointer), pointer=pointer, text=text, remedy=remedy, rule=rule)

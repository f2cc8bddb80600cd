"""The organization's identity, which the CA writes into OV and EV certificates: ORG-01, SUBJ-02."""

from collections.abc import Iterator
from datetime import timedelta

from reconciler.model.domain import OrganizationValidation, ValidationLevel, ValidationStatus
from reconciler.planning.findings import error, listed, skipped, warning
from reconciler.planning.profiles import Kind
from reconciler.planning.prospects import Caused, Prospect, ScmFacts

_AHEAD = timedelta(days=60)  # the CA calls people back: that takes weeks


def identity_findings(prospect: Prospect, facts: ScmFacts) -> Iterator[Caused]:
    """Find what is wrong, or soon will be, with the validation of the organization at the profile's level."""
    if prospect.kind is None:
        yield Caused(finding=skipped("ORG-01", "the profile's name does not tell DV, OV or EV"))
    if prospect.level is None:
        return
    reading = facts.validations.get(prospect.entity.id)
    if reading is None or not reading.complete:
        why = "; ".join(reading.problems) if reading is not None else "SCM was not asked"
        what = f"the validations of {prospect.entity.name} could not be read"
        yield Caused(finding=skipped("ORG-01", f"{what}: {why}"))
        return
    of_level = [one for one in reading.values if one.level is prospect.level]
    yield from _level_findings(prospect, prospect.level, of_level)


def _level_findings(
    prospect: Prospect, level: ValidationLevel, validations: list[OrganizationValidation]
) -> Iterator[Caused]:
    what = f"the {level} validation of {prospect.entity.name}"
    valid = [one for one in validations if one.status is ValidationStatus.VALIDATED]
    if not valid:
        states = listed({one.status.value for one in validations}) or "missing"
        yield Caused(finding=error("ORG-01", f"{what} is {states}"), cause=f"{what} is {states}")
        return
    if any(one.expires_at is None for one in valid):
        yield Caused(finding=skipped("ORG-01", f"SCM does not say until when {what} holds"))
        return
    last, expires_at = max(((one, one.expires_at) for one in valid if one.expires_at), key=lambda pair: pair[1])
    cause = f"{what} ends on {expires_at.date()}"
    if expires_at <= prospect.issue_at:
        text = f"{cause}; issue is expected on {prospect.issue_at.date()}"
        yield Caused(finding=error("ORG-01", text), cause=cause)
    elif expires_at - prospect.issue_at < _AHEAD:
        yield Caused(finding=warning("ORG-01", cause), cause=cause)
    if last.background is ValidationStatus.FAILED:
        cause = f"{what} is being renewed, and that has failed"
        yield Caused(finding=warning("ORG-01", cause), cause=cause)


def subject_findings(prospect: Prospect, facts: ScmFacts) -> Iterator[Caused]:
    """Find fields of the subject that will not stand in the certificate: the CA writes what it has validated."""
    named = prospect.subject
    if prospect.kind is Kind.DV or not named:
        return
    reading = facts.details.get(prospect.entity.id)
    if reading is None or not reading.complete or reading.values is None:
        why = "; ".join(reading.problems) if reading is not None else "SCM was not asked"
        yield Caused(finding=skipped("SUBJ-02", f"organization {prospect.entity.name} could not be read: {why}"))
        return
    details = reading.values
    kept = {"O": details.name, "L": details.city, "ST": details.state_or_province, "C": details.country}
    for letter, wanted in named.items():
        validated = kept[letter]
        if validated is not None and _plain(validated) != _plain(wanted):
            text = f'{letter} is "{wanted}" in the file, "{validated}" in SCM: the CA goes by SCM, and CPS will warn'
            yield Caused(finding=warning("SUBJ-02", text))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())

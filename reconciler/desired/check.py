"""What a certificate's merged fields mean, judged without any network: the static part of the check catalogue."""

from collections.abc import Callable, Iterator

from reconciler.desired.check_names import name_problems
from reconciler.desired.check_people import people_problems, subject_problems
from reconciler.desired.check_terms import algorithm_problems, renewal_problems, term_problems
from reconciler.desired.examined import Examined
from reconciler.desired.fields import DATE_REMEDY
from reconciler.desired.verdicts import did_you_mean, quoted
from reconciler.errors import Problem
from reconciler.model.names import name_findings
from reconciler.model.times import day
from reconciler.model.warnings import REMOVAL_WARNINGS, WARNING_CLASSES, WarningClass, warning_id

_REQUIRED = {
    "akamai.contract": "C-1ABCDEF",
    "akamai.secureNetwork": "enhanced-tls",
    "sectigo.organization": "Example Ltd",
    "sectigo.profile": "OV Multi-Domain",
}


def certificate_problems(examined: Examined) -> tuple[Problem, ...]:
    """Return all that is wrong with a certificate whose files each fit their schema."""
    return tuple(problem for check in _CHECKS for problem in check(examined))


def warning_id_problem(spelt: str) -> tuple[str, str] | None:
    """Return what is wrong with an id to be accepted, and the remedy; None where it may be."""
    known = warning_id(spelt)
    if known is None:
        return f"CPS has no warning {quoted(spelt)}.", did_you_mean(spelt.upper(), WARNING_CLASSES)
    if WARNING_CLASSES[known] is WarningClass.NEVER:
        return f"{known} means that the certificate is wrong; it is never accepted.", "Take it out."
    return None


def _required_problems(examined: Examined) -> Iterator[Problem]:
    for pointer, example in _REQUIRED.items():
        section, _, field = pointer.partition(".")
        if field not in examined.fields.section(section):
            text = f'"{field}" is named neither in the certificate nor in its defaults.'
            yield examined.error(pointer, text, f"Add {field} under {section}, as {field}: {example}.")


def _reference_problems(examined: Examined) -> Iterator[Problem]:
    known = examined.known
    yield from _reference(examined, "akamai.account", examined.account, known.accounts, "account")
    yield from _reference(examined, "sectigo.instance", examined.instance, known.instances, "instance")


def _reference(
    examined: Examined, pointer: str, name: str | None, known: frozenset[str] | None, kind: str
) -> Iterator[Problem]:
    if known is None:
        return
    if name is None:
        text = f"Several {kind}s are configured, and none is named."
        yield examined.error(pointer, text, f"Name one of {', '.join(sorted(known))}, here or in defaults.")
    elif name not in known:
        yield examined.error(pointer, f"certrecon.yaml has no {kind} {quoted(name)}.", did_you_mean(name, known))


def _state_problems(examined: Examined) -> Iterator[Problem]:
    absent = examined.fields.text("state") == "absent"
    if absent and "enrollmentId" not in examined.akamai:
        text = "An enrollment is deleted by its id only, and none is named."
        yield examined.error("state", text, "Add akamai.enrollmentId; 'certrecon plan' shows it.")
    if absent and examined.fields.flag("protect"):
        yield examined.error("state", "The certificate is protected and absent at once.", 'Set "protect: false" first.')


def _network_problems(examined: Examined) -> Iterator[Problem]:
    akamai = examined.akamai
    refused = frozenset(akamai.texts("disallowedTlsVersions") or ())
    pointer = "akamai.disallowedTlsVersions"
    if {"TLSv1_2", "TLSv1_3"} <= refused:
        yield examined.error(pointer, "No TLS version worth serving is left.", "Allow TLSv1_2 or TLSv1_3.")
    if not examined.public and akamai.text("ocspStapling") == "on":
        text = "Private certificates name no OCSP responder, so that nothing can be stapled."
        yield examined.warning("akamai.ocspStapling", text, 'Write "not-set" or "off".')
    not_before = akamai.section("deploy").text("notBefore")
    if not_before is not None and day(not_before) is None:
        yield examined.error("akamai.deploy.notBefore", f"There is no day {quoted(not_before)}.", DATE_REMEDY)


def _validation_problems(examined: Examined) -> Iterator[Problem]:
    dcv = examined.sectigo.section("dcv")
    if dcv.text("mode") == "EMAIL" and "email" not in dcv:
        yield examined.error("sectigo.dcv", "The mode EMAIL needs an address.", "Add dcv.email.")


def _accepted_warning_problems(examined: Examined) -> Iterator[Problem]:
    for index, entry in enumerate(examined.fields.sections("acceptWarnings")):
        pointer = f"acceptWarnings.{index}"
        spelt = entry.required("id")
        if (wrong := warning_id_problem(spelt)) is not None:
            yield examined.error(f"{pointer}.id", *wrong)
        elif warning_id(spelt) in REMOVAL_WARNINGS and not entry.texts("names"):
            text = "A removal of names is accepted for the names that were reviewed only."
            yield examined.error(pointer, text, "List them: names: [old.example.com].")
        for number, name in enumerate(entry.texts("names") or ()):
            for finding in name_findings(name, public=False):
                yield examined.problem(
                    finding.severity, f"{pointer}.names.{number}", finding.text, finding.remedy, finding.rule
                )


_CHECKS: tuple[Callable[[Examined], Iterator[Problem]], ...] = (
    _required_problems,
    _reference_problems,
    name_problems,
    subject_problems,
    people_problems,
    algorithm_problems,
    term_problems,
    renewal_problems,
    _state_problems,
    _network_problems,
    _validation_problems,
    _accepted_warning_problems,
)

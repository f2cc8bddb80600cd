"""NAME-*: the names of one certificate."""

import re
from collections.abc import Iterator

from reconciler.desired.examined import Examined
from reconciler.errors import Problem, Severity
from reconciler.model.names import (
    DnsName,
    NameFinding,
    common_name_findings,
    dns_name,
    ev_wildcard_findings,
    name_findings,
    set_findings,
)

# The kind of a profile is known at run time only; statically its name is all there is, and by custom it says so.
_EV = re.compile(r"\bEV\b")


def name_problems(examined: Examined) -> Iterator[Problem]:
    """Find what is wrong with each name; with all of them together only where each is one."""
    written = list(_written(examined))
    alone = [
        _problem(examined, pointer, finding)
        for pointer, text in written
        for finding in name_findings(text, public=examined.public)
    ]
    yield from alone
    if not any(problem.severity is Severity.ERROR for problem in alone):
        yield from _joint_problems(examined, [(pointer, dns_name(text)) for pointer, text in written])


def _written(examined: Examined) -> Iterator[tuple[str, str]]:
    yield "commonName", examined.fields.required("commonName")
    for index, text in enumerate(examined.fields.texts("dnsNames") or ()):
        yield f"dnsNames.{index}", text


def _joint_problems(examined: Examined, names: list[tuple[str, DnsName]]) -> Iterator[Problem]:
    _, first = names[0]
    for finding in common_name_findings(first):
        yield _problem(examined, "commonName", finding)
    for finding in set_findings(name for _, name in names):
        yield _problem(examined, "dnsNames", finding)
    if examined.public and _EV.search(examined.sectigo.text("profile") or ""):
        for pointer, name in names:
            for finding in ev_wildcard_findings([name]):
                yield _problem(examined, pointer, finding)


def _problem(examined: Examined, pointer: str, finding: NameFinding) -> Problem:
    return examined.problem(finding.severity, pointer, finding.text, finding.remedy, finding.rule)

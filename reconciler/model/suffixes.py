"""The Public Suffix List, read one top-level domain at a time.

To parse all of it takes longer than all other checks of a file, and a project has names below a few top-level domains.
"""

import functools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from publicsuffixlist import PSLFILE, PublicSuffixList

_ICANN_BEGINS, _ICANN_ENDS = "// ===BEGIN ICANN DOMAINS===", "// ===END ICANN DOMAINS==="


def public_suffix(name: str, *, icann: bool) -> str | None:
    """Return the longest suffix of `name` (A-labels, no wildcard) that the list has; None for an unknown one.

    `icann` leaves out the list's private section, so that of "a.github.io" it is "io".
    """
    suffix: str | None = _suffixes(_top(name), icann=icann).publicsuffix(name)
    return suffix


def _top(name: str) -> str:
    return name.rpartition(".")[2]


@functools.cache
def _suffixes(top: str, *, icann: bool) -> PublicSuffixList:
    return PublicSuffixList("\n".join(_rules(icann=icann).get(_written(top), ())), accept_unknown=False)


def _written(top: str) -> str:
    """Return a top-level domain in its own alphabet, as the list has it; what is no A-label stays, and is unknown."""
    try:
        return top.encode("ascii").decode("idna") if top.startswith("xn--") else top
    except UnicodeError:
        return top


@functools.cache
def _rules(*, icann: bool) -> Mapping[str, Sequence[str]]:
    """Return the rules by their top-level domain, in the alphabet that it is written in."""
    text = Path(PSLFILE).read_text(encoding="utf-8")
    if icann:
        text = text.partition(_ICANN_BEGINS)[2].partition(_ICANN_ENDS)[0]
    rules = defaultdict(list)
    for line in text.splitlines():
        if line and not line.startswith("//"):
            rules[_top(line)].append(line)
    return rules

"""Suffixes that are read one top-level domain at a time are those of the whole list."""

from pathlib import Path

import pytest
from publicsuffixlist import PSLFILE, PublicSuffixList

from reconciler.model.names import DnsName, registrable_domain
from reconciler.model.suffixes import public_suffix

RULES = [line for line in Path(PSLFILE).read_text(encoding="utf-8").splitlines() if line and line[0] != "/"]


@pytest.mark.parametrize("icann", [True, False])
def test_every_rule_gives_what_the_whole_list_gives(icann: bool) -> None:
    whole = PublicSuffixList(only_icann=icann, accept_unknown=False)
    assert len(RULES) > 5000
    for rule in RULES:
        suffix = rule.lstrip("!").replace("*", "any").encode("idna").decode("ascii")
        for name in (suffix, f"www.{suffix}"):
            assert public_suffix(name, icann=icann) == whole.publicsuffix(name), name
            if icann:
                assert registrable_domain(DnsName(name)) == whole.privatesuffix(name), name


@pytest.mark.parametrize("name", ["host.local", "local", "www.example.invalid", "www.xn--0", "www.xn--a-"])
def test_an_unknown_top_level_domain_has_no_suffix(name: str) -> None:
    assert public_suffix(name, icann=True) is None
    assert public_suffix(name, icann=False) is None

"""What the command line names and is not there, said with what there is."""

import dataclasses
from pathlib import Path

import pytest

from reconciler.app.selecting import check_names, check_selectors
from reconciler.desired.load import Desired
from reconciler.errors import DesiredStateError, Location, Problem, UsageError
from reconciler.model.certificate import AccountName, CertificateName
from reconciler.model.policy import Account, LockSettings, Policy, Project
from reconciler.planning.selectors import EVERYTHING, Selectors
from tests.support.certs import desired

PROBLEM = Problem(location=Location("certificates/web/img.yaml", 3, 1), text='There is no field "dnsName" here.')
FILES = Desired(
    certificates=(
        dataclasses.replace(desired("www.example.com"), name=CertificateName("web/www"), labels={"team": "web"}),
        dataclasses.replace(desired("shop.example.com"), name=CertificateName("shop"), labels={"team": "shop"}),
    ),
    problems=(PROBLEM,),
    broken=frozenset({CertificateName("web/img")}),
)
PROJECT = Project(
    root=Path(),
    name=None,
    requires=None,
    accounts={
        AccountName(name): Account(name=AccountName(name), location=Location("certrecon.yaml"))
        for name in ("main", "emea")
    },
    instances={},
    policy=Policy(),
    lock=LockSettings(),
)


@pytest.mark.parametrize(
    ("selectors", "said"),
    [
        (Selectors(targets=("web/ww",)), 'No certificate is called "web/ww". Did you mean "web/www"?'),
        (Selectors(targets=("x*",)), 'No certificate is called "x*". Their names are those of their files.'),
        (Selectors(excluded=("web/w",)), 'No certificate is called "web/w". Did you mean "web/www"?'),
        (
            Selectors(accounts=frozenset({AccountName("apac")})),
            'There is no Akamai account "apac" in certrecon.yaml. It has: emea, main.',
        ),
        (
            Selectors(labels=frozenset({("team", "wbe")})),
            'No certificate is labelled "team=wbe". There is: team=shop, team=web.',
        ),
        (Selectors(labels=frozenset({("tier", "1")})), 'No certificate is labelled "tier=1". Labels there are: team.'),
    ],
)
def test_a_selector_that_fits_nothing_is_wrong_usage(selectors: Selectors, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_selectors(selectors, FILES, PROJECT)
    assert str(caught.value) == said


@pytest.mark.parametrize("pattern", ["web/img", "web/i*"])
def test_a_name_whose_file_is_broken_is_told_so(pattern: str) -> None:
    with pytest.raises(DesiredStateError) as caught:
        check_selectors(Selectors(targets=(pattern,)), FILES, PROJECT)
    assert caught.value.problems == (PROBLEM,)


def test_what_fits_something_is_taken() -> None:
    selectors = Selectors(
        targets=("web/*",),
        excluded=("shop", "web/img*"),
        labels=frozenset({("team", "web")}),
        accounts=frozenset({AccountName("emea")}),
    )
    with pytest.raises(DesiredStateError):
        check_selectors(selectors, FILES, PROJECT)
    check_selectors(dataclasses.replace(selectors, excluded=("shop",)), FILES, PROJECT)


def test_names_to_act_on_are_whole_names_of_certificates() -> None:
    assert check_names(["shop"], FILES, EVERYTHING) == {"shop"}
    with pytest.raises(UsageError, match='No certificate is called "sh'):
        check_names(["sh*"], FILES, EVERYTHING)
    with pytest.raises(DesiredStateError):
        check_names(["web/img"], FILES, EVERYTHING)


def test_a_name_that_the_selectors_leave_out_is_a_contradiction() -> None:
    with pytest.raises(UsageError, match="shop is named, and --exclude shop leaves it out"):
        check_names(["shop"], FILES, Selectors(excluded=("shop",)))

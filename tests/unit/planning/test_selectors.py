"""What a run is about: which certificates the selectors take, and how they are said."""

import dataclasses

import pytest

from reconciler.model.certificate import AccountName, CertificateName, DesiredCertificate
from reconciler.planning.selectors import EVERYTHING, Selectors
from reconciler.planning.steps import ActionKind
from tests.support.certs import desired


def named(name: str, *, account: str = "main", **labels: str) -> DesiredCertificate:
    made = desired(f"{name.rpartition('/')[2]}.example.com")
    enrollment = dataclasses.replace(made.enrollment, account=AccountName(account))
    return dataclasses.replace(made, name=CertificateName(name), enrollment=enrollment, labels=labels)


FLEET = (
    named("shop/www", team="shop", tier="gold"),
    named("shop/cart", team="shop", tier="tin"),
    named("web/www", team="web", tier="gold"),
    named("web/img", account="emea"),
)


@pytest.mark.parametrize(
    ("selectors", "taken"),
    [
        (EVERYTHING, ["shop/www", "shop/cart", "web/www", "web/img"]),
        (Selectors(targets=("shop/*", "web/img")), ["shop/www", "shop/cart", "web/img"]),
        (Selectors(excluded=("*/www", "web/img")), ["shop/cart"]),
        (Selectors(targets=("shop/*",), excluded=("*/cart",)), ["shop/www"]),
        (Selectors(labels=frozenset({("team", "shop")})), ["shop/www", "shop/cart"]),
        (Selectors(labels=frozenset({("team", "shop"), ("team", "web")})), ["shop/www", "shop/cart", "web/www"]),
        (Selectors(labels=frozenset({("team", "shop"), ("tier", "gold")})), ["shop/www"]),
        (Selectors(accounts=frozenset({AccountName("emea")})), ["web/img"]),
        (Selectors(accounts=frozenset({AccountName("emea")}), targets=("shop/*",)), []),
        (Selectors(only=frozenset({ActionKind.RENEW})), ["shop/www", "shop/cart", "web/www", "web/img"]),
    ],
)
def test_each_selector_narrows_the_run(selectors: Selectors, taken: list[str]) -> None:
    assert [one.name for one in FLEET if selectors.takes(one)] == taken


def test_they_are_said_as_a_command_line_has_them() -> None:
    selectors = Selectors(
        targets=("shop/*",),
        excluded=("shop/cart",),
        labels=frozenset({("team", "shop"), ("tier", "gold")}),
        accounts=frozenset({AccountName("main")}),
        only=frozenset({ActionKind.RENEW, ActionKind.CREATE}),
    )
    assert selectors.text == (
        "--target 'shop/*' --exclude shop/cart --label team=shop --label tier=gold --account main --only create,renew"
    )
    assert EVERYTHING.text is None

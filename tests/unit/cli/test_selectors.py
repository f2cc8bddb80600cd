"""Selectors and instants as people write them on the command line."""

from datetime import UTC, datetime

import pytest

from reconciler.cli.options import instant
from reconciler.cli.selectors import selectors
from reconciler.errors import UsageError
from reconciler.planning.selectors import EVERYTHING
from reconciler.planning.steps import ActionKind


def test_all_of_them_are_read() -> None:
    read = selectors(["web/*"], ["web/img"], ["team=web", "tier=a=b"], ["main"], ["renew,create", "resume"])
    assert read.targets == ("web/*",)
    assert read.excluded == ("web/img",)
    assert read.labels == {("team", "web"), ("tier", "a=b")}
    assert read.accounts == {"main"}
    assert read.only == {ActionKind.RENEW, ActionKind.CREATE, ActionKind.RESUME}
    assert selectors(None, None, None, None, None) == EVERYTHING


@pytest.mark.parametrize("label", ["team", "=web", "team="])
def test_a_label_has_a_key_and_a_value(label: str) -> None:
    with pytest.raises(UsageError, match="is not KEY=VALUE"):
        selectors(None, None, [label], None, None)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("renwe", 'There is no kind of action "renwe". Did you mean "renew"?'),
        ("reissue,", 'There is no kind of action "". Choose of: delete, revoke,'),
        ("xyz", 'There is no kind of action "xyz". Choose of: delete, revoke,'),
    ],
)
def test_an_unknown_kind_is_wrong_usage_with_a_hint(kind: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        selectors(None, None, None, None, [kind])
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2027-03-15", datetime(2027, 3, 15, tzinfo=UTC)),
        ("2027-03-15T12:30Z", datetime(2027, 3, 15, 12, 30, tzinfo=UTC)),
        ("2027-03-15T12:30:01+02:00", datetime(2027, 3, 15, 10, 30, 1, tzinfo=UTC)),
    ],
)
def test_a_date_is_its_start_in_utc(text: str, at: datetime) -> None:
    assert instant(text) == at


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tomorrow", "is neither a date nor an instant"),
        ("2027-02-30", "is neither a date nor an instant"),
        ("2027-03-15T12:30", "leaves its time zone open. Write 2027-03-15T12:30Z for UTC."),
    ],
)
def test_an_instant_says_which_one_it_is(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        instant(text)

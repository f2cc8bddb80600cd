"""How soon creates follow one another, once CPS has refused one; everything else goes on at its own pace."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.errors import CreateLimitError, LookAgainError, ServiceError, ServiceUnavailableError
from reconciler.execution.pace import CreatePace
from reconciler.execution.perform import Made
from reconciler.model.certificate import AccountName
from reconciler.model.entry import IntentId, Outcome, OutcomeKind
from reconciler.planning.steps import CreateEnrollment
from tests.support.certs import desired

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def create(account: str = "main") -> CreateEnrollment:
    wanted = desired()
    return CreateEnrollment(
        desired=replace(wanted, enrollment=replace(wanted.enrollment, account=AccountName(account)))
    )


def made(kind: OutcomeKind, after_s: float, error: ServiceError | None = None) -> Made:
    return Made(outcome=Outcome(intent=IntentId("i"), kind=kind, at=NOW + timedelta(seconds=after_s)), error=error)


def done(after_s: float) -> Made:
    return made(OutcomeKind.DONE, after_s)


def limited(after_s: float, retry_after_s: float | None = None) -> Made:
    error = CreateLimitError("cps", "create", "too soon", retry_after_s=retry_after_s)
    return made(OutcomeKind.LOOK_AGAIN, after_s, error)


def refused(after_s: float) -> Made:
    return made(OutcomeKind.LOOK_AGAIN, after_s, LookAgainError("cps", "create", "not possible now"))


def free_after_s(pace: CreatePace, account: str = "main") -> float | None:
    free_at = pace.free_at(create(account))
    return None if free_at is None else (free_at - NOW).total_seconds()


def learned(*told: Made) -> CreatePace:
    pace = CreatePace()
    for one in told:
        pace.note(create(), one)
    return pace


@pytest.mark.parametrize(
    ("told", "free"),
    [
        ([done(0)], None),
        ([limited(10)], 310),
        ([done(0), limited(10)], 300),
        ([done(0), limited(10), done(300)], 600),
        ([done(0), limited(10, 50)], 60),
        ([done(0), limited(10, 50), done(60)], 120),  # a minute is what it asks for
        ([limited(10, 50), done(60)], 360),  # somebody else's create: how long theirs was ago is not known
        ([done(0), limited(10), limited(300)], 600),  # five minutes were not enough
        ([limited(0), *(limited(300 * number) for number in range(1, 40))], 39 * 300 + 3600),
        ([made(OutcomeKind.UNKNOWN, 0), limited(10)], 300),  # it may have been created
        ([done(0), refused(10)], 300),  # whatever CPS calls it
        ([done(0), refused(301)], None),
        ([refused(10)], None),
        ([done(0), made(OutcomeKind.NOT_SENT, 10, ServiceUnavailableError("cps", "create", "429"))], None),
    ],
)
def test_the_next_create_is_free_when_it_was_said_or_documented(told: list[Made], free: float | None) -> None:
    assert free_after_s(learned(*told)) == free


def test_an_hour_is_the_longest_pause_from_one_create_to_the_next() -> None:
    pace = learned(done(0), *(limited(400 * number) for number in range(1, 12)), done(5000))
    assert free_after_s(pace) == 5000 + 3600


def test_a_refusal_by_the_limit_is_no_try_and_any_other_is_one() -> None:
    pace = CreatePace()
    assert pace.note(create(), limited(0))
    assert not CreatePace().note(create(), refused(0))
    assert not pace.note(create(), done(400))


def test_the_other_account_is_free() -> None:
    pace = learned(done(0), limited(1))
    assert free_after_s(pace, "other") is None
    assert pace.holds(create("other"), NOW) is None
    assert pace.holds(create(), NOW) == (
        "CPS limits how often account main may create an enrollment: this one follows after 2026-11-20 12:05:00 UTC"
    )
    assert pace.holds(create(), NOW + timedelta(minutes=5)) is None

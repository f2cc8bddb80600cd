"""Who is told what, and when: pure decisions, and what is done with them. No network."""

import dataclasses
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.app.announce import Announcer, Receiver
from reconciler.app.notify import RUN, Condition, Notice, conditions, message, notices, wants
from reconciler.errors import ExitCode, JournalError, LockHeldError, NotificationError, UsageError
from reconciler.execution.journal import RunJournal
from reconciler.execution.lock import new_state
from reconciler.model.certificate import AccountName, CertificateName
from reconciler.model.enrollment import Enrollment
from reconciler.model.journal import Level, OpenState
from reconciler.model.journal_entries import Entry
from reconciler.model.policy import Policy
from reconciler.planning.plan import Plan
from reconciler.report.outcome import apply_report
from tests.support.certs import desired
from tests.support.live import ISSUED, WANTED, before_end, complete, enrollment, look, planned

NOW = datetime(2027, 5, 1, 6, tzinfo=UTC)
WWW = CertificateName("www.example.com")
ALL = frozenset({"critical", "blocked", "failed"})


def condition(*words: str, name: str = WWW, text: str = "why") -> Condition:
    return Condition(name=CertificateName(name), words=frozenset(words), text=text)


def told(level: str, **ago: float) -> dict[CertificateName, Level]:
    return {WWW: Level(level=level, at=NOW - timedelta(**ago))}


# When


@pytest.mark.parametrize(
    ("words", "before", "level"),
    [
        ((), {}, None),
        (("critical",), {}, "critical"),
        (("critical",), told("critical", hours=22), None),
        (("critical",), told("critical", hours=23, minutes=50), "critical"),  # a daily run is never exactly daily
        (("critical", "blocked"), told("critical", hours=1), "critical, blocked"),
        (("blocked",), told("critical, blocked", hours=1), "blocked"),
        ((), told("critical", minutes=5), "ok"),
        ((), told("ok", days=9), None),
        (("warn",), {}, None),  # nobody wants it
        (("critical",), told("a word of tomorrow", hours=1), "critical"),
    ],
)
def test_people_are_told_of_a_change_and_then_daily(words: tuple[str, ...], before: Any, level: str | None) -> None:
    found = notices([condition(*words)], before, ALL, now=NOW)
    assert [one.level for one in found] == ([] if level is None else [level])


def test_who_wants_warnings_wants_what_is_worse() -> None:
    assert wants(["warn", "failed"]) == {"warn", "critical", "failed"}


# What


def notice(*words: str, before: Iterable[str] = (), name: str = WWW, text: str = "why") -> Notice:
    return Notice(condition=condition(*words, name=name, text=text), before=frozenset(before))


def test_a_receiver_gets_what_it_asked_for_worst_first() -> None:
    three = [notice("blocked", name="b"), notice("failed", name="c"), notice("critical", "blocked", name="a")]
    made = message("web", three, ALL)
    assert made is not None
    assert (made.title, made.urgent) == ("certrecon web: 1 failed, 1 critical, 2 blocked", True)
    assert made.body == "failed: c: why\ncritical, blocked: a: why\nblocked: b: why"
    blocked = message(None, three, frozenset({"blocked"}))
    assert blocked is not None
    assert blocked.body == "blocked: a: why\nblocked: b: why"
    assert message("web", three, frozenset({"warn"})) is None


def test_what_is_well_again_is_told_to_those_who_knew() -> None:
    made = message("web", [notice(before=["critical"])], ALL)
    assert made is not None
    assert (made.title, made.body, made.urgent) == (
        "certrecon web: 1 well again",
        "ok: www.example.com (was critical)",
        False,
    )
    assert message("web", [notice(before=["critical"])], frozenset({"blocked"})) is None


def test_a_thousand_are_a_count() -> None:
    made = message("web", [notice("blocked", name=f"{number:04}") for number in range(1000)], ALL)
    assert made is not None
    assert made.body.splitlines()[-1] == "and 980 more: certrecon status"
    assert len(made.body.splitlines()) == 21


def test_no_text_is_a_mention_markup_or_a_line_of_its_own() -> None:
    made = message("@here", [notice("blocked", text="@channel <!here> `x`\nok: all is well\u202e")], ALL)
    assert made is not None
    for text in (made.title, made.body):
        for mark in ("@c", "@h", "<!", "`x", "\n", "\u202e"):
            assert mark not in text


# From an apply


def ended(plan: Plan, *, code: ExitCode = ExitCode.DONE, failures: dict[CertificateName, str] | None = None) -> Any:
    report = apply_report(plan, [], failures or {}, under_way=frozenset())
    return {one.name: one for one in conditions(report, Policy(), code)}


def test_the_words_are_of_expiry_work_and_outcome() -> None:
    stuck = desired("stuck.example.com")
    wrong: list[Enrollment] = [enrollment(), enrollment(stuck, id=7, sni_only=False)]
    plan = planned(look(now=before_end(days=5), enrollments=wrong), WANTED, stuck)
    found = ended(plan, failures={WWW: "CPS refused it"})
    assert found[WWW].words == {"critical", "failed"}
    assert found[WWW].text == "5 days are left: critical; CPS refused it"
    assert "blocked" in found["stuck.example.com"].words
    assert found[RUN].words == frozenset()


def test_a_run_that_fails_without_a_certificate_to_blame_is_a_failure_of_its_own() -> None:
    plan = dataclasses.replace(planned(look(now=ISSUED)), unread=("scm: report: no answer.",))
    found = ended(plan, code=ExitCode.ERROR)
    assert (found[RUN].words, found[RUN].text) == ({"failed"}, "scm: report: no answer.")
    assert ended(planned(look(now=ISSUED)), code=ExitCode.LOCKED)[RUN].words == frozenset()


# Sending


class FakeNotifier:
    def __init__(self, *, broken: bool = False) -> None:
        self.sent: list[tuple[str, str, bool]] = []
        self.broken = broken

    def send(self, title: str, body: str, *, urgent: bool) -> None:
        if self.broken:
            raise NotificationError("NOTIFY_URL: the service did not take it.")
        self.sent.append((title, body, urgent))


class FakeClock:
    now_ = NOW

    def now(self) -> datetime:
        return self.now_

    def sleep(self, duration: timedelta) -> None:
        raise AssertionError(duration)


class KeptJournal(RunJournal):
    """Keeps what is noted, as a durable one does."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: OpenState = new_state()

    @property
    def state(self) -> OpenState:
        return self.kept

    def note(self, entries: Iterable[Entry]) -> None:
        self.kept = self.kept.after(entries)


def announcer(*notifiers: FakeNotifier | None) -> tuple[Announcer, list[str], FakeClock]:
    warned: list[str] = []
    clock = FakeClock()
    receivers = [Receiver(variable="NOTIFY_URL", on=ALL, notifier=one) for one in notifiers]
    return Announcer(project="web", receivers=receivers, clock=clock, warn=warned.append), warned, clock


def run(made: Announcer, journal: KeptJournal, plan: Plan) -> None:
    with made.telling({AccountName("main"): journal}):
        report = apply_report(plan, [], {}, under_way=frozenset())
        made.ended(conditions(report, Policy(), ExitCode.DONE), plan)


def test_what_was_told_is_remembered_until_it_changes_or_a_day_is_over() -> None:
    receiver, journal = FakeNotifier(), KeptJournal()
    made, warned, clock = announcer(receiver)
    late = planned(look(now=before_end(days=5)))
    run(made, journal, late)
    run(made, journal, late)
    assert [title for title, _, _ in receiver.sent] == ["certrecon web: 1 critical"]
    assert journal.kept.levels[WWW].level == "critical"
    clock.now_ = NOW + timedelta(days=1)
    run(made, journal, late)
    run(made, journal, planned(look(now=ISSUED)))
    assert [title for title, _, _ in receiver.sent[1:]] == ["certrecon web: 1 critical", "certrecon web: 1 well again"]
    assert warned == []


def test_what_nobody_took_is_tried_again_and_warned_of() -> None:
    broken, journal = FakeNotifier(broken=True), KeptJournal()
    made, warned, _ = announcer(broken, None)
    run(made, journal, planned(look(now=before_end(days=5))))
    assert journal.kept.levels == {}
    assert warned == [
        "notification: NOTIFY_URL: the service did not take it.",
        "notification: NOTIFY_URL is not set, or empty: nobody was told.",
    ]
    broken.broken = False
    run(made, journal, planned(look(now=before_end(days=5))))
    assert len(broken.sent) == 1


def test_an_error_is_told_once_and_goes_on_its_way() -> None:
    receiver, journal = FakeNotifier(), KeptJournal()
    made, _, _ = announcer(receiver)
    for _ in range(2):
        with (
            pytest.raises(JournalError),
            made.telling({}),  # as the command does: before the lock, and under it
            made.telling({AccountName("main"): journal}),
        ):
            raise JournalError("it is damaged.")
    assert [body for _, body, _ in receiver.sent] == ["failed: apply: journal: it is damaged."]
    assert journal.kept.levels[RUN].level == "failed"
    run(made, journal, planned(look(now=ISSUED)))
    assert receiver.sent[-1][1] == "ok: apply (was failed)"


@pytest.mark.parametrize("error", [LockHeldError("another run"), UsageError("no terminal")])
def test_a_lock_that_another_has_and_a_wrong_command_line_are_no_failures(error: Exception) -> None:
    receiver = FakeNotifier()
    made, _, _ = announcer(receiver)
    with pytest.raises(type(error)), made.telling({}):
        raise error
    assert receiver.sent == []


def test_a_journal_that_cannot_be_written_is_a_warning() -> None:
    class Lost(KeptJournal):
        def note(self, entries: Iterable[Entry]) -> None:
            raise JournalError("the remote is gone.")

    made, warned, _ = announcer(FakeNotifier())
    run(made, Lost(), planned(look(now=before_end(days=5)), WANTED, complete(desired("new.example.com"))))
    assert warned == ["notification: it was sent, and could not be written down: journal: the remote is gone."]

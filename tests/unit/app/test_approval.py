"""Approved plan files: what is read of them, and which are none."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.app.apply import note_applied
from reconciler.app.approval import Approvals, read_plan
from reconciler.app.journals import Held
from reconciler.errors import ConfigurationError, UsageError
from reconciler.model.entry import Intent, Outcome
from reconciler.model.journal import OpenState
from reconciler.model.journal_entries import CommitApplied, Entry
from reconciler.planning.guards import Guard, Refusal
from reconciler.planning.plan import Plan
from reconciler.planning.selectors import Selectors
from reconciler.planning.steps import ActionKind
from reconciler.report.jsonout import plan_json
from tests.support.certs import desired
from tests.support.live import WANTED, before_end, complete, look, planned
from tests.support.looks import ACCOUNT

NEW = complete(desired("new.example.com"))


def plan(*only: ActionKind) -> dict[str, Any]:
    seen = look(now=before_end(days=100), enrollments=[], live={}, selectors=Selectors(only=frozenset(only)))
    return plan_json(planned(seen, NEW), tool_version="1.2.3")


def saved(folder: Path, data: dict[str, Any]) -> Path:
    path = folder / "plan.json"
    path.write_text(json.dumps(data))
    return path


def test_the_actions_of_a_plan_are_read(tmp_path: Path) -> None:
    read = read_plan(saved(tmp_path, plan()))
    assert [(one.certificate, one.kind) for one in read.actions] == [("new.example.com", "create")]


def test_what_only_held_back_was_not_approved(tmp_path: Path) -> None:
    data = plan(ActionKind.RENEW)
    assert data["certificates"][0]["action"]["kind"] == "create"
    assert data["selectors"]["only"] == ["renew"]
    assert read_plan(saved(tmp_path, data)).actions == ()


def test_a_plan_of_an_instant_to_come_is_refused(tmp_path: Path) -> None:
    data = plan() | {"seen_at": "2026-11-20T12:00:00Z"}
    with pytest.raises(UsageError, match="was made with --at"):
        read_plan(saved(tmp_path, data))


@pytest.mark.parametrize("at", ["yesterday", "2026-11-20T12:00:00"])
def test_a_plan_without_an_instant_is_damaged(tmp_path: Path, at: str) -> None:
    with pytest.raises(ConfigurationError, match="damaged at at"):
        read_plan(saved(tmp_path, plan() | {"at": at}))


def test_a_file_of_the_release_before_has_neither_selectors_nor_held(tmp_path: Path) -> None:
    data = plan()
    del data["selectors"], data["seen_at"], data["summary"]["held"], data["certificates"][0]["held"]
    assert len(read_plan(saved(tmp_path, data)).actions) == 1


# When a commit counts as applied


class Notes:
    """A journal that remembers what is noted."""

    def __init__(self) -> None:
        self.state: OpenState | None = OpenState(journal_id="j", installation="i")
        self.commits: list[str] = []

    def intend(self, intents: tuple[Intent, ...]) -> None: ...

    def record(self, outcomes: tuple[Outcome, ...]) -> None: ...

    def note(self, entries: Iterable[Entry]) -> None:
        assert self.state is not None
        entries = tuple(entries)
        self.commits += [one.commit for one in entries if isinstance(one, CommitApplied)]
        self.state = self.state.after(entries)


def noted(folder: Path, shown: Plan, approved: dict[str, Any] | None = None) -> list[str]:
    """Return the commits that are noted after two runs that end with this plan."""
    journal = Notes()
    files = (read_plan(saved(folder, approved or plan())),)
    for _ in range(2):
        note_applied(
            Held(journals={ACCOUNT: journal}),
            shown,
            Approvals(files=files, max_age=timedelta(days=30)),
            "c0ffee",
            now=shown.at,
        )
    return journal.commits


def shown(**fields: Any) -> Plan:
    return planned(look(now=before_end(days=100), **fields), NEW)


def test_a_commit_with_an_approved_action_that_has_not_begun_is_not_applied(tmp_path: Path) -> None:
    assert noted(tmp_path, shown(enrollments=[], live={})) == []


def test_a_commit_of_which_nothing_is_left_is_applied_once(tmp_path: Path) -> None:
    assert noted(tmp_path, planned(look(now=before_end(days=100)), WANTED)) == ["c0ffee"]


def test_what_no_plan_file_approves_does_not_keep_a_commit_open(tmp_path: Path) -> None:
    approved = plan()
    approved["certificates"][0]["action"]["cause"] = "another"
    assert noted(tmp_path, shown(enrollments=[], live={}), approved) == ["c0ffee"]


def test_what_a_guard_refuses_is_not_waited_for(tmp_path: Path) -> None:
    left = shown(enrollments=[], live={})
    refused = replace(left.standings[0], refused=Refusal(guard=Guard.PROTECT, text="protected", remedy=""))
    assert noted(tmp_path, replace(left, standings=(refused,))) == ["c0ffee"]


def test_a_run_that_was_narrowed_cannot_tell(tmp_path: Path) -> None:
    narrowed = planned(look(now=before_end(days=100), selectors=Selectors(targets=("x",))), WANTED)
    assert noted(tmp_path, narrowed) == []

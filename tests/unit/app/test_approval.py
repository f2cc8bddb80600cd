"""Approved plan files: what is read of them, and which are none."""

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.app.approval import read_plan
from reconciler.errors import ConfigurationError, UsageError
from reconciler.planning.selectors import Selectors
from reconciler.planning.steps import ActionKind
from reconciler.report.jsonout import plan_json
from tests.support.certs import desired
from tests.support.live import before_end, complete, look, planned

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

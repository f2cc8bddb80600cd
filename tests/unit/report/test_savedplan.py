"""A plan file as text, and what is no plan that could be shown."""

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.desired.planfile import read_saved_plan
from reconciler.errors import ConfigurationError
from reconciler.report.document import plan_document
from reconciler.report.jsonout import plan_json
from reconciler.report.text import plan_text
from tests.support.certs import desired
from tests.support.live import ISSUED, WANTED, before_end, complete, enrollment, look, planned


def saved() -> dict[str, Any]:
    """Return a plan of four certificates: created, renewed with another name, blocked, unchanged."""
    new, stuck = complete(desired("new.example.com")), desired("stuck.example.com")
    more = desired("www.example.com", "img.example.com")
    wrong = enrollment(stuck, id=7, sni_only=False)
    plan = planned(look(now=before_end(days=12), enrollments=[enrollment(), wrong]), more, new, stuck)
    return plan_json(plan, tool_version="1.2.3")


def text(plan: dict[str, Any]) -> str:
    return "\n".join(line.plain for line in plan_text(plan_document(plan)))


def test_it_has_its_header_what_blocks_and_the_actions() -> None:
    plan = saved()
    shown = text(plan)
    assert shown.startswith("certrecon plan  3 certificates, 2027-05-21 23:59 UTC\n")
    assert "Blocked\n  ! blocked     stuck.example.com  certificates/stuck.example.com.yaml" in shown
    assert "    absent: the account already" in shown
    assert "  ± reissue     www.example.com  certificates/www.example.com.yaml" in shown
    assert "    names: + img.example.com (forces a new order)\n" in shown
    assert "  + create      new.example.com" in shown
    assert "    1 order: ECDSA-P256 of 'OV Multi-Domain' for Example Ltd, 30 days\n" in shown
    assert f"Digest {plan['digest']}" in shown


def test_a_partial_plan_and_its_problems_are_said_first() -> None:
    plan = saved() | {
        "partial": "--target new*",
        "unread": ["scm: report: no answer."],
        "problems": [
            {
                "path": "certificates/a.yaml",
                "line": 3,
                "column": 1,
                "severity": "error",
                "rule": "NAME-01",
                "field": None,
                "text": "It is wrong.",
                "remedy": None,
            }
        ],
    }
    lines = text(plan).splitlines()
    assert lines[1] == "PARTIAL: --target new*"
    assert lines[3] == "Problems in files"
    assert lines[6].startswith("Could not be read completely")
    assert lines[4] == "  certificates/a.yaml:3:1: error NAME-01: It is wrong."


def test_what_waits_in_a_plan_names_actor_and_remedy() -> None:
    plan = plan_json(planned(look(now=ISSUED)), tool_version="1")
    (row,) = plan["certificates"]
    row["work"] = {
        "phase": "promote",
        "state": "waiting",
        "actor": "operator",
        "text": "it is on staging",
        "remedy": "Let it go.",
        "since": None,
        "until": "2027-01-01T00:00:00Z",
    }
    assert "    promote: waits for operator: it is on staging, until 2027-01-01 00:00 UTC\n    Let it go.\n" in text(
        plan
    )


def test_a_plan_file_cannot_touch_the_screen() -> None:
    plan = saved() | {"partial": "a\x1b[2Jb"}
    plan["certificates"][0]["action"]["text"] = "c\u202ed"
    shown = text(plan)
    assert "\x1b" not in shown
    assert "because c\\u202ed" in shown


# Reading


def read(folder: Path, plan: object) -> dict[str, Any]:
    path = folder / "plan.json"
    path.write_text(plan if isinstance(plan, str) else json.dumps(plan))
    return read_saved_plan(path)


def test_a_plan_that_was_saved_is_read_as_it_was(tmp_path: Path) -> None:
    assert read(tmp_path, saved()) == json.loads(json.dumps(saved()))


def test_a_newer_minor_is_read_with_what_it_has_more(tmp_path: Path) -> None:
    plan = saved() | {"format_version": "1.7", "more": 1}
    plan["certificates"][0]["work"]["phase"] = "a-phase-of-tomorrow"
    assert read(tmp_path, plan)["more"] == 1


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ("{", "This is not JSON"),
        ("[]", "This is not a plan of certrecon."),
        ({"kind": "result", "format_version": "1.0"}, "This is not a plan of certrecon."),
        ({"kind": "plan"}, "It has no format_version."),
        ({"kind": "plan", "format_version": "2.0"}, "Its format_version is 2.0; this certrecon reads 1.x."),
        ({"kind": "plan", "format_version": "1.0"}, "It is damaged at its top"),
        (saved() | {"certificates": [{"name": 5}]}, "It is damaged at certificates.0"),
        (saved() | {"partial": 5}, "It is damaged at partial"),
    ],
)
def test_what_is_no_plan_is_refused_with_its_path(plan: object, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, plan)
    assert said in str(caught.value)
    assert "plan.json" in str(caught.value)


@pytest.mark.parametrize("wrong", ["2027-13-01T00:00:00Z", "yesterday", "2027-01-01T00:00:00", ""])
@pytest.mark.parametrize("place", ["at", "seen_at", "serving.expires", "serving.due", "work.since", "released.expires"])
def test_a_time_that_is_none_is_named(place: str, wrong: str, tmp_path: Path) -> None:
    plan = json.loads(json.dumps(saved()))
    plan["base"] = {"revision": "1", "released": [{"name": "a", "file": "a", "common_name": "a", "account": "main"}]}
    plan["base"]["released"][0] |= {"enrollment_id": 1, "expires": None, "pending": False, "looked_at": True}
    read(tmp_path, plan)
    row = next(one for one in plan["certificates"] if one["serving"] is not None)
    holders = {"serving": row["serving"], "work": row["work"], "released": plan["base"]["released"][0]}
    holder, _, field = place.rpartition(".")
    holders.get(holder, plan)[field] = wrong
    with pytest.raises(ConfigurationError, match=rf"damaged at \S*{field}: '{wrong}' is no instant"):
        read(tmp_path, plan)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_saved_plan(tmp_path / "none.json")


def test_unchanged_certificates_are_a_count() -> None:
    shown = text(plan_json(planned(look(now=ISSUED)), tool_version="1"))
    assert WANTED.name not in shown
    assert "No changes. 1 certificate as wanted." in shown

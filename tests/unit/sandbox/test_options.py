"""Options by name: parsed by type, refused with what would be right."""

from dataclasses import dataclass, field
from typing import Literal

import pytest

from reconciler.sandbox.options import OptionError, Options, seconds


@dataclass(kw_only=True)
class CpsLike:
    staging_s: float = field(default=60.0, metadata={"point": 38, "help": "how long staging takes"})
    location_prefix: Literal["/cps/v2/", "/cps-api/"] = field(default="/cps/v2/", metadata={"point": 2, "help": ""})
    limited: bool = True


@dataclass(kw_only=True)
class ScmLike:
    approvals: Literal["auto", "manual"] = "auto"
    page_size: int = 200
    note: str | None = None
    stapling: Literal["on", "off"] = "off"


@pytest.fixture
def cps() -> CpsLike:
    return CpsLike()


@pytest.fixture
def options(cps: CpsLike) -> Options:
    return Options(cps, ScmLike())


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("staging_s", "90", 90.0),
        ("staging_s", "1.5h", 5400.0),
        ("staging_s", "2d12h", 216000.0),
        ("location_prefix", "/cps-api/", "/cps-api/"),
        ("limited", "off", False),
        ("limited", "true", True),
        ("approvals", "manual", "manual"),
        ("page_size", "50", 50),
        ("note", "on", "on"),
        ("stapling", "on", "on"),
        ("note", "none", None),
    ],
)
def test_texts_are_parsed_by_the_options_type(options: Options, name: str, text: str, value: object) -> None:
    assert options.set(name, text) == value
    assert options.get(name) == value


def test_the_services_own_dataclass_is_what_changes(options: Options, cps: CpsLike) -> None:
    options.set("staging_s", 5)
    assert cps.staging_s == 5.0


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("approvals", "sometimes", "approvals takes auto|manual, not 'sometimes'"),
        ("page_size", "many", "page_size takes a whole number, not 'many'"),
        ("limited", "perhaps", "limited takes on|off, not 'perhaps'"),
        ("staging_s", "soon", "'soon' is no duration"),
        ("aprovals", "auto", "no option is called 'aprovals'; did you mean approvals?"),
        ("xyzzy", "1", "no option is called 'xyzzy'; there are: approvals, limited,"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(options: Options, name: str, value: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        options.set(name, value)
    assert str(caught.value).startswith(message)


def test_of_several_assignments_one_wrong_one_leaves_all(options: Options) -> None:
    with pytest.raises(OptionError):
        options.set_all({"approvals": "manual", "page_size": "many"})
    assert options.get("approvals") == "auto"


def test_all_options_are_listed_with_what_they_take(options: Options) -> None:
    listed = {option.name: option for option in options}
    assert sorted(listed) == ["approvals", "limited", "location_prefix", "note", "page_size", "staging_s", "stapling"]
    assert (listed["staging_s"].point, listed["staging_s"].help) == (38, "how long staging takes")
    assert listed["approvals"].takes == "auto|manual"


def test_two_options_of_one_name_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="two options are called approvals"):
        Options(ScmLike(), ScmLike())


@pytest.mark.parametrize(("text", "value"), [("0", 0.0), ("36h", 129600.0), ("250ms", 0.25), ("1w", 604800.0)])
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "h", "1 h", "5y", "-"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(OptionError):
        seconds(text)

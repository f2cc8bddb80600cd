"""Whatever is uncertain of the services, in any of its ways: a certificate is created, and then nothing is left to do.

Every option of the sandbox has its row: values that work, or what is said where a person has to do something first.
"""

import dataclasses
import json
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.sandbox.cps.options import CpsOptions
from reconciler.sandbox.scm.options import ScmOptions
from tests.support.control import Control
from tests.support.program import Finished, Program

HOLDERS = (CpsOptions, ScmOptions)
_SOME_S = 45.0  # of options that are durations

# What has no list of values. Lags longer than the settle time are cases of their own.
VALUES: Mapping[str, Sequence[Any]] = {
    "auto_renewal_days": (0, 90),
    "blocking_checks": ("",),
    "short_lifetime_days": (0, 300),
    "near_future_days": (0,),
    "immutable_field_slug": ("request-error",),
    "certificate_history_cut": (1,),
    "change_history_cut": (1,),
    "csr_max_age_days": (1,),
    "acknowledgement_deadline_days": (0,),
    "cn_max_length": (200,),
    "text_max_length": (64,),
    "max_names": (10,),
    "create_limit_s": (30.0, 900.0),
    "clock_window_s": (3600.0,),
    "token_lifetime_s": (3600.0,),
    "approval_s": (0.0, 90000.0),
    "list_default_size": (1,),
    "rows_between_pages": (1,),
    "scm_calls_per_minute": (20,),
    "report_san_separator": (", ", ";"),
    "lock_out_after": (1,),
    "max_certificates": (1000,),
    "no_dcv_mode_code": (-1002,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What is said where an option's value asks something of a person; `mended` is the file that answers it."""

    value: object
    exit_code: int
    says: str
    document: Mapping[str, Any] = field(default_factory=dict)
    mended: Mapping[str, Any] | None = None


_EV = {"sectigo": {"profile": "EV Multi-Domain"}}
REFUSED: Mapping[str, Refused] = {
    "clock_window_s": Refused(value=0.0, exit_code=1, says="clock"),
    "approvals": Refused(
        value="manual", exit_code=3, says="approve", document={"sectigo": {"profile": "EV Multi-Domain"}}
    ),
    "legacy_terms": Refused(value=True, exit_code=1, says="TERM-01"),
    "pre_validation": Refused(
        value=False,
        exit_code=1,
        says="dcv",
        mended={"sectigo": {"profile": "DV Multi-Domain", "dcv": {"mode": "CNAME"}}},
    ),
    "ecc_allowed": Refused(value=False, exit_code=1, says="EC", mended={"keyTypes": ["RSA-2048"]}),
    "external_requester_mandatory": Refused(
        value=True,
        exit_code=1,
        says="External Requester",
        mended={"sectigo": {"profile": "DV Multi-Domain", "externalRequester": ["tls@example.com"]}},
    ),
    "orders_restricted": Refused(value=True, exit_code=1, says="restricted"),
    "ev_anchor": Refused(value=True, exit_code=1, says="Anchor", document=_EV),
}


def values(holder: type, option: "dataclasses.Field[Any]") -> Sequence[Any]:
    """Return the values beside the default that certrecon copes with by itself."""
    hint = typing.get_type_hints(holder)[option.name]
    if option.name in VALUES:
        return VALUES[option.name]
    if typing.get_origin(hint) is typing.Literal:
        found: Sequence[Any] = typing.get_args(hint)
    elif hint is bool:
        found = (True, False)
    else:
        assert hint is float, f"what values does {option.name} have?"
        found = (0.0, _SOME_S)
    refused = REFUSED.get(option.name)
    return [one for one in found if one != option.default and (refused is None or one != refused.value)]


WAYS: Mapping[str, Sequence[Any]] = {
    option.name: found
    for holder in HOLDERS
    for option in dataclasses.fields(holder)
    if (found := values(holder, option))
}
DEFAULTS = {option.name: option.default for holder in HOLDERS for option in dataclasses.fields(holder)}


def rounds(most: int) -> Iterator[dict[str, Any]]:
    """Yield settings of all options at once, so that each of their first values is in one of them."""
    for place in range(most):
        yield {name: found[place] for name, found in WAYS.items() if place < len(found)}


def document(name: str, **more: Any) -> str:
    wanted = {"sectigo": {"profile": "DV Multi-Domain"}, "keyTypes": ["RSA-2048", "ECDSA-P256"], **more}
    return json.dumps({"apiVersion": "certrecon/v1", "commonName": f"{name}.example.com", **wanted})


def created(program: Program, control: Control, name: str, behaviour: Mapping[str, Any]) -> None:
    """Create one more certificate under `behaviour`; check that then nothing is left to do for any."""
    control.post("/options", behaviour)
    program.write(f"certificates/{name}.yaml", document(name))
    finished = applied(program, control)
    planned = program.plan()
    said = f"{behaviour}\n{finished.stdout}{finished.stderr}\n{planned.stdout}{planned.stderr}"
    assert (finished.exit_code, planned.exit_code, "No changes." in planned.stdout) == (0, 0, True), said


def applied(program: Program, control: Control, *arguments: str) -> Finished:
    """Run apply until nothing is under way, as a schedule does."""
    finished = program.apply(*arguments)
    for _ in range(3):
        if finished.exit_code != 3:
            break
        control.post("/advance", {"by": "1h"})
        finished = program.apply()
    return finished


@pytest.fixture
def empty(program: Program) -> Program:
    """Return the program without any certificate."""
    (program.repository / "certificates" / "www.example.com.yaml").unlink()
    return program


def test_every_option_has_its_row() -> None:
    assert set(DEFAULTS) == WAYS.keys() | REFUSED.keys()
    assert not {name for name, found in WAYS.items() if DEFAULTS[name] in found}


def test_a_certificate_is_created_in_all_ways_at_once(empty: Program, control: Control) -> None:
    for place, behaviour in enumerate(rounds(2)):
        created(empty, control, f"r{place}", DEFAULTS | behaviour)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(WAYS))
def test_a_certificate_is_created_in_each_way(empty: Program, control: Control, name: str) -> None:
    for place, value in enumerate(WAYS[name]):
        created(empty, control, f"c{place}", DEFAULTS | {name: value})


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_a_person_has_to_do_first_is_said(empty: Program, control: Control, name: str) -> None:
    row = REFUSED[name]
    control.post("/options", {name: row.value})
    empty.write("certificates/www.yaml", document("www", **row.document))
    refused = empty.apply(wait="2h")
    said = refused.stdout + refused.stderr
    assert (refused.exit_code, row.says in said) == (row.exit_code, True), said
    if row.mended is not None:
        empty.write("certificates/www.yaml", document("www", **row.mended))
    else:
        control.post("/options", {name: DEFAULTS[name]})
    for order in control.get("/state")["orders"]:
        if order["status"] == "Requested":
            control.post("/scm/approve", {"ssl_id": order["ssl_id"]})
    mended = applied(empty, control, "--retry", "www")
    assert mended.exit_code == 0, mended.stdout + mended.stderr

"""What the crash matrix plays. A scenario is one entry here; its mutating calls are recorded in `calls.json`.

To add one: write the entry, run `RECORD=1 make test PYTEST_ARGS="-k test_a_fresh_recording"`, and review the new lines
of `calls.json`. The kills and the faults at each of its calls follow from those. The same holds for `pushes.json`, and
the kills at each push of lock and journal to a git remote.
"""

import json
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.left import Left

CALLS, PUSHES = Path(__file__).with_name("calls.json"), Path(__file__).with_name("pushes.json")

# What a person or time does at the sandbox: a path of its control API, and the body.
Act = tuple[str, Mapping[str, Any]]

_HEAD = "apiVersion: certrecon/v1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One cause, from files to both networks.

    Files are below `certificates/`; None takes one away. In those of `after` stands "$serial_5001" for the serial of
    order 5001, in upper-case hex: ids are the same in every run, serials are not.
    """

    name: str
    before: Mapping[str, str] = field(default_factory=dict)  # what an earlier run, which nothing disturbed, has applied
    acts: tuple[Act, ...] = ()  # what happens then
    after: Mapping[str, str | None]  # what the run that is struck has to apply
    left: Mapping[str, Left]  # what there is in the end, by common name
    quick: bool = True  # all of its kills belong to `make test`; else they are nightly
    pushed: bool = False  # it is played on a git remote too, and each push to that is struck


def _file(common_name: str, *lines: str) -> dict[str, str]:
    return {f"{common_name}.yaml": "".join([_HEAD, f"commonName: {common_name}\n", *(f"{line}\n" for line in lines)])}


_ONE_RSA = Left(changes=("new completed",), orders=("RSA Issued",), staging=("RSA",), production=("RSA",))

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        # A DV certificate has no organization: CPS warns that the subject is not that of the CSR.
        name="create DV",
        after=_file("www.example.com", "sectigo: {profile: DV Multi-Domain}"),
        left={"www.example.com": _ONE_RSA},
        pushed=True,
    ),
    Scenario(
        name="create dual-key OV",
        after=_file("shop.example.com", "dnsNames: [cart.example.com]", "keyTypes: [RSA-2048, ECDSA-P256]"),
        left={
            "shop.example.com": Left(
                changes=("new completed",),
                orders=("RSA Issued", "ECDSA Issued"),
                staging=("RSA", "ECDSA"),
                production=("RSA", "ECDSA"),
            )
        },
        quick=False,
        pushed=True,
    ),
    Scenario(
        # Another certificate has the name already: CPS asks about that before it makes keys.
        name="create beside another of the name",
        before=_file("www.example.com"),
        after=_file("shop.example.com", "dnsNames: [www.example.com]", "acceptWarnings: [{id: SNI_DNS_OVERLAP}]"),
        left={
            "www.example.com": _ONE_RSA,
            "shop.example.com": _ONE_RSA,
        },
        quick=False,
    ),
    Scenario(
        # Mutual authentication follows by PUT: the first change, for which nothing was ordered, is replaced.
        name="create with mutual authentication",
        after=_file(
            "www.example.com", "akamai: {clientMutualAuthentication: {setId: '4711', sendCaListToClient: true}}"
        ),
        left={
            "www.example.com": Left(
                changes=("new cancelled", "new completed"),
                orders=("RSA Issued",),
                staging=("RSA",),
                production=("RSA",),
            )
        },
        quick=False,
    ),
    Scenario(
        name="renew what is revoked",
        before=_file("www.example.com"),
        acts=(("/scm/revoke", {"ssl_id": 5001}),),
        after={},
        left={
            "www.example.com": Left(
                changes=("new completed", "renewal completed"),
                orders=("RSA Revoked", "RSA Issued"),
                staging=("RSA",),
                production=("RSA",),
            )
        },
        pushed=True,
    ),
    Scenario(
        name="reissue with another name",
        before=_file("www.example.com"),
        after=_file("www.example.com", "dnsNames: [img.example.com]"),
        left={
            "www.example.com": Left(
                changes=("new completed", "names completed"),
                orders=("RSA Issued", "RSA Issued"),
                staging=("RSA",),
                production=("RSA",),
            )
        },
        quick=False,
    ),
    Scenario(
        name="update a setting",
        before=_file("www.example.com"),
        after=_file("www.example.com", 'akamai: {ocspStapling: "off"}'),
        left={
            "www.example.com": Left(
                changes=("new completed", "settings completed"),
                orders=("RSA Issued",),
                staging=("RSA",),
                production=("RSA",),
            )
        },
        quick=False,
    ),
)
BY_NAME: Mapping[str, Scenario] = {scenario.name: scenario for scenario in SCENARIOS}


def recorded(recording: Path) -> dict[str, list[str]]:
    """Return what `CALLS` or `PUSHES` says of each scenario, in its order.

    Calls are those that change something, as the sandbox calls them: "cps.create_enrollment". Pushes are called as
    `tests.support.pushes` does: "intent create enrollment".
    """
    found: dict[str, list[str]] = json.loads(recording.read_text()) if recording.exists() else {}
    return found


def text_of(template: str, serials: Mapping[int, str]) -> str:
    """Return a file's text with the serials of orders filled in."""
    return string.Template(template).safe_substitute({f"serial_{ssl_id}": serial for ssl_id, serial in serials.items()})

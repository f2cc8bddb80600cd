"""What a credential no longer sees, and what a file that is five lines long may not change."""

from pathlib import Path
from typing import Any

import requests
from akamai.edgegrid import EdgeGridAuth

from tests.support.site import DV, NAME, Site

_SHOP = "shop.example.net"


def second_account(site: Site) -> None:
    """Give the repository a second account, whose credential sees another contract only, and a certificate there."""
    default, other = site.sandbox.cps.state.clients[:2]
    default.contracts[:] = ["C-1ABCDEF"]
    other.contracts[:], other.may_write = ["C-2GHIJKL"], True
    configuration = site.program.repository / "certrecon.yaml"
    text = configuration.read_text().replace(
        "sectigo:\n", "  other:\n    accountId: A-2XYZ\n    edgerc: {section: readonly}\nsectigo:\n", 1
    )
    configuration.write_text(text)
    site.write(DV, "akamai: {account: main}")
    shop = f"commonName: {_SHOP}\n{DV}\nakamai: {{account: other, contract: C-2GHIJKL}}\n"
    site.program.write(f"certificates/{_SHOP}.yaml", f"apiVersion: certrecon/v1\n{shop}")


def test_a_contract_that_is_no_longer_visible_fails_its_account_and_the_others_go_on(site: Site) -> None:
    second_account(site)
    site.deploy()
    site.sandbox.cps.state.clients[0].contracts[:] = ["C-9UNKNOWN"]
    for ssl_id in (5001, 5002):
        site.at_scm("revoke", ssl_id)
    said = site.plan()
    assert said.exit_code == 1
    assert "no longer sees contract C-1ABCDEF" in said.stdout
    assert site.apply().exit_code == 1
    assert {order.common_name for order in site.orders[2:]} == {_SHOP}
    assert site.mutating["cps.update_enrollment"] == 1
    again = site.apply()
    assert again.exit_code == 1  # and not only the first time that it is missed
    site.sandbox.cps.state.clients[0].contracts[:] = ["C-1ABCDEF"]
    assert site.apply().exit_code == 0
    assert {order.common_name for order in site.orders[2:]} == {_SHOP, NAME}


def made_by_hand(site: Site) -> tuple[int, str]:
    """Return id and name of an enrollment that somebody made and set up by hand, deployed."""
    site.control.post("/seed", {"count": 1})
    (enrollment,) = site.sandbox.cps.state.enrollments.values()
    settings = {
        "fipsMode": True,
        "disallowedTlsVersions": ["TLSv1", "TLSv1_1"],
        "clientMutualAuthentication": {
            "setId": "4711",
            "authenticationOptions": {"ocsp": {"enabled": True}, "sendCaListToClient": True},
        },
    }
    site.at_cps("edit", changes={"networkConfiguration": settings})
    site.advance("1h")
    site.at_cps("acknowledge")
    site.advance("2h")
    assert enrollment.pending is None
    return enrollment.id, enrollment.wanted.csr.cn


def document(site: Site) -> dict[str, Any]:
    """Return the whole body as CPS gives it, in its newest version, without what says how its changes stand."""
    client = site.sandbox.cps.state.clients[0]
    answer = requests.get(
        f"{site.sandbox.urls['cps']}/cps/v2/enrollments/{site.enrollment_id}",
        headers={"Accept": "application/vnd.akamai.cps.enrollment.v12+json"},
        auth=EdgeGridAuth(client.client_token, client.client_secret, client.access_token),
        verify=site.sandbox.urls["ca_file"],
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return {name: value for name, value in body.items() if name not in ("pendingChanges", "autoRenewalStartTime")}


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return all leaves of a body by their paths: a failure names just those that differ."""
    if isinstance(value, dict):
        return {key: leaf for name, part in value.items() for key, leaf in flat(part, f"{path}/{name}").items()}
    return {path: value}


def test_a_short_file_adopts_a_hand_made_enrollment_and_changes_nothing_that_it_does_not_name(site: Site) -> None:
    number, name = made_by_hand(site)
    before = document(site)
    (site.program.repository / f"certificates/{NAME}.yaml").unlink()
    five_lines = f"apiVersion: certrecon/v1\ncommonName: {name}\ndnsNames: [new.example.com]\n"
    site.program.write(f"certificates/{name}.yaml", five_lines)
    say_only_where_it_belongs(site.program.repository)
    held = site.apply()
    assert site.mutating == {}, held.stdout
    finished = site.apply("--allow-adopt", name)
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    after = document(site)
    cloned = after["networkConfiguration"]["dnsNameSettings"]  # the edge's names are cloned from those
    assert set(after["csr"]["sans"]) == set(cloned["dnsNames"]) == {name, "new.example.com"}
    after["csr"]["sans"] = before["csr"]["sans"]
    cloned["dnsNames"] = before["networkConfiguration"]["dnsNameSettings"]["dnsNames"]
    assert flat(after) == flat(before)
    assert number == site.enrollment_id
    assert after["networkConfiguration"]["fipsMode"] is True
    assert after["networkConfiguration"]["clientMutualAuthentication"]["setId"] == "4711"


def say_only_where_it_belongs(repository: Path) -> None:
    """Let the defaults name no setting of an enrollment."""
    (repository / "certificates/_defaults.yaml").write_text(
        "apiVersion: certrecon/v1\nsectigo: {organization: Example Ltd, profile: OV Multi-Domain}\n"
        "akamai: {contract: C-1ABCDEF, secureNetwork: enhanced-tls}\n"
    )

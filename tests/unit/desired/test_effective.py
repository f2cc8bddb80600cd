"""Every effective value with the file and line that it comes from."""

from pathlib import Path

from reconciler.desired.effective import EffectiveValue, effective_values
from reconciler.errors import Location
from tests.support.files import CERTIFICATE, files


def values(root: Path, more: str = "", name: str = "www.yaml") -> dict[str, EffectiveValue]:
    project = files(root, {name: CERTIFICATE + more})
    (certificate,) = project.desired().certificates
    return {one.pointer: one for one in effective_values(root, certificate)}


def test_values_come_from_the_file_or_the_defaults_of_its_folders(tmp_path: Path) -> None:
    inner = "apiVersion: certrecon/v1\nakamai:\n  geography: core\n  ocspStapling: 'off'\n"
    files(tmp_path).write("certificates/web/_defaults.yaml", inner)
    found = values(tmp_path, "akamai: {ocspStapling: 'on'}\n", "web/www.yaml")
    assert found["commonName"].source == Location("certificates/web/www.yaml", 2, 1)
    assert found["akamai.ocspStapling"].value == "on"
    assert found["akamai.ocspStapling"].source == Location("certificates/web/www.yaml", 3, 10)
    assert found["akamai.geography"].source == Location("certificates/web/_defaults.yaml", 3, 3)
    assert found["akamai.contract"].source == Location("certificates/_defaults.yaml", 3, 10)


def test_a_value_that_is_taken_back_is_built_in_again(tmp_path: Path) -> None:
    files(tmp_path).write(
        "certificates/web/_defaults.yaml", "apiVersion: certrecon/v1\nakamai: {geography: china+core}\n"
    )
    found = values(tmp_path, "akamai: {geography: null}\n", "web/www.yaml")["akamai.geography"]
    assert (found.value, found.source, found.unmanaged) == ("core", None, True)


def test_what_no_file_names_is_built_in_with_the_names_that_hold(tmp_path: Path) -> None:
    found = values(tmp_path)
    assert (found["name"].value, found["name"].source) == ("www", None)
    assert found["akamai.account"].value == "main"
    assert found["sectigo.instance"].value == "enterprise"
    assert (found["keyTypes"].value, found["keyTypes"].unmanaged) == (["RSA-2048"], True)
    assert (found["akamai.sniOnly"].value, found["akamai.sniOnly"].unmanaged) == (True, False)
    assert "akamai.fipsMode" not in found


def test_lists_and_maps_of_own_names_are_whole_or_by_key(tmp_path: Path) -> None:
    found = values(tmp_path, "dnsNames: [b.example.com, a.example.com]\nlabels:\n  team: web\n")
    assert found["dnsNames"].value == ["b.example.com", "a.example.com"]
    assert found["labels.team"].source == Location("certificates/www.yaml", 5, 3)
    assert "dnsNames.0" not in found


def test_the_inner_folder_wins_over_the_outer_one(tmp_path: Path) -> None:
    inner = "apiVersion: certrecon/v1\nakamai: {contract: C-9}\n"
    files(tmp_path).write("certificates/web/_defaults.yaml", inner)
    found = values(tmp_path, name="web/www.yaml")["akamai.contract"]
    assert (found.value, found.source) == ("C-9", Location("certificates/web/_defaults.yaml", 2, 10))

"""The house: what the repository promises about itself."""

import ast
import itertools
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import reconciler

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.txt", "requirements-dev.txt")
# In pieces, so that this file may hold them.
REGISTRIES = ("py" + "pi.org", "python" + "hosted.org", "registry.npm" + "js.org", "deb.deb" + "ian.org")
MACHINE_PATH = re.compile(r"(?<![\w.~$}-])/(?:home|Users|root|work|farm)/\w")


def committed() -> Iterator[tuple[str, str]]:
    """Yield path and text of each file that is, or would be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git working tree: what is committed is not known")
    for path in filter(None, listed.stdout.split("\0")):
        if (ROOT / path).is_file():
            yield path, (ROOT / path).read_text(errors="replace")


def locked(lock: str) -> dict[str, list[str]]:
    """Return the entries of a lock: the requirement without its hashes -> its hashes."""
    joined = (ROOT / lock).read_text().replace("\\\n", " ")
    entries = (line.split("--hash=") for line in joined.splitlines() if line.strip())
    return {requirement.strip(): [each.strip() for each in hashes] for requirement, *hashes in entries}


def project() -> dict[str, object]:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert isinstance(table, dict)
    return table


@pytest.mark.parametrize("lock", LOCKS)
def test_each_locked_requirement_is_pinned_and_has_hashes(lock: str) -> None:
    entries = locked(lock)
    assert len(entries) > 20
    for text, hashes in entries.items():
        assert [specifier.operator for specifier in Requirement(text).specifier] == ["=="], text
        assert hashes, text
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), text


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*(-i|--index-url|--extra-index-url|-f|--find-links|--trusted-host)\b", text, re.MULTILINE)


def test_what_users_install_is_what_was_tested() -> None:
    used, tested = ({text.partition(";")[0].strip(): hashes for text, hashes in locked(lock).items()} for lock in LOCKS)
    assert {text: tested.get(text) for text in used} == used


def test_no_committed_file_names_a_registry_or_a_path_of_one_machine() -> None:
    found = [
        f"{path}: {word}"
        for path, text in committed()
        for word in [*(host for host in REGISTRIES if host in text), *MACHINE_PATH.findall(text)]
    ]
    assert found == []


def test_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == reconciler.__version__


def test_readme_begins_with_demo_then_test() -> None:
    commands = re.findall(r"^(?:\$ )?(make \w+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert commands[:2] == ["make demo", "make test"]


def test_license_is_the_one_that_the_package_declares() -> None:
    assert project()["license"] == "Apache-2.0"
    assert (ROOT / "LICENSE").read_text().split()[:4] == ["Apache", "License", "Version", "2.0,"]


def test_package_imports_what_it_declares_and_declares_what_it_imports() -> None:
    table = project()
    extras = table["optional-dependencies"]
    assert isinstance(table["dependencies"], list)
    assert isinstance(extras, dict)
    declared = {
        canonicalize_name(Requirement(text).name)
        for text in itertools.chain(table["dependencies"], *extras.values())
    }  # fmt: skip
    assert imported_distributions() == declared


def imported_distributions() -> set[str]:
    """Return the names of the distributions that some module of the package imports."""
    providers = packages_distributions()
    modules = {name.split(".")[0] for path in (ROOT / "reconciler").rglob("*.py") for name in imports(path)}
    outside = modules - sys.stdlib_module_names - {"reconciler"}
    return {canonicalize_name(providers[name][0]) for name in outside & providers.keys()}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_workflows_pin_actions_by_commit_and_begin_without_permissions() -> None:
    workflows = [*(ROOT / ".github" / "workflows").glob("*.yml")]
    for workflow in workflows:
        assert "\npermissions: {}\n" in workflow.read_text(), workflow.name
    for workflow in (*workflows, ROOT / "action" / "action.yml"):
        used = re.findall(r"^ *(?:- )?uses: (\S+)(.*)", workflow.read_text(), re.MULTILINE)
        assert used, workflow.name
        for action, comment in used:
            if action.startswith("$/"):  # this repository, at the commit that runs
                assert (ROOT / action.removeprefix("$/")).exists(), action
                continue
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), f"{workflow.name}: {action}"
            assert re.match(r" # v\d+", comment), f"{workflow.name}: {action} without its version"


def test_decisions_are_numbered_without_gap_and_listed() -> None:
    pages = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [page[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    assert [page for page in pages if f"({page})" not in index] == []

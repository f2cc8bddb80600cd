"""A project as a commit has it, while the clone stays as it is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.desired.revision import checked_out, commit_of, merge_base
from reconciler.errors import ConfigurationError, RevisionError
from tests.support.locks import git

WHO = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
CONFIGURATION = """apiVersion: certrecon/v1
akamai: {main: {accountId: A-1, edgerc: {section: default}}}
sectigo:
  enterprise:
    baseUrl: https://cert-manager.com/api
    auth: {type: password, login: SECTIGO_LOGIN, password: SECTIGO_PASSWORD, customerUri: acme}
"""


def commit(root: Path, **files: str) -> str:
    """Commit `files`, whose names have a double underscore for each slash."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("DOT", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(root, "add", "--all")
    git(root, *WHO, "commit", "--quiet", "--allow-empty", "-m", "x")
    return git(root, "rev-parse", "HEAD").strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    root = tmp_path / "clone"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    return root


def listed(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_a_commit_is_read_whatever_the_tree_has_become(clone: Path) -> None:
    first = commit(clone, certreconDOTyaml=CONFIGURATION, certificates__a__bDOTyaml="one\r\n", other="x")
    commit(clone, certificates__cDOTyaml="two")
    (clone / "certificates" / "a" / "b.yaml").write_text("dirty")
    before = git(clone, "status", "--porcelain")
    with checked_out(clone / "certificates", first) as found:
        assert listed(found.folder) == ["certificates/a/b.yaml", "certrecon.yaml"]
        assert (found.folder / "certificates" / "a" / "b.yaml").read_bytes() == b"one\r\n"
        assert (found.root, found.commit) == (clone.resolve(), first)
    assert not found.folder.exists()
    assert git(clone, "status", "--porcelain") == before


def test_attributes_and_ignored_files_leave_nothing_out(clone: Path) -> None:
    (clone / ".gitignore").write_text("*.yaml\n")
    git(clone, "add", "--force", ".gitignore")
    (clone / "certificates").mkdir()
    (clone / "certificates" / "a.yaml").write_text("kept")
    (clone / "certrecon.yaml").write_text(CONFIGURATION)
    (clone / ".gitattributes").write_text("certificates/** export-ignore\n")
    git(clone, "add", "--force", "certificates/a.yaml", "certrecon.yaml", ".gitattributes")
    with checked_out(clone, commit(clone)) as found:
        assert listed(found.folder) == ["certificates/a.yaml", "certrecon.yaml"]


def test_a_project_below_the_top_has_the_files_that_its_configuration_names(clone: Path) -> None:
    text = CONFIGURATION + "    privateRoots: [../shared/root.pem, /etc/ssl/x.pem, ../../outside.pem]\n"
    text += "policy:\n  replace:\n    - name: x\n      issuedBefore: 2026-01-01T00:00:00Z\n      reason: superseded\n"
    text += "      select: {serialsFile: lists/serials.txt}\n"
    names = {"web__certreconDOTyaml": text, "web__lists__serialsDOTtxt": "A1", "shared__rootDOTpem": "PEM"}
    with checked_out(clone / "web", commit(clone, **names, web__notes="x")) as found:
        top = found.folder.parent
        assert listed(top) == ["shared/root.pem", "web/certrecon.yaml", "web/lists/serials.txt"]


def test_a_link_is_a_link_and_its_target_is_not_read(clone: Path) -> None:
    (clone / "certificates").mkdir()
    (clone / "certificates" / "a.yaml").symlink_to("/etc/hostname")
    with checked_out(clone, commit(clone, certreconDOTyaml=CONFIGURATION)) as found:
        assert (found.folder / "certificates" / "a.yaml").is_symlink()


def test_the_merge_base_is_where_the_two_parted(clone: Path) -> None:
    parted = commit(clone, certreconDOTyaml=CONFIGURATION)
    git(clone, "switch", "--quiet", "--create", "topic")
    commit(clone, a="1")
    git(clone, "switch", "--quiet", "main")
    commit(clone, b="2")
    assert merge_base(clone, "main", "topic") == parted
    assert commit_of(clone, "topic~1") == parted


@pytest.mark.parametrize(
    "asked", [lambda at: commit_of(at, "origin/main"), lambda at: merge_base(at, "0" * 40, "HEAD")]
)
def test_a_commit_that_is_missing_names_the_remedy(clone: Path, asked: Callable[[Path], str]) -> None:
    commit(clone)
    with pytest.raises(RevisionError, match="fetch-depth: 0"):
        asked(clone)


def test_a_shallow_clone_names_the_remedy(clone: Path, tmp_path: Path) -> None:
    commit(clone)
    git(clone, "switch", "--quiet", "--create", "topic")
    commit(clone, a="1")
    git(clone, "switch", "--quiet", "main")
    commit(clone, b="2")
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-single-branch", clone.as_uri(), "shallow")
    with pytest.raises(RevisionError, match=r"no commit in common in this clone.*fetch-depth: 0"):
        merge_base(tmp_path / "shallow", "origin/topic", "HEAD")


@pytest.mark.parametrize("kind", ["blob", "tree"])
def test_an_object_that_is_missing_is_never_an_empty_file_or_folder(clone: Path, kind: str) -> None:
    first = commit(clone, certreconDOTyaml=CONFIGURATION, certificates__aDOTyaml="one")
    name = {"blob": "certificates/a.yaml", "tree": "certificates"}[kind]
    ident = git(clone, "rev-parse", f"{first}:{name}").strip()
    (clone / ".git" / "objects" / ident[:2] / ident[2:]).unlink()
    with pytest.raises(RevisionError, match="not all in this clone"), checked_out(clone, first):
        pass


def test_a_reference_is_never_an_option(clone: Path) -> None:
    commit(clone)
    with pytest.raises(RevisionError, match="is no commit"):
        commit_of(clone, "--output=stolen")


def test_a_commit_without_a_project_and_a_folder_without_a_repository(clone: Path, tmp_path: Path) -> None:
    first = commit(clone)
    with (
        pytest.raises(ConfigurationError, match=r"no certrecon.yaml here, nor above it, in"),
        checked_out(clone, first),
    ):
        pass
    with pytest.raises(RevisionError, match="lies in no git repository"):
        commit_of(tmp_path, "HEAD")

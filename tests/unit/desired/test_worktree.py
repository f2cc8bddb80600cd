"""Certificate files are those that git would take; what would be overlooked silently is told."""

from pathlib import Path, PurePosixPath

import pytest
from git import Repo

from reconciler.desired.worktree import files
from reconciler.errors import ConfigurationError
from tests.support.files import Files


def paths(found: tuple[PurePosixPath, ...]) -> list[str]:
    return [str(path) for path in found]


@pytest.fixture(params=["with git", "without git"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "with git":
        Repo.init(tmp_path).close()
    return tmp_path


def test_certificates_and_defaults_are_found_in_any_folder(root: Path) -> None:
    tree = Files(root)
    for path in ("b.yaml", "a/c.yaml", "_defaults.yaml", "a/_defaults.yaml", "README.md", "a/.gitkeep"):
        tree.write(f"certificates/{path}", "x")
    tree.write("elsewhere.yaml", "x")
    found = files(root)
    assert paths(found.certificates) == ["certificates/a/c.yaml", "certificates/b.yaml"]
    assert paths(found.defaults) == ["certificates/_defaults.yaml", "certificates/a/_defaults.yaml"]
    assert found.problems == ()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.yml", 'The suffix ".yml" is not read. Rename it to a.yaml.'),
        ("a.YAML", 'The suffix ".YAML" is not read. Rename it to a.yaml.'),
        ("_a.yaml", 'Only "_defaults.yaml" may begin with an underscore.'),
        ("_defaults.yml", 'Only "_defaults.yaml" may begin with an underscore.'),
        ("_old/a.yaml", 'Only "_defaults.yaml" may begin with an underscore.'),
    ],
)
def test_what_would_be_overlooked_is_told(root: Path, path: str, text: str) -> None:
    Files(root).write(f"certificates/{path}", "x")
    found = files(root)
    assert found.certificates == found.defaults == ()
    (problem,) = found.problems
    assert str(problem).startswith(f"certificates/{path}:1:1: error: {text}")


@pytest.mark.parametrize("target", ["../real.yaml", "../folder", "nowhere.yaml"])
def test_links_are_told_and_not_followed(root: Path, target: str) -> None:
    tree = Files(root)
    tree.write("real.yaml", "x")
    tree.write("folder/a.yaml", "x")
    (root / "certificates").mkdir()
    (root / "certificates" / "link.yaml").symlink_to(target)
    found = files(root)
    assert found.certificates == ()
    assert [problem.text for problem in found.problems] == ["Links are not followed."]


def test_the_folder_itself_may_be_no_link(root: Path) -> None:
    Files(root).write("elsewhere/a.yaml", "x")
    (root / "certificates").symlink_to("elsewhere")
    found = files(root)
    assert found.certificates == ()
    assert [problem.text for problem in found.problems] == ["Links are not followed."]


def test_a_project_without_certificates_has_none(root: Path) -> None:
    found = files(root)
    assert (found.certificates, found.defaults, found.problems) == ((), (), ())


def test_ignored_and_deleted_files_are_left_out_and_untracked_ones_taken(tmp_path: Path) -> None:
    tree = Files(tmp_path)
    for name in ("tracked", "deleted", "untracked", "ignored", "größe", "with space"):
        tree.write(f"certificates/{name}.yaml", "x")
    tree.write(".gitignore", "ignored.yaml\n")
    with Repo.init(tmp_path) as repository:
        repository.index.add(["certificates/tracked.yaml", "certificates/deleted.yaml"])
    (tmp_path / "certificates" / "deleted.yaml").unlink()
    assert paths(files(tmp_path).certificates) == [
        f"certificates/{name}.yaml" for name in ("größe", "tracked", "untracked", "with space")
    ]


def test_a_project_in_a_folder_of_its_repository_sees_its_own_files(tmp_path: Path) -> None:
    Repo.init(tmp_path).close()
    Files(tmp_path).write("certificates/other.yaml", "x")
    Files(tmp_path).write("project/certificates/own.yaml", "x")
    assert paths(files(tmp_path / "project").certificates) == ["certificates/own.yaml"]


def test_a_repository_within_is_told(tmp_path: Path) -> None:
    Repo.init(tmp_path).close()
    Files(tmp_path).write("certificates/inner/a.yaml", "x")
    with Repo.init(tmp_path / "certificates" / "inner") as inner:
        inner.index.add(["a.yaml"])
        inner.index.commit("one")
    found = files(tmp_path)
    assert found.certificates == ()
    assert [problem.text for problem in found.problems] == ["Another git repository lies here."]


def test_a_repository_that_git_refuses_is_told_and_not_walked(tmp_path: Path) -> None:
    Files(tmp_path).write("certificates/a.yaml", "x")
    (tmp_path / ".git").mkdir()  # an empty one
    with pytest.raises(ConfigurationError, match=r"git could not list .*not a git repository.*git status"):
        files(tmp_path)


def test_a_repository_is_walked_where_git_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Repo.init(tmp_path).close()
    Files(tmp_path).write("certificates/a.yaml", "x")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert paths(files(tmp_path).certificates) == ["certificates/a.yaml"]

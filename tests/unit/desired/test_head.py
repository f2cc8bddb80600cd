"""What a tree stands on."""

import subprocess
from pathlib import Path

from reconciler.desired.head import head


def git(root: Path, *arguments: str) -> None:
    author = ("-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *author, *arguments], cwd=root, check=True, capture_output=True)


def committed(root: Path) -> Path:
    (root / "certificates").mkdir()
    (root / "certrecon.yaml").write_text("apiVersion: certrecon/v1\n")
    (root / "certificates" / "a b.yaml").write_text("apiVersion: certrecon/v1\n")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=first")
    return root


def test_a_clean_tree_stands_on_its_commit(tmp_path: Path) -> None:
    found = head(committed(tmp_path))
    assert found is not None
    assert (len(found.commit), found.differing) == (40, ())


def test_changed_new_and_removed_files_differ_and_others_do_not_matter(tmp_path: Path) -> None:
    root = committed(tmp_path)
    (root / "certrecon.yaml").write_text("apiVersion: certrecon/v1\nproject: web\n")
    (root / "certificates" / "a b.yaml").unlink()
    (root / "certificates" / "new.yaml").write_text("apiVersion: certrecon/v1\n")
    (root / "notes.txt").write_text("not ours\n")
    found = head(root)
    assert found is not None
    assert found.differing == ("certificates/a b.yaml", "certificates/new.yaml", "certrecon.yaml")


def test_without_a_repository_or_a_commit_there_is_none(tmp_path: Path) -> None:
    assert head(tmp_path) is None
    git(tmp_path, "init", "--quiet")
    assert head(tmp_path) is None

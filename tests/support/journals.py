"""Whether a journal that runs have left can be read, and whether all of it fits together."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from reconciler.app.lock import show
from reconciler.app.lock_place import open_store
from reconciler.desired.project import load_project
from reconciler.execution.durable import history
from reconciler.model.entry import IntentId, OutcomeKind
from reconciler.model.journal import OpenState, decode_state
from reconciler.model.journal_entries import Entry, EpochTaken, IntentWritten, OutcomeWritten, decode_entry
from tests.support.locks import git


def check_journal(repository: Path, environment: Mapping[str, str]) -> OpenState:
    """Check the journal of the repository's first account, whose lock is free, and return what open.json says."""
    project = load_project(repository, environment=environment)
    name, account = min(project.accounts.items())
    with open_store(project, account, environment) as store:
        standing = show(store, name)
        assert standing.problem is None, standing.problem
        assert standing.record is not None
        assert standing.state is not None
        assert standing.record.free, "the last run did not release the lock"
        assert standing.record.journal_id == standing.state.journal_id
        assert standing.record.sequence == standing.state.sequence
        check_entries(tuple(history(store)), standing.state)
    return standing.state


def check_entries(entries: tuple[Entry, ...], state: OpenState) -> None:
    """Check that the entries of all months are in order, and lead to just what open.json says."""
    epochs = [entry.epoch for entry in entries if isinstance(entry, EpochTaken)]
    assert epochs == list(range(1, state.epoch + 1))
    check_intents(entries)
    replayed = OpenState(journal_id=state.journal_id, installation=state.installation).after(entries)
    assert replace(replayed, sequence=state.sequence) == state, "open.json is not what its entries lead to"


def check_intents(entries: tuple[Entry, ...]) -> None:
    """Check that each intent was written once, in the epoch of its time, and that outcomes come after their intents."""
    epoch = 0
    seen: set[IntentId] = set()
    closed: set[IntentId] = set()
    for entry in entries:
        match entry:
            case EpochTaken():
                epoch = entry.epoch
            case IntentWritten(intent=intent):
                assert intent.id not in seen, "an intent was written twice"
                assert intent.epoch == epoch, "an intent of a run that had the lock no more"
                seen.add(intent.id)
            case OutcomeWritten(outcome=outcome):
                assert outcome.intent in seen - closed, "an outcome of no open intent"
                if outcome.kind is not OutcomeKind.UNKNOWN:
                    closed.add(outcome.intent)
            case _:
                pass


def check_appends(remote: Path) -> None:
    """Check the journal's commits on a git remote: one after the other, each an append, none lost, none changed."""
    listed = git(remote, "for-each-ref", "--format=%(refname)", "refs/certrecon/journal").split()
    assert len(listed) == 1
    commits = [line.split(" ", 2) for line in _log(remote, listed[0])]
    state: OpenState | None = None
    before: dict[str, str] = {}
    parent = ""
    for number, (commit, parents, subject) in enumerate(commits, 1):
        assert parents == parent, "the journal's history was rewritten"
        assert subject.startswith(f"journal {number} of epoch ")
        files = _files(remote, commit)
        after = decode_state(files.pop("open.json"))
        assert after.sequence == number
        added = [decode_entry(line) for name in sorted(files) for line in _added(before.get(name, ""), files[name])]
        assert added
        assert set(before) <= set(files)
        begun = state or OpenState(journal_id=after.journal_id, installation=after.installation)
        assert begun.after(added) == after, f"open.json of append {number} is not what its entries lead to"
        state, before, parent = after, files, commit


def _log(remote: Path, ref: str) -> list[str]:
    """Return commit, parents and subject of each append, oldest first."""
    return git(remote, "log", "--reverse", "--format=%H %P %s", ref).splitlines()


def _files(remote: Path, commit: str) -> dict[str, str]:
    names = git(remote, "ls-tree", "--name-only", commit).split()
    return {name: git(remote, "cat-file", "blob", f"{commit}:{name}") for name in names}


def _added(before: str, after: str) -> list[str]:
    assert after.startswith(before), "an entry was changed"
    return after.removeprefix(before).splitlines()

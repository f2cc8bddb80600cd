"""Lock and journal as two refs of a git remote, moved by atomic pushes with leases.

    PREFIX/lock/ACCOUNT     a commit without parent and files; its message is the lock's record
    PREFIX/journal/ACCOUNT  a commit whose tree holds open.json and a file a month

The user's clone is only asked for the remote's address and how to log in there. Objects are made in a bare repository
of the cache folder. git's own checks are not believed blindly: a push counts when git says for each ref that it *moved*
(pushing an object that is there already is a success to git; plan-apply-anchors section 4).
"""

import hashlib
import os
import re
import signal
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, TimeoutExpired
from urllib.parse import urlsplit

from git import Git
from git.exc import GitCommandError, GitCommandNotFound

from reconciler.errors import ConfigurationError, JournalError, Location, Problem
from reconciler.execution.porcelain import Move, judge, pushed_rows
from reconciler.execution.slot import Slot
from reconciler.execution.store import (
    JournalWrite,
    Snapshot,
    StoreUnreachableError,
    Version,
    Versioned,
    Versions,
)
from reconciler.model.access import is_loopback

_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git knows it without being told
_OPEN, _MONTH = "open.json", ".jsonl"
_TIMEOUT_S = 60.0  # of one git command
_READ_TRIES = 6
_OLDEST_GIT = (2, 32)  # GIT_CONFIG_COUNT, GIT_CONFIG_GLOBAL
_PERSON = {"NAME": "certrecon", "EMAIL": "certrecon@localhost"}
# How to reach a remote and log in there is the user's business, also in a repository of ours; all else is not.
_ACCESS = re.compile(r"(http|credential)\..*|core\.(sshcommand|askpass|gitproxy)|ssh\.variant", re.IGNORECASE)
_SCP_LIKE = re.compile(r"[^/]+:.*")
_CREDENTIALS = re.compile(r"://[^/@\s]+@")


class AtomicPushMissingError(JournalError):
    """The remote cannot move two refs at once: lock and journal would come apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """Where the refs are, and how the user's git logs in there. Both may hold secrets."""

    url: str = field(repr=False)
    access: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # of the user's git configuration

    @property
    def shown(self) -> str:
        return _CREDENTIALS.sub("://", self.url)

    @property
    def is_local(self) -> bool:
        """Whether the remote is on this machine."""
        if "://" not in self.url:
            return not _SCP_LIKE.fullmatch(self.url)
        return urlsplit(self.url).scheme == "file" or is_loopback(self.url)


def resolve_remote(root: Path, remote: str) -> Remote:
    """Return the remote that `lock.remote` names: one of the repository that `root` lies in, an address, or a path.

    Raises:
        ConfigurationError: there is no such remote.
    """
    clone = Git(root)
    try:
        url, base = _address(clone, root, remote)
        settings = str(clone.config("--list", "-z", with_exceptions=False))
    except (GitCommandError, GitCommandNotFound) as error:
        raise _no_remote(root, remote) from error
    if "://" not in url and not _SCP_LIKE.fullmatch(url):
        url = str((base / Path(url).expanduser()).resolve())
    pairs = (setting.partition("\n") for setting in settings.split("\0"))
    return Remote(url=url, access=tuple((key, value) for key, _, value in pairs if _ACCESS.fullmatch(key)))


def _address(clone: Git, root: Path, remote: str) -> tuple[str, Path]:
    """Return the remote's address with the user's `insteadOf` applied, and what a relative path in it starts from."""
    if "/" in remote or ":" in remote:
        return str(clone.ls_remote("--get-url", "--", remote)), root
    top = clone.rev_parse("--show-toplevel")
    return str(clone.remote("get-url", "--push", remote)).partition("\n")[0], Path(str(top))


def _no_remote(root: Path, remote: str) -> ConfigurationError:
    return ConfigurationError(
        [
            Problem(
                location=Location("certrecon.yaml"),
                pointer="lock.remote",
                text=f'{root} is in no git repository with a remote "{remote}".',
                remedy=f"Add it (git remote add {remote} URL), name another or its address, or set lock.backend: file.",
            )
        ]
    )


class GitStore:
    """The two refs of one account on one remote."""

    def __init__(
        self, remote: Remote, *, prefix: str, account: str, cache: Path, timeout_s: float = _TIMEOUT_S
    ) -> None:
        self.place = remote.shown
        self._remote = remote
        self._refs = {"lock": f"{prefix}/lock/{account}", "journal": f"{prefix}/journal/{account}"}
        _refuse_old(Git())
        self._slot = Slot(cache / hashlib.sha256(remote.url.encode()).hexdigest()[:16])
        self._timeout_s = timeout_s
        self._tip: Version | None = None  # of the journal, as last read or written
        self._environment = _environment(self._slot.path, remote)
        self._git = Git(self._slot.path)

    def close(self) -> None:
        self._slot.close()

    # Reading

    def read(self) -> Snapshot:
        for _ in range(_READ_TRIES):
            tips = self._tips()
            if self._fetch(tips):
                lock, journal = tips.get("lock"), tips.get("journal")
                self._tip = journal
                return Snapshot(
                    lock=None if lock is None else Versioned(version=lock, text=self._message(lock)),
                    journal=None if journal is None else Versioned(version=journal, text=self._file(journal, _OPEN)),
                )
        raise StoreUnreachableError(f"{self.place}: the refs moved faster than they could be fetched.")

    def _tips(self) -> dict[str, Version]:
        listed = self._over_network("ls-remote", "certrecon", *self._refs.values())
        rows = (line.partition("\t") for line in listed.splitlines())
        tips = {ref: Version(oid) for oid, _, ref in rows}
        return {name: tips[ref] for name, ref in self._refs.items() if ref in tips}

    def _fetch(self, tips: Mapping[str, Version]) -> bool:
        """Get the commits that are not here yet; tell whether all are: a ref may have moved on in between."""
        missing = [name for name, oid in tips.items() if not self._has(oid)]
        if missing:
            specs = [f"+{self._refs[name]}:refs/seen/{name}" for name in missing]
            with suppress(StoreUnreachableError):  # the ref is gone again, or the remote: the next look tells
                self._over_network(
                    "fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "certrecon", *specs
                )
        return all(self._has(tips[name]) for name in missing)

    def _has(self, oid: str) -> bool:
        return self._run(("cat-file", "-e", f"{oid}^{{commit}}"))[0] == 0

    def _message(self, commit: str) -> str:
        return self._local("cat-file", "commit", commit).partition("\n\n")[2]

    def _file(self, commit: str, name: str) -> str:
        code, text, _ = self._run(("cat-file", "blob", f"{commit}:{name}"))
        return text if code == 0 else ""

    def months(self) -> tuple[str, ...]:
        names = self._entries(self._tip) if self._tip is not None else ()
        return tuple(sorted(name.removesuffix(_MONTH) for name in names if name.endswith(_MONTH)))

    def month(self, name: str) -> str:
        return "" if self._tip is None else self._file(self._tip, f"{name}{_MONTH}")

    def hold(self, _epoch: int, /) -> bool:
        return True

    def holder_gone(self, _epoch: int, /) -> bool | None:
        return None

    # Writing

    def swap(self, before: Versions, lock: str, journal: JournalWrite | None) -> Versions:
        after = Versions(
            lock=self._commit(_EMPTY_TREE, lock),
            journal=before.journal if journal is None else self._journal_commit(before.journal, journal),
        )
        moves = [Move(self._refs["lock"], before.lock, after.lock)]
        if journal is not None:
            moves.append(Move(self._refs["journal"], before.journal, after.journal))
        self._push(moves)
        self._tip = after.journal
        return after

    def _journal_commit(self, parent: Version | None, write: JournalWrite) -> Version:
        tree = {} if parent is None or write.anew else self._entries(parent)
        changed = {_OPEN: write.state}
        for month, lines in write.lines.items():
            name = f"{month}{_MONTH}"
            changed[name] = (self._file(parent, name) if parent is not None and name in tree else "") + lines
        for name, text in changed.items():
            tree[name] = self._local("hash-object", "-w", "--stdin", input_text=text)
        listing = "".join(f"100644 blob {oid}\t{name}\n" for name, oid in sorted(tree.items()))
        return self._commit(
            self._local("mktree", input_text=listing), write.message, parent if not write.anew else None
        )

    def _entries(self, commit: str) -> dict[str, str]:
        rows = (line.split("\t", 1) for line in self._local("ls-tree", commit).splitlines())
        return {name: facts.split()[2] for facts, name in rows}

    def _commit(self, tree: str, message: str, parent: str | None = None) -> Version:
        parents = () if parent is None else ("-p", parent)
        return Version(self._local("commit-tree", tree, *parents, "-F", "-", input_text=message))

    def _push(self, moves: Iterable["Move"]) -> None:
        moves = tuple(moves)
        leases = [f"--force-with-lease={move.ref}:{move.before or ''}" for move in moves]
        specs = [f"{move.after}:{move.ref}" for move in moves]
        arguments = ("push", "--porcelain", "--atomic", "--no-verify", *leases, "certrecon", *specs)
        code, out, err = self._run(arguments)
        if "does not support --atomic" in err:
            raise AtomicPushMissingError(
                f"{self.place} cannot move two refs at once (git push --atomic).",
                remedy="Name another remote in lock.remote.",
            )
        judge(pushed_rows(out), moves, code, f"{self.place}: {_last_words(err)}")

    # git

    def _local(self, *arguments: str, input_text: str = "") -> str:
        code, out, err = self._run(arguments, input_text)
        if code != 0:
            raise JournalError(
                f"git {arguments[0]}: {_last_words(err)}", remedy=f"If it stays so, remove {self._slot.path}."
            )
        return out.strip("\n") if arguments[0] != "cat-file" else out

    def _over_network(self, *arguments: str) -> str:
        code, out, err = self._run(arguments)
        if code != 0:
            raise StoreUnreachableError(f"{self.place}: git {arguments[0]}: {_last_words(err)}")
        return out

    def _run(self, arguments: Iterable[str], input_text: str = "") -> tuple[int, str, str]:
        """Run git and return code, stdout, stderr; a command that hangs is ended and counts as not answered.

        It runs in a session of its own: Ctrl-C is meant for us, who finish the step in hand first.
        """
        process = self._git.execute(
            ["git", *arguments], as_process=True, istream=PIPE, env=self._environment, start_new_session=True
        )
        try:
            out, err = process.communicate(input_text.encode(), timeout=self._timeout_s)
        except TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return 124, "", f"no answer after {self._timeout_s:.0f} s"
        return process.returncode, out.decode(errors="replace"), err.decode(errors="replace")


def _refuse_old(git: Git) -> None:
    if git.version_info < _OLDEST_GIT:
        shown = ".".join(map(str, git.version_info))
        raise JournalError(
            f"git {shown} cannot be told to leave the user's settings alone.",
            remedy=f"Install git {'.'.join(map(str, _OLDEST_GIT))} or later.",
        )


def _last_words(err: str) -> str:
    """Return what matters of git's complaint, without hints and credentials."""
    lines = [line.strip() for line in err.splitlines() if line.strip() and not line.startswith("hint:")]
    told = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "ERROR:"))] or lines
    return _CREDENTIALS.sub("://", told[0] if told else "git said nothing").rstrip(".") + "."


def _environment(repository: Path, remote: Remote) -> dict[str, str]:
    """Return what isolates git from the user's settings, hooks and surroundings, but for the way to the remote."""
    settings = [
        ("remote.certrecon.url", remote.url),
        ("core.hooksPath", os.devnull),
        ("gc.auto", "0"),
        ("maintenance.auto", "false"),
        *remote.access,
    ]
    environment = {
        "GIT_DIR": str(repository),
        "GIT_OBJECT_DIRECTORY": str(repository / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": "",
        "GIT_NAMESPACE": "",
        "GIT_CONFIG_PARAMETERS": "",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for place, (key, value) in enumerate(settings):
        environment |= {f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value}
    for role in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{role}_{part}": value for part, value in _PERSON.items()}
    if not any(key.lower() == "core.sshcommand" for key, _ in remote.access) and "GIT_SSH_COMMAND" not in os.environ:
        environment["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes"  # never a question that nobody sees
    return environment

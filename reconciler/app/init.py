"""Init: the files of a new project, each made only where there is none, and its journal where that can begin."""

import importlib.resources
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from os.path import relpath
from pathlib import Path, PurePosixPath

from reconciler import __version__
from reconciler.app.doctor import Examination
from reconciler.app.journals import hold
from reconciler.app.lock_place import run_owner
from reconciler.desired.schema import SUFFIX, Kind, schema_names, schema_text
from reconciler.desired.verdicts import document_problems
from reconciler.desired.write import create_file, modeline, scalar
from reconciler.desired.yamlfile import parse
from reconciler.errors import CertreconError, ConfigurationError, UsageError
from reconciler.model.policy import Account
from reconciler.planning.tags import order_tag

SOURCE = f"certrecon/certrecon@v{__version__}"  # of the reusable workflows
_SECURE_NETWORK = "enhanced-tls"
_BASE_URL = "https://cert-manager.com/api"
_PLACE = re.compile(r"@([a-z_]+)@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a new project is about. What is None stands in the files as a comment that says what to write."""

    project: str
    customer_uri: str
    account_id: str | None = None
    edgerc_section: str | None = None  # None: credentials come from variables of the environment
    base_url: str = _BASE_URL
    organization: str | None = None
    profile: str | None = None
    contract: str | None = None
    secure_network: str = _SECURE_NETWORK
    example_identity: bool = False  # the sandbox's organization instead of a comment
    example: bool = False
    remote: bool = False  # there is a git remote for lock and journal
    branch: str = "main"
    github: bool = True
    source: str = SOURCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One file of the project: made, or there before and left as it was."""

    path: str  # below the project's folder, or above it
    created: bool


def scaffold(root: Path, answers: Answers) -> tuple[Made, ...]:
    """Write the files of a new project into `root`. Nothing is overwritten.

    Raises:
        UsageError: an answer may not stand where it would be written; nothing was made.
        DesiredStateError: a file or a folder cannot be made, or is a link.
    """
    _check(_configuration(answers), "certrecon.yaml", "configuration")
    _check(_defaults(answers), "certificates/_defaults.yaml", "defaults")
    root.mkdir(parents=True, exist_ok=True)
    return tuple(Made(path=path, created=create_file(root, path, text)) for path, text in _files(root, answers))


def _check(text: str, path: str, kind: Kind) -> None:
    """Refuse answers that the file's own schema would."""
    problems = document_problems(parse(text.encode(), path), kind)
    if problems:
        raise UsageError("\n".join(f"{one.pointer}: {one.text} {one.remedy}" for one in problems))


def git_top(root: Path) -> Path | None:
    """Return the folder of the git repository that `root` lies in; None where it is in none."""
    return next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)


def has_remote(root: Path) -> bool:
    """Tell whether there is a git remote "origin" that lock and journal can be kept on."""
    try:
        from reconciler.execution.gitrefs import resolve_remote  # refuses to be imported where git is missing

        resolve_remote(next(folder for folder in (root, *root.parents) if folder.is_dir()), "origin")
    except (ImportError, ConfigurationError):
        return False
    return True


def begin_journals(examination: Examination) -> Iterator[str]:
    """Begin the journal of each account, and say of each what became of it. One that is there stays as it is."""
    for account in examination.project.accounts.values():
        try:
            yield _begin(account, examination)
        except CertreconError as error:
            yield f"journal of account {account.name}: not begun; the first apply does it. {error}"


def _begin(account: Account, examination: Examination) -> str:
    held = hold(
        examination.project,
        frozenset({account.name}),
        examination.environment,
        examination.clock,
        owner=run_owner(examination.environment),
        timeout=timedelta(),
        may_create=lambda: _no_tags(examination),
    )
    with held as journals:
        if journals.locked_out:
            return f"journal of account {account.name}: is there; a run just has its lock"
    return f"journal of account {account.name}: is there"


def _no_tags(examination: Examination) -> bool:
    """Tell whether, by a complete reading, no order carries a tag: else a journal has been lost, to be rebuilt."""
    readings = [examination.scm(instance).orders() for instance in examination.project.instances.values()]
    tagged = any(order_tag(order.comments) for reading in readings for order in reading.values)
    return not tagged and all(reading.complete for reading in readings)


def _files(root: Path, answers: Answers) -> Iterator[tuple[str, str]]:
    """Yield each file's path from `root`, and its text."""
    yield "certrecon.yaml", _configuration(answers)
    yield "certificates/_defaults.yaml", _defaults(answers)
    if answers.example:
        yield "certificates/www.example.com.yaml", certificate_text()
    for name in schema_names():
        yield f"schemas/{name}{SUFFIX}", schema_text(name)
    yield ".gitignore", _template("gitignore")
    if answers.github:
        yield from _workflows(root, answers)


def certificate_text() -> str:
    """Return a certificate's file, as short as it can be."""
    return _template("certificate.yaml", modeline=modeline(f"../schemas/certificate{SUFFIX}"))


def _configuration(answers: Answers) -> str:
    number = answers.account_id
    return _template(
        "certrecon.yaml",
        modeline=modeline(f"schemas/configuration{SUFFIX}"),
        version=__version__,
        project=scalar(answers.project),
        account_id=_line(4, "accountId", number, "A-1XYZ", "Akamai's id of the account: names lock and journal"),
        credentials=_credentials(answers),
        base_url=scalar(answers.base_url),
        customer_uri=scalar(answers.customer_uri),
        lock=_LOCK_GIT if answers.remote else _LOCK_FILE,
    )


_LOCK_GIT = "lock: {backend: git, remote: origin}"
_LOCK_FILE = "lock: {backend: file}               # on this machine only; git, with a remote, for a team and for CI"


def _credentials(answers: Answers) -> str:
    if answers.edgerc_section is not None:
        return f"    edgerc: {{section: {scalar(answers.edgerc_section)}}}"
    return (
        "    env:                            # the variables that hold the API client; or edgerc: {section: default}\n"
        "      host: AKAMAI_HOST\n"
        "      clientToken: AKAMAI_CLIENT_TOKEN\n"
        "      clientSecret: AKAMAI_CLIENT_SECRET\n"
        "      accessToken: AKAMAI_ACCESS_TOKEN"
    )


def _defaults(answers: Answers) -> str:
    identity = "identity-example.yaml" if answers.example_identity else "identity-hint.yaml"
    return _template(
        "defaults.yaml",
        modeline=modeline(f"../schemas/defaults{SUFFIX}"),
        organization=_line(2, "organization", answers.organization, "Example Ltd", "as SCM calls it; or its id"),
        profile=_line(2, "profile", answers.profile, "OV Multi-Domain", "as SCM calls it; or its id"),
        contract=_line(2, "contract", answers.contract, "C-1ABCDEF", "Akamai's contract"),
        secure_network=scalar(answers.secure_network),
        identity=_template(identity).rstrip("\n"),
    )


def _line(indent: int, key: str, value: str | None, example: str, comment: str) -> str:
    """Return a field; one without a value stands as a comment."""
    if value is None:
        return f"{'':<{indent}}# {key}: {example}   # {comment}"
    return f"{'':<{indent}}{key}: {scalar(value)}"


def _workflows(root: Path, answers: Answers) -> Iterator[tuple[str, str]]:
    top = git_top(root) or root
    source, _, ref = answers.source.partition("@")
    below = PurePosixPath(relpath(root, top)).as_posix()
    values = {
        "source": source,
        "ref": ref,
        "directory": scalar(below),
        "project": scalar(answers.project),
        "branch": scalar(answers.branch),
    }
    for name in ("certrecon-plan.yml", "certrecon-comment.yml", "certrecon-apply.yml"):
        text = _template(name, **values)
        yield PurePosixPath(relpath(top, root), ".github", "workflows", name).as_posix(), text


def _template(name: str, **values: str) -> str:
    text = (importlib.resources.files("reconciler") / "templates" / "init" / name).read_text(encoding="utf-8")
    return _PLACE.sub(lambda place: values[place[1]], text)

"""The documentation: every command in it is run, and what it shows is what comes."""

import functools
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from reconciler.cli.main import app
from reconciler.desired.schema import schema_text
from tests.support.pages import DOCS, ROOT, Block, Command, blocks, code_spans, commands, missing, pages
from tests.support.session import Serve, Session

if TYPE_CHECKING:
    from reconciler.sandbox.server import BackgroundSandbox

LANGUAGES = ("console", "sh", "yaml", "json", "text", "setup")
PAGES = [ROOT / "README.md", *pages()]
PLAYED = [page for page in PAGES if any(block.language == "console" for block in blocks(page))]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def serve(make_sandbox: Callable[[], "BackgroundSandbox"]) -> Serve:
    """Return a function that starts a sandbox and has its files found in a folder."""
    return lambda directory: directory.symlink_to(make_sandbox().dir, target_is_directory=True)


def play(page: Path, session: Session) -> None:
    """Type what a page says, in its order, and compare."""
    for block in blocks(page):
        if block.language in ("console", "setup"):
            for command in commands(block):
                _type(command, session)


def _type(command: Command, session: Session) -> None:
    background = command.text.endswith(" &")
    until = (lambda output: missing(command.shown, output) is None) if background else None
    typed = session.type(command.text, until=until)
    whole = f"{command.place}: $ {command.text}\n{typed.output}"
    assert typed.exit_code == command.exit_code, f"exit code {typed.exit_code}: {whole}"
    line = missing(command.shown, typed.output)
    assert line is None, f"not shown, or not there: {line!r}\n{whole}"


@pytest.mark.parametrize("page", PLAYED, ids=name_of)
def test_the_commands_of_a_page_do_what_it_shows(page: Path, tmp_path: Path, serve: Serve) -> None:
    with Session(tmp_path / "home", serve=serve) as session:
        play(page, session)


@pytest.mark.long
@pytest.mark.parametrize("page", PLAYED, ids=name_of)
def test_they_do_it_as_processes_too(page: Path, tmp_path: Path) -> None:
    with Session(tmp_path / "home", serve=None) as session:
        play(page, session)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{name_of(page)}: {target}"
        assert not anchor or anchor in anchors(found), f"{name_of(page)}: {target}"


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_each_block_is_of_a_language_that_is_checked(page: Path) -> None:
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{name_of(page)}:{block.line}"


def every(*languages: str) -> list[Block]:
    return [block for page in PAGES for block in blocks(page) if block.language in languages]


def place_of(block: Block) -> str:
    return f"{name_of(block.path)}:{block.line}"


@pytest.mark.parametrize("block", every("sh"), ids=place_of)
def test_a_script_is_one_that_a_shell_takes(block: Block) -> None:
    checked = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    for line in block.text.replace("\\\n", " ").splitlines():
        for found in re.findall(r"(?:^|[(;&|] *)(certrecon [^)|;&>#]*)", line.strip()):
            parse(found)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_command_in_prose_is_one_that_exists(page: Path) -> None:
    for span in code_spans(page):
        if span.startswith("certrecon ") and "..." not in span and "|" not in span:
            parse(span.partition(" >")[0])


EAGER = ("--version", "--help", "--install-completion", "--show-completion")  # they act while they are read


@functools.cache
def root() -> Any:
    return typer.main.get_command(app)


def parse(text: str) -> None:
    """Have a command line read as the program does, without running it."""
    command = root()
    _, *arguments = shlex.split(text)
    name, parent = "certrecon", None
    while arguments != [] and arguments[0] not in EAGER:
        context = command.make_context(name, arguments, parent=parent)
        if not hasattr(command, "commands"):
            return
        name, command, arguments = command.resolve_command(context, [*context._protected_args, *context.args])
        parent = context
        if arguments == []:  # a command that is only named
            return


@pytest.mark.parametrize("block", every("yaml"), ids=place_of)
def test_a_file_that_is_shown_is_one_that_would_be_taken(block: Block) -> None:
    for document in YAML(typ="safe").load_all(block.text):
        assert isinstance(document, dict), place_of(block)
        check(json.loads(json.dumps(document, default=iso)))


def iso(moment: date) -> str:
    """Return an instant or a day as a file has it: YAML 1.2 knows neither, and this reader takes both."""
    return moment.isoformat().replace("+00:00", "Z")


def check(document: dict[str, Any]) -> None:
    """Check a file of certrecon, or a part of one, against its schema; of other files the commands in them."""
    if document.keys() & OF_OTHERS:
        for line in _commands_of(document):
            parse(line)
        return
    kind = "certificate" if "commonName" in document else "defaults"
    kind = "configuration" if document.keys() & CONFIGURATION else kind
    errors = Draft7Validator(json.loads(schema_text(kind))).iter_errors(document)
    assert [error.message for error in errors if not (error.validator == "required" and not error.path)] == []


OF_OTHERS = {"jobs", "kind", "include", "groups", "repos"}  # GitHub, Kubernetes, GitLab, Prometheus, pre-commit
CONFIGURATION = {"project", "policy", "lock", "notify", "requires"}


def _commands_of(node: object) -> Iterator[str]:
    """Yield the command lines in `args` and `run` of a workflow or a manifest."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "args" and isinstance(value, list):
                yield shlex.join(["certrecon", *map(str, value)])
            elif key == "run" and isinstance(value, str):
                yield from (line.strip() for line in value.splitlines() if line.strip().startswith("certrecon "))
            else:
                yield from _commands_of(value)
    elif isinstance(node, list):
        for value in node:
            yield from _commands_of(value)


def test_each_message_that_is_explained_is_one_of_the_program() -> None:
    sources = "\n".join(path.read_text() for path in sorted((ROOT / "reconciler").rglob("*.py")))
    said = re.sub(r"\"\s*\n\s*f?\"", "", sources)  # one text, in pieces of a line each
    rows = [line for line in (DOCS / "troubleshooting.md").read_text().splitlines() if line.startswith("| ")]
    spans = [span for row in rows for span in re.findall(r"`([^`]*)`", row) if "..." in span or len(span) > 40]
    pieces = [piece.strip() for span in spans for piece in span.split("...") if ": error" not in span]
    assert [piece for piece in pieces if piece not in said] == []
    assert len(pieces) > 20


def test_a_line_that_does_not_come_is_found() -> None:
    assert missing(["one", "three"], "one\ntwo\nthree\n") == "three"
    assert missing(["one", "...", "three"], "one\ntwo\nthree\n") is None
    assert missing(["two", "one"], "one\ntwo\n") == "one"
    assert missing(["until 2026-11-16 00:00 UTC"], "zero\nuntil 2027-01-01 12:30 UTC\n") is None


def test_the_index_names_every_page() -> None:
    index = (DOCS / "README.md").read_text()
    unnamed = [
        name
        for page in pages()
        if page.parent.name != "decisions" and page.name != "README.md"
        if (name := str(page.relative_to(DOCS))) not in index
    ]
    assert unnamed == []

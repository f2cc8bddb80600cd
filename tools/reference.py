"""Write the pages of docs/reference/ from the schemas and from the help of the commands: `make reference`.

They are never edited: a test compares them with what this makes.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from reconciler.cli.main import app

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference"
_MADE = "<!-- Made by tools/reference.py (make reference). Edit the program's help or schemas/, not this. -->"
_SCHEMAS = {
    "configuration": ("Configuration", "Fields of `certrecon.yaml`."),
    "certificate": ("Certificate files", "Fields of a file below `certificates/`."),
    "defaults": ("Defaults", "Fields of `_defaults.yaml`, in `certificates/` or a folder below. A nearer one wins."),
    "plan": ("Plan as JSON", "Fields of what `certrecon plan --output json=PATH` writes."),
    "result": ("Result as JSON", "Fields of what `certrecon apply --output json=PATH` writes."),
    "status": ("Status as JSON", "Fields of what `certrecon status --output json=PATH` writes."),
    "report": ("Report as JSON", "Fields of what `certrecon report --output json=PATH` writes."),
    "validation": ("Validation as JSON", "Fields of what `certrecon validate --output json=PATH` writes."),
    "event": ("Events", "Fields of each line that `--output events=PATH` of `plan` and `apply` writes."),
}
# What no option names: variable -> what it says, and to whom. A test finds those that the program reads.
_VARIABLES = {
    "AKAMAI_EDGERC": "The credentials file of Akamai's clients. Default: `~/.edgerc`.",
    "AKAMAI_HOST": "Host of the API client, where `certrecon.yaml` names this variable (`akamai.NAME.env.host`).",
    "AKAMAI_CLIENT_TOKEN": "Its client token, likewise.",
    "AKAMAI_CLIENT_SECRET": "Its client secret, likewise.",
    "AKAMAI_ACCESS_TOKEN": "Its access token, likewise.",
    "SECTIGO_LOGIN": "Login of the SCM admin, where `certrecon.yaml` names this variable (`sectigo.NAME.auth.login`).",
    "SECTIGO_PASSWORD": "Its password, likewise.",
    "CERTRECON_ALLOWED_HOSTS": "Hosts that may be talked to beside Akamai's and Sectigo's, separated by commas.",
    "CERTRECON_CA_FILE": "PEM file of the roots that are trusted for the services, in place of the system's.",
    "CERTRECON_CACHE_DIR": "Where copies of journals and parsed files are kept. Losing it costs time only.",
    "CERTRECON_EDGE_PRODUCTION": "HOST:PORT in place of the production network, for handshakes.",
    "CERTRECON_EDGE_STAGING": "HOST:PORT in place of the staging network, for handshakes.",
    "CERTRECON_FORGE_AUTHOR": "`ci comment`: whose comments are its own, where the token does not tell.",
    "CERTRECON_FORGE_CA_FILE": "`ci`: PEM file of the roots that are trusted for GitHub or GitLab.",
    "CERTRECON_FORGE_TOKEN": "`ci`: the token for GitHub or GitLab. There is no option for it.",
    "CERTRECON_PRIVATE_ROOTS": "SHA-256 fingerprints of private roots that may be trusted, beside those of the file.",
    "CERTRECON_SANDBOX": "Address of a sandbox, whose clock is taken. `sandbox env` sets it, and the five below.",
    "CERTRECON_SANDBOX_WORLD": "Which world of a sandbox: each has a lock and a journal of its own.",
    "CERTRECON_SCM_URL": "Address in place of `baseUrl`, for logins by password.",
    "CERTRECON_SCM_ADMIN_URL": "Address in place of `baseUrl`, for OAuth.",
    "CERTRECON_SCM_PRIVATE_URL": "Address in place of `baseUrl`, for logins by client certificate.",
    "CERTRECON_SCM_TOKEN_URL": "Where OAuth tokens come from.",
    "CERTRECON_SCM_CUSTOMER_URI": "In place of `customerUri`.",
    "CERTRECON_STATE_DIR": "Where lock and journal of `lock.backend: file` are.",
}


def made() -> dict[str, str]:
    """Return each page by its name."""
    schemas = {name: json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text()) for name in _SCHEMAS}
    return {
        "commands.md": commands_page(),
        "environment.md": environment_page(),
        **{f"{name}.md": schema_page(name, schema) for name, schema in schemas.items()},
    }


def schema_page(name: str, schema: Mapping[str, Any]) -> str:
    """Return the page of one schema: a row for each field, with the path to it."""
    title, about = _SCHEMAS[name]
    example = (schema.get("examples") or [None])[0]
    rows = [_field_row(path, field, required) for path, field, required in fields(schema)]
    return _page(
        f"# {title}",
        _MADE,
        f"{about} `certrecon schema {name}` prints the schema, for editors and for other programs.",
        "`NAME` in a path stands for a name of your own, `[]` for each entry of a list. "
        "**Bold** fields must be there, in the nearest map around them.",
        *(["For example:", _fence("json", json.dumps(example, indent=2))] if example else []),
        _table(("field", "takes", "default", "says"), rows),
    )


def fields(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Yield path, schema and whether it is required of each field below `schema`, in its order."""
    for name, field in schema.get("properties", {}).items():
        inner = f"{path}.{name}" if path else name
        yield inner, field, name in schema.get("required", ())
        yield from fields(field, inner)
    entries, members = schema.get("items"), schema.get("additionalProperties")
    if isinstance(entries, Mapping):
        yield from fields(entries, f"{path}[]")
    if isinstance(members, Mapping) and path:
        yield from fields(members, f"{path}.NAME")


def _field_row(path: str, field: Mapping[str, Any], required: bool) -> tuple[str, str, str, str]:
    default = field.get("default")
    shown = default not in (None, [], {}, "") and not required and not isinstance(default, dict)
    said = field.get("description", "") or field.get("title", "")
    return (
        f"**`{path}`**" if required else f"`{path}`",
        _takes(field),
        f"`{json.dumps(default, ensure_ascii=False)}`" if shown else "",
        _cell(said),
    )


def _takes(field: Mapping[str, Any]) -> str:
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return ", ".join(f"`{one}`" for one in field["enum"] if one is not None)
    kinds = field.get("type", "anything")
    words = {"array": "list", "object": "map", "string": "text", "boolean": "true or false", "number": "number"}
    named = [kinds] if isinstance(kinds, str) else [kind for kind in kinds if kind != "null"]
    text = " or ".join(words.get(kind, kind) for kind in named)
    entries = field.get("items")
    if named == ["array"] and isinstance(entries, Mapping) and "properties" not in entries:
        text = f"list of {_takes(entries)}"
    return text


def commands_page() -> str:
    """Return the page of all commands, as `--help` has them."""
    parts = ["# Commands", _MADE, "What `--help` says of each command."]
    parts.append(
        "Each option with a variable can be given by it; others are for the command line only, since they answer a "
        "question. For an option that may be repeated, a variable holds values separated by spaces."
    )
    found = list(_commands())
    parts.append("\n".join(f"- [{one.path}](#{one.path.replace(' ', '-')})" for one in found[1:]))
    for one in found:
        parts += _command(one)
    return _page(*parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    """A command, or a group of commands, and Click's context of it."""

    command: Any
    context: Any

    @property
    def path(self) -> str:
        return str(self.context.command_path)

    @property
    def options(self) -> list[Any]:
        mine = self.command.get_params(self.context)
        return [one for one in mine if one.param_type_name == "option" and "--help" not in one.opts]


def _commands() -> Iterator[_Command]:
    root: Any = typer.main.get_command(app)
    yield from _below(root, root.make_context("certrecon", [], resilient_parsing=True))


def _below(command: Any, context: Any) -> Iterator[_Command]:
    yield _Command(command=command, context=context)
    for name, inner in getattr(command, "commands", {}).items():
        yield from _below(inner, inner.make_context(name, [], parent=context, resilient_parsing=True))


def _command(one: _Command) -> Iterator[str]:
    yield f"## {one.path}"
    yield _fence("text", " ".join([one.path, *one.command.collect_usage_pieces(one.context)]))
    yield from (" ".join(text.split()) for text in (one.command.help or "").split("\n\n"))
    arguments = [it for it in one.command.params if it.param_type_name == "argument" and it.help]
    if arguments:
        yield _table(("argument", "says"), [(f"`{it.metavar or it.name.upper()}`", _cell(it.help)) for it in arguments])
    if one.options:
        yield _table(("option", "default", "variable", "says"), [_option_row(it, one.context) for it in one.options])


def _option_row(option: Any, context: Any) -> tuple[str, str, str, str]:
    default = option.default
    shown = default not in (None, (), [], "", False) and not callable(default) and str(default) != "."
    value = str(default).lower() if isinstance(default, bool) else str(default)
    return (
        f"`{option.get_help_record(context)[0]}`".replace("|", "\\|"),
        f"`{value}`" if shown else "",
        f"`{option.envvar}`" if option.envvar else "",
        _cell(option.help or ""),
    )


def environment_page() -> str:
    """Return the page of the variables that no option has."""
    rows = [(f"`{name}`", _cell(said)) for name, said in _VARIABLES.items()]
    by_option = sorted(
        {
            (str(option.envvar), max(option.opts, key=len))
            for one in _commands()
            for option in one.options
            if option.envvar
        }
    )
    return _page(
        "# Environment variables",
        _MADE,
        "Secrets come from the environment only. `certrecon.yaml` says which variables hold them; their names begin "
        "with `AKAMAI_`, `SECTIGO_`, `NOTIFY_` or `CERTRECON_`. Those of Akamai and SCM below are what `init` writes.",
        _table(("variable", "says"), rows),
        "## In place of options",
        "Options that approve something have none: they are for the command line only.",
        _table(("variable", "option"), [(f"`{name}`", f"`{option}`") for name, option in by_option]),
    )


def _page(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def _fence(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """Return a text for a cell: what stands between backticks or after "<" must not become markup."""
    plain = " ".join(text.split())
    return re.sub(r"\|", r"\\|", plain).replace("*", "\\*").replace("<", "&lt;")


def main() -> None:
    """Write the pages; remove those that are made no more."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    pages = made()
    for name, text in pages.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    for old in FOLDER.glob("*.md"):
        if old.name not in pages:
            old.unlink()
    sys.stdout.write(f"docs/reference: {len(pages)} pages\n")


if __name__ == "__main__":
    main()

"""The one writer of YAML files: what it writes means the same as before, and stands there whole or not at all."""

import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Literal

from reconciler.desired.arrange import SETS, arranged, ends_in_block_scalar, header_end
from reconciler.desired.schema import schema_of
from reconciler.desired.yamlfile import Json, join, parse
from reconciler.errors import DesiredStateError, Location, Problem

Written = Literal["certificate", "defaults", "configuration"]

_MODELINE = re.compile(r"#\s*yaml-language-server:\s*\$schema=(\S*)")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ./_-]*[A-Za-z0-9]")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


def formatted(content: bytes, shown: str, kind: Written, schema_path: str | None) -> bytes:
    """Return a file as it should be written. Doing that twice changes nothing more.

    Args:
        content: the file; `shown` is what people call it.
        schema_path: where the schema lies, as seen from the file; None leaves the first line alone.

    Raises:
        DesiredStateError: the file is not one plain YAML document.
    """
    before = parse(content, shown).data
    text = content.decode().replace("\r\n", "\n").replace("\r", "\n")
    text = arranged(text, schema_of(kind))
    if not ends_in_block_scalar(text):
        text = text.rstrip("\n") + "\n"
    if schema_path is not None:
        text = _with_modeline(text, schema_path)
    after = text.encode()
    if _meaning(parse(after, shown).data) != _meaning(before):
        raise _changed(shown)
    return after


def modeline(schema_path: str) -> str:
    """Return the line that tells editors which schema a file follows."""
    return f"# yaml-language-server: $schema={schema_path}"


def scalar(text: str) -> str:
    """Return a text as a YAML scalar that is read as that very text."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    """Return a character as it stands between double quotes (YAML 1.2.2, 5.7)."""
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def create_file(root: Path, path: str, text: str) -> bool:
    """Write a new file below (or beside) `root`, with its folders; False, and nothing done, where there is one.

    Raises:
        DesiredStateError: it cannot be made, or a link stands in its way.
    """
    file = Path(os.path.normpath(root / path))
    try:
        for folder in reversed(file.parents):
            if folder.is_symlink() and root in folder.parents:
                raise _unwritable(path, f"{folder} is a link", "Put a folder there.")
        if file.is_symlink():
            raise _unwritable(path, "it is a link", "Take it away.")
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        if not file.is_file():
            raise _unwritable(path, "something else is called so", "Take it away.") from None
        return False
    except OSError as error:
        raise _unwritable(path, str(error.strerror), "Check owner and mode of its folder.") from error
    return True


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file, keeping its mode; who reads it meanwhile sees the old one or the new one.

    Raises:
        DesiredStateError: the folder or the file may not be written.
    """
    temporary = None
    try:
        mode = path.stat().st_mode & 0o7777
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()
        raise _unwritable(str(path), str(error.strerror), "Check owner and mode of the file and its folder.") from error


def _unwritable(shown: str, why: str, remedy: str) -> DesiredStateError:
    problem = Problem(location=Location(shown), text=f"The file cannot be written: {why}.", remedy=remedy)
    return DesiredStateError([problem])


def _with_modeline(text: str, schema_path: str) -> str:
    """Put the line first. An address that somebody chose instead of the project's own schemas is left as it is."""
    lines = text.split("\n")
    end = header_end(text)
    found = [number for number in range(end) if _MODELINE.match(lines[number])]
    named = _MODELINE.match(lines[found[0]]) if found else None
    wanted = lines[found[0]] if named and "://" in named[1] else modeline(schema_path)
    return "\n".join([wanted, *(line for number, line in enumerate(lines) if number not in found)])


def _meaning(data: Json, pointer: str = "") -> Json:
    """Return data with the lists that mean a set in one order."""
    match data:
        case dict():
            return {key: _meaning(value, join(pointer, key)) for key, value in data.items()}
        case list():
            entries = [_meaning(one, pointer) for one in data]
            return sorted(entries, key=repr) if pointer in SETS else entries
        case _:
            return data


def _changed(shown: str) -> DesiredStateError:
    return DesiredStateError(
        [
            Problem(
                location=Location(shown, 1, 1),
                text="Its fields cannot be put in order without changing what they say; it is left as it is.",
                remedy="Write each field on a line of its own, without explicit keys (?).",
            )
        ]
    )

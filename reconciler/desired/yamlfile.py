"""YAML files as data with places: one document, plain data, no aliases, no tags, every problem with its line.

Scalars follow the core schema of YAML 1.2.2 (10.3.2): "on", "no" and dates are texts. Infinities are left out, since
JSON Schema cannot speak of them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reconciler.errors import DesiredStateError, Location, Problem

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]

MAX_BYTES = 1 << 20
MAX_DEPTH = 12  # the deepest field of the schemas lies at 6

_BOM = b"\xef\xbb\xbf"
# YAML 1.2.2 5.1, all that is not c-printable: it must be escaped in quotes. (Written the other way round, as the
# standard has it, it takes seven times as long to compile.)
_NOT_PRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,30}\Z")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]{1,30}\Z|0x[0-9a-fA-F]{1,30}\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?\Z")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field is written: its key (or list entry) and its value; `text` is a scalar as written."""

    key: Location
    value: Location
    text: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its data, and the place of every field by dotted pointer; "" is the document itself."""

    path: str
    data: dict[str, Json]
    places: Mapping[str, Place] = field(default_factory=dict)

    def key(self, pointer: str) -> Location:
        return self._nearest(pointer).key

    def value(self, pointer: str) -> Location:
        return self._nearest(pointer).value

    def text(self, pointer: str) -> str:
        return self.places[pointer].text if pointer in self.places else ""

    def _nearest(self, pointer: str) -> Place:
        while pointer and pointer not in self.places:
            pointer = pointer.rpartition(".")[0]
        return self.places[pointer]


def read(file: Path, shown: str) -> Document:
    """Return the document of a file that people know as `shown`.

    Raises:
        DesiredStateError: it cannot be read, is too large, or is not one plain YAML document.
    """
    return parse(content(file, shown), shown)


def content(file: Path, shown: str) -> bytes:
    """Return what a file holds.

    Raises:
        DesiredStateError: it cannot be read, or is too large.
    """
    try:
        if file.stat().st_size > MAX_BYTES:
            raise _refusal(
                Location(shown, 1, 1),
                f"The file is larger than {MAX_BYTES >> 10} KiB.",
                "Split it; one file holds one certificate.",
            )
        return file.read_bytes()
    except OSError as error:
        raise _refusal(
            Location(shown, 1, 1), f"The file cannot be read: {error.strerror}.", "Check its owner and mode."
        ) from error


def parse(content: bytes, shown: str) -> Document:
    """Return the document in `content`; errors as `read`."""
    text = _decoded(content, shown)
    builder = _Builder(shown)
    try:
        builder.take(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        raise _syntax_error(error, shown) from error
    if builder.problems:
        raise DesiredStateError(builder.problems)
    if not isinstance(builder.root, dict):
        raise _refusal(
            builder.places[""].value if builder.places else Location(shown, 1, 1),
            "The file is empty." if builder.root is None else "The file is not a map of fields.",
            'Start it with "apiVersion: certrecon/v1" and one field a line.',
        )
    return Document(shown, builder.root, builder.places)


def join(pointer: str, key: object) -> str:
    return f"{pointer}.{key}" if pointer else str(key)


def _refusal(location: Location, text: str, remedy: str) -> DesiredStateError:
    return DesiredStateError([Problem(location=location, text=text, remedy=remedy)])


def _decoded(content: bytes, shown: str) -> str:
    if content.startswith((_BOM, b"\xff\xfe", b"\xfe\xff")):
        raise _refusal(
            Location(shown, 1, 1), "The file starts with a byte order mark.", "Save it as UTF-8 without BOM."
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        raise _refusal(_location_after(before, shown), "The file is not UTF-8 text.", "Save it as UTF-8.") from error
    if unprintable := _NOT_PRINTABLE.search(text):
        raise _refusal(
            _location_after(text[: unprintable.start()], shown),
            f"The file holds the control character U+{ord(unprintable.group()):04X}.",
            "Take it out.",
        )
    return text


def _location_after(before: str, shown: str) -> Location:
    return Location(shown, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _syntax_error(error: MarkedYAMLError, shown: str) -> DesiredStateError:
    mark = error.problem_mark or error.context_mark
    location = Location(shown, mark.line + 1, mark.column + 1) if mark else Location(shown, 1, 1)
    said = " ".join(str(part) for part in (error.context, error.problem) if part)
    if "'\\t'" in said:
        return _refusal(location, "A tab indents this line.", "YAML is indented by spaces; replace the tab.")
    return _refusal(location, f"This is not YAML: {said}.", "Check indentation, colons, brackets and quotes near here.")


class _Builder:
    """Turns one stream of events into data and places; what must not be there ends it, or is collected."""

    def __init__(self, shown: str) -> None:
        self.root: Json = None
        self.places: dict[str, Place] = {}
        self.problems: list[Problem] = []
        self._shown = shown

    def take(self, events: Iterator[Event]) -> None:
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _refusal(
                        self._location(event), "A second document starts here.", "Write one certificate in each file."
                    )
            elif isinstance(event, NodeEvent):
                here = self._location(event)
                self.root = self._node(event, events, "", here)

    def _location(self, event: Event) -> Location:
        return Location(self._shown, event.start_mark.line + 1, event.start_mark.column + 1)

    def _problem(self, event: Event, text: str, remedy: str) -> None:
        self.problems.append(Problem(location=self._location(event), text=text, remedy=remedy))

    def _node(self, event: Event, events: Iterator[Event], pointer: str, key: Location) -> Json:
        self._refuse_references(event)
        if pointer.count(".") > MAX_DEPTH:
            raise _refusal(self._location(event), "Values are nested too deeply.", "No field lies that deep.")
        self.places[pointer] = Place(key, self._location(event))
        if isinstance(event, MappingStartEvent):
            return self._mapping(events, pointer)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(events, pointer)
        assert isinstance(event, ScalarEvent)
        self.places[pointer] = Place(key, self._location(event), str(event.value))
        return _scalar(event.value, plain=event.style is None)

    def _refuse_references(self, event: Event) -> None:
        if isinstance(event, AliasEvent) and str(event.anchor).startswith("."):
            raise _refusal(
                self._location(event),
                "A star without quotes starts an alias in YAML, and aliases are not read.",
                f'Write the wildcard in quotes: "*{event.anchor}".',
            )
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _refusal(
                self._location(event),
                "Anchors and aliases are not read.",
                "Write the value out, or put what files share into _defaults.yaml.",
            )
        if getattr(event, "tag", None) is not None:
            raise _refusal(self._location(event), "Tags are not read.", "Write the plain value; quotes make a text.")

    def _mapping(self, events: Iterator[Event], pointer: str) -> dict[str, Json]:
        fields: dict[str, Json] = {}
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            key = self._key(event)
            if key in fields:
                first = self.places[join(pointer, key)].key
                self._problem(event, f'"{key}" stands here a second time, after line {first.line}.', "Keep one.")
            value_event = next(events)
            value = self._node(value_event, events, join(pointer, key), self._location(event))
            fields[key] = value
        return fields

    def _key(self, event: Event) -> str:
        self._refuse_references(event)
        if not isinstance(event, ScalarEvent):
            raise _refusal(self._location(event), "A key is not a text.", "Write a field's name before the colon.")
        if not isinstance(_scalar(event.value, plain=event.style is None), str):
            self._problem(event, f'The key "{event.value}" is not a text.', "Write it in quotes if it is meant.")
        return str(event.value)

    def _sequence(self, events: Iterator[Event], pointer: str) -> list[Json]:
        entries: list[Json] = []
        for event in events:
            if isinstance(event, SequenceEndEvent):
                break
            entries.append(self._node(event, events, join(pointer, len(entries)), self._location(event)))
        return entries


def _scalar(text: str, *, plain: bool) -> Json:
    if not plain:
        return text
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if _INTEGER.match(text):
        return int(text)
    if _OCTAL_OR_HEX.match(text):
        return int(text, 0)
    return float(text) if _FLOAT.match(text) else text

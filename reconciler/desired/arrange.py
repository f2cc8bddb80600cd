"""The order of a YAML file's fields: whole pieces of its text change places; comments and quotes stay as written.

Fields stand in the order of their schema, then what it does not know; names that are a set are sorted. A comment
belongs to the field or the name that it stands above or beside. Where that cannot be told (a comment inside of
brackets, an explicit key), the pieces stay where they are.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from reconciler.desired.yamlfile import join

Schema = Mapping[str, Any]

# Lists of names that mean a set.
SETS = frozenset({"dnsNames", "acceptWarnings.names"})
_BREAKS = re.compile("[\x85\u2028\u2029]")  # ruamel.yaml counts them as ends of lines
_COLLECTIONS = (MappingNode, SequenceNode)


def arranged(text: str, schema: Schema) -> str:
    """Return `text`, one plain YAML document with line feeds, with its pieces in their order."""
    if _BREAKS.search(text):
        return text
    text = _Brackets(text).arranged(_root(text), schema)
    lines = text.split("\n")
    root = _root(text)
    if not isinstance(root, MappingNode) or root.flow_style:
        return text
    first = _first_line(lines, root)
    end = _end_of(lines, root)
    body = _Lines(lines).mapping(root, schema, "", first, end)
    while first and body and not body[0].strip():
        del body[0]  # the blank line above a field that now comes first
    return "\n".join([*lines[:first], *body, *lines[end:]])


def header_end(text: str) -> int:
    """Return the line, counted from 0, of the first field: everything above is comments, blank lines and marks."""
    return int(_root(text).start_mark.line)


def ends_in_block_scalar(text: str) -> bool:
    """Tell whether the last value is a text whose line ends count."""
    node = _root(text)
    while isinstance(node, _COLLECTIONS) and not node.flow_style:
        node = node.value[-1][1] if isinstance(node, MappingNode) else node.value[-1]
    return isinstance(node, ScalarNode) and node.style in ("|", ">")


def _root(text: str) -> Node:
    node: Node = YAML(typ="safe", pure=True).compose(text)
    return node


def _first_line(lines: Sequence[str], root: Node) -> int:
    """Return where the first field begins, with the comment right above it; what is further up is the file's own."""
    first = int(root.start_mark.line)
    while first and lines[first - 1].startswith("#"):
        first -= 1
    if first == 0 and lines and "yaml-language-server:" in lines[0]:
        first = 1
    return first


def _end_of(lines: Sequence[str], root: Node) -> int:
    """Return the line after the last field; comments at the margin below it are the file's own."""
    end = _last_line(root) + 1
    deeper = [number for number in range(end, len(lines)) if re.match(r"[ ]+#", lines[number])]
    return max(deeper, default=end - 1) + 1


def _last_line(node: Node) -> int:
    """Return the last line with something of the node on it. The mark of a block collection lies behind comments."""
    if isinstance(node, _COLLECTIONS) and not node.flow_style:
        last = node.value[-1][1] if isinstance(node, MappingNode) else node.value[-1]
        return _last_line(last)
    end = node.end_mark
    return int(end.line - 1 if end.column == 0 and end.line > node.start_mark.line else end.line)


@dataclass(frozen=True, slots=True)
class _Piece:
    """One field or list entry: its lines with the comments above it, and what it is sorted by."""

    lines: list[str]
    place: tuple[int, str]
    commented: bool  # comments or blank lines stand above it


@dataclass(frozen=True, slots=True)
class _Lines:
    """Arranges collections that are written a line an entry."""

    lines: Sequence[str]

    def mapping(self, node: MappingNode, schema: Schema, pointer: str, begin: int, end: int) -> list[str]:
        """Return the lines from `begin` up to, not including, `end`, which are those of `node`."""
        column = int(node.start_mark.column)
        starts = [int(key.start_mark.line) for key, _ in node.value]
        if any(self.lines[line][:column].strip() for line in starts[1:]):
            return list(self.lines[begin:end])
        prefix = self.lines[starts[0]][:column]
        order = list(schema.get("properties", {}))
        bounds = self._bounds([value for _, value in node.value], starts, column, begin, end)
        pieces = []
        for (key, value), start, (low, high) in zip(node.value, starts, bounds, strict=True):
            name = str(key.value)
            inner = self._value(value, _field(schema, name), join(pointer, name), start, high)
            place = order.index(name) if name in order else len(order)
            pieces.append(_Piece([*self.lines[low:start], *inner], (place, ""), low < start))
        return self._joined(pieces, prefix)

    def _value(self, value: Node, schema: Schema, pointer: str, start: int, end: int) -> list[str]:
        """Return the lines of a field from its key on."""
        if not isinstance(value, _COLLECTIONS) or value.flow_style or int(value.start_mark.line) == start:
            return list(self.lines[start:end])
        if isinstance(value, MappingNode):
            return [self.lines[start], *self.mapping(value, schema, pointer, start + 1, end)]
        return [self.lines[start], *self.sequence(value, schema, pointer, start + 1, end)]

    def sequence(self, node: SequenceNode, schema: Schema, pointer: str, begin: int, end: int) -> list[str]:
        """Return the lines from `begin` up to, not including, `end`, which are those of `node`."""
        column = int(node.start_mark.column)
        starts = [int(one.start_mark.line) for one in node.value]
        if any(self.lines[line][:column].strip() or self.lines[line][column : column + 1] != "-" for line in starts):
            return list(self.lines[begin:end])
        pieces = []
        bounds = self._bounds(node.value, starts, column, begin, end)
        for number, (one, start, (low, high)) in enumerate(zip(node.value, starts, bounds, strict=True)):
            inner = list(self.lines[start:high])
            if isinstance(one, MappingNode) and not one.flow_style:
                inner = self.mapping(one, schema.get("items", {}), pointer, start, high)
            pieces.append(_Piece([*self.lines[low:start], *inner], _place(one, number, pointer), low < start))
        return [line for piece in sorted(pieces, key=lambda one: one.place) for line in piece.lines]

    def _bounds(
        self, values: Sequence[Node], starts: Sequence[int], column: int, begin: int, end: int
    ) -> list[tuple[int, int]]:
        """Return the lines of each entry. A comment that is indented further than entries belongs to the one above."""
        lows = [begin]
        for value, start in zip(values, starts[1:], strict=False):
            gap = range(_last_line(value) + 1, start)
            deeper = [number for number in gap if re.match(rf"[ ]{{{column + 1},}}#", self.lines[number])]
            lows.append(max(deeper, default=gap.start - 1) + 1)
        return list(zip(lows, [*lows[1:], end], strict=True))

    def _joined(self, pieces: list[_Piece], prefix: str) -> list[str]:
        """Return all lines in their order. `prefix` is the dash that stands before the first field in a list."""
        ordered = sorted(pieces, key=lambda one: one.place)
        if prefix.strip() and ordered[0] is not pieces[0]:
            if ordered[0].commented or pieces[0].commented:
                ordered = pieces
            else:
                blank = " " * len(prefix)
                pieces[0].lines[0] = blank + pieces[0].lines[0][len(prefix) :]
                ordered[0].lines[0] = prefix + ordered[0].lines[0][len(prefix) :]
        return [line for piece in ordered for line in piece.lines]


@dataclass(frozen=True, slots=True)
class _Brackets:
    """Arranges collections that are written in brackets."""

    text: str

    def arranged(self, node: Node, schema: Schema) -> str:
        edits = sorted(self._edits(node, schema, ""), reverse=True)
        text = self.text
        for start, end, new in edits:
            text = text[:start] + new + text[end:]
        return text

    def _edits(self, node: Node, schema: Schema, pointer: str) -> list[tuple[int, int, str]]:
        if isinstance(node, _COLLECTIONS) and node.flow_style:
            return [(node.start_mark.index, node.end_mark.index, self._written(node, schema, pointer))]
        if isinstance(node, MappingNode):
            fields = [(value, _field(schema, str(key.value)), join(pointer, key.value)) for key, value in node.value]
            return [edit for field in fields for edit in self._edits(*field)]
        if isinstance(node, SequenceNode):
            return [edit for one in node.value for edit in self._edits(one, schema.get("items", {}), pointer)]
        return []

    def _written(self, node: Node, schema: Schema, pointer: str) -> str:
        """Return the text of a node inside of brackets."""
        if isinstance(node, MappingNode) and node.flow_style:
            order = list(schema.get("properties", {}))

            def field(pair: tuple[Node, Node]) -> tuple[int, int, str, tuple[int, str]]:
                key, value = pair
                name = str(key.value)
                inner = self._written(value, _field(schema, name), join(pointer, name))
                head = self.text[key.start_mark.index : max(key.end_mark.index, value.start_mark.index)]
                end = max(key.end_mark.index, value.end_mark.index)
                return key.start_mark.index, end, head + inner, (order.index(name) if name in order else len(order), "")

            return self._slots(node, [field(pair) for pair in node.value])
        if isinstance(node, SequenceNode) and node.flow_style:
            inner = schema.get("items", {})
            return self._slots(
                node,
                [
                    (
                        one.start_mark.index,
                        one.end_mark.index,
                        self._written(one, inner, pointer),
                        _place(one, number, pointer),
                    )
                    for number, one in enumerate(node.value)
                ],
            )
        return self.text[node.start_mark.index : node.end_mark.index]

    def _slots(self, node: Node, items: list[tuple[int, int, str, tuple[int, str]]]) -> str:
        """Return the brackets with the items in their order, and between them what stood between them."""
        edges = [node.start_mark.index, *(edge for one in items for edge in one[:2]), node.end_mark.index]
        gaps = [self.text[low:high] for low, high in zip(edges[::2], edges[1::2], strict=True)]
        place: Callable[[tuple[int, int, str, tuple[int, str]]], tuple[int, str]] = lambda one: one[3]  # noqa: E731
        ordered = items if any("#" in gap for gap in gaps) else sorted(items, key=place)
        return "".join(gap + one[2] for gap, one in zip(gaps, ordered, strict=False)) + gaps[-1]


def _place(node: Node, number: int, pointer: str) -> tuple[int, str]:
    """Return what a list entry is sorted by: names of a set by themselves, all else by where it stands."""
    return (0, str(node.value).casefold()) if pointer in SETS and isinstance(node, ScalarNode) else (number, "")


def _field(schema: Schema, name: str) -> Schema:
    """Return the schema of a field; of a map of the user's own names, that of its values."""
    found = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
    return found if isinstance(found, Mapping) else {}

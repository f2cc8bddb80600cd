"""Members of a request's body, read one by one: limits as documented, unknown members never looked at."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.sandbox.scm.errors import RefusedError

_MOST = 2**31 - 1
_EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+")


@dataclass(frozen=True, slots=True)
class Members:
    """One JSON object. A wrong JSON type is -1002, as from SCM's parser; a value outside its limits -1601."""

    values: Mapping[str, object]

    @classmethod
    def parse(cls, body: bytes) -> "Members":
        """Return the body's members; anything but one JSON object is -1002."""
        value = parse_json(body)
        if not isinstance(value, dict):
            raise RefusedError(-1002)
        return cls(value)

    def has(self, name: str) -> bool:
        return self.values.get(name) is not None

    def text(self, name: str, *, shortest: int = 0, longest: int = 32767) -> str | None:
        """Return a text. A number or flag is taken by its spelling, as Jackson does."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, str | int | float):
            raise RefusedError(-1002)
        text = _sound(value) if isinstance(value, str) else json.dumps(value)
        if not shortest <= len(text) <= longest:
            raise RefusedError(-1601, name)
        return text

    def integer(self, name: str, *, lowest: int = -_MOST, highest: int = _MOST) -> int | None:
        """Return an integer of 32 bits; one in quotes counts too."""
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not -_MOST <= value <= _MOST:
            raise RefusedError(-1002)
        if not lowest <= value <= highest:
            raise RefusedError(-1601, name)
        return value

    def flag(self, name: str) -> bool | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, bool):
            raise RefusedError(-1002)
        return value

    def texts(self, name: str) -> list[str] | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise RefusedError(-1002)
        return [_sound(str(item)) for item in value]

    def objects(self, name: str) -> "list[Members] | None":
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise RefusedError(-1002)
        return [Members(item) for item in value]

    def object(self, name: str) -> "Members | None":
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise RefusedError(-1002)
        return Members(value)

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        text = self.text(name)
        if text is not None and text not in choices:
            raise RefusedError(-1601, name)
        return text

    def emails(self, name: str, *, longest: int = 512) -> str | None:
        """Return one or several addresses as they were written; the empty text is none of them and is taken."""
        text = self.text(name, longest=longest)
        if text and not all(_EMAIL.fullmatch(part.strip()) for part in text.split(",")):
            raise RefusedError(-1601, name)
        return text

    def required_text(self, name: str, *, shortest: int = 1, longest: int = 32767) -> str:
        text = self.text(name, shortest=shortest, longest=longest)
        if text is None:
            raise RefusedError(-1001, name)
        return text

    def required_integer(self, name: str, *, lowest: int = 1) -> int:
        value = self.integer(name, lowest=lowest)
        if value is None:
            raise RefusedError(-1001, name)
        return value


def _sound(text: str) -> str:
    """Return a text that UTF-8 can write; JSON's escapes can name half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RefusedError(-1002) from None
    return text


def parse_json(body: bytes) -> object:
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError(-1002) from None
    return value


def query_integer(query: Mapping[str, str], name: str, *, lowest: int = 0) -> int | None:
    """Return an integer of the query string; -1601 for anything else, as for a body's member."""
    text = query.get(name)
    if text is None or text == "":
        return None
    if not re.fullmatch(r"-?[0-9]{1,18}", text) or not lowest <= int(text) <= _MOST:
        raise RefusedError(-1601, name)
    return int(text)

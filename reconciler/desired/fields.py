"""Typed access to data that a schema has accepted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from reconciler.desired.yamlfile import Json
from reconciler.model.certificate import IssuerClass, RenewBefore
from reconciler.model.times import YEARS, span

DATE_REMEDY = f"Correct the date; the years {YEARS.start} to {YEARS.stop - 1} are read."


@dataclass(frozen=True, slots=True)
class Fields:
    """A map of fields; what is not there, or null, is None. A wrong type is a bug: the schema refuses it before."""

    data: Mapping[str, Json] = field(default_factory=dict)

    def __contains__(self, key: str) -> bool:
        return self.data.get(key) is not None

    def text(self, key: str) -> str | None:
        value = self.data.get(key)
        assert value is None or isinstance(value, str), key
        return value

    def required(self, key: str) -> str:
        value = self.text(key)
        assert value is not None, key
        return value

    def flag(self, key: str) -> bool | None:
        value = self.data.get(key)
        assert value is None or isinstance(value, bool), key
        return value

    def whole(self, key: str) -> int | None:
        value = self.data.get(key)
        assert value is None or isinstance(value, int | float), key
        return None if value is None else int(value)  # JSON Schema takes 8.0 for a whole number

    def number(self, key: str) -> float | None:
        value = self.data.get(key)
        assert value is None or isinstance(value, int | float), key
        return value

    def section(self, key: str) -> "Fields":
        """Return the map `key`; one without fields where there is none."""
        value = self.data.get(key)
        assert value is None or isinstance(value, dict), key
        return Fields(value or {})

    def sections(self, key: str) -> tuple["Fields", ...]:
        return tuple(Fields(entry) for entry in self._list(key) if isinstance(entry, dict))

    def named_sections(self) -> Iterator[tuple[str, "Fields"]]:
        """Yield the maps by the user's own names."""
        for key in self.data:
            yield key, self.section(key)

    def texts(self, key: str) -> tuple[str, ...] | None:
        return tuple(str(entry) for entry in self._list(key)) if key in self else None

    def text_map(self, key: str) -> dict[str, str]:
        return {name: str(value) for name, value in self.section(key).data.items() if value is not None}

    def _list(self, key: str) -> list[Json]:
        value = self.data.get(key)
        assert value is None or isinstance(value, list), key
        return value or []


def duration(text: str) -> timedelta:
    """Return the length of "10m", "14d"."""
    read = span(text)
    assert read is not None, text
    return read


def renew_before(value: Json) -> RenewBefore | None:
    """Return "33%", "30d" or 30 as a value; None where nothing is named."""
    if value is None:
        return None
    text = str(value)
    if text.endswith("%"):
        return RenewBefore(percent=float(text[:-1]))
    return RenewBefore(days=float(text.removesuffix("d")))


def issuer_class(sectigo: Fields) -> IssuerClass:
    return IssuerClass(sectigo.text("issuer") or IssuerClass.PUBLIC)


def term_days(sectigo: Fields) -> int | None:
    """Return the days of `sectigo.term`; None for "max" and where it is not named."""
    value = sectigo.data.get("term")
    return None if value is None or value == "max" else int(str(value))

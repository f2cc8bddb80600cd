"""Fit entries into a number of bytes: what must not be overlooked first, and an honest count of the rest."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

_Place = tuple[int, int]  # of an entry: its section, and where it stands there


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that is told, in full or on one line. `kept`: it is left out last."""

    kind: str
    full: tuple[str, ...]
    short: str
    kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    title: str
    entries: tuple[Entry, ...]
    folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What is shown of a section. `lost` is the part of `left_out` that should have been kept."""

    title: str
    total: int
    folded: bool
    lines: tuple[str, ...]
    left_out: Counter[str]
    lost: Counter[str]


def fitted(sections: Sequence[Section], room: int, *, frame_of: Callable[[Section], int]) -> list[Fitted]:
    """Return the sections as far as they have room.

    Entries to keep get their short form first, then their full one while there is room; then all others in their
    order, until one does not fit: what comes after it is less urgent, and left out with it.
    """
    room -= sum(map(frame_of, sections))
    entries = {
        (place, number): entry for place, section in enumerate(sections) for number, entry in enumerate(section.entries)
    }
    kept = [place for place, entry in entries.items() if entry.kept]
    others = [place for place, entry in entries.items() if not entry.kept]
    chosen: dict[_Place, tuple[str, ...]] = {}
    for place in kept:
        room = _choose(chosen, place, (entries[place].short,), room)
    for place in kept:
        if place in chosen:
            room = _choose(chosen, place, entries[place].full, room)
    for place in others:
        if (left := _choose(chosen, place, entries[place].full, room)) == room:
            break
        room = left
    return [_fitted(section, place, chosen) for place, section in enumerate(sections)]


def _choose(chosen: dict[_Place, tuple[str, ...]], place: _Place, lines: tuple[str, ...], room: int) -> int:
    """Show the entry so, if there is room; return the room that is left."""
    more = _size(lines) - _size(chosen.get(place, ()))
    if more > room:
        return room
    chosen[place] = lines
    return room - more


def _size(lines: Iterable[str]) -> int:
    return sum(len(line.encode("utf-8")) + 1 for line in lines)


def _fitted(section: Section, place: int, chosen: dict[_Place, tuple[str, ...]]) -> Fitted:
    numbered = list(enumerate(section.entries))
    left_out = [entry for number, entry in numbered if (place, number) not in chosen]
    return Fitted(
        title=section.title,
        total=len(section.entries),
        folded=section.folded,
        lines=tuple(line for number, _ in numbered for line in chosen.get((place, number), ())),
        left_out=Counter(entry.kind for entry in left_out),
        lost=Counter(entry.kind for entry in left_out if entry.kept),
    )

"""Where things stand in the pictures of a page: places and lengths as numbers, drawn by the templates.

Each picture is made for a width in CSS pixels, one for phones and one for the rest: text in it keeps its size.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

WIDE, NARROW = 1040, 340
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_WEEKS_BACK, _WEEKS = 5, 58
_GAP = 0.12  # of a bar's place, on either side
_WIDE_ENOUGH = 600  # for a tick each month
_LANE, _LANE_HEAD, _HEAD, _FOOT = 54, 20, 22, 22
_LOAD_HEIGHT, _LOAD_LEFT = 200, 46


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    x: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A line across a picture, with its value."""

    y: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    title: str
    kind: str  # the colour
    top: float
    base: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """The fleet on a time line: a lane for each sort of event, a bar for each week."""

    width: int
    height: float
    now: float
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    cuts: tuple[Tick, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Orders a month."""

    width: int
    height: float
    base: float
    left: float
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    cuts: tuple[Tick, ...]
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """What a lane shows: instants, and what one of them is."""

    title: str
    noun: str
    kind: str
    instants: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A day from which certificates live shorter."""

    since: date
    max_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """A stretch of time laid over a width."""

    start: datetime
    end: datetime
    width: int

    def x(self, instant: datetime) -> float:
        return _round(self.width * ((instant - self.start) / (self.end - self.start)))

    def holds(self, instant: datetime) -> bool:
        return self.start < instant < self.end


def lanes(events: Sequence[Events], cuts: Iterable[Cut], *, at: datetime, width: int) -> Lanes:
    """Place the events of a year, by weeks of which one begins today. What began earlier stands in the first week."""
    start = _midnight(at.date()) - _WEEKS_BACK * _WEEK
    span = _Span(start=start, end=start + _WEEKS * _WEEK, width=width)
    heads = [_HEAD + number * (_LANE_HEAD + _LANE) for number in range(len(events) + 1)]
    return Lanes(
        width=width,
        height=heads[-1] + _FOOT,
        now=span.x(at),
        lanes=tuple(_lane(one, span, top) for one, top in zip(events, heads, strict=False)),
        ticks=_months(span),
        cuts=tuple(
            Tick(x=span.x(since), text=f"{cut.max_days} days")
            for cut in cuts
            if span.holds(since := _midnight(cut.since))
        ),
    )


def _lane(events: Events, span: _Span, top: float) -> Lane:
    weeks = Counter(max((one - span.start) // _WEEK, 0) for one in events.instants)
    shown = {week: count for week, count in sorted(weeks.items()) if week < _WEEKS}
    most = max(shown.values(), default=0)
    base, wide = top + _LANE_HEAD + _LANE - 6, span.width / _WEEKS
    bars = tuple(
        Bar(
            x=_round(week * wide + wide * _GAP),
            y=_round(base - _tall(count, most)),
            width=_round(wide * (1 - 2 * _GAP)),
            height=_round(_tall(count, most)),
            title=f"{count} {events.noun}, week of {span.start + week * _WEEK:%Y-%m-%d}",
        )
        for week, count in shown.items()
    )
    title = f"{events.title}, {most:,} a week at most" if most > 1 else events.title
    return Lane(title=title, kind=events.kind, top=top + 14, base=base, bars=bars)


def _tall(count: int, most: int) -> float:
    """Return the height of a bar; one certificate among thousands can still be seen."""
    return max((_LANE - 10) * count / most, 3)


def columns(months: Sequence[tuple[date, int]], cuts: Iterable[Cut], *, width: int) -> Columns:
    """Place a bar for each month; `months` are without gap."""
    room, step = _LOAD_HEIGHT - _HEAD, (width - _LOAD_LEFT) / max(len(months), 1)
    top = _nice(max((orders for _, orders in months), default=0))
    base = float(_HEAD + room)
    places = {first: _LOAD_LEFT + number * step for number, (first, _) in enumerate(months)}
    named, form = ((1, 4, 7, 10), "%Y-%m") if width > _WIDE_ENOUGH else ((1,), "%Y")
    return Columns(
        width=width,
        height=base + _FOOT,
        base=base,
        left=_LOAD_LEFT,
        bars=tuple(
            Bar(
                x=_round(places[first] + step * _GAP),
                y=_round(base - room * orders / top),
                width=_round(step * (1 - 2 * _GAP)),
                height=_round(room * orders / top),
                title=f"{first:%Y-%m}: {orders:,} orders",
            )
            for first, orders in months
        ),
        ticks=tuple(
            Tick(x=_round(x + step / 2), text=first.strftime(form))
            for first, x in places.items()
            if first.month in named
        ),
        cuts=tuple(
            Tick(x=_round(places[month] + step * (cut.since.day - 1) / 31), text=f"{cut.max_days} days")
            for cut in cuts
            if (month := cut.since.replace(day=1)) in places
        ),
        levels=tuple(Level(y=_round(base - room * part / 4), text=f"{top * part // 4:,}") for part in range(5)),
    )


def _nice(value: int) -> int:
    """Return the next of 4, 8, 12, 20, 40, 80, 120, 200, ...: it can be told in quarters."""
    scale = 1
    while True:
        for step in (4, 8, 12, 20, 28):
            if value <= step * scale:
                return step * scale
        scale *= 10


def _months(span: _Span) -> tuple[Tick, ...]:
    every = 1 if span.width > _WIDE_ENOUGH else 3
    return tuple(
        Tick(x=span.x(month), text=_month_text(month.date(), narrow=every > 1))
        for month in _firsts(span.start + 10 * _DAY, span.end - 10 * _DAY)
        if (month.month - 1) % every == 0
    )


def _firsts(after: datetime, before: datetime) -> Iterator[datetime]:
    """Yield the beginnings of the months between two instants."""
    month = _midnight((after + 31 * _DAY).date().replace(day=1))
    while month < before:
        yield month
        month = (month + 32 * _DAY).replace(day=1)


def _month_text(month: date, *, narrow: bool) -> str:
    return f"{month:%Y-%m}" if month.month == 1 or narrow else f"{month:%b}"


# One certificate's line


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The time line beside each row: 1,000 units wide, now at 100 of them."""

    at: datetime
    end: datetime
    ticks: tuple[Tick, ...]

    def x(self, instant: datetime) -> int:
        """Return where an instant stands, within the line."""
        place = _NOW_AT + (_LINE - _NOW_AT) * ((instant - self.at) / (self.end - self.at))
        return round(min(max(place, 0), _LINE))


_LINE, _NOW_AT = 1000, 100
_LONGEST = timedelta(days=400)
_SHORTEST = timedelta(days=60)


def axis(ends: Iterable[datetime], *, at: datetime) -> Axis:
    """Return the axis that takes all ends, up to 400 days ahead."""
    last = max([at + _SHORTEST, *(end for end in ends if end <= at + _LONGEST)]) + 5 * _DAY
    span, room = last - at, (last - at) / 5
    every = next(every for every, longest in ((1, 120), (3, 300), (6, 1000)) if span <= longest * _DAY)
    line = Axis(at=at, end=last, ticks=())
    months = (one for one in _firsts(at + room, last - room / 2) if (one.month - 1) % every == 0)
    ticks = (Tick(x=line.x(one), text=f"{one:%Y-%m}") for one in months)
    return replace(line, ticks=(Tick(x=_NOW_AT, text="now"), *ticks))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _round(number: float) -> float:
    return round(number, 1)

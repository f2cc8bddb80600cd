"""Ids, serials and secrets of one sandbox: all from its seed, so that every run can be repeated."""

import random
import string
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class IdState:
    seed: int
    counters: dict[str, int] = field(default_factory=dict)


class Ids:
    """Counters and seeded texts. The same seed and order of calls give the same values, also after a restart."""

    def __init__(self, state: IdState) -> None:
        self.state = state

    def next(self, kind: str, *, first: int) -> int:
        value = self.state.counters.get(kind, first - 1) + 1
        self.state.counters[kind] = value
        return value

    def _random(self, kind: str) -> random.Random:
        place = self.next(f"random/{kind}", first=1)
        return random.Random(f"{self.state.seed}/{kind}/{place}")  # noqa: S311 - repeatable on purpose

    def text(self, kind: str, length: int) -> str:
        return "".join(self._random(kind).choices(string.ascii_letters + string.digits, k=length))

    def hex(self, kind: str, length: int) -> str:
        return "".join(self._random(kind).choices("0123456789abcdef", k=length))

    def bits(self, kind: str, count: int) -> int:
        """Return `count` bits, the two highest 01: as a serial the number is positive and of full length."""
        return (self._random(kind).getrandbits(count) | (1 << (count - 2))) & ~(1 << (count - 1))

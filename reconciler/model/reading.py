"""A bulk reading: what was read, and whether that is all there is."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Value_co = TypeVar("Value_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Generic[Value_co]):
    """Something read in bulk. Where it is not complete, nothing is decided for what it covers."""

    values: Value_co
    complete: bool = True
    problems: tuple[str, ...] = ()  # why it is not complete, one sentence each

"""Work on several accounts side by side: what limits a run is each account's own rate (DESIGN 6)."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Made = TypeVar("_Made")


def side_by_side(work: Sequence[Callable[[], _Made]], *, at_most: int) -> list[_Made]:
    """Do all of `work`, `at_most` of it at a time, and return what came of it in the given order.

    With one at a time it is done in turn, in this thread, and ends with the first error. Else everything is carried to
    its end, and then the first error, in the given order, is raised.
    """
    if at_most <= 1 or len(work) <= 1:
        return [one() for one in work]
    with ThreadPoolExecutor(max_workers=min(at_most, len(work)), thread_name_prefix="account") as pool:
        begun = [pool.submit(one) for one in work]
    return [one.result() for one in begun]

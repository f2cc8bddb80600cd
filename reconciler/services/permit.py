"""Whether something that changes the world may still be sent: asked after every wait, just before it leaves.

A limit of the service, a token that has to be fetched, or a machine that stood still can put minutes between a
decision and its call. Who decides gives its question here; who sends asks it. Each thread has its own question.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Question = Callable[[], None]  # raises what the call is to end with, if it may not be sent any more


def _always() -> None:
    """Permit what nobody has a question about."""


_question: ContextVar[Question] = ContextVar("question", default=_always)


@contextmanager
def asking(question: Question) -> Iterator[None]:
    """Have `question` asked before each call that changes something."""
    before = _question.set(question)
    try:
        yield
    finally:
        _question.reset(before)


def ask() -> None:
    _question.get()()

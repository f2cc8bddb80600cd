"""What an answer without success means, as far as all services agree. The `refusals` of each service say the rest."""

from reconciler.errors import (
    AuthenticationError,
    OutcomeUnknownError,
    ServiceError,
    ServiceUnavailableError,
    UnexpectedAnswerError,
)
from reconciler.services.http import LOOK_FIRST, Answer, Request
from reconciler.services.retry import retry_after_s

_LONGEST_DETAIL = 400


def one_line(text: str) -> str:
    """Return text of a service on one line, without control characters, not longer than a message should be."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _LONGEST_DETAIL else f"{line[:_LONGEST_DETAIL]}…"


def excerpt(answer: Answer) -> str:
    """Return the status and what the body says, for people."""
    text = one_line(answer.body.decode("utf-8", errors="replace"))
    return f"HTTP {answer.status}" + (f": {text}" if text else " without a body")


def throttled(service: str, request: Request, answer: Answer) -> ServiceError:
    """Return the error of a 429: the service did not look at the call."""
    wait_s = retry_after_s(answer)
    asked = f" It asks for {wait_s:.0f} s." if wait_s else ""
    return ServiceUnavailableError(
        service, request.operation, f"too many calls (HTTP {answer.status}).{asked}", retry_after_s=wait_s
    )


def unauthorized(service: str, request: Request, detail: str, *, remedy: str) -> ServiceError:
    return AuthenticationError(service, request.operation, one_line(detail), remedy=remedy)


def not_answered(service: str, request: Request, detail: str, *, retry_after_s: float | None = None) -> ServiceError:
    """Return the error of a call that the service may or may not have carried out."""
    if request.mutates:
        return OutcomeUnknownError(service, request.operation, one_line(detail), remedy=LOOK_FIRST)
    return ServiceUnavailableError(service, request.operation, one_line(detail), retry_after_s=retry_after_s)


def not_understood(service: str, request: Request, detail: str) -> ServiceError:
    """Return the error of an answer that is not in the service's documents."""
    if request.mutates:
        return OutcomeUnknownError(service, request.operation, one_line(detail), remedy=LOOK_FIRST)
    return UnexpectedAnswerError(service, request.operation, one_line(detail))


def other(service: str, request: Request, answer: Answer) -> ServiceError:
    """Return the error of a status that means the same at every service, or nothing that we know."""
    if answer.status == 429:
        return throttled(service, request, answer)
    if answer.status >= 500:
        return not_answered(service, request, excerpt(answer), retry_after_s=retry_after_s(answer))
    return not_understood(service, request, excerpt(answer))

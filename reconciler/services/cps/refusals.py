"""What CPS, and the gateway before it, mean by an answer without success (akamai-cps 1.4 and 5.1)."""

import re

import msgspec

from reconciler.errors import AuthenticationError, CreateLimitError, LookAgainError, ServiceError, ServiceRejectedError
from reconciler.services import refusals
from reconciler.services.decode import BodyError, decode
from reconciler.services.http import Answer, Request
from reconciler.services.retry import retry_after_s

SERVICE = "cps"

_REFUSED = frozenset({400, 403, 415})  # with a problem body: understood, and not done
_NOT_NOW = frozenset({404, 409})
_NOT_SERVED = frozenset({406, 415})  # in the version that was asked for; with a problem body or without
_WAF = "WAF deny rule"  # a burst that the edge cut off before the gateway saw it
_SIGNATURE_WINDOW_S = 30

# A create that follows another too soon is a 409 as that of a name in use is, and its body is not documented
# (akamai-cps 2.3): these words, or a Retry-After, tell it.
_LIMIT_WORDS = re.compile(r"\blimit|\btoo (?:many|soon|often)|\bminutes?\b|\brate\b", re.IGNORECASE)
_HOST = re.compile(r"\S+\.\S+")  # may hold any of these words


class Problem(msgspec.Struct, rename="camel", frozen=True):
    """A problem body (RFC 9457), as far as it is read. CPS leaves `detail` out at times."""

    type: str | None = None
    title: str | None = None
    detail: str | None = None

    @property
    def text(self) -> str:
        return ": ".join(dict.fromkeys(part for part in (self.title, self.detail) if part))

    @property
    def code(self) -> str:
        """The last part of the type: "not-found", "request-error"."""
        return (self.type or "").rstrip("/").rpartition("/")[2]


def refusal(request: Request, answer: Answer) -> ServiceError:
    """Return the error that this answer is."""
    problem = _problem(answer)
    kind = (problem.type or "") if problem else ""
    if "/pep-authn/" in kind or answer.status == 401:
        return _not_authenticated(request, answer, problem)
    if problem and _WAF in problem.text:
        return refusals.throttled(SERVICE, request, answer)
    if answer.status in _NOT_NOW:
        return _look_again(request, answer, problem)
    if problem and (answer.status in _REFUSED or _final_read(request, answer)):
        return _rejected(request, problem)
    if answer.status in _NOT_SERVED and not request.mutates:
        return ServiceRejectedError(SERVICE, request.operation, refusals.excerpt(answer), code=str(answer.status))
    return refusals.other(SERVICE, request, answer)


def _final_read(request: Request, answer: Answer) -> bool:
    return not request.mutates and 400 <= answer.status < 500 and answer.status != 429


def _problem(answer: Answer) -> Problem | None:
    try:
        problem = decode(answer.body, Problem)
    except BodyError:
        return None
    return problem if problem.title or problem.detail or problem.type else None


def _not_authenticated(request: Request, answer: Answer, problem: Problem | None) -> ServiceError:
    text = problem.text if problem else refusals.excerpt(answer)
    if "timestamp" in text.lower():
        return AuthenticationError(
            SERVICE, request.operation, f"{text}{_offset(answer)}.", remedy="Set this machine's clock (NTP)."
        )
    return refusals.unauthorized(
        SERVICE,
        request,
        text,
        remedy="Check the section of .edgerc, or the variables, that certrecon.yaml names: all four values must be of "
        "one API client that is active.",
    )


def _offset(answer: Answer) -> str:
    """Return how far this machine's clock is off, by the Date header of the answer."""
    if answer.sent_at is None:
        return ""
    ahead_s = answer.received_at - answer.sent_at
    if abs(ahead_s) <= _SIGNATURE_WINDOW_S:
        return f"; this machine's clock is within {abs(ahead_s):.0f} s of the service's"
    way = "ahead of" if ahead_s > 0 else "behind"
    return f"; this machine's clock is {abs(ahead_s):.0f} s {way} the service's, which accepts {_SIGNATURE_WINDOW_S} s"


def _look_again(request: Request, answer: Answer, problem: Problem | None) -> ServiceError:
    text = problem.text if problem else refusals.excerpt(answer)
    detail = refusals.one_line(f"not possible now (HTTP {answer.status}): {text}")
    code = problem.code if problem else str(answer.status)
    asked_s = retry_after_s(answer)
    limited = asked_s is not None or _LIMIT_WORDS.search(_HOST.sub("", f"{code} {text}")) is not None
    if limited and answer.status == 409 and _creates(request):
        return CreateLimitError(SERVICE, request.operation, detail, code=code, retry_after_s=asked_s)
    return LookAgainError(SERVICE, request.operation, detail, code=code)


def _creates(request: Request) -> bool:
    return request.method == "POST" and request.path.endswith("/enrollments")


def _rejected(request: Request, problem: Problem) -> ServiceError:
    remedy = ""
    if "/pep-authz/" in (problem.type or ""):
        remedy = "Give the API client the CPS grant that this needs (read-write for apply), and access to the contract."
    return ServiceRejectedError(
        SERVICE, request.operation, refusals.one_line(problem.text), remedy=remedy, code=problem.code
    )

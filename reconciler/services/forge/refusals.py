"""What the answers of GitHub and GitLab mean that are no success."""

import time

from reconciler.errors import ServiceError, ServiceRejectedError, ServiceUnavailableError
from reconciler.services import refusals
from reconciler.services.http import Answer, Request
from reconciler.services.retry import retry_after_s

_LONGEST_WAIT_S = 600.0


class ElsewhereError(ServiceError):
    """What was asked for lies at `address`. Redirects are never followed with credentials."""

    def __init__(self, service: str, operation: str, address: str) -> None:
        super().__init__(service, operation, "it lies elsewhere")
        self.address = address


def github_refusal(request: Request, answer: Answer) -> ServiceError:
    """Return the error of an answer of GitHub's API."""
    if answer.status in (403, 429) and (wait_s := _rate_limit_s(answer)) is not None:
        return ServiceUnavailableError("github", request.operation, "the rate limit is used up", retry_after_s=wait_s)
    if answer.status in (302, 307):
        return ElsewhereError("github", request.operation, answer.headers.get("Location", ""))
    return _refusal("github", request, answer)


def gitlab_refusal(request: Request, answer: Answer) -> ServiceError:
    """Return the error of an answer of GitLab's API."""
    return _refusal("gitlab", request, answer)


def _refusal(service: str, request: Request, answer: Answer) -> ServiceError:
    if answer.status == 401:
        remedy = "Give a token that is good, in the variable that `certrecon ci --help` names."
        return refusals.unauthorized(service, request, refusals.excerpt(answer), remedy=remedy)
    if answer.status in (400, 403, 404, 409, 410, 413, 422):
        return ServiceRejectedError(service, request.operation, refusals.excerpt(answer), code=str(answer.status))
    return refusals.other(service, request, answer)


def _rate_limit_s(answer: Answer) -> float | None:
    """Return how long to wait where a 403 is no refusal: primary limits name an instant, secondary ones a span.

    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    asked = retry_after_s(answer)
    if asked is not None:
        return min(asked, _LONGEST_WAIT_S)
    reset = answer.headers.get("X-RateLimit-Reset", "")
    if answer.headers.get("X-RateLimit-Remaining") == "0" and reset.isdecimal():
        return min(max(float(reset) - (answer.sent_at or time.time()), 1.0), _LONGEST_WAIT_S)
    return 60.0 if b"rate limit" in answer.body else None

"""What SCM means by an answer without success (sectigo-scm, section 6): nearly all of it is a 400 with a code."""

import enum

import msgspec

from reconciler.errors import AuthenticationError, ServiceError, ServiceRejectedError
from reconciler.services import refusals
from reconciler.services.decode import BodyError, decode
from reconciler.services.http import Answer, Request

SERVICE = "scm"


class CodeClass(enum.Enum):
    """What a code asks of us."""

    FIX_INPUT = "fix input"  # the same call will be refused again
    CONFIGURATION = "configuration or rights"  # someone must change something at SCM
    LOGIN = "login"
    WAIT = "wait"
    TRANSIENT = "transient"
    FINAL = "final"
    UNKNOWN = "unknown"


def _classes(**codes: tuple[int, ...]) -> dict[int, CodeClass]:
    return {code: CodeClass[name] for name, several in codes.items() for code in several}


# Tables 6.2 and 6.3. Five codes have two texts; both are of one class wherever an order is concerned.
_CLASSES = _classes(
    FIX_INPUT=(
        *(-7, -9, -10, -11, -13, -35, -36, -39, -62, -64, -78, -105, -111, -123, -126, -135, -138, -139, -141, -164),
        *(-194, -639, -714, -723, -732, -951, -1001, -1002, -1023, -1104, -1138, -1450, -1601),
    ),
    CONFIGURATION=(
        *(-3, -25, -37, -76, -107, -169, -170, -180, -181, -188, -226, -410, -429, -715, -724, -727, -737, -738, -843),
        *(-993, -1010, -1021, -1137, -1140, -1608),
    ),
    LOGIN=(-16, -970),
    WAIT=(0, -23, -103, -109, -183, -1113, -1400),
    TRANSIENT=(-1, -2, -14, -43, -65, -129, -140, -195, -196, -1603, -3114, -3115),
    FINAL=(-102, -110, -124, -130, -159, -166, -192, -1112, -1117, -1144, -1148, -5101),
)

_REMEDIES = {CodeClass.CONFIGURATION: "Someone with rights at SCM has to change this."}
# -1112 is "wrong state": the order's status says whether that state ever ends, a collect does not (5.5).
_WAITS = frozenset({str(code) for code, kind in _CLASSES.items() if kind is CodeClass.WAIT} | {"-1112"})
_NOT_THERE = frozenset({"-124", "-5101"})
_NOT_ALLOWED = frozenset({"-3", "-25", "-37"})


class _Problem(msgspec.Struct, frozen=True):
    code: int | None = None
    description: str | None = None


def class_of(code: int) -> CodeClass:
    return _CLASSES.get(code, CodeClass.UNKNOWN)


def refusal(request: Request, answer: Answer) -> ServiceError:
    """Return the error that this answer is. A read's `ServiceRejectedError` has SCM's code as text."""
    code, text = _said(answer)
    kind = CodeClass.UNKNOWN if code is None else class_of(code)
    if answer.status == 401 or kind is CodeClass.LOGIN:
        return _not_authenticated(request, text)
    if code is not None and answer.status == 400:
        return _refused(request, code, kind, text)
    if not request.mutates and answer.status in {403, 404}:
        return ServiceRejectedError(SERVICE, request.operation, text, code=str(code or answer.status))
    return refusals.other(SERVICE, request, answer)


def _refused(request: Request, code: int, kind: CodeClass, text: str) -> ServiceError:
    match kind:
        case CodeClass.FIX_INPUT | CodeClass.CONFIGURATION:
            return ServiceRejectedError(
                SERVICE, request.operation, text, remedy=_REMEDIES.get(kind, ""), code=str(code)
            )
        case CodeClass.TRANSIENT:
            return refusals.not_answered(SERVICE, request, text)
        case _ if request.mutates:
            return refusals.not_answered(SERVICE, request, text)
        case _:
            return ServiceRejectedError(SERVICE, request.operation, text, code=str(code))


def _said(answer: Answer) -> tuple[int | None, str]:
    """Return the code, if there is one, and the text for people."""
    try:
        problem = decode(answer.body, _Problem)
    except BodyError:
        return None, refusals.excerpt(answer)
    if problem.code is None:
        return None, refusals.excerpt(answer)
    return problem.code, refusals.one_line(f"{problem.description or 'no description'} (code {problem.code})")


def _not_authenticated(request: Request, text: str) -> ServiceError:
    return AuthenticationError(
        SERVICE,
        request.operation,
        text,
        remedy="Check the login that certrecon.yaml names: a password may have expired, and a new admin must log in "
        "to the portal once.",
    )


def waits(error: ServiceRejectedError) -> bool:
    """Tell whether a refused collect says that the certificate is not there yet (5.5)."""
    return error.code in _WAITS


def not_there(error: ServiceRejectedError) -> bool:
    """Tell whether SCM does not know, or does not show, the order that was asked for."""
    return error.code in _NOT_THERE or error.code == "404"


def not_allowed(error: ServiceRejectedError) -> bool:
    """Tell whether this admin may not do this at all."""
    return error.code in _NOT_ALLOWED or error.code in {"403", "404"}

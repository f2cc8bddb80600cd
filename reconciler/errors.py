"""Every error that certrecon expects. All else is a bug and shows its traceback.

CertreconError
  UsageError                   the command line cannot be followed (exit 64)
  ConfigurationError(problems) certrecon.yaml, a variable or a credentials file is wrong
  DesiredStateError(problems)  a certificate file is wrong
  RevisionError                a commit that is named cannot be read
  PlanRefusedError             a guard said no (exit 4)
  ReadOnlyError                credentials that may only read, where something is to be changed
  LockHeldError                another run works on the account (exit 6)
  LockLostError                the lock is no longer ours: no further step (exit 6)
  JournalError                 the journal cannot be read, written or trusted
  NotificationError            a notification was not delivered: a warning, never the end of a run
  ReserveReachedError          the account's calls are nearly used up: who only looks leaves the rest to renewals
  ServiceError(service, operation)
    ServiceUnavailableError    nothing was sent, or it was a read: safe to repeat
    OutcomeUnknownError        a change was sent, the answer did not arrive: look before anything else
    ServiceRejectedError       the service understood and said no
    LookAgainError             it was not yet, or is no longer, possible: look again
      CreateLimitError         the account created another enrollment too short a time before
    AuthenticationError        the credentials were not accepted; nothing was done
    UnexpectedAnswerError      a read answered with something that is not in its documents
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass


class ExitCode(enum.IntEnum):
    """What a run says of itself; an interface. Where several hold, `worst` picks the first of its order."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    UNDER_WAY = 3
    REFUSED = 4
    STALE = 5
    LOCKED = 6
    USAGE = 64
    INTERRUPTED = 130
    TERMINATED = 143


_ORDER = (
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
    ExitCode.USAGE,
    ExitCode.ERROR,
    ExitCode.LOCKED,
    ExitCode.REFUSED,
    ExitCode.STALE,
    ExitCode.UNDER_WAY,
    ExitCode.CHANGES,
    ExitCode.DONE,
)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the code that counts among `codes`; `DONE` for none."""
    return min(codes, key=_ORDER.index, default=ExitCode.DONE)


class Severity(enum.StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file: path as the user would type it, line and column counted from 1; 0 where there is none."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join([self.path, *(str(part) for part in (self.line, self.column) if part)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong in what a person wrote: where, what, and what to do about it."""

    location: Location
    text: str  # one sentence; values quoted
    remedy: str = ""  # one sentence in the imperative, or nothing where `text` says it all
    rule: str = ""  # id of the check, as "NAME-05"; empty for syntax and schema
    severity: Severity = Severity.ERROR
    pointer: str = ""  # the field, as "akamai.subject.country"

    def __str__(self) -> str:
        label = f"{self.severity} {self.rule}" if self.rule else str(self.severity)
        field = f"{self.pointer}: " if self.pointer else ""
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{self.location}: {label}: {field}{self.text}{remedy}"


class CertreconError(Exception):
    """Something expected went wrong. `str()` of it is the whole message for people."""

    exit_code = ExitCode.ERROR


class UsageError(CertreconError):
    exit_code = ExitCode.USAGE


class _ProblemsError(CertreconError):
    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ConfigurationError(_ProblemsError):
    """The configuration, the environment or a credentials file cannot be used."""


class DesiredStateError(_ProblemsError):
    """One or more certificate files cannot be used."""


class RevisionError(CertreconError):
    """A commit that is named is not in this clone, or cannot be read from it."""


class PlanRefusedError(CertreconError):
    exit_code = ExitCode.REFUSED


class ReadOnlyError(CertreconError):
    """Credentials may only read, where something is to be changed. Nothing was done."""

    def __init__(self, refused: Iterable[str]) -> None:
        super().__init__("\n".join(refused))


class LockHeldError(CertreconError):
    """Another run works on the account: the message says who, since when, and when the lock can be had."""

    exit_code = ExitCode.LOCKED


class LockLostError(CertreconError):
    """The lock is not ours any more, or cannot be confirmed. Nothing may be sent after this."""

    exit_code = ExitCode.LOCKED


class JournalError(CertreconError):
    """The journal, or the place of the lock, cannot be read, written or trusted. `remedy` says what to do."""

    def __init__(self, detail: str, *, remedy: str = "") -> None:
        self.detail = detail
        self.remedy = remedy
        super().__init__(f"journal: {detail}" + (f" {remedy}" if remedy else ""))


class NotificationError(CertreconError):
    """A notification was not delivered, or nobody knows. The message never has its URL."""


class ReserveReachedError(CertreconError):
    """Who only looks stops: the account's last calls are for runs that renew. It is no gap in a reading: all ends."""


class ServiceError(CertreconError):
    """A call to a service did not give what was asked.

    Attributes:
        service: "cps" or "scm".
        operation: what was asked, in certrecon's words: "submit order".
        detail: what the service or the network said, without credentials, on one line.
        remedy: what a person can do, or nothing.
    """

    def __init__(self, service: str, operation: str, detail: str, *, remedy: str = "") -> None:
        self.service = service
        self.operation = operation
        self.detail = detail
        self.remedy = remedy
        sentence = detail if detail.endswith((".", "!", "?")) else f"{detail}."
        super().__init__(f"{service}: {operation}: {sentence}" + (f" {remedy}" if remedy else ""))


class ServiceUnavailableError(ServiceError):
    """Nothing was sent, or it was a read. `retry_after_s` is what the service asked for, if it did."""

    def __init__(
        self, service: str, operation: str, detail: str, *, remedy: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(service, operation, detail, remedy=remedy)
        self.retry_after_s = retry_after_s


class OutcomeUnknownError(ServiceError):
    """A change was sent and its answer did not arrive, or says nothing. It is never sent again unseen."""


class ServiceRejectedError(ServiceError):
    """The service understood and said no. `code` is its own code or problem type."""

    def __init__(self, service: str, operation: str, detail: str, *, remedy: str = "", code: str = "") -> None:
        super().__init__(service, operation, detail, remedy=remedy)
        self.code = code


class LookAgainError(ServiceRejectedError):
    """It was not yet, or is no longer, possible (CPS 404 and 409): the next look tells which."""


class CreateLimitError(LookAgainError):
    """CPS lets an account create only so often. `retry_after_s` is what it asked for, if it did."""

    def __init__(
        self, service: str, operation: str, detail: str, *, code: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(service, operation, detail, code=code)
        self.retry_after_s = retry_after_s


class AuthenticationError(ServiceError):
    """The service did not accept the credentials, or these may not do it. Nothing was done."""


class UnexpectedAnswerError(ServiceError):
    """A read answered with what its documents do not know: not JSON, a wrong type, half a body."""

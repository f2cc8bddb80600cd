"""The table of every phase x every kind of action: what is played, and what cannot be, with its reason.

A *row* is one certificate whose work is of a kind and stands in a phase. The kind of work is that of the action which
began it; where the plan has an action ready that continues it (upload, say), the row stands for that kind too.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from reconciler.planning.steps import ActionKind, Phase

Cell = tuple[ActionKind, Phase]


class Stop(enum.StrEnum):
    """How far a certificate is brought before the run that is judged."""

    START = "start"
    PRECHECKS = "prechecks"
    PREWARNINGS = "prewarnings"
    CSR = "csr"
    ORDERED = "ordered"
    VALIDATING = "validating"
    REFUSED = "refused"
    ISSUED = "issued"
    UPLOADED = "uploaded"
    CHECKING = "checking"
    WARNINGS = "warnings"
    STAGING = "staging"
    PROMOTE = "promote"
    SCHEDULED = "scheduled"
    DEPLOYING = "deploying"
    ERROR = "error"
    SUSPENDED = "suspended"
    REMOVING = "removing"
    GONE = "gone"


class Twist(enum.StrEnum):
    """What is special about a row, beside its kind and stop."""

    NONE = ""
    CPS_RENEWS = "cps-renews"  # CPS answers an update of settings with a renewal
    MUTUAL = "mutual"  # the file asks for mutual authentication, which CPS takes only after a create
    MUTUAL_LATE = "mutual-late"  # the file asks for it while an order is there already, and `--supersede` is given
    RETRY = "retry"  # `--retry` is given
    HELD = "held"  # somebody else's change is in the way


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the plan shows at a stop, what the first apply does, and where the certificate stands then."""

    phase: Phase
    due: ActionKind | None = None  # the action in the plan
    calls: tuple[str, ...] = ()  # of the first apply; the second makes none
    then: Phase | None = None  # None: the same phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    kind: ActionKind
    stop: Stop
    shows: Standing
    twist: Twist = Twist.NONE
    acts_as: ActionKind | None = None  # the kind of what `--retry` and `--supersede` let begin: no plan shows it

    @property
    def name(self) -> str:
        """The certificate's name: "renew-promote"."""
        return "-".join(part for part in (self.kind, self.stop, self.twist) if part)

    @property
    def then(self) -> Phase:
        return self.shows.then or self.shows.phase

    @property
    def cells(self) -> frozenset[Cell]:
        kinds = (self.kind, self.shows.due, self.acts_as)
        return frozenset((kind, self.shows.phase) for kind in kinds if kind is not None)


_UPDATE, _ORDER, _UPLOAD = ("update enrollment",), ("submit order",), ("upload certificate",)
_ACKNOWLEDGE, _PROMOTE = ("acknowledge warnings",), ("promote to production",)

# Of work that leads to a certificate. What is held by somebody else shows no action, and a run makes no call.
_CERTIFICATE: Mapping[Stop, Standing] = {
    Stop.PRECHECKS: Standing(phase=Phase.PRECHECKS),
    Stop.PREWARNINGS: Standing(phase=Phase.PREWARNINGS, due=ActionKind.ACKNOWLEDGE, calls=_ACKNOWLEDGE, then=Phase.CSR),
    Stop.CSR: Standing(phase=Phase.CSR, due=ActionKind.RESUME, calls=_ORDER, then=Phase.VALIDATING),
    Stop.ORDERED: Standing(phase=Phase.ORDERED),
    Stop.VALIDATING: Standing(phase=Phase.VALIDATING),
    Stop.REFUSED: Standing(phase=Phase.REFUSED),
    Stop.ISSUED: Standing(phase=Phase.ISSUED, due=ActionKind.UPLOAD, calls=_UPLOAD, then=Phase.CHECKING),
    Stop.UPLOADED: Standing(phase=Phase.UPLOADED),
    Stop.CHECKING: Standing(phase=Phase.CHECKING),
    Stop.WARNINGS: Standing(phase=Phase.WARNINGS, due=ActionKind.ACKNOWLEDGE, calls=_ACKNOWLEDGE, then=Phase.STAGING),
    Stop.STAGING: Standing(phase=Phase.STAGING),
    Stop.PROMOTE: Standing(phase=Phase.PROMOTE, due=ActionKind.PROMOTE, calls=_PROMOTE, then=Phase.PRODUCTION),
    Stop.SCHEDULED: Standing(phase=Phase.SCHEDULED),
    Stop.DEPLOYING: Standing(phase=Phase.PRODUCTION),
    Stop.ERROR: Standing(phase=Phase.ERROR),
    Stop.SUSPENDED: Standing(phase=Phase.SUSPENDED),
}
# A change of settings has no certificate: it begins with its deployment to staging.
SETTINGS_STOPS = (Stop.STAGING, Stop.PROMOTE, Stop.SCHEDULED, Stop.DEPLOYING, Stop.ERROR, Stop.SUSPENDED)

CERTIFICATE_KINDS = (ActionKind.CREATE, ActionKind.ADOPT, ActionKind.REISSUE, ActionKind.RENEW)


def rows() -> tuple[Row, ...]:
    """Return all that is played."""
    return (*_starts(), *_journeys(), *_twists())


def _starts() -> Iterable[Row]:
    """Yield the certificates for which nothing was done yet."""

    def start(kind: ActionKind, phase: Phase, call: str, then: Phase) -> Row:
        return Row(kind=kind, stop=Stop.START, shows=Standing(phase=phase, due=kind, calls=(call,), then=then))

    yield start(ActionKind.CREATE, Phase.ABSENT, "create enrollment", Phase.PRECHECKS)
    for kind in (ActionKind.ADOPT, ActionKind.REISSUE, ActionKind.RENEW):
        yield start(kind, Phase.PRODUCTION, "update enrollment", Phase.PRECHECKS)
    yield start(ActionKind.UPDATE, Phase.PRODUCTION, "update enrollment", Phase.STAGING)
    yield start(ActionKind.CANCEL, Phase.PRODUCTION, "cancel change", Phase.PRODUCTION)
    yield start(ActionKind.REVOKE, Phase.PRODUCTION, "revoke certificate", Phase.PRODUCTION)
    yield start(ActionKind.DELETE, Phase.REMOVING, "delete enrollment", Phase.REMOVING)


def _journeys() -> Iterable[Row]:
    """Yield the certificates whose work is under way."""
    for kind, (stop, shows) in product(CERTIFICATE_KINDS, _CERTIFICATE.items()):
        yield Row(kind=kind, stop=stop, shows=shows)
    for stop in SETTINGS_STOPS:
        yield Row(kind=ActionKind.UPDATE, stop=stop, shows=_CERTIFICATE[stop])
    yield Row(kind=ActionKind.DELETE, stop=Stop.REMOVING, shows=Standing(phase=Phase.REMOVING))
    yield Row(kind=ActionKind.DELETE, stop=Stop.GONE, shows=Standing(phase=Phase.ABSENT))


def _twists() -> Iterable[Row]:
    for stop, shows in _CERTIFICATE.items():
        if stop not in SETTINGS_STOPS:
            yield Row(kind=ActionKind.UPDATE, stop=stop, shows=shows, twist=Twist.CPS_RENEWS)
    again = Standing(phase=Phase.PRECHECKS, due=ActionKind.RESUME, calls=_UPDATE)
    yield Row(kind=ActionKind.CREATE, stop=Stop.PRECHECKS, twist=Twist.MUTUAL, shows=again)
    again = Standing(phase=Phase.PREWARNINGS, due=ActionKind.RESUME, calls=_UPDATE, then=Phase.PRECHECKS)
    yield Row(kind=ActionKind.CREATE, stop=Stop.PREWARNINGS, twist=Twist.MUTUAL, shows=again)
    for stop, phase, twist in (
        (Stop.REFUSED, Phase.REFUSED, Twist.RETRY),
        (Stop.ERROR, Phase.ERROR, Twist.RETRY),
    ):
        shows = Standing(phase=phase, calls=_UPDATE, then=Phase.PRECHECKS)
        yield Row(kind=ActionKind.RENEW, stop=stop, twist=twist, shows=shows, acts_as=ActionKind.RESUME)
    for stop in (Stop.WARNINGS, Stop.PROMOTE):
        waiting = _CERTIFICATE[stop]
        shows = Standing(phase=waiting.phase, due=waiting.due, calls=_UPDATE, then=Phase.PRECHECKS)
        yield Row(kind=ActionKind.CREATE, stop=stop, twist=Twist.MUTUAL_LATE, shows=shows, acts_as=ActionKind.RESUME)
    held = Standing(phase=Phase.PRODUCTION)
    yield Row(kind=ActionKind.DELETE, stop=Stop.START, twist=Twist.HELD, shows=held)


@dataclass(frozen=True, slots=True, kw_only=True)
class Impossible:
    kinds: tuple[ActionKind, ...]
    phases: frozenset[Phase]
    why: str

    @property
    def cells(self) -> frozenset[Cell]:
        return frozenset(product(self.kinds, self.phases))


def _all_but(*phases: Phase) -> frozenset[Phase]:
    return frozenset(Phase) - set(phases)


IMPOSSIBLE = (
    Impossible(
        kinds=(ActionKind.ADOPT, ActionKind.REISSUE, ActionKind.RENEW, ActionKind.UPDATE),
        phases=frozenset({Phase.ABSENT}),
        why="what has no enrollment is created",
    ),
    Impossible(
        kinds=(*CERTIFICATE_KINDS, ActionKind.UPDATE),
        phases=frozenset({Phase.REMOVING}),
        why="a file that says `state: absent` asks for nothing else",
    ),
    Impossible(
        kinds=(ActionKind.CANCEL,),
        phases=_all_but(Phase.PRODUCTION),
        why="only beside a served certificate: CPS removes what serves nothing with its change; and it is one call",
    ),
    Impossible(
        kinds=(ActionKind.REVOKE,),
        phases=_all_but(Phase.PRODUCTION),
        why="only where nothing else is to be done for what is served; and it is one call",
    ),
    Impossible(
        kinds=(ActionKind.DELETE,),
        phases=_all_but(Phase.REMOVING, Phase.ABSENT, Phase.PRODUCTION),
        why="a removal is under way or over, or it is refused while production serves",
    ),
    Impossible(
        kinds=(ActionKind.UPLOAD,),
        phases=_all_but(Phase.ISSUED),
        why="what is uploaded is issued, and the change waits for it",
    ),
    Impossible(
        kinds=(ActionKind.ACKNOWLEDGE,),
        phases=_all_but(Phase.PREWARNINGS, Phase.WARNINGS),
        why="it answers warnings",
    ),
    Impossible(
        kinds=(ActionKind.PROMOTE,),
        phases=_all_but(Phase.PROMOTE),
        why="it answers change management",
    ),
    Impossible(
        kinds=(ActionKind.RESUME,),
        phases=_all_but(
            Phase.PRECHECKS,
            Phase.PREWARNINGS,
            Phase.CSR,
            Phase.REFUSED,
            Phase.WARNINGS,
            Phase.PROMOTE,
            Phase.ERROR,
        ),
        why="it orders for a CSR, or puts a change in place of one that CPS still lets go",
    ),
)


def cover(table: Iterable[Row]) -> tuple[Row, ...]:
    """Return few rows that show each kind and each phase once, of kinds that take turns."""
    table, chosen = tuple(table), list[Row]()
    for part in (*Phase, *ActionKind):
        if not any(part in cell for row in chosen for cell in row.cells):
            fitting = [row for row in table if any(part in cell for cell in row.cells)]
            kinds = [row.kind for row in chosen]
            chosen.append(min(fitting, key=lambda row: (kinds.count(row.kind), row.twist is not Twist.NONE)))
    return tuple(chosen)

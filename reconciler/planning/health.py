"""How one certificate is: what it serves and where its work is, as two axes, with a level that people act by."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.model.certificate import CertificateName, DesiredCertificate, State
from reconciler.model.policy import Policy
from reconciler.planning.diff import Difference, differences
from reconciler.planning.lifetime import critical_days
from reconciler.planning.needs import Serving
from reconciler.planning.observed import Observed
from reconciler.planning.plan import Standing
from reconciler.planning.profiles import ca_additions
from reconciler.planning.steps import Act, Blocked, Done, Unread, Wait

_UNKNOWN_LIFE_CRITICAL_DAYS = 10.0  # pki-rules 2.2 for 199 days, where the lifetime is not known


class Level(enum.StrEnum):
    """How much a certificate needs a person's eye, worst first."""

    CRITICAL = "critical"
    WARN = "warn"
    OK = "ok"


class Work(enum.StrEnum):
    """Where the work on one certificate is, worst first."""

    UNREAD = "not read"
    BLOCKED = "blocked"
    HELD = "held"  # by a guard or a budget
    ACTION = "action"  # certrecon acts at its next apply
    WAITING = "waiting"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One certificate: its standing, and what that means."""

    standing: Standing
    level: Level
    reasons: tuple[str, ...]  # for a level that is not ok
    wanted: bool | None  # what is served is what the file wants; None: nothing is served, or SCM does not know it
    work: Work
    drift: tuple[Difference, ...]  # between file and enrollment: not applied yet, or made by hand

    @property
    def name(self) -> CertificateName:
        return self.standing.name


def health_of(standing: Standing, observed: Observed, policy: Policy) -> Health:
    """Judge one standing."""
    level, reasons = level_of(standing, policy, observed.at)
    return Health(
        standing=standing,
        level=level,
        reasons=reasons,
        wanted=_wanted(standing.desired, standing.serving),
        work=work_of(standing),
        drift=_drift(standing, observed),
    )


def worst_first(health: Health) -> tuple[int, int, bool, timedelta, str]:
    """Return what to sort by: level, then what blocks, then the time that is left; what serves nothing comes last."""
    serving = health.standing.serving
    return (
        list(Level).index(health.level),
        list(Work).index(health.work),
        serving is None,
        serving.remaining if serving is not None else timedelta(),
        health.name,
    )


def critical_at(serving: Serving, policy: Policy) -> datetime:
    """Return the instant from which what is served is critically close to its end."""
    return serving.expires_at - timedelta(days=_critical_days(serving, policy))


def _critical_days(serving: Serving, policy: Policy) -> float:
    if policy.critical_days is not None:
        return policy.critical_days
    if serving.lifetime is None or serving.before is None:
        return _UNKNOWN_LIFE_CRITICAL_DAYS
    return critical_days(serving.lifetime, serving.before)


def level_of(standing: Standing, policy: Policy, now: datetime) -> tuple[Level, tuple[str, ...]]:
    """Return how much a certificate needs a person's eye, and why it does."""
    critical, warn = _serving_reasons(standing, policy, now)
    if standing.failure is not None:
        warn.append(standing.failure)
    if critical:
        return Level.CRITICAL, (*critical, *warn)
    return (Level.WARN, tuple(warn)) if warn else (Level.OK, ())


def _serving_reasons(standing: Standing, policy: Policy, now: datetime) -> tuple[list[str], list[str]]:
    """Return what is critical, and what is worth a warning, in what is served."""
    serving, desired = standing.serving, standing.desired
    if desired.state is State.ABSENT:
        return [], []
    if serving is None:
        stuck = isinstance(standing.decision, Blocked)
        return [], ["it serves nothing, and its work is blocked"] if stuck else []
    critical = ["SCM says that the served certificate is revoked"] if serving.revoked else []
    days = serving.remaining // timedelta(days=1)
    if serving.remaining <= timedelta():
        critical.append(f"expired on {serving.expires_at:%Y-%m-%d %H:%M} UTC")
    elif now >= critical_at(serving, policy):
        critical.append(f"{days} days are left: critical")
    elif serving.below_warn:
        return critical, [f"{days} days are left"]
    return critical, []


def _wanted(desired: DesiredCertificate, serving: Serving | None) -> bool | None:
    if serving is None or serving.names is None:
        return None
    named = desired.sans <= serving.names and serving.names - desired.sans <= ca_additions(desired.common_name)
    return named and (desired.key_types is None or desired.key_types == serving.key_types)


def work_of(standing: Standing) -> Work:
    """Return where the work on a certificate is."""
    match standing.decision:
        case Unread():
            return Work.UNREAD
        case Blocked():
            return Work.BLOCKED
        case Act():
            return Work.ACTION if standing.may_run else Work.HELD
        case Wait():
            return Work.WAITING
        case Done():
            return Work.NONE


def _drift(standing: Standing, observed: Observed) -> tuple[Difference, ...]:
    enrollment, desired = standing.enrollment, standing.desired
    if enrollment is None or desired.state is State.ABSENT or isinstance(standing.decision, Unread):
        return ()
    served = observed.accounts[desired.enrollment.account].served.values.get(enrollment.id)
    # While a change is pending, other key types than those served are what it is there for.
    return differences(desired, enrollment, served if not enrollment.pending else None)

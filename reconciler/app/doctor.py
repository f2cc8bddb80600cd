"""Doctor: whether everything that a run needs is there. It only reads: whether one may write is seen by writing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from reconciler.app.lock import show
from reconciler.app.lock_place import open_store
from reconciler.desired.load import Desired
from reconciler.errors import CertreconError, ConfigurationError, ServiceError, Severity
from reconciler.model.certificate import DesiredCertificate
from reconciler.model.policy import Account, Instance, Project
from reconciler.model.reading import Reading
from reconciler.planning.indexes import OrderBook
from reconciler.planning.observed import InstanceView
from reconciler.planning.ordering import order_terms
from reconciler.planning.preflight import password_finding
from reconciler.ports import Clock, Cps, Scm
from reconciler.report.doctor import Check, State

# EdgeGrid refuses signatures that are more than 30 s off (akamai-cps 1.4); half of it is time to mend a clock.
_CLOCK_FAIL = timedelta(seconds=30)
_CLOCK_WARN = timedelta(seconds=10)
_WRITE = "whether they may also write is only seen at the first apply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What is looked at. The functions open a client, and raise what keeps them from it."""

    project: Project
    desired: Desired
    environment: Mapping[str, str]
    clock: Clock
    cps: Callable[[Account], Cps]
    scm: Callable[[Instance], Scm]
    clock_offset: Callable[[Account], timedelta | None]

    def certificates_of(self, account: Account) -> list[DesiredCertificate]:
        return [one for one in self.desired.certificates if one.enrollment.account == account.name]

    def ordered_at(self, instance: Instance) -> list[DesiredCertificate]:
        return [one for one in self.desired.certificates if one.order.instance == instance.name]


def examine(examination: Examination) -> Iterator[Check]:
    """Make all checks; what one of them needs and could not have, it says itself."""
    project = examination.project
    yield Check(topic="configuration", state=State.OK, text=f"{project.root / 'certrecon.yaml'} can be used")
    yield _files(examination.desired)
    for account in project.accounts.values():
        yield from _account(account, examination)
    for instance in project.instances.values():
        yield from _instance(instance, examination)
    for account in project.accounts.values():
        yield _journal(account, examination)
    yield from _notifications(examination)


def broken_configuration(error: ConfigurationError) -> Iterator[Check]:
    """Return what is wrong where nothing else can be looked at."""
    for problem in error.problems:
        text = str(problem).removesuffix(problem.remedy).rstrip(" .")
        yield Check(topic="configuration", state=State.FAIL, text=text, remedy=problem.remedy)
    for topic in ("files", "credentials", "lock and journal"):
        yield Check(topic=topic, state=State.SKIPPED, text="the configuration cannot be used")


def _files(desired: Desired) -> Check:
    errors = sum(one.severity is Severity.ERROR for one in desired.problems)
    if errors:
        text = f"{_count(errors, 'error')}, {_count(len(desired.broken), 'certificate')} that cannot be used"
        return Check(topic="files", state=State.FAIL, text=text, remedy="Run 'certrecon validate'.")
    if not desired.certificates:
        text = "there is no certificate yet"
        return Check(topic="files", state=State.WARN, text=text, remedy="Write one below certificates/.")
    return Check(topic="files", state=State.OK, text=_count(len(desired.certificates), "valid certificate"))


def _account(account: Account, examination: Examination) -> Iterator[Check]:
    subject = f"account {account.name}"
    try:
        offset = examination.clock_offset(account)
        cps = examination.cps(account)
    except CertreconError as error:
        yield _failed("credentials", subject, error)
        yield Check(topic="rights", subject=subject, state=State.SKIPPED, text="CPS could not be asked")
        return
    yield _clock(subject, offset)
    try:
        contracts = cps.contracts()
    except CertreconError as error:
        yield _failed("credentials", subject, error)
        return
    if not contracts.complete:
        yield _unread("credentials", subject, contracts)
        return
    yield Check(topic="credentials", subject=subject, state=State.OK, text="CPS accepts them")
    yield _contracts(subject, contracts.values, examination.certificates_of(account))
    try:
        readings = (cps.enrollments(contracts.values), cps.served(contracts.values))
    except CertreconError as error:
        yield _failed("rights", subject, error)
        return
    broken = next((one for one in readings if not one.complete), None)
    if broken is not None:
        yield _unread("rights", subject, broken)
        return
    text = f"{_count(len(readings[0].values), 'enrollment')} can be read; {_WRITE}"
    yield Check(topic="rights", subject=subject, state=State.OK, text=text)


def _clock(subject: str, offset: timedelta | None) -> Check:
    if offset is None:
        return Check(topic="clock", subject=subject, state=State.SKIPPED, text="CPS does not say what time it has")
    seconds = round(offset.total_seconds())
    way = "behind" if seconds > 0 else "before"
    text = f"this machine's clock is {abs(seconds)} s {way} CPS's" if seconds else "as CPS's, to the second"
    if abs(offset) <= _CLOCK_WARN:
        return Check(topic="clock", subject=subject, state=State.OK, text=text)
    state = State.FAIL if abs(offset) > _CLOCK_FAIL else State.WARN
    remedy = "Set the clock (NTP): beyond 30 s CPS refuses every call."
    return Check(topic="clock", subject=subject, state=state, text=text, remedy=remedy)


def _contracts(subject: str, seen: frozenset[str], certificates: list[DesiredCertificate]) -> Check:
    wanted = {one.enrollment.contract for one in certificates}
    if missing := sorted(wanted - seen):
        text = f"the credentials do not see {', '.join(missing)}, which files name"
        remedy = "Correct akamai.contract, or give the API client access to them."
        return Check(topic="contracts", subject=subject, state=State.FAIL, text=text, remedy=remedy)
    text = f"the credentials see {', '.join(sorted(seen)) or 'none'}"
    state = State.OK if seen else State.WARN
    return Check(topic="contracts", subject=subject, state=state, text=text)


def _instance(instance: Instance, examination: Examination) -> Iterator[Check]:
    subject = f"instance {instance.name}"
    try:
        scm = examination.scm(instance)
        organizations, profiles, password = scm.organizations(), scm.profiles(), scm.password_state()
        orders = scm.orders()
    except CertreconError as error:
        yield _failed("credentials", subject, error)
        yield Check(topic="rights", subject=subject, state=State.SKIPPED, text="SCM could not be asked")
        return
    yield Check(topic="credentials", subject=subject, state=State.OK, text="SCM accepts them")
    certificates, today = examination.ordered_at(instance), examination.clock.now().date()
    found = password_finding(instance.name, password, [one.name for one in certificates], today=today)
    if found is None:
        yield Check(topic="password", subject=subject, state=State.OK, text="it does not expire in the next 14 days")
    else:
        state = State.SKIPPED if found.finding.skipped else State.WARN
        yield Check(topic="password", subject=subject, state=state, text=found.finding.text)
    broken: Reading[object] | None = next((one for one in (organizations, profiles, orders) if not one.complete), None)
    if broken is not None:
        yield _unread("rights", subject, broken)
        return
    text = f"{_count(len(orders.values), 'order')} can be read; {_WRITE}"
    yield Check(topic="rights", subject=subject, state=State.OK, text=text)
    view = InstanceView(organizations=organizations, profiles=profiles, orders=orders, book=OrderBook.of(orders.values))
    wrong = (problem for one in certificates for problem in order_terms(one, view, today=today)[1])
    problems = list(dict.fromkeys(wrong))
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        text, remedy = f"{problems[0].location}: {problems[0].text.rstrip('.')}{more}", problems[0].remedy
        yield Check(topic="profiles", subject=subject, state=State.FAIL, text=text, remedy=remedy)
    else:
        text = f"{len(profiles.values)} profiles, {len(organizations.values)} organizations; what files name is there"
        yield Check(topic="profiles", subject=subject, state=State.OK, text=text)


def _journal(account: Account, examination: Examination) -> Check:
    """Look at the lock and the journal, and by that at the remote that they are on."""
    project, subject = examination.project, f"account {account.name}"
    if project.lock.backend == "none":
        text = "lock.backend is none: nothing excludes other runs, and nothing is remembered"
        return Check(topic="lock and journal", subject=subject, state=State.WARN, text=text)
    try:
        with open_store(project, account, examination.environment) as store:
            standing = show(store, account.name)
    except CertreconError as error:
        return _failed("lock and journal", subject, error)
    if standing.problem is not None:
        return Check(
            topic="lock and journal",
            subject=subject,
            state=State.FAIL,
            text=standing.problem,
            remedy="Run 'certrecon lock repair'.",
        )
    if standing.record is not None and standing.held:
        text = (
            f"{standing.place}: held by {standing.record.owner.name} since {standing.record.since:%Y-%m-%d %H:%M} UTC"
        )
        remedy = "If that run has died, see 'certrecon lock show'."
        return Check(topic="lock and journal", subject=subject, state=State.WARN, text=text, remedy=remedy)
    began = "free" if standing.state is not None else "none yet; the first apply begins it"
    return Check(topic="lock and journal", subject=subject, state=State.OK, text=f"{standing.place}: {began}")


def _notifications(examination: Examination) -> Iterator[Check]:
    for one in examination.project.notify:
        subject = one.url_variable
        if examination.environment.get(one.url_variable):
            yield Check(topic="notification", subject=subject, state=State.OK, text="the variable is set")
        else:
            text, remedy = "the variable is not set, or empty", f"Set {subject} where 'certrecon apply' runs."
            yield Check(topic="notification", subject=subject, state=State.WARN, text=text, remedy=remedy)


def _failed(topic: str, subject: str, error: CertreconError) -> Check:
    if isinstance(error, ConfigurationError):
        first = error.problems[0]
        text = str(first).removesuffix(first.remedy).rstrip(" .")
        return Check(topic=topic, subject=subject, state=State.FAIL, text=text, remedy=first.remedy)
    if isinstance(error, ServiceError):
        text = f"{error.service}: {error.operation}: {error.detail.rstrip('.')}"
        return Check(topic=topic, subject=subject, state=State.FAIL, text=text, remedy=error.remedy)
    return Check(topic=topic, subject=subject, state=State.FAIL, text=str(error))


def _unread(topic: str, subject: str, reading: Reading[object]) -> Check:
    text = "; ".join(reading.problems) or "not all could be read"
    return Check(topic=topic, subject=subject, state=State.FAIL, text=text.rstrip("."))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

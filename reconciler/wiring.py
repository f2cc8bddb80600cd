"""The one place that joins the services to the rest: from a folder and an environment to something that can run."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import certifi

from reconciler.app.announce import Announcer, Receiver
from reconciler.app.compare import Base, both
from reconciler.app.doctor import Examination
from reconciler.app.plan import Planner
from reconciler.app.revisions import WORKING_TREE, Reader, Revisions
from reconciler.app.selecting import check_names, check_selectors
from reconciler.app.verify import Verifier
from reconciler.desired.load import Desired, load
from reconciler.desired.project import load_project
from reconciler.desired.serials import Replacements
from reconciler.errors import Problem, Severity, UsageError
from reconciler.execution.observe import Observer
from reconciler.execution.perform import Services
from reconciler.model.certificate import AccountName, DesiredCertificate, Promote
from reconciler.model.policy import Project
from reconciler.model.x509 import Certificate, parse_roots
from reconciler.planning.case import Trust
from reconciler.planning.selectors import EVERYTHING, Selectors
from reconciler.planning.tags import order_tag
from reconciler.ports import Clock, Dns, Forge, PlanArchive
from reconciler.services import permit
from reconciler.services.connect import clock_for, clock_offset, cps_client, scm_client
from reconciler.services.edge import EdgeProbe
from reconciler.services.forge.connect import connect, forge_access
from reconciler.services.forge.github import GitHub
from reconciler.services.notify import AppriseNotifier
from reconciler.settings import Settings, read_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything that plan and apply need."""

    project: Project
    planner: Planner
    observer: Observer
    clock: Clock
    services_local: bool
    base: Base | None = None  # what the plan is compared with

    @property
    def accounts(self) -> frozenset[AccountName]:
        """The accounts that the planned certificates are of, and those of the base."""
        looked_at = self.planner.certificates if self.base is None else both(self.planner, self.base)
        return frozenset(one.enrollment.account for one in looked_at)

    def dns(self) -> Dns:
        return resolver()

    def no_tags(self) -> bool:
        """Tell whether, by a complete reading, no order carries a tag of certrecon's."""
        instances = sorted({one.order.instance for one in self.planner.certificates})
        readings = [self.observer.orders(instance) for instance in instances]
        tagged = any(order_tag(order.comments) for reading in readings for order in reading.values)
        return not tagged and all(reading.complete for reading in readings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What the command line names: what the run is about, and certificates by what for."""

    selectors: Selectors = EVERYTHING
    promote: Sequence[str] = ()
    retry: Sequence[str] = ()
    supersede: Sequence[str] = ()
    allow_adopt: Sequence[str] = ()


@contextmanager
def open_run(
    directory: Path,
    named: Named = Named(),
    *,
    revisions: Revisions = WORKING_TREE,
    at: datetime | None = None,
    parallelism: int = 1,
    only_looks: bool = True,
) -> Iterator[Run]:
    """Read configuration, certificates and credentials, and open the services that they name; close them at the end.

    `at` judges the files as of an instant to come. `parallelism` is how many accounts are looked at side by side. Who
    `only_looks` leaves the last calls of an account's limit to those who renew.

    Raises:
        ConfigurationError: configuration or credentials cannot be used.
        DesiredStateError: the file of what is named cannot be used.
        RevisionError: a commit that is named cannot be read.
        UsageError: what is named is of no certificate, or of no account.
    """
    settings = read_settings(os.environ)
    with ExitStack() as stack:
        clock = stack.enter_context(closing(clock_for(settings)))
        now = clock.now()
        reader = Reader(directory=directory, environment=os.environ, now=now, today=(at or now).date())
        files = reader.read(revisions.rev)
        project = files.project
        planner = _planner(project, settings, files.desired, files.replacements, named)
        base = reader.base(revisions, planner, project, lambda one: _trust(one, settings))
        looked_at = planner.certificates if base is None else both(planner, base)
        accounts = [project.accounts[name] for name in sorted({one.enrollment.account for one in looked_at})]
        instances = [project.instances[name] for name in sorted({one.order.instance for one in looked_at})]
        services = Services(
            cps={
                one.name: stack.enter_context(closing(cps_client(one, settings, clock, only_looks=only_looks)))
                for one in accounts
            },
            scm={one.name: stack.enter_context(closing(scm_client(one, settings, clock))) for one in instances},
            asking=permit.asking,
        )
        edge = EdgeProbe(endpoints=_endpoints(settings))
        by_handshake = any(one.campaign.promote == Promote.VERIFIED for one in planner.replacements)
        observer = Observer(
            services=services, clock=clock, edge=edge, parallelism=parallelism, handshakes_for_all=by_handshake
        )
        yield Run(
            project=project,
            planner=planner,
            observer=observer,
            clock=clock,
            services_local=settings.all_loopback(accounts, instances),
            base=base,
        )


def service_time() -> datetime:
    """Return the time that decisions go by: the machine's, or the sandbox's.

    Raises:
        ConfigurationError: the environment cannot be used.
        ServiceError: the sandbox does not answer.
    """
    with closing(clock_for(read_settings(os.environ))) as clock:
        return clock.now()


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeLook:
    """What is needed to ask the edge about some certificates; `problems` take the rest out."""

    verifier: Verifier
    certificates: Sequence[DesiredCertificate]
    problems: Sequence[Problem]


def open_edge(directory: Path, selectors: Selectors) -> EdgeLook:
    """Read configuration and certificates, and whom to ask at the edge. Credentials are not read.

    Raises:
        ConfigurationError, DesiredStateError, UsageError: as `open_run`.
    """
    project, settings = load_project(directory, environment=os.environ), read_settings(os.environ)
    with closing(clock_for(settings)) as clock:
        now = clock.now()
    desired = load(project, today=now.date())
    check_selectors(selectors, desired, project)
    endpoints = _endpoints(settings)
    verifier = Verifier(
        edge=EdgeProbe(endpoints=endpoints),
        dns=resolver(),
        trust=_trust(project, settings),
        policy=project.policy,
        now=now,
        addressed=frozenset(endpoints),
    )
    errors = [problem for problem in desired.problems if problem.severity is Severity.ERROR]
    taken = [one for one in desired.certificates if selectors.takes(one)]
    return EdgeLook(verifier=verifier, certificates=taken, problems=errors)


@contextmanager
def open_examination(directory: Path) -> Iterator[Examination]:
    """Open what `doctor` looks at: everything that the configuration names, as far as it can be opened.

    Raises:
        ConfigurationError: there is no configuration that could be looked into, or a variable can't be used.
    """
    project, settings = load_project(directory, environment=os.environ), read_settings(os.environ)
    with ExitStack() as stack:
        clock = stack.enter_context(closing(clock_for(settings)))
        yield Examination(
            project=project,
            desired=load(project, today=clock.now().date()),
            environment=os.environ,
            clock=clock,
            cps=lambda one: stack.enter_context(closing(cps_client(one, settings, clock, only_looks=True))),
            scm=lambda one: stack.enter_context(closing(scm_client(one, settings, clock))),
            clock_offset=lambda one: clock_offset(one, settings),
        )


def resolver() -> Dns:
    """Return the machine's resolver. Its library is loaded only for those who ask."""
    from reconciler.services.dns import Resolver

    return Resolver()


def _planner(
    project: Project, settings: Settings, desired: Desired, replacements: Replacements, named: Named
) -> Planner:
    check_selectors(named.selectors, desired, project)
    check_names(named.allow_adopt, desired, named.selectors)
    return Planner(
        desired=replace(desired, problems=(*replacements.problems, *desired.problems)),
        policy=project.policy,
        trust=_trust(project, settings),
        new_installation=secrets.token_hex(4),
        selectors=named.selectors,
        promote=check_names(named.promote, desired, named.selectors),
        retry=check_names(named.retry, desired, named.selectors),
        supersede=check_names(named.supersede, desired, named.selectors),
        replacements=replacements.ready,
        calls_per_minute={name: account.calls_per_minute for name, account in project.accounts.items()},
    )


def _trust(project: Project, settings: Settings) -> Trust:
    """Return the allowed roots: certifi's, or those of the sandbox, whose private root is none of the public ones.

    Private roots are trusted by their fingerprints. Where SCM does not send one, it is had from its file, or from the
    bundle that certrecon is pointed at.
    """
    private = {name: settings.private_roots(instance) for name, instance in project.instances.items()}
    all_private = frozenset[str]().union(*private.values())
    found = _roots((settings.ca_file or Path(certifi.where())).read_bytes())
    given = [root for one in project.instances.values() for pem in one.private_root_pems for root in _roots(pem)]
    return Trust(
        public_roots=tuple(one for one in found if one.sha256 not in all_private),
        private_roots=private,
        private_certificates=tuple(one for one in (*given, *found) if one.sha256 in all_private),
    )


def _endpoints(settings: Settings) -> dict[str, str]:
    named = {"staging": settings.edge_staging, "production": settings.edge_production}
    return {network: endpoint for network, endpoint in named.items() if endpoint is not None}


def _roots(pem: str | bytes) -> tuple[Certificate, ...]:
    return tuple(one for one in parse_roots(pem) if one.self_signed)


def announcer_of(run: Run, *, warn: Callable[[str], None]) -> Announcer:
    """Return what tells those who are to be notified. A URL comes from the variable that the configuration names."""
    return Announcer(
        project=run.project.name,
        receivers=[
            Receiver(
                variable=one.url_variable,
                on=frozenset(one.on),
                notifier=AppriseNotifier(url, variable=one.url_variable) if url else None,
            )
            for one in run.project.notify
            for url in [os.environ.get(one.url_variable, "").strip()]
        ],
        clock=run.clock,
        warn=warn,
    )


@contextmanager
def open_forge(environment: Mapping[str, str]) -> Iterator[Forge]:
    """Open the place where the repository lives, as the variables of its CI say.

    Raises:
        UsageError: there are no such variables, or no token.
    """
    with closing(connect(forge_access(environment))) as forge:
        yield forge


@contextmanager
def open_plan_archive(environment: Mapping[str, str]) -> Iterator[PlanArchive]:
    """Open the store of the plans that pull requests were approved with.

    Raises:
        UsageError: there is none that is known here, or no token.
    """
    with closing(connect(forge_access(environment))) as forge:
        if not isinstance(forge, GitHub):
            raise UsageError("Approved plans are fetched from GitHub only. Give `apply` the plan files by their paths.")
        yield forge

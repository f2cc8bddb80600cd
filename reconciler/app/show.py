"""Show: everything that is known of one certificate. Nothing is changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from reconciler.app.looking import certificate_of, look, readable_journals
from reconciler.app.plan import Planner
from reconciler.desired.effective import effective_values
from reconciler.desired.load import load
from reconciler.desired.planfile import read_saved_plan
from reconciler.desired.project import load_project
from reconciler.errors import ExitCode, Problem
from reconciler.execution.observe import Observer
from reconciler.model.certificate import DesiredCertificate
from reconciler.model.chains import BrokenChainError, order_chain
from reconciler.model.policy import Project
from reconciler.model.x509 import Certificate, parse_certificates
from reconciler.planning.case import Case
from reconciler.planning.ordering import order_terms
from reconciler.planning.plan import Standing
from reconciler.report.effective import Shown

__all__ = ["Single", "effective", "read_saved_plan", "served_pems", "single"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """One certificate out of a look."""

    case: Case
    standing: Standing
    at: datetime
    problems: tuple[Problem, ...]  # of this certificate, as far as the services told; other files do not count here
    unread: tuple[str, ...]

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.ERROR if self.unread or self.problems else ExitCode.DONE


def single(
    planner: Planner,
    observer: Observer,
    project: Project,
    desired: DesiredCertificate,
    environment: Mapping[str, str],
) -> Single:
    """Look at one certificate, its pending change in full.

    Raises:
        AuthenticationError: a service did not accept the credentials.
    """
    account = desired.enrollment.account
    journals, unreadable = readable_journals(project, frozenset({account}), environment)
    looked = look(planner, observer, journals, in_full=True)
    standing = next(one for one in looked.plan.standings if one.name == desired.name)
    observed = looked.context.observed
    instance = observed.instances[desired.order.instance]
    terms, _ = order_terms(desired, instance, today=observed.at.date())
    case = Case(
        desired=desired,
        account=observed.accounts[account],
        instance=instance,
        terms=terms,
        context=looked.context,
    )
    of_files = frozenset(planner.desired.problems)
    return Single(
        case=case,
        standing=standing,
        at=observed.at,
        problems=tuple(one for one in looked.plan.problems if one not in of_files),
        unread=(*unreadable, *looked.plan.unread),
    )


def effective(directory: Path, name: str, *, environment: Mapping[str, str], today: date) -> tuple[Shown, ...]:
    """Return every effective value of a certificate. Offline: nothing is asked of a service.

    Raises:
        ConfigurationError, DesiredStateError: configuration, or the certificate's file, cannot be used.
        UsageError: there is no such certificate.
    """
    project = load_project(directory, environment=environment)
    desired = certificate_of(load(project, today=today), name)
    return tuple(
        Shown(
            pointer=one.pointer,
            value=one.value,
            place=one.source,
            note=" for a create, unmanaged afterwards" if one.unmanaged else "",
        )
        for one in effective_values(project.root, desired)
    )


def served_pems(observer: Observer, found: Single) -> tuple[str, ...]:
    """Return what production serves as PEM, as far as SCM has it: each leaf, followed by its intermediates.

    Raises:
        ServiceError: SCM did not answer.
    """
    serving, instance = found.standing.serving, found.case.desired.order.instance
    pems: list[str] = []
    for serial in sorted(serving.serials) if serving is not None else ():
        order = found.case.instance.book.by_serial.get(serial)
        given = observer.services.scm[instance].collect(order.ssl_id) if order is not None else None
        if given is not None:
            pems.append(_in_order(serial, parse_certificates("\n".join(given))))
    return tuple(pems)


def _in_order(serial: int, given: tuple[Certificate, ...]) -> str:
    leaf = next((one for one in given if one.serial == serial), given[0])
    try:
        chain = order_chain(leaf, given)
    except BrokenChainError:
        chain = tuple(one for one in given if one is not leaf)
    return "".join(f"{one.pem.strip()}\n" for one in (leaf, *chain))

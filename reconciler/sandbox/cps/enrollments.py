"""Creating, updating and deleting enrollments, and what each leads to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from reconciler.sandbox.cps import rules
from reconciler.sandbox.cps.body import EnrollmentBody, NetworkConfiguration, normalized
from reconciler.sandbox.cps.changes import MID_DEPLOYMENT, Changes
from reconciler.sandbox.cps.limits import Limits
from reconciler.sandbox.cps.problems import Refused, invalid_request, invalid_state, pending_change
from reconciler.sandbox.cps.state import ALGORITHMS, Algorithm, ApiClient, Change, Enrollment, Kind
from reconciler.sandbox.cps.world import World, deployed_names, renewal_start

FIRST_ENROLLMENT = 190001


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The query parameters of writes."""

    allow_cancel_pending_changes: bool = False
    allow_duplicate_cn: bool = False
    allow_missing_certificate_addition: bool = False
    allow_staging_bypass: bool = False
    force_renewal: bool = False
    renewal_date_check_override: bool = False
    deploy_not_before: datetime | None = None
    deploy_not_after: datetime | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Wishes":
        """Return the wishes of a query.

        Raises:
            Refused: 400: a value is neither true nor false, or no date.
        """
        return cls(
            allow_cancel_pending_changes=_flag(query, "allow-cancel-pending-changes"),
            allow_duplicate_cn=_flag(query, "allow-duplicate-cn"),
            allow_missing_certificate_addition=_flag(query, "allow-missing-certificate-addition"),
            allow_staging_bypass=_flag(query, "allow-staging-bypass"),
            force_renewal=_flag(query, "force-renewal"),
            renewal_date_check_override=_flag(query, "renewal-date-check-override"),
            deploy_not_before=instant(query.get("deploy-not-before"), "deploy-not-before"),
            deploy_not_after=instant(query.get("deploy-not-after"), "deploy-not-after"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a write led to; without a change nothing has to run."""

    enrollment: Enrollment
    change: Change | None


class Enrollments:
    def __init__(self, world: World, changes: Changes, limits: Limits) -> None:
        self._world = world
        self._changes = changes
        self._limits = limits

    def create(self, body: EnrollmentBody, contract: str | None, wishes: Wishes, client: ApiClient) -> Written:
        """Make an enrollment and its first change.

        Raises:
            Refused: 400 for contract and body, 409 for a common name in use and for the create limit.
        """
        if contract is None:
            raise invalid_request("The query parameter contractId is required.")
        check_contract(contract, client)
        self._check(body, wishes)
        rules.check_new(body)
        if not wishes.allow_duplicate_cn:
            self._refuse_duplicate(body.csr.cn)
        if not self._limits.may_create(contract):
            raise Refused(409, "create-limit-exceeded", "Create limit exceeded.", "One create in 5 minutes is allowed.")
        enrollment = Enrollment(
            id=self._world.ids.next("cps.enrollment", first=FIRST_ENROLLMENT),
            contract=contract,
            wanted=normalized(body, self._world.options),
            created_at=self._world.now(),
        )
        self._world.before_write(enrollment.id)
        self._world.state.enrollments[enrollment.id] = enrollment
        return Written(enrollment=enrollment, change=self._open(enrollment, Kind.NEW, wishes, client.user))

    def update(self, enrollment: Enrollment, body: EnrollmentBody, wishes: Wishes, user: str) -> Written:
        """Store a new wanted state and open the change that it needs, if any.

        Raises:
            Refused: 400 for the body, 409 for a pending change, 500 (option) in mid-deployment.
        """
        self._check(body, wishes)
        rules.check_immutable(enrollment.wanted, body, self._world.options)
        wanted = normalized(body, self._world.options)
        pending = self._world.pending(enrollment)
        if pending is not None:
            self._refuse_pending(pending, wishes)
        kind, algorithms = self._effect(enrollment, wanted, wishes, pending)
        if kind is not None and pending is None:
            self._refuse_in_renewal_window(enrollment, wishes)
        self._world.before_write(enrollment.id)
        before, enrollment.wanted = enrollment.wanted, wanted
        if kind is None:
            return Written(enrollment=enrollment, change=None)
        if pending is not None:
            self._changes.supersede(enrollment, pending)
        change = self._open(enrollment, kind, wishes, user, algorithms)
        change.body_before = before
        change.bypass_staging = wishes.allow_staging_bypass and not kind.needs_certificate
        return Written(enrollment=enrollment, change=change)

    def delete(self, enrollment: Enrollment, wishes: Wishes, user: str) -> Written | None:
        """Remove an enrollment: at once (None) where it was never deployed, else by a change.

        Raises:
            Refused: 409 for a pending change, and (option) for names that receive traffic.
        """
        pending = self._world.pending(enrollment)
        if pending is not None and (not wishes.allow_cancel_pending_changes or pending.kind is Kind.REMOVAL):
            raise pending_change()
        names = deployed_names(enrollment.production)
        if names and self._world.options.delete_deployed == "refused-live":
            raise Refused(
                409,
                "certificate-live-on-network",
                "Cannot deprovision certificate(s). Certificate(s) are still live.",
                f"All Domains Inactive failure. Live certificates found on network: [{', '.join(sorted(names))}]",
            )
        self._world.before_write(enrollment.id)
        if enrollment.production is None and enrollment.staging is None:
            self._changes.remove(enrollment)
            return None
        if pending is not None:
            self._changes.supersede(enrollment, pending)
        return Written(enrollment=enrollment, change=self._open(enrollment, Kind.REMOVAL, wishes, user))

    def _check(self, body: EnrollmentBody, wishes: Wishes) -> None:
        rules.check(body, self._world.options)
        check_schedule(wishes.deploy_not_before, wishes.deploy_not_after, self._world.now())

    def _refuse_duplicate(self, cn: str) -> None:
        for other in self._world.state.enrollments.values():
            if other.wanted.csr.cn.lower() == cn.lower():
                # The slug is invented: clients tell of the 409 only.
                raise Refused(
                    409,
                    "duplicate-common-name",
                    "Duplicate common name.",
                    f"The common name [{cn}] is used by enrollment {other.id}.",
                )

    def _refuse_pending(self, pending: Change, wishes: Wishes) -> None:
        deploying = pending.status in MID_DEPLOYMENT and not pending.held and pending.outcome == "open"
        if deploying and self._world.options.update_mid_deployment == "500":
            raise Refused(500, "internal_error", "Internal Server Error", "The enrollment is being deployed.")
        if deploying or pending.kind is Kind.REMOVAL or not wishes.allow_cancel_pending_changes:
            raise pending_change()

    def _refuse_in_renewal_window(self, enrollment: Enrollment, wishes: Wishes) -> None:
        """Protect the window in which CPS renews by itself, as `renewal-date-check-override` suggests it does.

        A call that cancels a pending change passes: a client in the field renews so, without the override.
        """
        start = renewal_start(enrollment, self._world.options)
        if start is None or wishes.renewal_date_check_override or self._world.options.renewal_window == "open":
            return
        if self._world.now() >= start:
            raise invalid_state("The enrollment is in its automatic renewal window.")

    def _effect(
        self, enrollment: Enrollment, wanted: EnrollmentBody, wishes: Wishes, pending: Change | None
    ) -> tuple[Kind | None, tuple[Algorithm, ...] | None]:
        if enrollment.production is None:
            return Kind.NEW, None
        if wishes.force_renewal:
            return Kind.RENEWAL, None
        present = {certificate.algorithm for certificate in enrollment.production.certificates}
        missing = tuple(algorithm for algorithm in ALGORITHMS if algorithm not in present)
        if wishes.allow_missing_certificate_addition and missing:
            return Kind.ADDITION, missing
        # With a pending change the stored state is what that change wanted; it is given up.
        stored = enrollment.wanted if pending is None else enrollment.deployed_body or enrollment.wanted
        kind = difference(stored, wanted)
        if kind is Kind.SETTINGS and self._world.options.network_update == "renew":
            kind = Kind.RENEWAL
        return (Kind.RENEWAL if kind is None and pending is not None else kind), None

    def _open(
        self,
        enrollment: Enrollment,
        kind: Kind,
        wishes: Wishes,
        user: str,
        algorithms: tuple[Algorithm, ...] | None = None,
    ) -> Change:
        return self._changes.open(
            enrollment,
            kind,
            created_by=user,
            algorithms=algorithms,
            not_before=wishes.deploy_not_before,
            not_after=wishes.deploy_not_after,
        )


def check_contract(contract: str, client: ApiClient) -> None:
    """Refuse a contract that the client can't see, in the words of a recorded answer."""
    if contract not in client.contracts:
        title = (
            "ApiError(type=Forbidden, title=Invalid Contract, "
            f"detail=The current contract does not belong to ACG list., source=Contract ID: {contract})"
        )
        raise Refused(400, "invalid-contract", title)


def difference(old: EnrollmentBody, new: EnrollmentBody) -> Kind | None:
    """Return the kind of change that leads from one wanted state to another; None for contacts and the like."""
    if _lower(old.csr.names) != _lower(new.csr.names):
        return Kind.NAMES
    if _subject(old) != _subject(new):
        return Kind.SUBJECT
    if _settings(old.network_configuration) != _settings(new.network_configuration):
        return Kind.SETTINGS
    return None


def check_schedule(not_before: datetime | None, not_after: datetime | None, now: datetime) -> None:
    """Refuse deploy dates of the past, and a last one before the first."""
    for name, date in (("not before", not_before), ("not after", not_after)):
        if date is not None and date < now:
            raise invalid_request(f"The deploy date ({name}) must be in the future.")
    if not_before is not None and not_after is not None and not_after < not_before:
        raise invalid_request("The deploy date (not after) is before the other one (not before).")


def instant(text: object, name: str) -> datetime | None:
    """Return the instant of a date or an ISO timestamp; without zone it is UTC.

    Raises:
        Refused: 400.
    """
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(str(text))
    except ValueError:
        raise invalid_request(f"[{text}] is not a date ({name}).") from None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def _flag(query: Mapping[str, str], name: str) -> bool:
    value = query.get(name, "false").lower()
    if value not in ("true", "false"):
        raise invalid_request(f"The query parameter {name} must be true or false, not [{value}].")
    return value == "true"


def _lower(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


def _subject(body: EnrollmentBody) -> tuple[object, ...]:
    csr = body.csr
    return (*(value or None for value in (csr.c, csr.st, csr.l, csr.o, csr.ou)), body.exclude_sans)


def _settings(network: NetworkConfiguration) -> NetworkConfiguration:
    """Return settings in which order means nothing, and without names cloned from the SANs."""
    settings = network.dns_name_settings
    if settings is not None:
        names = None if settings.clone_dns_names else sorted(settings.dns_names or ())
        settings = msgspec.structs.replace(settings, dns_names=names)
    return msgspec.structs.replace(
        network,
        disallowed_tls_versions=sorted(network.disallowed_tls_versions or ()),
        dns_name_settings=settings,
    )

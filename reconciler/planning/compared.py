"""What comes of comparing a plan with that of another revision, made from the same look."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.model.certificate import CertificateName, DesiredCertificate, EnrollmentId


class Origin(enum.StrEnum):
    """Why a certificate's work is in a plan."""

    CHANGE = "change"  # absent from the base plan, or different there
    DRIFT = "drift"  # between file and services, whatever the revision
    RENEWAL = "renewal"
    IN_FLIGHT = "in flight"  # begun before


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A certificate whose file the change takes away: it stays as it is, and nobody renews it any more."""

    desired: DesiredCertificate  # as the base has it
    enrollment_id: EnrollmentId | None  # None: there is none yet, or nobody has looked
    expires_at: datetime | None  # None: it serves nothing, or nobody has looked
    pending: bool  # with a change under way, that nobody goes on with
    looked_at: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A plan's relation to its base. `origins` lack what is unchanged in both."""

    revision: str
    reference: str  # as the command line has it
    origins: Mapping[CertificateName, Origin] = field(default_factory=dict)
    released: tuple[Release, ...] = ()  # what ends first comes first
    note: str = ""  # why all counts as changed, where the base could not be planned

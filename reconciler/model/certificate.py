"""What a person wants: one certificate of the desired state, checked, normalised, with defaults merged in."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal, NewType

from reconciler.errors import Location
from reconciler.model.names import DnsName

CertificateName = NewType("CertificateName", str)  # path below certificates/ without suffix, or `name`
AccountName = NewType("AccountName", str)  # an Akamai account, by the user's own name
InstanceName = NewType("InstanceName", str)  # an SCM instance, by the user's own name
ContractId = NewType("ContractId", str)  # without the "ctr_" of other Akamai services
EnrollmentId = NewType("EnrollmentId", int)
ChangeId = NewType("ChangeId", int)


class KeyType(enum.StrEnum):
    RSA = "RSA"
    ECDSA = "ECDSA"

    @property
    def spelt(self) -> str:
        """The key type as users write it."""
        return "RSA-2048" if self is KeyType.RSA else "ECDSA-P256"


class IssuerClass(enum.StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"


class State(enum.StrEnum):
    PRESENT = "present"
    ABSENT = "absent"


class Promote(enum.StrEnum):
    AUTO = "auto"
    VERIFIED = "verified"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    first_name: str
    last_name: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalOrganization:
    """The organization's address as CPS keeps it; it is not what stands in the certificate."""

    name: str
    address_line_one: str
    address_line_two: str | None = None
    city: str
    region: str
    postal_code: str
    country: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The subject of the CSR beside its common name. OU is not here: public CAs may not issue it (BR 7.1.2.7)."""

    country: str | None = None
    state: str | None = None
    locality: str | None = None
    organization: str | None = None
    organizational_unit: str | None = None  # private issuers only


@dataclass(frozen=True, slots=True, kw_only=True)
class MutualAuthentication:
    set_id: str | None = None
    send_ca_list_to_client: bool | None = None
    ocsp_enabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewBefore:
    """How long before expiry to renew: days, or a share of the lifetime in percent. Exactly one is given."""

    days: float | None = None
    percent: float | None = None

    def of(self, lifetime: timedelta) -> timedelta:
        if self.days is not None:
            return timedelta(days=self.days)
        if self.percent is None:
            raise ValueError("neither days nor percent")
        return lifetime * (self.percent / 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredOrder:
    """The `sectigo:` part: how the certificate is to be issued."""

    instance: InstanceName
    organization: str  # name, "Name / Department", or the id in digits
    profile: str  # name, or the id in digits
    issuer: IssuerClass
    term_days: int | None  # None: the longest term that profile and rules allow; else at most this
    custom_fields: Mapping[str, str] = field(default_factory=dict)
    external_requester: tuple[str, ...] = ()
    dcv_mode: str | None = None
    dcv_email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredEnrollment:
    """The `akamai:` part. `None` means not named by any file: a default for a create, unmanaged afterwards."""

    account: AccountName
    contract: ContractId
    secure_network: Literal["enhanced-tls", "standard-tls"]
    sni_only: bool
    enrollment_id: EnrollmentId | None = None
    allow_duplicate_cn: bool = False
    geography: str | None = None
    must_have_ciphers: str | None = None
    preferred_ciphers: str | None = None
    disallowed_tls_versions: frozenset[str] | None = None
    ocsp_stapling: str | None = None
    clone_dns_names: bool | None = None
    client_mutual_authentication: MutualAuthentication | None = None
    fips_mode: bool | None = None
    signature_algorithm: str | None = None
    exclude_sans: bool | None = None
    change_management: bool | None = None
    promote: Promote = Promote.AUTO
    deploy_not_before: date | None = None
    adopt_change: ChangeId | None = None
    cancel_change: ChangeId | None = None
    subject: Subject | None = None
    admin_contact: Contact | None = None
    tech_contact: Contact | None = None
    org: PostalOrganization | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedWarning:
    """A warning that this certificate may acknowledge. `names`: exactly the names whose removal was reviewed."""

    id: str
    names: frozenset[DnsName] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    serial: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What makes two enrollments the same one (besides a pinned id)."""

    account: AccountName
    contract: ContractId
    common_name: DnsName
    secure_network: str
    sni_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredCertificate:
    """One certificate as git asks for it: file and defaults merged, names normalised, statically valid."""

    name: CertificateName
    location: Location  # its file
    common_name: DnsName
    sans: frozenset[DnsName]  # all names, the common name among them
    key_types: frozenset[KeyType] | None  # None: not named; RSA for a create, those served afterwards
    labels: Mapping[str, str] = field(default_factory=dict)
    state: State = State.PRESENT
    protect: bool = False
    order: DesiredOrder
    enrollment: DesiredEnrollment
    renew_before: RenewBefore | None = None
    accept_warnings: tuple[AcceptedWarning, ...] = ()
    revocations: tuple[Revocation, ...] = ()
    verify_edge_host: str | None = None
    sources: Mapping[str, Location] = field(
        default_factory=dict, compare=False
    )  # "akamai.contract" -> where it is written

    @property
    def identity(self) -> Identity:
        return Identity(
            account=self.enrollment.account,
            contract=self.enrollment.contract,
            common_name=self.common_name,
            secure_network=self.enrollment.secure_network,
            sni_only=self.enrollment.sni_only,
        )

    @property
    def wanted_key_types(self) -> frozenset[KeyType]:
        """The key types of a new certificate: those named, else RSA."""
        return self.key_types or frozenset({KeyType.RSA})

    def source(self, pointer: str) -> Location:
        """Return where the field `pointer` is written: the nearest enclosing field that is, else the file."""
        while pointer:
            if pointer in self.sources:
                return self.sources[pointer]
            pointer = pointer.rpartition(".")[0]
        return self.location

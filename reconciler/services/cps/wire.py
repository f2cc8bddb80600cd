"""CPS's JSON of enrollments and of what is served, as it is spelt on the wire -> values.

Everything may be missing or null; unknown members are left out."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from reconciler.model.certificate import (
    AccountName,
    ChangeId,
    Contact,
    ContractId,
    EnrollmentId,
    KeyType,
    MutualAuthentication,
    PostalOrganization,
    Subject,
)
from reconciler.model.enrollment import Enrollment, PendingChange, Served, ServedCertificate
from reconciler.services.decode import (
    BodyError,
    decode,
    each_row_once,
    instant,
    observed_name,
    optional_instant,
    serial_number,
    text_or_none,
)


class Wire(msgspec.Struct, rename="camel"):
    """What CPS writes in an object, in its own names."""


class WireContact(Wire):
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None


class WireOrg(Wire):
    name: str | None = None
    address_line_one: str | None = None
    address_line_two: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    phone: str | None = None


class WireCsr(Wire):
    cn: str | None = None
    sans: list[str] | None = None
    c: str | None = None
    st: str | None = None
    l: str | None = None  # noqa: E741 - the service's name
    o: str | None = None
    ou: str | None = None


class WireOcsp(Wire):
    enabled: bool | None = None


class WireAuthenticationOptions(Wire):
    send_ca_list_to_client: bool | None = None
    ocsp: WireOcsp | None = None


class WireMutualAuthentication(Wire):
    set_id: str | None = None
    authentication_options: WireAuthenticationOptions | None = None


class WireDnsNames(Wire):
    clone_dns_names: bool | None = None


class WireNetwork(Wire):
    geography: str | None = None
    secure_network: str | None = None
    sni_only: bool | None = None
    must_have_ciphers: str | None = None
    preferred_ciphers: str | None = None
    disallowed_tls_versions: list[str] | None = None
    ocsp_stapling: str | None = None
    dns_name_settings: WireDnsNames | None = None
    client_mutual_authentication: WireMutualAuthentication | None = None
    fips_mode: bool | None = None


class WireThirdParty(Wire):
    exclude_sans: bool | None = None


class WirePending(Wire):
    location: str | None = None
    change_type: str | None = None


class WireEnrollment(Wire):
    id: int | None = None
    location: str | None = None
    ra: str | None = None
    validation_type: str | None = None
    change_management: bool | None = None
    enable_multi_stacked_certificates: bool | None = None
    csr: WireCsr | None = None
    network_configuration: WireNetwork | None = None
    org: WireOrg | None = None
    admin_contact: WireContact | None = None
    tech_contact: WireContact | None = None
    third_party: WireThirdParty | None = None
    pending_changes: list[WirePending | str] | None = None  # texts up to v9
    auto_renewal_start_time: str | None = None
    production_slots: list[int] | None = None


class RawEnrollments(Wire):
    """A list whose items are decoded one by one: one that can't be read must not hide the others."""

    enrollments: list[msgspec.Raw]


class _Label(Wire):
    id: int | str | None = None
    location: str | None = None


def items(body: bytes) -> list[msgspec.Raw]:
    return decode(body, RawEnrollments).enrollments


def label(raw: msgspec.Raw) -> str:
    """Return what to call an item that can't be read."""
    try:
        found = decode(bytes(raw), _Label)
    except BodyError:
        return "an item without an id"
    return f"enrollment {found.id or found.location or 'without an id'}"


def last_id(path: str | None) -> int | None:
    """Return the id that a path ends in; CPS has two spellings of what stands before it."""
    last = (path or "").rstrip("/").rpartition("/")[2]
    return int(last) if last.isascii() and last.isdigit() else None


@each_row_once
def enrollment(row: bytes, account: AccountName, contract: ContractId | None) -> Enrollment:
    """Return an enrollment, of any version from v9 on.

    Raises:
        BodyError: it can't be used; the message says why.
    """
    wire = decode(row, WireEnrollment)
    network, csr = wire.network_configuration, wire.csr
    number = wire.id if wire.id is not None else last_id(wire.location)
    if number is None or csr is None or csr.cn is None or network is None:
        raise BodyError("id, csr.cn or networkConfiguration is missing")
    if network.secure_network is None or network.sni_only is None:
        raise BodyError("secureNetwork or sniOnly is missing")
    name = observed_name(csr.cn)
    return Enrollment(
        id=EnrollmentId(number),
        account=account,
        contract=contract,
        third_party=wire.ra == "third-party" and wire.validation_type == "third-party",
        common_name=name,
        sans=frozenset({name, *(observed_name(san) for san in csr.sans or ())}),
        subject=_subject(csr),
        secure_network=network.secure_network,
        sni_only=network.sni_only,
        geography=network.geography,
        must_have_ciphers=network.must_have_ciphers,
        preferred_ciphers=network.preferred_ciphers,
        disallowed_tls_versions=frozenset(network.disallowed_tls_versions or ()),
        ocsp_stapling=network.ocsp_stapling,
        clone_dns_names=network.dns_name_settings.clone_dns_names if network.dns_name_settings else None,
        client_mutual_authentication=_mutual_authentication(network.client_mutual_authentication),
        fips_mode=network.fips_mode,
        exclude_sans=bool(wire.third_party and wire.third_party.exclude_sans),
        change_management=bool(wire.change_management),
        multi_stacked=bool(wire.enable_multi_stacked_certificates),
        org=_org(wire.org),
        admin_contact=_contact(wire.admin_contact),
        tech_contact=_contact(wire.tech_contact),
        pending=_pending(wire.pending_changes or ()),
        auto_renewal_starts_at=optional_instant(wire.auto_renewal_start_time),
        production_slots=tuple(wire.production_slots or ()),
    )


def _subject(csr: WireCsr) -> Subject:
    return Subject(
        country=text_or_none(csr.c),
        state=text_or_none(csr.st),
        locality=text_or_none(csr.l),
        organization=text_or_none(csr.o),
        organizational_unit=text_or_none(csr.ou),
    )


def _mutual_authentication(wire: WireMutualAuthentication | None) -> MutualAuthentication | None:
    if wire is None:
        return None
    options = wire.authentication_options or WireAuthenticationOptions()
    return MutualAuthentication(
        set_id=wire.set_id,
        send_ca_list_to_client=options.send_ca_list_to_client,
        ocsp_enabled=options.ocsp.enabled if options.ocsp else None,
    )


def _contact(wire: WireContact | None) -> Contact | None:
    if wire is None:
        return None
    return Contact(
        first_name=wire.first_name or "",
        last_name=wire.last_name or "",
        email=wire.email or "",
        phone=wire.phone or "",
    )


def _org(wire: WireOrg | None) -> PostalOrganization | None:
    if wire is None:
        return None
    return PostalOrganization(
        name=wire.name or "",
        address_line_one=wire.address_line_one or "",
        address_line_two=text_or_none(wire.address_line_two),
        city=wire.city or "",
        region=wire.region or "",
        postal_code=wire.postal_code or "",
        country=wire.country or "",
        phone=wire.phone or "",
    )


def _pending(wires: Iterable[WirePending | str]) -> tuple[PendingChange, ...]:
    changes = []
    for wire in wires:
        path, kind = (wire, None) if isinstance(wire, str) else (wire.location, wire.change_type)
        number = last_id(path)
        if number is None:
            raise BodyError(f"a pending change without an id: {path!r}")
        changes.append(PendingChange(id=ChangeId(number), change_type=kind))
    return tuple(changes)


class WireServed(Wire):
    serial: str
    expiry: str
    key_algorithm: Literal["RSA", "ECDSA"]
    sha256_fingerprint: str = msgspec.field(name="sha256Fingerprint")
    issuer: str | None = None


class WireServedNetwork(Wire):
    primary_certificate: WireServed | None = None
    multi_stacked_certificates: list[WireServed] | None = None


class WireActive(Wire):
    id: int | None = None
    location: str | None = None
    production: WireServedNetwork | None = None
    staging: WireServedNetwork | None = None


@each_row_once
def served(row: bytes) -> tuple[EnrollmentId, Served]:
    """Return one row of active-certificates.

    Raises:
        BodyError: it can't be used.
    """
    wire = decode(row, WireActive)
    number = wire.id if wire.id is not None else last_id(wire.location)
    if number is None:
        raise BodyError("no id")
    return EnrollmentId(number), Served(staging=_by_key_type(wire.staging), production=_by_key_type(wire.production))


def _by_key_type(network: WireServedNetwork | None) -> dict[KeyType, ServedCertificate]:
    if network is None:
        return {}
    several = [network.primary_certificate, *(network.multi_stacked_certificates or ())]
    certificates = [_served_certificate(wire) for wire in several if wire is not None]
    by_key_type = {certificate.key_type: certificate for certificate in certificates}
    if len(by_key_type) != len(certificates):
        raise BodyError("two certificates of one key type on one network")
    return by_key_type


def _served_certificate(wire: WireServed) -> ServedCertificate:
    return ServedCertificate(
        key_type=KeyType(wire.key_algorithm),
        serial=serial_number(wire.serial),
        sha256=wire.sha256_fingerprint.replace(":", "").upper(),
        expires_at=instant(wire.expiry),
        issuer=wire.issuer or "",
    )

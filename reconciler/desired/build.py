"""Merged fields -> `DesiredCertificate`, after schema and checks.

Only where the configuration could not be read may an account or instance be unknown; nothing acts on those.
"""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from reconciler.desired.examined import Examined
from reconciler.desired.fields import Fields, issuer_class, renew_before, term_days
from reconciler.model.certificate import (
    AcceptedWarning,
    AccountName,
    CertificateName,
    ChangeId,
    Contact,
    ContractId,
    DesiredCertificate,
    DesiredEnrollment,
    DesiredOrder,
    EnrollmentId,
    InstanceName,
    KeyType,
    MutualAuthentication,
    PostalOrganization,
    Promote,
    Revocation,
    State,
    Subject,
)
from reconciler.model.names import dns_name
from reconciler.model.warnings import warning_id

Id = TypeVar("Id")

_KEY_TYPES = {key_type.spelt: key_type for key_type in KeyType}


def certificate(name: CertificateName, examined: Examined) -> DesiredCertificate:
    """Return the value of a certificate in which no error was found."""
    fields = examined.fields
    common_name = dns_name(fields.required("commonName"))
    key_types = fields.texts("keyTypes")
    return DesiredCertificate(
        name=name,
        location=examined.merged.location(""),
        common_name=common_name,
        sans=frozenset({common_name, *map(dns_name, fields.texts("dnsNames") or ())}),
        key_types=None if key_types is None else frozenset(_KEY_TYPES[spelt] for spelt in key_types),
        labels=fields.text_map("labels"),
        state=State(fields.text("state") or State.PRESENT),
        protect=fields.flag("protect") or False,
        order=_order(examined.sectigo, examined.instance),
        enrollment=_enrollment(examined.akamai, examined.account),
        renew_before=renew_before(fields.section("renewal").data.get("before")),
        accept_warnings=_accepted_warnings(fields),
        revocations=_revocations(fields),
        verify_edge_host=fields.section("verify").text("edgeHost"),
        sources=examined.merged.sources,
    )


def _order(fields: Fields, instance: str | None) -> DesiredOrder:
    dcv = fields.section("dcv")
    return DesiredOrder(
        instance=InstanceName(instance or ""),
        organization=fields.required("organization"),
        profile=fields.required("profile"),
        issuer=issuer_class(fields),
        term_days=term_days(fields),
        custom_fields=fields.text_map("customFields"),
        external_requester=fields.texts("externalRequester") or (),
        dcv_mode=dcv.text("mode"),
        dcv_email=dcv.text("email"),
    )


def _enrollment(fields: Fields, account: str | None) -> DesiredEnrollment:
    tls_versions = fields.texts("disallowedTlsVersions")
    not_before = fields.section("deploy").text("notBefore")
    sni_only = fields.flag("sniOnly")
    return DesiredEnrollment(
        account=AccountName(account or ""),
        contract=ContractId(fields.required("contract")),
        secure_network="standard-tls" if fields.required("secureNetwork") == "standard-tls" else "enhanced-tls",
        sni_only=True if sni_only is None else sni_only,
        enrollment_id=_numbered(EnrollmentId, fields.whole("enrollmentId")),
        allow_duplicate_cn=fields.flag("allowDuplicateCn") or False,
        geography=fields.text("geography"),
        must_have_ciphers=fields.text("mustHaveCiphers"),
        preferred_ciphers=fields.text("preferredCiphers"),
        disallowed_tls_versions=None if tls_versions is None else frozenset(tls_versions),
        ocsp_stapling=fields.text("ocspStapling"),
        clone_dns_names=fields.flag("cloneDnsNames"),
        client_mutual_authentication=_mutual_authentication(fields.section("clientMutualAuthentication")),
        fips_mode=fields.flag("fipsMode"),
        signature_algorithm=fields.text("signatureAlgorithm"),
        exclude_sans=fields.flag("excludeSans"),
        change_management=fields.flag("changeManagement"),
        promote=Promote(fields.text("promote") or Promote.AUTO),
        deploy_not_before=None if not_before is None else date.fromisoformat(not_before),
        adopt_change=_numbered(ChangeId, fields.whole("adoptChange")),
        cancel_change=_numbered(ChangeId, fields.whole("cancelChange")),
        subject=_subject(fields.section("subject")),
        admin_contact=_contact(fields.section("adminContact")),
        tech_contact=_contact(fields.section("techContact")),
        org=_postal_organization(fields.section("org")),
    )


def _numbered(kind: Callable[[int], Id], number: int | None) -> Id | None:
    return None if number is None else kind(number)


def _mutual_authentication(fields: Fields) -> MutualAuthentication | None:
    if not fields.data:
        return None
    return MutualAuthentication(
        set_id=fields.text("setId"),
        send_ca_list_to_client=fields.flag("sendCaListToClient"),
        ocsp_enabled=fields.flag("ocspEnabled"),
    )


def _subject(fields: Fields) -> Subject | None:
    if not fields.data:
        return None
    return Subject(
        country=fields.text("country"),
        state=fields.text("state"),
        locality=fields.text("locality"),
        organization=fields.text("organization"),
        organizational_unit=fields.text("organizationalUnit"),
    )


def _contact(fields: Fields) -> Contact | None:
    if not fields.data:
        return None
    return Contact(
        first_name=fields.required("firstName"),
        last_name=fields.required("lastName"),
        email=fields.required("email"),
        phone=fields.required("phone"),
    )


def _postal_organization(fields: Fields) -> PostalOrganization | None:
    if not fields.data:
        return None
    return PostalOrganization(
        name=fields.required("name"),
        address_line_one=fields.required("addressLineOne"),
        address_line_two=fields.text("addressLineTwo"),
        city=fields.required("city"),
        region=fields.required("region"),
        postal_code=fields.required("postalCode"),
        country=fields.required("country"),
        phone=fields.required("phone"),
    )


def _accepted_warnings(fields: Fields) -> tuple[AcceptedWarning, ...]:
    """Return the accepted warnings in a fixed order, ids as CPS spells them."""
    accepted = (
        AcceptedWarning(
            id=warning_id(entry.required("id")) or entry.required("id"),
            names=frozenset(map(dns_name, entry.texts("names") or ())),
        )
        for entry in fields.sections("acceptWarnings")
    )
    return tuple(sorted(accepted, key=lambda warning: (warning.id, sorted(warning.names))))


def _revocations(fields: Fields) -> tuple[Revocation, ...]:
    entries = fields.sections("revoke")
    revocations = (
        Revocation(serial=_serial(entry.required("serial")), reason=entry.required("reason")) for entry in entries
    )
    return tuple(sorted(revocations, key=lambda revocation: revocation.serial))


def _serial(text: str) -> str:
    return text.replace(":", "").upper()

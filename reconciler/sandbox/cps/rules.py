"""What CPS asks of an enrollment beyond its schema, and which fields can't change."""

import re
from collections.abc import Callable, Iterator

import msgspec

from reconciler.sandbox.cps.body import Contact, EnrollmentBody
from reconciler.sandbox.cps.options import CpsOptions
from reconciler.sandbox.cps.problems import Refused, invalid_enrollment

CIPHER_PROFILES = (
    "ak-akamai-2020q1",
    "ak-akamai-2020q1-without-chacha20poly1305",
    "ak-akamai-default",
    "ak-akamai-default-2017q3",
    "ak-akamai-default2016q3",
)
_FIPS_PROFILES = ("ak-akamai-2020q1", "ak-akamai-2020q1-without-chacha20poly1305")
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_PHONE = re.compile(r"[^A-Za-z]*[0-9][^A-Za-z]*")
# DNS_NAME_LONGER_THEN_255_CHARS is a warning; up to there a long name is only checked label by label.
_NAME_LIMIT = 255


class NotInTheSandbox(Exception):  # noqa: N818 - an answer, not an error of ours
    """The real service does this; the sandbox does not."""


def check(body: EnrollmentBody, options: CpsOptions) -> None:
    """Refuse a body that CPS would not take.

    Raises:
        Refused: 400, for the first rule it breaks.
        NotInTheSandbox: it asks for a certificate that is not third-party.
    """
    if {body.ra, body.validation_type, body.certificate_type} != {"third-party"}:
        raise NotInTheSandbox("The sandbox knows third-party enrollments only.")
    for text in _problems(body, options):
        raise invalid_enrollment(text)


def check_new(body: EnrollmentBody) -> None:
    if body.network_configuration.client_mutual_authentication is not None:
        raise invalid_enrollment(
            "Invalid network configuration - "
            "Create enrollment request contains client mutual authentication configuration"
        )


def check_immutable(old: EnrollmentBody, new: EnrollmentBody, options: CpsOptions) -> None:
    """Refuse a PUT that changes what only a new enrollment can have."""
    for name, read in _IMMUTABLE.items():
        if read(old) != read(new):
            raise Refused(
                int(options.immutable_field_status),
                options.immutable_field_slug,
                "Invalid enrollment.",
                f"The field {name} cannot be changed: it is [{read(old)}], not [{read(new)}].",
            )


_IMMUTABLE: dict[str, Callable[[EnrollmentBody], object]] = {
    "csr.cn": lambda body: body.csr.cn.lower(),
    "networkConfiguration.sniOnly": lambda body: body.network_configuration.sni_only,
    "networkConfiguration.secureNetwork": lambda body: body.network_configuration.secure_network,
    "ra": lambda body: body.ra,
    "validationType": lambda body: body.validation_type,
    "certificateType": lambda body: body.certificate_type,
}


def _problems(body: EnrollmentBody, options: CpsOptions) -> Iterator[str]:
    yield from _third_party(body)
    yield from _names(body, options)
    yield from _subject(body)
    yield from _network(body)
    yield from _dns_names(body)
    yield from _fips(body)
    yield from _people(body)
    yield from _lengths(body, options)


def _third_party(body: EnrollmentBody) -> Iterator[str]:
    if body.third_party is None:
        yield "Third party enrollments need thirdParty."
    if body.csr.preferred_trust_chain:
        yield "preferredTrustChain is for enrollments with validationType dv only."


def _names(body: EnrollmentBody, options: CpsOptions) -> Iterator[str]:
    if not body.csr.cn or len(body.csr.cn) > options.cn_max_length:
        yield f"The common name must have 1 to {options.cn_max_length} characters."
    for name in (body.csr.cn, *body.csr.names):
        if not _is_dns_name(name):
            yield f"Invalid DNS name [{name}]."
    count = len({name.lower() for name in (body.csr.cn, *body.csr.names)})
    if count > options.max_names:
        yield f"The enrollment has {count} names and that exceeds the maximum of {options.max_names}."


def _is_dns_name(name: str) -> bool:
    labels = name.removeprefix("*.").split(".")
    return len(name) <= 2 * _NAME_LIMIT and len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels)


def _subject(body: EnrollmentBody) -> Iterator[str]:
    if body.csr.c and not re.fullmatch("[A-Z]{2}", body.csr.c):
        yield f"The country [{body.csr.c}] is not a two-letter code."


def _network(body: EnrollmentBody) -> Iterator[str]:
    network = body.network_configuration
    for profile in (network.must_have_ciphers, network.preferred_ciphers):
        if profile and profile not in CIPHER_PROFILES:
            yield f"Unknown cipher profile [{profile}]."
    if len(set(network.disallowed_tls_versions or ())) == 4:
        yield "At least one TLS version must be allowed."


def _dns_names(body: EnrollmentBody) -> Iterator[str]:
    settings = body.network_configuration.dns_name_settings
    if settings is None:
        return
    if not body.network_configuration.sni_only:
        yield "dnsNameSettings are for SNI-only enrollments."
    names = {name.lower() for name in (body.csr.cn, *body.csr.names)}
    strangers = [name for name in settings.dns_names or () if name.lower() not in names]
    if strangers and not settings.clone_dns_names:
        yield f"The DNS names [{', '.join(strangers)}] are not among the SANs."


def _fips(body: EnrollmentBody) -> Iterator[str]:
    network = body.network_configuration
    if not network.fips_mode:
        return
    if {"TLSv1_2", "TLSv1_3"} & set(network.disallowed_tls_versions or ()):
        yield "FIPS mode needs TLS 1.2 and TLS 1.3."
    if {network.must_have_ciphers, network.preferred_ciphers} - set(_FIPS_PROFILES):
        yield "FIPS mode needs a current cipher profile."


def _people(body: EnrollmentBody) -> Iterator[str]:
    if body.org_id is not None:
        if body.org or body.admin_contact or body.tech_contact:
            yield "With orgId, org, adminContact and techContact must be null."
        return
    if body.org is None:
        yield "org is required."
    yield from _contact("adminContact", body.admin_contact)
    yield from _contact("techContact", body.tech_contact)
    email = "" if body.tech_contact is None else body.tech_contact.email or ""
    if not email.lower().endswith("@akamai.com"):
        yield f"The technical contact must be at Akamai, not [{email}]."


def _contact(name: str, contact: Contact | None) -> Iterator[str]:
    if contact is None:
        yield f"{name} is required."
        return
    for member in ("firstName", "lastName", "email"):
        if not msgspec.to_builtins(contact)[member]:
            yield f"{name}.{member} must not be blank."
    if not _PHONE.fullmatch(contact.phone or ""):
        yield f"{name}.phone [{contact.phone or ''}] is not a phone number."


def _lengths(body: EnrollmentBody, options: CpsOptions) -> Iterator[str]:
    holders = {"csr": body.csr, "org": body.org, "adminContact": body.admin_contact, "techContact": body.tech_contact}
    for place, holder in holders.items():
        for member, text in (msgspec.to_builtins(holder) or {}).items():
            if isinstance(text, str) and len(text) > options.text_max_length:
                yield f"{place}.{member} is longer than {options.text_max_length} characters."

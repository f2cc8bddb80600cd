"""The digest is equal exactly when the certificates are, and where they are written does not count."""

import hashlib
from dataclasses import replace
from datetime import date

import pytest

from reconciler.errors import Location
from reconciler.model.certificate import (
    AcceptedWarning,
    AccountName,
    CertificateName,
    ContractId,
    DesiredCertificate,
    DesiredEnrollment,
    DesiredOrder,
    EnrollmentId,
    InstanceName,
    IssuerClass,
    KeyType,
    PostalOrganization,
    RenewBefore,
    State,
    Subject,
)
from reconciler.model.digest import desired_digest
from reconciler.model.names import DnsName

ORDER = DesiredOrder(
    instance=InstanceName("enterprise"),
    organization="Example Ltd",
    profile="OV Multi-Domain",
    issuer=IssuerClass.PUBLIC,
    term_days=None,
)
ENROLLMENT = DesiredEnrollment(
    account=AccountName("main"), contract=ContractId("C-1ABCDEF"), secure_network="enhanced-tls", sni_only=True
)
ORG = PostalOrganization(
    name="Example Ltd",
    address_line_one="1 Main Street",
    city="Manchester",
    region="Greater Manchester",
    postal_code="M1 1AA",
    country="GB",
    phone="+44 161 000 0000",
)
CERTIFICATE = DesiredCertificate(
    name=CertificateName("www"),
    location=Location("certificates/www.yaml", 1, 1),
    common_name=DnsName("www.example.com"),
    sans=frozenset({DnsName("www.example.com"), DnsName("img.example.com")}),
    key_types=None,
    labels={"team": "web", "stage": "live"},
    order=ORDER,
    enrollment=replace(ENROLLMENT, org=ORG),
    sources={"commonName": Location("certificates/www.yaml", 2, 1)},
)

# Written by hand from the canonical form, so that no later version moves the digests in journals and plans.
CANONICAL = (
    '{"certificate":{"common_name":"www.example.com","enrollment":{"account":"main","contract":"C-1ABCDEF","org":'
    '{"address_line_one":"1 Main Street","city":"Manchester","country":"GB","name":"Example Ltd","phone":'
    '"+44 161 000 0000","postal_code":"M1 1AA","region":"Greater Manchester"},"secure_network":"enhanced-tls",'
    '"sni_only":true},"key_types":null,"labels":{"stage":"live","team":"web"},"order":{"instance":"enterprise",'
    '"issuer":"public","organization":"Example Ltd","profile":"OV Multi-Domain","term_days":null},"sans":'
    '["img.example.com","www.example.com"]},"format":"certrecon/v1"}'
)


def test_the_digest_is_that_of_the_canonical_form() -> None:
    assert desired_digest(CERTIFICATE) == hashlib.sha256(CANONICAL.encode()).hexdigest()


def test_name_and_places_do_not_count() -> None:
    moved = replace(
        CERTIFICATE, name=CertificateName("web/www"), location=Location("certificates/web/www.yaml", 9, 9), sources={}
    )
    assert desired_digest(moved) == desired_digest(CERTIFICATE)


def test_the_order_of_maps_does_not_count() -> None:
    turned = replace(CERTIFICATE, labels={"stage": "live", "team": "web"})
    assert desired_digest(turned) == desired_digest(CERTIFICATE)


@pytest.mark.parametrize(
    "changed",
    [
        replace(CERTIFICATE, common_name=DnsName("img.example.com")),
        replace(CERTIFICATE, sans=frozenset({DnsName("www.example.com")})),
        replace(CERTIFICATE, key_types=frozenset({KeyType.RSA})),
        replace(CERTIFICATE, key_types=frozenset({KeyType.RSA, KeyType.ECDSA})),
        replace(CERTIFICATE, labels={}),
        replace(CERTIFICATE, state=State.ABSENT),
        replace(CERTIFICATE, protect=True),
        replace(CERTIFICATE, order=replace(ORDER, term_days=90)),
        replace(CERTIFICATE, order=replace(ORDER, custom_fields={"CostCenter": "4711"})),
        replace(CERTIFICATE, enrollment=ENROLLMENT),
        replace(CERTIFICATE, enrollment=replace(ENROLLMENT, org=replace(ORG, name="Other Ltd"))),
        replace(CERTIFICATE, enrollment=replace(ENROLLMENT, org=ORG, enrollment_id=EnrollmentId(1))),
        replace(CERTIFICATE, enrollment=replace(ENROLLMENT, org=ORG, disallowed_tls_versions=frozenset())),
        replace(CERTIFICATE, enrollment=replace(ENROLLMENT, org=ORG, subject=Subject(country="GB"))),
        replace(CERTIFICATE, enrollment=replace(ENROLLMENT, org=ORG, deploy_not_before=date(2026, 12, 1))),
        replace(CERTIFICATE, renew_before=RenewBefore(percent=33)),
        replace(CERTIFICATE, accept_warnings=(AcceptedWarning(id="CROSS_SIGNED_ROOT_IN_TRUST_CHAIN"),)),
        replace(CERTIFICATE, verify_edge_host="www.example.com.edgekey.net"),
    ],
)
def test_every_other_field_counts(changed: DesiredCertificate) -> None:
    assert desired_digest(changed) != desired_digest(CERTIFICATE)

"""What we send to CPS."""

import dataclasses
from typing import Any

from reconciler.model.certificate import (
    Contact,
    DesiredCertificate,
    IssuerClass,
    KeyType,
    MutualAuthentication,
    PostalOrganization,
    Subject,
)
from reconciler.model.enrollment import UploadHalf
from reconciler.services.cps import bodies
from tests.support.certs import desired


def wanting(certificate: DesiredCertificate | None = None, **fields: Any) -> DesiredCertificate:
    certificate = certificate or desired("www.example.com", "img.example.com", "api.example.com")
    return dataclasses.replace(certificate, enrollment=dataclasses.replace(certificate.enrollment, **fields))


def test_a_create_of_what_is_required_takes_the_defaults() -> None:
    assert bodies.create(wanting()) == {
        "ra": "third-party",
        "validationType": "third-party",
        "certificateType": "third-party",
        "certificateChainType": "default",
        "signatureAlgorithm": "SHA-256",
        "changeManagement": True,
        "enableMultiStackedCertificates": False,
        "csr": {
            "cn": "www.example.com",
            "sans": ["www.example.com", "api.example.com", "img.example.com"],
            "c": None,
            "st": None,
            "l": None,
            "o": None,
            "ou": None,
        },
        "networkConfiguration": {
            "geography": "core",
            "secureNetwork": "enhanced-tls",
            "sniOnly": True,
            "quicEnabled": False,
            "mustHaveCiphers": "ak-akamai-2020q1",
            "preferredCiphers": "ak-akamai-2020q1",
            "disallowedTlsVersions": ["TLSv1", "TLSv1_1"],
            "ocspStapling": "on",
            "dnsNameSettings": {"cloneDnsNames": True},
        },
        "org": None,
        "adminContact": None,
        "techContact": None,
        "thirdParty": {"excludeSans": False},
    }


def test_what_a_file_names_is_what_is_sent() -> None:
    contact = Contact(first_name="Ada", last_name="Byron", email="tls@example.com", phone="+44 161 000 0000")
    body = bodies.create(
        wanting(
            secure_network="standard-tls",
            geography="russia+core",
            must_have_ciphers="ak-akamai-default",
            preferred_ciphers="ak-akamai-default-2017q3",
            disallowed_tls_versions=frozenset(),
            ocsp_stapling="not-set",
            fips_mode=False,
            signature_algorithm="SHA-1",
            exclude_sans=True,
            change_management=False,
            subject=Subject(country="GB", organization="Example Ltd"),
            admin_contact=contact,
            org=PostalOrganization(
                name="Example Ltd",
                address_line_one="1 Main Street",
                city="Manchester",
                region="Greater Manchester",
                postal_code="M1 1AA",
                country="GB",
                phone="+44 161 000 0000",
            ),
        )
    )
    network = body["networkConfiguration"]
    assert (network["secureNetwork"], network["geography"]) == ("standard-tls", "russia+core")
    assert (network["mustHaveCiphers"], network["preferredCiphers"]) == (
        "ak-akamai-default",
        "ak-akamai-default-2017q3",
    )
    assert (network["disallowedTlsVersions"], network["ocspStapling"], network["fipsMode"]) == ([], "not-set", False)
    assert (body["signatureAlgorithm"], body["changeManagement"]) == ("SHA-1", False)
    assert body["thirdParty"] == {"excludeSans": True}
    assert (body["csr"]["c"], body["csr"]["o"], body["csr"]["st"]) == ("GB", "Example Ltd", None)
    assert body["adminContact"]["email"] == "tls@example.com"
    assert (body["org"]["postalCode"], body["org"]["addressLineTwo"]) == ("M1 1AA", None)


def test_both_key_types_ask_for_both_certificates() -> None:
    both = dataclasses.replace(wanting(), key_types=frozenset({KeyType.RSA, KeyType.ECDSA}))
    assert bodies.create(both)["enableMultiStackedCertificates"] is True


def test_a_private_issuer_has_nothing_to_staple() -> None:
    private = desired("www.example.com", issuer=IssuerClass.PRIVATE)
    assert bodies.create(private)["networkConfiguration"]["ocspStapling"] == "off"
    named = wanting(private, ocsp_stapling="on")
    assert bodies.create(named)["networkConfiguration"]["ocspStapling"] == "on"


def test_without_sni_there_are_no_name_settings() -> None:
    assert bodies.create(wanting(sni_only=False))["networkConfiguration"]["dnsNameSettings"] is None


def test_names_that_are_not_cloned_are_given() -> None:
    network = bodies.create(wanting(clone_dns_names=False))["networkConfiguration"]
    assert network["dnsNameSettings"] == {
        "cloneDnsNames": False,
        "dnsNames": ["api.example.com", "img.example.com", "www.example.com"],
    }


def test_mutual_authentication_is_never_in_a_create() -> None:
    body = bodies.create(wanting(client_mutual_authentication=MutualAuthentication(set_id="S1")))
    assert "clientMutualAuthentication" not in body["networkConfiguration"]


LIVE = {
    "id": 7,
    "csr": {"cn": "www.example.com"},
    "newMember": {"kept": True},
    "networkConfiguration": {
        "sniOnly": True,
        "fipsMode": True,
        "clientMutualAuthentication": {
            "setId": "old",
            "authenticationOptions": {"sendCaListToClient": True, "ocsp": {"enabled": True}},
        },
    },
}


def test_an_update_replaces_only_what_is_named() -> None:
    settings = MutualAuthentication(set_id="new", ocsp_enabled=False)
    body = bodies.update(LIVE, wanting(desired("www.example.com"), client_mutual_authentication=settings))
    assert body == {
        "id": 7,
        "csr": {"cn": "www.example.com", "sans": ["www.example.com"]},
        "newMember": {"kept": True},
        "networkConfiguration": {
            "sniOnly": True,
            "fipsMode": True,
            "clientMutualAuthentication": {
                "setId": "new",
                "authenticationOptions": {"sendCaListToClient": True, "ocsp": {"enabled": False}},
            },
        },
    }
    assert LIVE["networkConfiguration"]["clientMutualAuthentication"]["setId"] == "old"  # type: ignore[index]


def test_an_update_without_named_settings_changes_only_the_names() -> None:
    body = bodies.update(LIVE, wanting(desired("www.example.com", "img.example.com")))
    assert body == {**LIVE, "csr": {"cn": "www.example.com", "sans": ["www.example.com", "img.example.com"]}}


def test_an_update_names_the_settings_of_the_network() -> None:
    live = {
        "csr": {"cn": "www.example.com"},
        "networkConfiguration": {
            "ocspStapling": "on",
            "dnsNameSettings": {"cloneDnsNames": True, "dnsNames": ["www.example.com"]},
            "clientMutualAuthentication": None,
        },
    }
    alone = desired("www.example.com")
    body = bodies.update(live, wanting(alone, ocsp_stapling="off", fips_mode=True, clone_dns_names=False))
    assert body["networkConfiguration"] == {
        "ocspStapling": "off",
        "fipsMode": True,
        "dnsNameSettings": {"cloneDnsNames": False, "dnsNames": ["www.example.com"]},
        "clientMutualAuthentication": None,
    }


def test_an_upload_carries_each_half_with_its_chain() -> None:
    halves = (
        UploadHalf(key_type=KeyType.RSA, leaf_pem="LEAF-R", chain_pem="CHAIN-R"),
        UploadHalf(key_type=KeyType.ECDSA, leaf_pem="LEAF-E", chain_pem="CHAIN-E"),
    )
    assert bodies.upload(halves) == {
        "certificatesAndTrustChains": [
            {"certificate": "LEAF-R", "trustChain": "CHAIN-R", "keyAlgorithm": "RSA"},
            {"certificate": "LEAF-E", "trustChain": "CHAIN-E", "keyAlgorithm": "ECDSA"},
        ]
    }

"""Differences between a file and an enrollment: sets for names, nothing for what no file names."""

import dataclasses
from typing import Any

import pytest

from reconciler.model.certificate import Contact, KeyType, MutualAuthentication, Subject
from reconciler.model.enrollment import Served
from reconciler.planning.diff import Effect, FieldDiffers, KeyTypesDiffer, SansDiffer, differences
from tests.support.certs import desired, ec_key, leaf, root_ca, rsa_key
from tests.support.looks import enrollment_for, names, served_by

WANTED = desired("www.example.com", "img.example.com")
ADA = Contact(first_name="Ada", last_name="Byron", email="tls@example.com", phone="+44 161 000 0000")


def test_what_a_create_led_to_has_no_difference() -> None:
    assert differences(WANTED, enrollment_for(WANTED), None) == ()


def test_without_sni_only_there_are_no_dns_names_to_clone() -> None:
    named = dataclasses.replace(WANTED.enrollment, sni_only=False, clone_dns_names=True)
    wanted = dataclasses.replace(WANTED, enrollment=named)
    assert differences(wanted, enrollment_for(wanted, clone_dns_names=None), None) == ()


def test_names_are_compared_as_sets() -> None:
    live = enrollment_for(WANTED, sans=names("www.example.com", "old.example.com"))
    assert differences(WANTED, live, None) == (
        SansDiffer(added=names("img.example.com"), removed=names("old.example.com")),
    )


@pytest.mark.parametrize(
    ("named", "live", "expected"),
    [
        ({"ocsp_stapling": "off"}, {"ocsp_stapling": "on"}, ("akamai.ocspStapling", "on", "off", Effect.REDEPLOY)),
        (
            {"change_management": False},
            {"change_management": True},
            ("akamai.changeManagement", "true", "false", Effect.STORED),
        ),
        (
            {"disallowed_tls_versions": frozenset({"TLSv1_1", "TLSv1"})},
            {"disallowed_tls_versions": frozenset()},
            ("akamai.disallowedTlsVersions", "(none)", "TLSv1, TLSv1_1", Effect.REDEPLOY),
        ),
        (
            {"subject": Subject(country="GB")},
            {"subject": Subject(country="DE")},
            ("akamai.subject.country", "DE", "GB", Effect.NEW_ORDER),
        ),
        (
            {"admin_contact": ADA},
            {"admin_contact": dataclasses.replace(ADA, first_name="Eve")},
            ("akamai.adminContact.firstName", "Eve", "Ada", Effect.STORED),
        ),
    ],
)
def test_a_named_field_that_is_unequal_differs(
    named: dict[str, Any], live: dict[str, Any], expected: tuple[str, str, str, Effect]
) -> None:
    wanted = dataclasses.replace(WANTED, enrollment=dataclasses.replace(WANTED.enrollment, **named))
    pointer, before, after, effect = expected
    assert differences(wanted, enrollment_for(WANTED, **live), None) == (
        FieldDiffers(pointer=pointer, before=before, after=after, effect=effect),
    )


def test_a_field_that_no_file_names_never_differs() -> None:
    live = enrollment_for(
        WANTED,
        geography="china+core",
        ocsp_stapling="off",
        fips_mode=True,
        client_mutual_authentication=MutualAuthentication(set_id="7"),
        org=None,
        admin_contact=ADA,
    )
    assert differences(WANTED, live, None) == ()


def test_key_types_are_compared_with_what_production_serves() -> None:
    rsa = leaf(root_ca(), "www.example.com", key=rsa_key())
    both = Served(production=served_by(rsa, leaf(root_ca(), "www.example.com", key=ec_key()))["production"])
    only_rsa = Served(production=served_by(rsa)["production"])
    wanted = dataclasses.replace(WANTED, key_types=frozenset({KeyType.RSA, KeyType.ECDSA}))
    assert differences(wanted, enrollment_for(WANTED), both) == ()
    assert differences(wanted, enrollment_for(WANTED), only_rsa) == (
        KeyTypesDiffer(added=frozenset({KeyType.ECDSA}), removed=frozenset()),
    )
    assert differences(dataclasses.replace(WANTED, key_types=None), enrollment_for(WANTED), only_rsa) == ()
    assert differences(wanted, enrollment_for(WANTED), Served()) == ()

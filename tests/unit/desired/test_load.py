"""A project's files become certificates; what is broken takes only itself out, and is never read as removed."""

import textwrap
from datetime import date
from pathlib import Path

import pytest

from reconciler.desired.examined import Known
from reconciler.desired.load import load_folder
from reconciler.errors import Location
from reconciler.model.certificate import (
    AcceptedWarning,
    Contact,
    Identity,
    IssuerClass,
    KeyType,
    MutualAuthentication,
    PostalOrganization,
    Promote,
    RenewBefore,
    Revocation,
    State,
    Subject,
)
from reconciler.model.digest import desired_digest
from reconciler.model.names import DnsName
from tests.support.files import CERTIFICATE, CONFIGURATION, DEFAULTS, TODAY, Files, files, loaded

BROKEN = "apiVersion: certrecon/v1\ncommonName: [\n"


def certificate(name: str, more: str = "") -> str:
    return f"apiVersion: certrecon/v1\ncommonName: {name}\n{more}"


def test_five_lines_are_a_certificate_where_defaults_are_set(tmp_path: Path) -> None:
    found = loaded(tmp_path, "dnsNames: [IMG.example.com, static.example.com]\nlabels: {team: web}\n")
    assert (found.name, found.location) == ("www", Location("certificates/www.yaml", 1, 1))
    assert found.common_name == "www.example.com"
    assert found.sans == {"www.example.com", "img.example.com", "static.example.com"}
    assert found.labels == {"team": "web"}
    assert (found.key_types, found.state, found.protect) == (None, State.PRESENT, False)
    assert (found.order.instance, found.order.organization, found.order.profile) == (
        "enterprise",
        "Example Ltd",
        "OV Multi-Domain",
    )
    assert (found.order.issuer, found.order.term_days) == (IssuerClass.PUBLIC, None)
    assert found.identity == Identity(
        account=found.enrollment.account,
        contract=found.enrollment.contract,
        common_name=found.common_name,
        secure_network="enhanced-tls",
        sni_only=True,
    )
    assert found.enrollment.geography is None


EVERYTHING = """\
apiVersion: certrecon/v1
name: web/everything
commonName: www.example.com
dnsNames: [static.example.com]
keyTypes: [ECDSA-P256, RSA-2048]
state: present
protect: true
labels: {team: web}
sectigo:
  instance: enterprise
  organization: Example Ltd / Web
  profile: "2012"
  issuer: private
  term: 90
  customFields: {CostCenter: "4711"}
  externalRequester: [tls@example.com]
  dcv: {mode: EMAIL, email: hostmaster@example.com}
akamai:
  account: main
  contract: C-1ABCDEF
  enrollmentId: 190080
  allowDuplicateCn: true
  secureNetwork: standard-tls
  sniOnly: false
  geography: china+core
  mustHaveCiphers: ak-akamai-default
  preferredCiphers: ak-akamai-2020q1
  disallowedTlsVersions: [TLSv1]
  ocspStapling: off
  cloneDnsNames: false
  clientMutualAuthentication: {setId: Key-1, sendCaListToClient: true, ocspEnabled: false}
  fipsMode: true
  signatureAlgorithm: SHA-256
  excludeSans: true
  changeManagement: false
  promote: manual
  deploy: {notBefore: 2026-12-01}
  adoptChange: 11
  cancelChange: 12
  subject: {country: GB, state: S, locality: L, organization: O, organizationalUnit: U}
  adminContact: {firstName: Ada, lastName: Byron, email: tls@example.com, phone: "+44 161 000 0000"}
  techContact: {firstName: Ari, lastName: Kam, email: ari@akamai.com, phone: "+1 617 000 0000"}
  org:
    name: Example Ltd
    addressLineOne: 1 Main Street
    addressLineTwo: Floor 2
    city: Manchester
    region: Greater Manchester
    postalCode: M1 1AA
    country: GB
    phone: "+44 161 000 0000"
renewal: {before: 20%}
acceptWarnings:
  - {id: cross-signed-root-in-trust-chain}
  - {id: SANS_REMOVED_REQUIRE_ACKNOWLEDGEMENT, names: [OLD.example.com]}
revoke: [{serial: "0a:1b:2c", reason: superseded}]
verify: {edgeHost: www.example.com.edgekey.net}
"""


def test_every_field_of_a_certificate_is_read(tmp_path: Path) -> None:
    desired = files(tmp_path, {"x.yaml": EVERYTHING}).desired()
    assert desired.problems == ()
    (found,) = desired.certificates
    order, enrollment = found.order, found.enrollment
    assert (found.name, found.protect) == ("web/everything", True)
    assert found.key_types == frozenset({KeyType.RSA, KeyType.ECDSA})
    assert (order.organization, order.profile, order.issuer, order.term_days) == (
        "Example Ltd / Web",
        "2012",
        IssuerClass.PRIVATE,
        90,
    )
    assert (order.custom_fields, order.external_requester) == ({"CostCenter": "4711"}, ("tls@example.com",))
    assert (order.dcv_mode, order.dcv_email) == ("EMAIL", "hostmaster@example.com")
    assert (enrollment.enrollment_id, enrollment.allow_duplicate_cn) == (190080, True)
    assert (enrollment.secure_network, enrollment.sni_only) == ("standard-tls", False)
    assert (enrollment.geography, enrollment.must_have_ciphers, enrollment.preferred_ciphers) == (
        "china+core",
        "ak-akamai-default",
        "ak-akamai-2020q1",
    )
    assert enrollment.disallowed_tls_versions == frozenset({"TLSv1"})
    assert enrollment.ocsp_stapling == "off"
    assert (enrollment.clone_dns_names, enrollment.fips_mode, enrollment.exclude_sans) == (False, True, True)
    assert enrollment.client_mutual_authentication == MutualAuthentication(
        set_id="Key-1", send_ca_list_to_client=True, ocsp_enabled=False
    )
    assert (enrollment.signature_algorithm, enrollment.change_management) == ("SHA-256", False)
    assert (enrollment.promote, enrollment.deploy_not_before) == (Promote.MANUAL, date(2026, 12, 1))
    assert (enrollment.adopt_change, enrollment.cancel_change) == (11, 12)
    assert enrollment.subject == Subject(
        country="GB", state="S", locality="L", organization="O", organizational_unit="U"
    )
    assert enrollment.admin_contact == Contact(
        first_name="Ada", last_name="Byron", email="tls@example.com", phone="+44 161 000 0000"
    )
    assert enrollment.tech_contact is not None
    assert enrollment.tech_contact.email == "ari@akamai.com"
    assert enrollment.org == PostalOrganization(
        name="Example Ltd",
        address_line_one="1 Main Street",
        address_line_two="Floor 2",
        city="Manchester",
        region="Greater Manchester",
        postal_code="M1 1AA",
        country="GB",
        phone="+44 161 000 0000",
    )
    assert found.renew_before == RenewBefore(percent=20)
    assert found.accept_warnings == (
        AcceptedWarning(id="CROSS_SIGNED_ROOT_IN_TRUST_CHAIN"),
        AcceptedWarning(id="SANS_REMOVED_REQUIRE_ACKNOWLEDGEMENT", names=frozenset({DnsName("old.example.com")})),
    )
    assert found.revocations == (Revocation(serial="0A1B2C", reason="superseded"),)
    assert found.verify_edge_host == "www.example.com.edgekey.net"


def test_names_are_paths_below_certificates_and_sorted(tmp_path: Path) -> None:
    tree = files(tmp_path, {f"{name}.yaml": certificate(f"{name[-1]}.example.com") for name in ("b", "a/c", "a/a")})
    assert [one.name for one in tree.desired().certificates] == ["a/a", "a/c", "b"]


def test_defaults_are_laid_over_each_other_down_to_the_file(tmp_path: Path) -> None:
    tree = files(tmp_path, {"web/uk/www.yaml": certificate("www.example.com", "labels: {c: file}\n")})
    tree.write("certificates/_defaults.yaml", DEFAULTS + "labels: {a: top, b: top, c: top}\n")
    tree.write("certificates/web/_defaults.yaml", "apiVersion: certrecon/v1\nlabels: {b: web}\n")
    tree.write("certificates/shop/_defaults.yaml", "apiVersion: certrecon/v1\nlabels: {a: shop}\n")
    (found,) = tree.desired().certificates
    assert found.labels == {"a": "top", "b": "web", "c": "file"}
    assert found.source("labels.a") == Location("certificates/_defaults.yaml", 4, 10)
    assert found.source("labels.b") == Location("certificates/web/_defaults.yaml", 2, 10)
    assert found.source("labels.c") == Location("certificates/web/uk/www.yaml", 3, 10)
    assert found.source("akamai.contract") == Location("certificates/_defaults.yaml", 3, 10)
    assert found.source("akamai.geography") == Location("certificates/_defaults.yaml", 3, 1)
    assert found.source("renewal.before") == found.location


def test_a_broken_file_takes_only_itself_out(tmp_path: Path) -> None:
    desired = files(tmp_path, {"a.yaml": BROKEN, "b.yaml": certificate("b.example.com")}).desired()
    assert [one.name for one in desired.certificates] == ["b"]
    assert desired.broken == {"a"}
    assert [problem.location.path for problem in desired.problems] == ["certificates/a.yaml"]


def test_a_broken_file_is_known_by_the_name_in_it_where_that_can_be_read(tmp_path: Path) -> None:
    wrong = certificate("host.local", "name: web/own\n")
    assert files(tmp_path, {"a.yaml": wrong}).desired().broken == {"web/own"}


def test_broken_defaults_take_their_folder_and_those_below_out(tmp_path: Path) -> None:
    names = ("a", "web/b", "web/uk/c", "shop/d")
    tree = files(tmp_path, {f"{name}.yaml": certificate(f"{name[-1]}.example.com") for name in names})
    tree.write("certificates/web/_defaults.yaml", "apiVersion: certrecon/v1\nunknown: 1\n")
    desired = tree.desired()
    assert [one.name for one in desired.certificates] == ["a", "shop/d"]
    assert desired.broken == {"web/b", "web/uk/c"}
    assert [str(problem.location) for problem in desired.problems] == ["certificates/web/_defaults.yaml:2:1"]


def test_a_wrong_default_is_told_once_at_its_place(tmp_path: Path) -> None:
    tree = files(tmp_path, {f"{name}.yaml": certificate(f"{name}.example.com") for name in "abc"})
    tree.write("certificates/_defaults.yaml", DEFAULTS + "renewal: {before: 5d}\n")
    desired = tree.desired()
    assert desired.broken == {"a", "b", "c"}
    assert [str(problem.location) for problem in desired.problems] == ["certificates/_defaults.yaml:4:19"]


def test_the_problems_of_all_files_are_told_in_their_order(tmp_path: Path) -> None:
    tree = files(tmp_path, {"b.yaml": BROKEN, "a.yaml": certificate("host.local", "dnsNames: [x_y.example.com]\n")})
    tree.write("certificates/c.yml", "")
    assert [str(problem.location) for problem in tree.desired().problems] == [
        "certificates/a.yaml:2:13",
        "certificates/a.yaml:3:12",
        "certificates/b.yaml:3:1",
        "certificates/c.yml:1:1",
    ]


def test_a_warning_does_not_take_a_certificate_out(tmp_path: Path) -> None:
    desired = files(tmp_path, {"a.yaml": certificate("'*.github.io'")}).desired()
    assert [one.name for one in desired.certificates] == ["a"]
    assert [problem.rule for problem in desired.problems] == ["NAME-06"]


def test_where_a_file_lies_and_how_it_is_written_changes_no_digest(tmp_path: Path) -> None:
    first = loaded(tmp_path / "1", "dnsNames: [b.example.com, a.example.com]\nlabels: {x: a, y: b}\n")
    tree = files(tmp_path / "2")
    tree.write(
        "certificates/other/name.yaml",
        "labels: {y: b}\ncommonName: WWW.example.com\napiVersion: certrecon/v1\n"
        "dnsNames: [A.example.com, b.example.com]\n",
    )
    tree.write("certificates/other/_defaults.yaml", "apiVersion: certrecon/v1\nlabels: {x: a}\n")
    (second,) = tree.desired().certificates
    assert desired_digest(first) == desired_digest(second)


def test_files_are_judged_without_a_configuration_as_far_as_possible(tmp_path: Path) -> None:
    tree = Files(tmp_path)
    tree.write("certificates/_defaults.yaml", DEFAULTS)
    tree.write("certificates/a.yaml", CERTIFICATE + "akamai: {account: any}\n")
    tree.write("certificates/b.yaml", certificate("host.local"))
    desired = load_folder(tmp_path, Known(accounts=None, instances=None, today=TODAY))
    assert [one.name for one in desired.certificates] == ["a"]
    assert [problem.rule for problem in desired.problems] == ["NAME-03"]


TWO = CONFIGURATION.replace(
    "sectigo:",
    textwrap.indent("other: {accountId: A-2XYZ}\n", "  ") + "sectigo:",
)


def test_one_of_several_accounts_must_be_named(tmp_path: Path) -> None:
    tree = files(tmp_path, {"a.yaml": certificate("a.example.com")})
    tree.write("certrecon.yaml", TWO)
    (problem,) = tree.desired().problems
    assert str(problem).startswith("certificates/_defaults.yaml:3:9: error: akamai.account: Several accounts")
    tree.write("certificates/a.yaml", certificate("a.example.com", "akamai: {account: other}\n"))
    assert [one.enrollment.account for one in tree.desired().certificates] == ["other"]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ("akamai: {account: mian}", 'certrecon.yaml has no account "mian". Did you mean "main"?'),
        ("sectigo: {instance: other}", 'certrecon.yaml has no instance "other". Known: enterprise.'),
    ],
)
def test_a_name_that_is_not_configured_is_told(tmp_path: Path, more: str, text: str) -> None:
    (problem,) = files(tmp_path, {"a.yaml": certificate("a.example.com", more)}).desired().problems
    assert text in str(problem)

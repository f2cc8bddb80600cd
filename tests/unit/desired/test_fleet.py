"""Two files that claim one thing are both refused, with one message; one name in two certificates is a warning."""

from pathlib import Path

import pytest

from reconciler.errors import Severity
from tests.support.files import files


def certificate(name: str, more: str = "") -> str:
    return f"apiVersion: certrecon/v1\ncommonName: {name}\n{more}"


def test_two_files_of_one_identity_are_both_out_with_one_message(tmp_path: Path) -> None:
    desired = files(
        tmp_path,
        {
            "a.yaml": certificate("www.example.com"),
            "b.yaml": certificate("WWW.example.com"),
            "c.yaml": certificate("c.example.com"),
        },
    ).desired()
    (problem,) = desired.problems
    assert str(problem).startswith(
        'certificates/b.yaml:2:1: error: commonName: "www.example.com" is asked for by certificates/a.yaml too'
    )
    assert problem.remedy
    assert [one.name for one in desired.certificates] == ["c"]
    assert desired.broken == {"a", "b"}


@pytest.mark.parametrize(
    ("first", "second", "good"),
    [
        ("{enrollmentId: 1}", "{enrollmentId: 2}", True),
        ("{enrollmentId: 1}", "{enrollmentId: 1}", False),
        ("{enrollmentId: 1}", "{contract: C-1ABCDEF}", False),
        ("{enrollmentId: 1}", "{allowDuplicateCn: true}", True),
        ("{allowDuplicateCn: true}", "{allowDuplicateCn: true}", False),
        ("{contract: C-1ABCDEF}", "{contract: C-2GHIJKL}", True),
        ("{sniOnly: true}", "{sniOnly: false}", True),
        ("{secureNetwork: enhanced-tls}", "{secureNetwork: standard-tls}", True),
    ],
)
def test_one_common_name_in_two_files_needs_what_tells_them_apart(
    tmp_path: Path, first: str, second: str, good: bool
) -> None:
    desired = files(
        tmp_path,
        {
            "a.yaml": certificate("www.example.com", f"akamai: {first}\n"),
            "b.yaml": certificate("www.example.com", f"akamai: {second}\n"),
        },
    ).desired()
    assert len(desired.certificates) == (2 if good else 0)
    assert bool([problem for problem in desired.problems if problem.severity is Severity.ERROR]) is not good


def test_one_enrollment_is_claimed_by_one_file(tmp_path: Path) -> None:
    pinned = "akamai: {enrollmentId: 7}\n"
    desired = files(
        tmp_path,
        {"a.yaml": certificate("a.example.com", pinned), "b.yaml": certificate("b.example.com", pinned)},
    ).desired()
    assert [str(problem) for problem in desired.problems] == [
        "certificates/b.yaml:3:10: error: akamai.enrollmentId: Enrollment 7 is claimed by certificates/a.yaml too. "
        "Let one file have it."
    ]
    assert desired.broken == {"a", "b"}


def test_one_name_is_that_of_one_file(tmp_path: Path) -> None:
    desired = files(
        tmp_path,
        {"a.yaml": certificate("a.example.com", "name: web\n"), "web.yaml": certificate("b.example.com")},
    ).desired()
    assert [str(problem) for problem in desired.problems] == [
        'certificates/web.yaml:1:1: error: name: "web" is the name of certificates/a.yaml too. '
        "Give each file a name of its own."
    ]
    assert desired.certificates == ()


def test_a_dns_name_in_two_certificates_is_a_warning(tmp_path: Path) -> None:
    desired = files(
        tmp_path,
        {
            "a.yaml": certificate("a.example.com", "dnsNames: [x.example.com]\n"),
            "b.yaml": certificate("b.example.com", "dnsNames: [y.example.com, X.example.com]\n"),
        },
    ).desired()
    assert [str(problem) for problem in desired.problems] == [
        'certificates/b.yaml:3:1: warning NAME-12: dnsNames: "x.example.com": also in certificates/a.yaml; '
        "the edge serves one of the two. Keep each name in one certificate."
    ]
    assert len(desired.certificates) == 2


def test_a_certificate_that_goes_shares_no_names(tmp_path: Path) -> None:
    going = "state: absent\nakamai: {enrollmentId: 1}\ndnsNames: [x.example.com]\n"
    desired = files(
        tmp_path,
        {
            "a.yaml": certificate("a.example.com", going),
            "b.yaml": certificate("b.example.com", "dnsNames: [x.example.com]\n"),
        },
    ).desired()
    assert desired.problems == ()

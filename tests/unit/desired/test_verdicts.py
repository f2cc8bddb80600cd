"""What a schema finds is said with its place, what stands there, and what to write."""

from pathlib import Path

import pytest

from reconciler.desired.schema import Kind
from reconciler.desired.verdicts import did_you_mean, document_problems, quoted
from reconciler.desired.yamlfile import parse

START = "apiVersion: certrecon/v1\ncommonName: www.example.com\n"


def said(more: str, kind: Kind = "certificate", start: str = START) -> list[str]:
    return [str(problem) for problem in document_problems(parse((start + more).encode(), "f.yaml"), kind)]


NO_FIELD = 'There is no field "{}" here. '


@pytest.mark.parametrize(
    ("more", "place", "text"),
    [
        ("dnsName: [a.example.com]", "3:1", NO_FIELD.format("dnsName") + 'Did you mean "dnsNames"?'),
        ("sans: [a.example.com]", "3:1", NO_FIELD.format("sans") + 'Did you mean "dnsNames"?'),
        ("contract: C-1", "3:1", NO_FIELD.format("contract") + 'The field "contract" belongs under "akamai".'),
        (
            "akamai: {commonName: a}",
            "3:10",
            NO_FIELD.format("commonName") + 'The field "commonName" belongs under the top',
        ),
        (
            "keyTypes: [RSA-4096]",
            "3:12",
            'error KEY-01: keyTypes.0: "RSA-4096" is not known here. Did you mean "RSA-2048"?',
        ),
        ("keyTypes: []", "3:11", "error KEY-01: keyTypes: There is nothing in it. Name at least one, as "),
        ("keyTypes: [RSA-2048, RSA-2048]", "3:11", "The same entry stands here twice. Keep one."),
        ("dnsNames: a.example.com", "3:11", "not a list. Write it in brackets: [a.example.com]."),
        ("akamai: {org: {postalCode: 01234}}", "3:28", 'the number 1234, not a text. Write it in quotes: "01234".'),
        ("akamai: {sniOnly: 'yes'}", "3:19", 'This is the text "yes", not true or false.'),
        ("akamai: {subject: {country: England}}", "3:29", '"England" is longer than 2 characters.'),
        ("akamai: {secureNetwork: enhanced}", "3:25", 'Did you mean "enhanced-tls"?'),
        ("akamai: {signatureAlgorithm: MD5}", "3:30", "error KEY-02: "),
        ("akamai: {enrollmentId: 0}", "3:24", '"0" is less than 1.'),
        ("akamai: {contract: ctr_C-1}", "3:20", "does not fit this field. Id of the contract, without the ctr_"),
        ("sectigo: {term: 0}", "3:17", "error TERM-01: "),
        ("sectigo: {term: maximum}", "3:17", "error TERM-01: "),
        ("sectigo: {externalRequester: [nobody]}", "3:31", '"nobody" does not fit this field.'),
        ("labels: {'a b': c}", "3:10", '"a b" cannot be a name here.'),
        ("labels: {team: 5}", "3:16", 'Write it in quotes: "5".'),
        ("revoke: [{serial: 0A1B}]", "3:10", 'The field "reason" is missing. Add it, as reason: superseded.'),
        ("renewal: {before: soon}", "3:19", '"soon" does not fit this field.'),
        ("name: ''", "3:7", "This is empty."),
        ("name: true", "3:7", 'This is true or false, not a text. Write it in quotes: "true".'),
        ("dnsNames: [null]", "3:12", "This is empty, not a text."),
        ("name: [a]", "3:7", "This is a list, not a text."),
    ],
)
def test_a_wrong_field_is_said_in_one_message(more: str, place: str, text: str) -> None:
    (told,) = said(more)
    assert told.startswith(f"f.yaml:{place}: error")
    assert text in told


@pytest.mark.parametrize(
    "field", ["name: x", "commonName: a.example.com", "dnsNames: []", "state: present", "revoke: []"]
)
def test_what_may_not_stand_in_defaults_says_where_it_belongs(field: str) -> None:
    key = field.partition(":")[0]
    assert said(field, "defaults", "apiVersion: certrecon/v1\n") == [
        f'f.yaml:2:1: error: {key}: "{key}" may not stand in defaults. Write it into each certificate\'s own file.'
    ]


def test_ids_of_single_objects_may_not_stand_in_defaults() -> None:
    told = said("akamai: {enrollmentId: 1, adoptChange: 2, cancelChange: 3}", "defaults", "apiVersion: certrecon/v1\n")
    assert [line.split(": ")[2] for line in told] == [
        "akamai.enrollmentId",
        "akamai.adoptChange",
        "akamai.cancelChange",
    ]


def test_all_problems_are_told_in_the_order_of_the_file() -> None:
    told = said("akamai: {sniOnly: 1}\nkeyType: x\nlabels: 5\n", start="commonName: a\n")
    assert [line.split(": ")[0] for line in told] == ["f.yaml:1:1", "f.yaml:2:19", "f.yaml:3:1", "f.yaml:4:9"]


def test_an_unknown_version_is_refused() -> None:
    assert said("", start="apiVersion: certrecon/v2\ncommonName: a\n") == [
        'f.yaml:1:13: error: apiVersion: "certrecon/v2" is not a version that this certrecon reads. '
        'Write "certrecon/v1".'
    ]


def test_values_are_shown_on_one_short_line() -> None:
    assert quoted("a\nb") == '"a\N{REPLACEMENT CHARACTER}b"'
    assert quoted("x" * 100) == f'"{"x" * 60}…"'
    assert quoted(["a", 1]) == '"["a", 1]"'


def test_where_no_known_word_is_near_the_few_there_are_get_listed() -> None:
    assert did_you_mean("zzz", ["on", "off"]) == "Known: off, on."
    assert did_you_mean("zzz", [f"word{n}" for n in range(9)]) == ""


def test_the_examples_of_the_repository_fit() -> None:
    root = Path(__file__).parents[3]
    files = sorted((root / "certificates").rglob("*.yaml"))
    assert len(files) >= 6
    for file in files:
        kind: Kind = "defaults" if file.name == "_defaults.yaml" else "certificate"
        assert document_problems(parse(file.read_bytes(), str(file)), kind) == ()

"""Whatever a person writes wrongly, `validate` answers with one clear message: place, fault, remedy; exit 1."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.cli.main import main
from tests.support.files import CONFIGURATION, DEFAULTS, Files

WWW = "certificates/www.yaml"
GOOD = "apiVersion: certrecon/v1\ncommonName: www.example.com\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """Files that are wrong in one way, laid over a good project; the place that is told, and words of the message."""

    files: dict[str, str | bytes] = field(default_factory=dict)
    at: str
    says: str
    rule: str = ""


def www(more: str, at: str, says: str, rule: str = "") -> Bad:
    """Return a good certificate file with `more` in it, from line 3."""
    return Bad(files={WWW: GOOD + more + "\n"}, at=f"{WWW}:{at}", says=says, rule=rule)


def named(name: str, rule: str) -> Bad:
    """Return a certificate with a bad common name."""
    return Bad(files={WWW: f"apiVersion: certrecon/v1\ncommonName: '{name}'\n"}, at=f"{WWW}:2:13", says=name, rule=rule)


def raw(content: str | bytes, at: str, says: str) -> Bad:
    """Return a file that is no document to begin with."""
    return Bad(files={WWW: content}, at=f"{WWW}:{at}", says=says)


def configured(old: str, new: str, at: str, says: str) -> Bad:
    """Return the good configuration with a part exchanged."""
    assert old in CONFIGURATION
    return Bad(files={"certrecon.yaml": CONFIGURATION.replace(old, new)}, at=f"certrecon.yaml:{at}", says=says)


def default(more: str, at: str, says: str, rule: str = "") -> Bad:
    """Return good defaults with `more` in them, from line 4."""
    path = "certificates/_defaults.yaml"
    return Bad(files={path: DEFAULTS + more + "\n"}, at=f"{path}:{at}", says=says, rule=rule)


BOMB = "\n".join(["a0: &a0 [lol, lol]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 40)])
NAMES_41_OVER = "dnsNames: [" + ", ".join(f"h{index}.example.com" for index in range(100)) + "]"
LONG = ".".join(["a" * 40, "b" * 40, "example.com"])

BAD = {
    # The document
    "empty file": raw(b"", "1:1", "empty"),
    "only comments": raw("# nothing yet\n", "1:1", "empty"),
    "byte order mark": raw(b"\xef\xbb\xbf" + GOOD.encode(), "1:1", "byte order mark"),
    "UTF-16": raw(GOOD.encode("utf-16"), "1:1", "byte order mark"),
    "Latin-1": raw(GOOD.encode() + "labels: {team: Möbel}\n".encode("latin-1"), "3:17", "UTF-8"),
    "binary": raw(bytes(range(256)), "2:118", "UTF-8"),
    "control character": raw(GOOD + "labels: {team: '\x07'}\n", "3:17", "U+0007"),
    "tab": raw(GOOD + "labels:\n\tteam: web\n", "4:1", "tab"),
    "10 MB": raw(b"a: " + b"x" * 10_000_000, "1:1", "larger than 1024 KiB"),
    "YAML bomb": raw(BOMB, "1:5", "Anchors and aliases"),
    "deep nesting": raw("a: " + "[" * 100_000, "1:17", "nested too deeply"),
    "a Python tag": raw("a: !!python/object/apply:os.system ['true']\n", "1:4", "Tags are not read"),
    "two documents": raw(f"{GOOD}---\n{GOOD}", "3:1", "second document"),
    "a list": raw("- www.example.com\n", "1:1", "not a map"),
    "not YAML": raw(GOOD + "labels: {team: web\n", "4:1", "not YAML"),
    "bad indentation": raw(GOOD + "  dnsNames: []\n", "3:11", "not YAML"),
    "duplicate key": www("labels: {}\nlabels: {team: web}", "4:1", "a second time, after line 3"),
    "duplicate key within": www("akamai:\n  sniOnly: true\n  sniOnly: false", "5:3", "a second time"),
    "wildcard without quotes": raw("apiVersion: certrecon/v1\ncommonName: *.example.com\n", "2:13", "in quotes"),
    # Fields and types
    "another version": raw("apiVersion: certrecon/v2\ncommonName: www.example.com\n", "1:13", "certrecon/v1"),
    "no version": raw("commonName: www.example.com\n", "1:1", '"apiVersion" is missing'),
    "no common name": raw("apiVersion: certrecon/v1\nlabels: {}\n", "1:1", '"commonName" is missing'),
    "unknown field": www("dnsName: [a.example.com]", "3:1", 'Did you mean "dnsNames"?'),
    "unknown field within": www("akamai: {sniOny: true}", "3:10", 'Did you mean "sniOnly"?'),
    "a field in the wrong place": www("profile: OV Single", "3:1", 'belongs under "sectigo"'),
    "text for a list": www("dnsNames: a.example.com", "3:11", "[a.example.com]"),
    "number for a text": www("sectigo: {customFields: {CostCenter: 4711}}", "3:38", 'Write it in quotes: "4711".'),
    "text for a truth value": www("protect: 'yes'", "3:10", "not true or false"),
    "map for a text": www("name: {a: b}", "3:7", "This is a map, not a text."),
    "unknown word": www("akamai: {secureNetwork: enhanced_tls}", "3:25", 'Did you mean "enhanced-tls"?'),
    "key type": www("keyTypes: [RSA-4096]", "3:12", 'Did you mean "RSA-2048"?', "KEY-01"),
    "no key type": www("keyTypes: []", "3:11", "at least one", "KEY-01"),
    "contract with prefix": www("akamai: {contract: ctr_C-1ABCDEF}", "3:20", "without the ctr_"),
    "a secret": www("labels: {note: '-----BEGIN PRIVATE KEY-----'}", "3:16", "looks like a secret"),
    "a password": www("sectigo: {password: hunter2}", "3:21", "looks like a secret"),
    # Names
    "NAME-01 scheme": named("https://www.example.com", "NAME-01"),
    "NAME-01 port": named("www.example.com:443", "NAME-01"),
    "NAME-01 dot": named("www.example.com.", "NAME-01"),
    "NAME-01 space": named("www example.com", "NAME-01"),
    "NAME-01 label": named("-www.example.com", "NAME-01"),
    "NAME-01 long label": named(f"{'a' * 64}.example.com", "NAME-01"),
    "NAME-02": named("my_host.example.com", "NAME-02"),
    "NAME-03": named("host.internal", "NAME-03"),
    "NAME-03 single label": named("intranet", "NAME-03"),
    "NAME-04": www("dnsNames: [10.0.0.1]", "3:12", "reserved or private", "NAME-04"),
    "NAME-05": named("www.*.example.com", "NAME-05"),
    "NAME-06": named("*.co.uk", "NAME-06"),
    "NAME-07": www(
        "dnsNames: ['*.example.org']\nsectigo: {profile: EV Multi-Domain}", "3:12", "EV certificates", "NAME-07"
    ),
    "NAME-08": named(LONG, "NAME-08"),
    "NAME-09 hyphens": named("ab--cd.example.com", "NAME-09"),
    "NAME-09 symbol": named("☃.example.com", "NAME-09"),
    "NAME-10 reverse": named("1.0.0.10.in-addr.arpa", "NAME-10"),
    "NAME-10 onion": named("expyuzz4wqqyqhjn.onion", "NAME-10"),
    "NAME-11": www(NAMES_41_OVER, "3:11", "101 names", "NAME-11"),
    # Subject, people, algorithms, times
    "SUBJ-01": www("akamai: {subject: {organizationalUnit: Web}}", "3:40", "organizational unit", "SUBJ-01"),
    "SUBJ-03 placeholder": www("akamai: {subject: {state: N/A}}", "3:27", "stands for no value", "SUBJ-03"),
    "SUBJ-03 country": www("akamai: {subject: {country: UK}}", "3:29", 'Write "GB".', "SUBJ-03"),
    "SUBJ-03 length": www(f"akamai: {{subject: {{organization: {'x' * 65}}}}}", "3:34", "65 characters", "SUBJ-03"),
    "KEY-02": www("akamai: {signatureAlgorithm: SHA-1}", "3:30", "SHA-1", "KEY-02"),
    "TERM-01": www("sectigo: {term: 398}", "3:17", "at most", "TERM-01"),
    "TERM-01 word": www("sectigo: {term: longest}", "3:17", "max", "TERM-01"),
    "RENEW-01 late": www("renewal: {before: 7d}", "3:19", "too late", "RENEW-01"),
    "RENEW-01 always": www("renewal: {before: 100%}", "3:19", "always due", "RENEW-01"),
    "phone": www(
        "akamai: {adminContact: {firstName: A, lastName: B, email: a@example.com, phone: call us}}",
        "3:81",
        "no phone number",
    ),
    "half a contact": www(
        "akamai: {techContact: {firstName: A, lastName: B, phone: '1'}}", "3:23", "complete or not at all"
    ),
    "half an address": www(
        "akamai:\n  org: {name: Example Ltd, addressLineOne: 1 Main Street, city: Manchester, "
        "region: Greater Manchester, postalCode: M1 1AA, country: GB}",
        "4:8",
        'no "phone"',
    ),
    "absent without id": www("state: absent", "3:8", "akamai.enrollmentId"),
    "never acknowledged": www("acceptWarnings: [{id: CSR_EXPIRED}]", "3:23", "never accepted"),
    "unknown warning": www("acceptWarnings: [{id: SNI_DNS_OVERLAPS}]", "3:23", 'Did you mean "SNI_DNS_OVERLAP"?'),
    "unknown account": www("akamai: {account: mian}", "3:19", 'Did you mean "main"?'),
    "unknown instance": www("sectigo: {instance: other}", "3:21", "Known: enterprise."),
    # Several files
    "two files with one identity": Bad(
        files={WWW: GOOD, "certificates/www2.yaml": GOOD}, at="certificates/www2.yaml:2:1", says=f"by {WWW} too"
    ),
    "two files with one name": Bad(
        files={WWW: GOOD, "certificates/x.yaml": GOOD.replace("www", "x") + "name: www\n"},
        at="certificates/x.yaml:3:1",
        says=f"the name of {WWW} too",
    ),
    "two files with one enrollment": Bad(
        files={
            WWW: GOOD + "akamai: {enrollmentId: 7}\n",
            "certificates/x.yaml": GOOD.replace("www", "x") + "akamai: {enrollmentId: 7}\n",
        },
        at="certificates/x.yaml:3:10",
        says=f"claimed by {WWW} too",
    ),
    "suffix yml": Bad(files={"certificates/a.yml": GOOD}, at="certificates/a.yml:1:1", says="Rename it to a.yaml"),
    "underscore": Bad(files={"certificates/_a.yaml": GOOD}, at="certificates/_a.yaml:1:1", says="underscore"),
    # Defaults
    "forbidden in defaults": default("commonName: www.example.com", "4:1", "may not stand in defaults"),
    "forbidden in defaults within": Bad(
        files={"certificates/web/_defaults.yaml": "apiVersion: certrecon/v1\nakamai: {enrollmentId: 1}\n"},
        at="certificates/web/_defaults.yaml:2:10",
        says="may not stand in defaults",
    ),
    "unknown field in defaults": default("label: {}", "4:1", 'Did you mean "labels"?'),
    "wrong value in defaults": default("renewal: {before: 5d}", "4:19", "too late", "RENEW-01"),
    "nothing in defaults": Bad(
        files={"certificates/_defaults.yaml": DEFAULTS.replace("contract: C-1ABCDEF, ", "")},
        at="certificates/_defaults.yaml:3:9",
        says='"contract" is named neither in the certificate nor in its defaults',
    ),
    # The configuration
    "empty configuration": Bad(files={"certrecon.yaml": ""}, at="certrecon.yaml:1:1", says="empty"),
    "unknown setting": configured("akamai:", "polcy: {}\nakamai:", "2:1", 'Did you mean "policy"?'),
    "duplicate account": configured(
        "sectigo:", "  main: {accountId: A-2XYZ}\nsectigo:", "4:3", "a second time, after line 3"
    ),
    "host not allowed": configured("cert-manager.com", "evil.example.com", "6:14", "is not allowed"),
    "host that looks allowed": configured("cert-manager.com", "cert-manager.com.evil.example", "6:14", "not allowed"),
    "not encrypted": configured("https:", "http:", "6:14", "Begin it with https://."),
    "not an address": configured("https://cert-manager.com/api", "cert-manager", "6:14", "not the address of an API"),
    "password in the file": configured("SECTIGO_PASSWORD", "hunter2", "7:60", "looks like a secret"),
    "login in the file": configured("SECTIGO_LOGIN", "ada", "7:35", "not the name of a variable"),
    "variable of another prefix": configured("SECTIGO_LOGIN", "SCM_LOGIN", "7:35", "begins with AKAMAI_"),
    "half a login": configured(", customerUri: acme", "", "7:11", 'needs "customerUri"'),
    "version that is not there": configured("akamai:", "requires: '>=99.0'\nakamai:", "2:11", "needs certrecon >=99.0"),
    "account without id": configured("{accountId: A-1XYZ}", "{callsPerMinute: 30}", "3:9", "Add accountId"),
    "warning never accepted": configured(
        "akamai:", "policy: {acceptWarnings: [CSR_EXPIRED]}\nakamai:", "2:27", "never accepted"
    ),
    "freeze the wrong way round": configured(
        "akamai:",
        "policy: {renewal: {freeze: [{from: 2027-01-04, to: 2026-12-18}]}}\nakamai:",
        "2:29",
        "before it begins",
    ),
    "a day that is not there": configured(
        "akamai:",
        "policy: {renewal: {freeze: [{from: 2027-02-30, to: 2027-03-01}]}}\nakamai:",
        "2:36",
        "There is no day",
    ),
    "a freeze for ever": configured(
        "akamai:",
        "policy: {renewal: {freeze: [{from: 2027-01-04, to: 9999-12-31}]}}\nakamai:",
        "2:52",
        "the years 1970 to 2999 are read",
    ),
    "a campaign of the year 1": configured(
        "akamai:",
        "policy: {replace: [{name: x, issuedBefore: '0001-01-01T00:00+14:00', select: {profile: OV}, "
        "reason: superseded}]}\nakamai:",
        "2:44",
        "There is no instant",
    ),
    "a span of ages": configured("akamai:", "policy: {planMaxAge: 99999999999d}\nakamai:", "2:22", "36500 days"),
    "a share that is none": www("renewal: {before: 99999999999999999999%}", "3:19", "does not fit"),
    "days before expiry, of ages": www("renewal: {before: 99999999999d}", "3:19", "does not fit"),
    "a level of expiry, of ages": configured(
        "akamai:", "policy: {expiry: {warn: 1000000000000}}\nakamai:", "2:25", "is more than 36500"
    ),
    "URL for notifications": configured(
        "akamai:",
        "notify: [{url: 'https://n.example.com', on: [blocked]}]\nakamai:",
        "2:16",
        "not the name of a variable",
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Files:
    tree = Files(tmp_path)
    tree.write("certrecon.yaml", CONFIGURATION)
    tree.write("certificates/_defaults.yaml", DEFAULTS)
    tree.write(WWW, GOOD)
    return tree


def test_the_project_under_it_is_good(project: Files, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "-C", str(project.root)]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err.splitlines()[0]) == ("", "validate: 1 valid certificate; no problems.")


def test_there_are_enough_of_them() -> None:
    assert len(BAD) >= 90


@pytest.mark.parametrize("bad", [pytest.param(bad, id=name) for name, bad in BAD.items()])
def test_bad_input_gives_one_message_with_place_and_remedy(
    project: Files, capsys: pytest.CaptureFixture[str], bad: Bad
) -> None:
    for path, content in bad.files.items():
        project.write(path, content)
    assert main(["validate", "-C", str(project.root)]) == 1
    out, err = capsys.readouterr()
    (line,) = out.splitlines()
    assert line.startswith(f"{bad.at}: error{' ' + bad.rule if bad.rule else ''}: ")
    assert bad.says in line
    assert "hunter2" not in line
    assert "1 error." in err
    assert "Traceback" not in out + err

    assert main(["validate", "-C", str(project.root), "--format", "json"]) == 1
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert f"{problem['path']}:{problem['line']}:{problem['column']}" == bad.at
    assert (problem["severity"], problem["rule"]) == ("error", bad.rule or None)
    assert len(problem["text"]) > 10
    assert len(problem["remedy"]) >= len("Keep one.")


def test_all_problems_of_all_files_are_told_at_once(project: Files, capsys: pytest.CaptureFixture[str]) -> None:
    project.write("certrecon.yaml", CONFIGURATION + "unknown: 1\n")
    project.write(
        "certificates/a.yaml", "apiVersion: certrecon/v1\ncommonName: host.local\ndnsNames: [a_b.example.com]\n"
    )
    project.write("certificates/b.yaml", "")
    assert main(["validate", "-C", str(project.root)]) == 1
    out, err = capsys.readouterr()
    assert [line.split(": ")[0] for line in out.splitlines()] == [
        "certificates/a.yaml:2:13",
        "certificates/a.yaml:3:12",
        "certificates/b.yaml:1:1",
        "certrecon.yaml:8:1",
    ]
    assert err == "validate: 1 valid certificate, 2 that cannot be used; 4 errors.\n"


def test_warnings_alone_are_told_and_exit_0(project: Files, capsys: pytest.CaptureFixture[str]) -> None:
    project.write(WWW, "apiVersion: certrecon/v1\ncommonName: '*.github.io'\n")
    assert main(["validate", "-C", str(project.root)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{WWW}:2:13: warning NAME-06: commonName: ")
    assert err.splitlines()[0] == "validate: 1 valid certificate; 1 warning."


def test_a_link_is_told(project: Files, capsys: pytest.CaptureFixture[str]) -> None:
    (project.root / "certificates" / "link.yaml").symlink_to("www.yaml")
    assert main(["validate", "-C", str(project.root)]) == 1
    assert capsys.readouterr().out.startswith("certificates/link.yaml:1:1: error: Links are not followed.")


def test_no_configuration_says_where_it_was_looked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".git").mkdir()
    assert main(["validate", "-C", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "There is no certrecon.yaml here" in err
    assert "-C DIR" in err


def test_a_folder_that_is_not_there_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "-C", str(tmp_path / "none")]) == 1
    assert "There is no such folder." in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--format", "xml"], ["--nonsense"], ["extra"]])
def test_wrong_usage_exits_64(project: Files, arguments: list[str]) -> None:
    assert main(["validate", "-C", str(project.root), *arguments]) == 64


def test_the_program_itself_answers_without_a_traceback(project: Files) -> None:
    project.write(WWW, BOMB)
    done = subprocess.run(
        [Path(sys.executable).with_name("certrecon"), "validate"],
        cwd=project.root / "certificates",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stdout.startswith(f"{WWW}:1:5: error: Anchors and aliases are not read.")
    assert done.stderr == "validate: 0 valid certificates, 1 that cannot be used; 1 error.\n"

"""certrecon.yaml is found upwards, read completely, and refused with everything that is wrong with it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from git import Repo

from reconciler import __version__
from reconciler.desired.project import find_project, load_project
from reconciler.errors import ConfigurationError, Location
from reconciler.model.certificate import AccountName, InstanceName, RenewBefore
from reconciler.model.policy import (
    Approval,
    Budgets,
    Freeze,
    LockSettings,
    Login,
    LoginKind,
    Policy,
    Project,
    Selection,
)
from tests.support import certs
from tests.support.files import CONFIGURATION, Files

START = "apiVersion: certrecon/v1\n"
AKAMAI = "akamai: {main: {accountId: A-1XYZ}}\n"
SECTIGO = (
    "sectigo: {enterprise: {baseUrl: 'https://cert-manager.com/api', auth: {type: password, login: SECTIGO_LOGIN, "
    "password: SECTIGO_PASSWORD, customerUri: acme}}}\n"
)


def project(root: Path, content: str, environment: dict[str, str] | None = None) -> Project:
    Files(root).write("certrecon.yaml", content)
    return load_project(root, environment=environment or {})


def refused(root: Path, content: str, environment: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        project(root, content, environment)
    return str(caught.value).splitlines()


def instance(base_url: str = "https://cert-manager.com/api", auth: str = "") -> str:
    auth = auth or "{type: password, login: SECTIGO_LOGIN, password: SECTIGO_PASSWORD, customerUri: acme}"
    return f"{START}{AKAMAI}sectigo:\n  one:\n    baseUrl: {base_url!r}\n    auth: {auth}\n"


def test_the_nearest_configuration_upwards_counts(tmp_path: Path) -> None:
    tree = Files(tmp_path)
    tree.write("certrecon.yaml", CONFIGURATION)
    tree.write("inner/certrecon.yaml", CONFIGURATION)
    (tmp_path / "inner" / "certificates" / "web").mkdir(parents=True)
    assert find_project(tmp_path / "inner" / "certificates" / "web") == tmp_path / "inner" / "certrecon.yaml"
    assert find_project(tmp_path) == tmp_path / "certrecon.yaml"


def test_a_configuration_outside_of_the_repository_does_not_count(tmp_path: Path) -> None:
    Files(tmp_path).write("certrecon.yaml", CONFIGURATION)
    Repo.init(tmp_path / "repository").close()
    with pytest.raises(ConfigurationError, match=r"There is no certrecon\.yaml here.*-C DIR"):
        find_project(tmp_path / "repository")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"There is no such folder\. Correct -C\."):
        find_project(tmp_path / "none")


def test_a_short_configuration_has_the_documented_defaults(tmp_path: Path) -> None:
    found = project(tmp_path, START + AKAMAI + SECTIGO)
    account, instance = found.accounts[AccountName("main")], found.instances[InstanceName("enterprise")]
    assert found.root == tmp_path
    assert (account.account_id, account.edgerc_section, account.calls_per_minute) == ("A-1XYZ", "default", 30)
    assert account.location == Location("certrecon.yaml", 2, 10)
    assert instance.base_url == "https://cert-manager.com/api"
    assert instance.login == Login(
        kind=LoginKind.PASSWORD, login="SECTIGO_LOGIN", password="SECTIGO_PASSWORD", customer_uri="acme"
    )
    assert found.policy == Policy()
    assert found.lock == LockSettings()
    assert (found.name, found.requires, found.notify) == (None, None, ())


EVERYTHING = f"""\
apiVersion: certrecon/v1
project: web
requires: ">=0.1, <9"
akamai:
  main: {{accountId: A-1XYZ, edgerc: {{section: web}}, accountSwitchKey: "1-5C0YLB:1-8BYUX", callsPerMinute: 20}}
  other:
    accountId: A-2XYZ
    env:
      host: AKAMAI_HOST
      clientToken: AKAMAI_CLIENT_TOKEN
      clientSecret: AKAMAI_CLIENT_SECRET
      accessToken: AKAMAI_ACCESS_TOKEN
sectigo:
  oauth:
    baseUrl: https://admin.enterprise.sectigo.com/api/
    auth: {{type: oauth, clientId: SECTIGO_CLIENT_ID, clientSecret: SECTIGO_CLIENT_SECRET}}
    privateRoots: ["{":".join(["ab"] * 32)}"]
  certificate:
    baseUrl: https://hard.cert-manager.com/private/api
    auth:
      {{type: certificate, login: SECTIGO_LOGIN, customerUri: acme, certificateFile: SECTIGO_CERT,
        keyFile: SECTIGO_KEY}}
policy:
  approval: plan
  planMaxAge: 7d
  renewal:
    before: 33%
    csrMaxAge: 36h
    freeze: [{{from: 2026-12-18, to: 2027-01-04, reason: year end}}]
  expiry: {{warn: 21, critical: 10.5}}
  acceptWarnings: [cross-signed-root-in-trust-chain]
  budgets: {{orders: 1, ordersPerDay: 2, deletes: 3, revokes: 4, cancels: 5, changedPercent: 6}}
  replace:
    - name: distrust
      issuedBefore: 2026-11-20T10:00:00+01:00
      select: {{labels: {{team: web}}, names: ["*.example.com"], serialsFile: affected.txt}}
      reason: superseded
      deadline: 2026-11-21T09:00:00Z
      promote: auto
lock: {{backend: file, remote: upstream, ttl: 30m, refPrefix: refs/heads/certrecon}}
notify: [{{url: NOTIFY_URL, on: [critical, blocked, failed]}}]
"""


def test_every_field_of_the_configuration_is_read(tmp_path: Path) -> None:
    found = project(tmp_path, EVERYTHING)
    main, other = found.accounts[AccountName("main")], found.accounts[AccountName("other")]
    assert (main.edgerc_section, main.account_switch_key, main.calls_per_minute) == ("web", "1-5C0YLB:1-8BYUX", 20)
    assert other.edgerc_section is None
    assert other.variables == {
        "host": "AKAMAI_HOST",
        "clientToken": "AKAMAI_CLIENT_TOKEN",
        "clientSecret": "AKAMAI_CLIENT_SECRET",
        "accessToken": "AKAMAI_ACCESS_TOKEN",
    }
    oauth, by_certificate = found.instances[InstanceName("oauth")], found.instances[InstanceName("certificate")]
    assert oauth.base_url == "https://admin.enterprise.sectigo.com/api"
    assert oauth.private_roots == {"AB" * 32}
    assert (oauth.login.client_id, oauth.login.client_secret) == ("SECTIGO_CLIENT_ID", "SECTIGO_CLIENT_SECRET")
    assert (by_certificate.login.certificate_file, by_certificate.login.key_file) == ("SECTIGO_CERT", "SECTIGO_KEY")
    policy = found.policy
    assert (policy.approval, policy.plan_max_age, policy.csr_max_age) == (
        Approval.PLAN,
        timedelta(days=7),
        timedelta(hours=36),
    )
    assert policy.renew_before == RenewBefore(percent=33)
    assert policy.freezes == (Freeze(first=date(2026, 12, 18), last=date(2027, 1, 4), reason="year end"),)
    assert (policy.warn_days, policy.critical_days) == (21, 10.5)
    assert policy.accept_warnings == {"CROSS_SIGNED_ROOT_IN_TRUST_CHAIN"}
    assert policy.budgets == Budgets(orders=1, orders_per_day=2, deletes=3, revokes=4, cancels=5, changed_percent=6)
    (campaign,) = policy.campaigns
    assert campaign.issued_before == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert campaign.deadline == datetime(2026, 11, 21, 9, tzinfo=UTC)
    assert campaign.select == Selection(labels={"team": "web"}, names=("*.example.com",), serials_file="affected.txt")
    assert found.lock == LockSettings(
        backend="file", remote="upstream", ttl=timedelta(minutes=30), ref_prefix="refs/heads/certrecon"
    )
    assert [(one.url_variable, one.on) for one in found.notify] == [("NOTIFY_URL", ("critical", "blocked", "failed"))]


def test_a_budget_of_nothing_is_not_the_default(tmp_path: Path) -> None:
    assert project(tmp_path, START + AKAMAI + SECTIGO + "policy: {budgets: {orders: 0}}").policy.budgets.orders == 0


@pytest.mark.parametrize(
    "url",
    [
        "https://cert-manager.com/api",
        "https://hard.cert-manager.com/api",
        "https://admin.enterprise.sectigo.com/api",
        "https://localhost:8443/api",
        "https://127.0.0.1:8443/api",
        "https://[::1]:8443/api",
    ],
)
def test_sectigo_and_this_machine_are_allowed_hosts(tmp_path: Path, url: str) -> None:
    assert project(tmp_path, instance(url)).instances[InstanceName("one")].base_url == url


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/api",
        "https://cert-manager.com.evil.example/api",
        "https://evilcert-manager.com/api",
        "https://sectigo.com.evil.example/api",
        "https://10.0.0.1/api",
        "https://cert-manager.com@evil.example.com/api",
        "https://localhost.evil.example/api",
    ],
)
def test_other_hosts_are_refused_at_their_place(tmp_path: Path, url: str) -> None:
    (told,) = refused(tmp_path, instance(url))
    assert told.startswith("certrecon.yaml:5:14: error: sectigo.one.baseUrl: The host ")
    assert "is not allowed" in told


@pytest.mark.parametrize(
    "url", ["cert-manager.com/api", "https://[::1/api", "https://localhost:port/api", "https:///api"]
)
def test_what_is_no_address_is_refused(tmp_path: Path, url: str) -> None:
    (told,) = refused(tmp_path, instance(url))
    assert told.startswith("certrecon.yaml:5:14: error: sectigo.one.baseUrl: ")


def test_another_host_is_allowed_by_the_environment_only(tmp_path: Path) -> None:
    url = "https://scm.test.example.com/api"
    environment = {"CERTRECON_ALLOWED_HOSTS": "other.example.com, SCM.test.example.com"}
    assert project(tmp_path, instance(url), environment).instances[InstanceName("one")].base_url == url
    assert refused(tmp_path, instance(url), {"CERTRECON_ALLOWED_HOSTS": "test.example.com"})


@pytest.mark.parametrize(
    ("auth", "text"),
    [
        ("{type: password, login: SECTIGO_LOGIN, password: SECTIGO_PASSWORD}", 'needs "customerUri"'),
        ("{type: oauth, clientId: SECTIGO_ID}", 'needs "clientSecret"'),
        ("{type: certificate, login: SECTIGO_L, customerUri: a, keyFile: SECTIGO_K}", 'needs "certificateFile"'),
        ("{type: oauth, clientId: SECTIGO_I, clientSecret: SECTIGO_S, login: SECTIGO_L}", '"login" means nothing'),
        ("{type: token}", "Known: certificate, oauth, password."),
        ("{type: password, login: ada, password: SECTIGO_P, customerUri: a}", "not the name of a variable"),
        ("{type: password, login: HOME, password: SECTIGO_P, customerUri: a}", "not the name of a variable"),
    ],
)
def test_a_login_is_complete_and_names_variables(tmp_path: Path, auth: str, text: str) -> None:
    (told,) = refused(tmp_path, instance(auth=auth))
    assert told.startswith("certrecon.yaml:6:")
    assert text in told


def test_a_secret_is_not_shown(tmp_path: Path) -> None:
    (told,) = refused(tmp_path, instance(auth="{type: password, login: SECTIGO_L, password: hunter2, customerUri: a}"))
    assert "looks like a secret" in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ('requires: ">=99"', f"needs certrecon >=99, and this is {__version__}"),
        ("requires: latest", '"latest" does not fit'),
        ("policy: {renewal: {before: 8d}}", "RENEW-01"),
        ("policy: {renewal: {before: 60%}}", "RENEW-01"),
        ("policy: {renewal: {freeze: [{from: 2027-01-04, to: 2026-12-18}]}}", "before it begins"),
        ("policy: {renewal: {freeze: [{from: 2026-02-30, to: 2026-12-18}]}}", 'no day "2026-02-30"'),
        ("policy: {expiry: {warn: 5, critical: 10}}", "Critical (10 days) would come before"),
        ("policy: {acceptWarnings: [CSR_VS_CERTIFICATE_KEY_MISMATCH]}", "never accepted"),
        ("policy: {acceptWarnings: [CROSS_SIGNED_ROOT_IN_CHAIN]}", 'Did you mean "CROSS_SIGNED_ROOT_IN_TRUST_CHAIN"?'),
        ("policy: {budgets: {changedPercent: 101}}", "is more than 100"),
        ("policy: {planMaxAge: 14 days}", '"14 days" does not fit'),
        (
            "policy: {replace: [{name: a, issuedBefore: 2026-11-20T09:00:00Z, select: {}, reason: superseded}]}",
            "selects",
        ),
        (
            "policy: {replace: [{name: a, issuedBefore: 2026-11-31T09:00Z, select: {issuer: x}, reason: superseded}]}",
            "no instant",
        ),
        ("notify: [{url: 'https://notify.example.com', on: [critical]}]", "not the name of a variable"),
        ("lock: {backend: consul}", "Known: file, git, none."),
        ("lock: {ttl: 5 minutes}", "does not fit"),
        ("accounts: {}", 'no field "accounts"'),
    ],
)
def test_each_wrong_setting_is_one_message_with_its_line(tmp_path: Path, more: str, text: str) -> None:
    (told,) = refused(tmp_path, f"{START}{AKAMAI}{SECTIGO}{more}\n")
    assert told.startswith("certrecon.yaml:4:")
    assert text in told


def test_credentials_come_from_one_place(tmp_path: Path) -> None:
    variables = "{host: AKAMAI_H, clientToken: AKAMAI_CT, clientSecret: AKAMAI_CS, accessToken: AKAMAI_AT}"
    content = f"{START}{SECTIGO}akamai:\n  main: {{accountId: A-1, edgerc: {{section: a}}, env: {variables}}}\n"
    (told,) = refused(tmp_path, content)
    assert told.startswith("certrecon.yaml:4:9: error: akamai.main: Credentials come from .edgerc or from variables")


@pytest.mark.parametrize(("backend", "needed"), [("git", True), ("file", False), ("none", False)])
def test_the_git_lock_needs_the_id_of_the_account(tmp_path: Path, backend: str, needed: bool) -> None:
    content = f"{START}{SECTIGO}akamai:\n  main: {{callsPerMinute: 30}}\nlock: {{backend: {backend}}}\n"
    if needed:
        assert "Add accountId" in refused(tmp_path, content)[0]
    else:
        assert project(tmp_path, content).accounts[AccountName("main")].account_id is None


def test_all_problems_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    told = refused(tmp_path, "akamai: {}\nsectigo: 5\nproject: [a]\nunknown: 1\n")
    assert [line.split(": ")[0] for line in told] == [
        "certrecon.yaml:1:1",
        "certrecon.yaml:1:9",
        "certrecon.yaml:2:10",
        "certrecon.yaml:3:10",
        "certrecon.yaml:4:1",
    ]


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (">=0.1", True),
        ("==0.1.0", True),
        ("==0.1", True),
        (">0.1", False),
        (">=0.1,<1", True),
        (">=0.0.9, !=0.1", False),
        ("<=0.1", True),
        ("<0.10", True),
    ],
)
def test_versions_are_compared_by_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, fits: bool
) -> None:
    monkeypatch.setattr("reconciler.desired.check_project.__version__", "0.1.0")
    content = f"{START}{AKAMAI}{SECTIGO}requires: '{wanted}'\n"
    if fits:
        assert project(tmp_path, content).requires == wanted
    else:
        assert refused(tmp_path, content)[0].startswith("certrecon.yaml:4:11: error: requires: ")


def test_the_configuration_of_this_repository_is_valid() -> None:
    root = Path(__file__).parents[3]
    assert load_project(root / "certificates", environment={}).root == root


def rooted(tmp_path: Path, *entries: str) -> str:
    return instance() + f"    privateRoots: [{', '.join(entries)}]\n"


def test_a_private_root_may_be_named_by_its_file(tmp_path: Path) -> None:
    root = certs.root_ca("Our Root")
    pem = certs.pem_of(root.certificate)
    Files(tmp_path).write("roots/ours.pem", pem)
    one = project(tmp_path, rooted(tmp_path, "roots/ours.pem", "AB" * 32)).instances[InstanceName("one")]
    assert one.private_roots == {root.value.sha256, "AB" * 32}
    assert one.private_root_pems == (pem,)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read (No such file or directory)"),
        ("", "holds no certificate in PEM form"),
        (certs.pem_of(certs.sub_ca(certs.root_ca(), "Issuing CA").certificate), "holds issuing ca"),
    ],
)
def test_a_file_that_is_no_root_is_refused(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        Files(tmp_path).write("ours.pem", content)
    (line,) = refused(tmp_path, rooted(tmp_path, "ours.pem"))
    assert line.startswith("certrecon.yaml:7:")
    assert said in line


def test_what_is_neither_fingerprint_nor_file_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, rooted(tmp_path, "abcdef"))

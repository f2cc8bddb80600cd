"""What the environment and .edgerc say, and what is missing."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import ConfigurationError, Location
from reconciler.model.access import CertificateLogin, OAuthLogin, PasswordLogin, Secret
from reconciler.model.certificate import AccountName, InstanceName
from reconciler.model.policy import Account, Instance, LockSettings, Login, LoginKind, Policy, Project
from reconciler.settings import Settings, read_settings

PLACE = Location("certrecon.yaml", 4, 3)
ACCOUNT = Account(name=AccountName("main"), edgerc_section="default", location=PLACE)
EDGERC = """
[default]
client_token = akab-ct
client_secret = sec%ret=;x
access_token = akab-at
host = akab-h.luna.akamaiapis.net
[partner]
client_token = akab-ct
client_secret = secret
access_token = akab-at
host = https://AKAB-H.luna.akamaiapis.net/
account_key = 1-5C0YLB:1-8BYUX
max-body = 2048
[half]
host = akab-h.luna.akamaiapis.net
client_token = akab-ct
[odd]
client_token = akab-ct
client_secret = secret
access_token = akab-at
host = evil.example.com
"""


@pytest.fixture
def edgerc(tmp_path: Path) -> Path:
    path = tmp_path / "edgerc"
    path.write_text(EDGERC)
    return path


@pytest.fixture
def settings(edgerc: Path) -> Settings:
    return read_settings({"AKAMAI_EDGERC": str(edgerc)})


def refused(settings: Settings, account: Account) -> str:
    with pytest.raises(ConfigurationError) as caught:
        settings.cps_access(account)
    return str(caught.value)


def section(name: str) -> Account:
    return replace(ACCOUNT, edgerc_section=name)


# .edgerc


def test_an_account_is_read_from_its_section(settings: Settings) -> None:
    access = settings.cps_access(ACCOUNT)
    assert (access.host, access.account) == ("akab-h.luna.akamaiapis.net", "main")
    assert access.client_secret.reveal() == "sec%ret=;x"  # no interpolation, no comments, no splitting
    assert (access.max_body, access.account_switch_key, access.calls_per_minute) == (131_072, None, 30)


def test_a_section_may_switch_accounts_and_hash_less(settings: Settings) -> None:
    access = settings.cps_access(section("partner"))
    assert access.host == "akab-h.luna.akamaiapis.net"
    assert (access.account_switch_key, access.max_body) == ("1-5C0YLB:1-8BYUX", 2048)


def test_the_file_of_the_project_switches_before_edgerc(settings: Settings) -> None:
    account = replace(section("partner"), account_switch_key="1-OTHER")
    assert settings.cps_access(account).account_switch_key == "1-OTHER"


def test_none_switches_nothing(edgerc: Path) -> None:
    edgerc.write_text(EDGERC.replace("1-5C0YLB:1-8BYUX", "None"))
    settings = read_settings({"AKAMAI_EDGERC": str(edgerc)})
    assert settings.cps_access(section("partner")).account_switch_key is None


def test_without_a_section_it_is_the_default_one(settings: Settings) -> None:
    assert settings.cps_access(replace(ACCOUNT, edgerc_section=None)).host == "akab-h.luna.akamaiapis.net"


def test_the_usual_place_is_the_home_directory(monkeypatch: pytest.MonkeyPatch, edgerc: Path) -> None:
    monkeypatch.setenv("HOME", str(edgerc.parent))
    edgerc.rename(edgerc.parent / ".edgerc")
    assert read_settings({}).cps_access(ACCOUNT).host == "akab-h.luna.akamaiapis.net"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    text = refused(read_settings({"AKAMAI_EDGERC": str(tmp_path / "none")}), ACCOUNT)
    assert f"{tmp_path}/none: error: no such file" in text
    assert "AKAMAI_EDGERC" in text


def test_a_missing_section_is_named_with_those_that_are_there(settings: Settings) -> None:
    text = refused(settings, section("prod"))
    assert "no section [prod], which account main names; there is [default], [partner], [half], [odd]." in text


def test_all_missing_values_are_named_at_once(settings: Settings) -> None:
    text = refused(settings, section("half"))
    assert text.count("\n") == 1
    assert "section [half] has no client_secret." in text
    assert "section [half] has no access_token." in text


@pytest.mark.parametrize("content", [b"no section\n", b"[default\nx", b"\xff\xfe\x00", b"[a]\nx=1\n[a]\n"])
def test_a_file_of_another_kind_is_no_crash(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "edgerc"
    path.write_bytes(content)
    text = refused(read_settings({"AKAMAI_EDGERC": str(path)}), ACCOUNT)
    assert str(path) in text
    assert "not a credentials file" in text


def test_a_max_body_that_is_no_number_is_refused(edgerc: Path) -> None:
    edgerc.write_text(EDGERC.replace("2048", "much"))
    assert "max_body" in refused(read_settings({"AKAMAI_EDGERC": str(edgerc)}), section("partner"))


# Hosts


def test_a_strange_host_is_refused(settings: Settings) -> None:
    text = refused(settings, section("odd"))
    assert "host 'evil.example.com' of account main is not one of Akamai's" in text
    assert "CERTRECON_ALLOWED_HOSTS" in text


@pytest.mark.parametrize(
    "host",
    [
        "luna.akamaiapis.net.evil.example",
        "evilluna.akamaiapis.net",
        "localhost.evil.example",
        "akab-h.luna.akamaiapis.net@evil.example",
        "akab-h.luna.akamaiapis.net/x",
        "evil.example#.luna.akamaiapis.net",
        "evil.example/.luna.akamaiapis.net",
        "evil.example?.luna.akamaiapis.net",
        "a b.luna.akamaiapis.net",
    ],
)
def test_a_host_that_only_looks_right_is_refused(edgerc: Path, host: str) -> None:
    edgerc.write_text(EDGERC.replace("evil.example.com", host))
    refused(read_settings({"AKAMAI_EDGERC": str(edgerc)}), section("odd"))


@pytest.mark.parametrize("host", ["localhost:8443", "127.0.0.1:1", "akab-x.luna.akamaiapis.net:443"])
def test_this_machine_and_akamai_are_allowed(edgerc: Path, host: str) -> None:
    edgerc.write_text(EDGERC.replace("evil.example.com", host))
    assert read_settings({"AKAMAI_EDGERC": str(edgerc)}).cps_access(section("odd")).host == host


def test_the_environment_may_allow_a_host(edgerc: Path) -> None:
    settings = read_settings(
        {"AKAMAI_EDGERC": str(edgerc), "CERTRECON_ALLOWED_HOSTS": "other.example, EVIL.example.com"}
    )
    assert settings.cps_access(section("odd")).host == "evil.example.com"


# Variables

VARIABLES = {
    "host": "AKAMAI_HOST",
    "client_token": "AKAMAI_CLIENT_TOKEN",
    "client_secret": "AKAMAI_CLIENT_SECRET",
    "access_token": "AKAMAI_ACCESS_TOKEN",
}
VALUES = {
    "AKAMAI_HOST": "akab-v.luna.akamaiapis.net",
    "AKAMAI_CLIENT_TOKEN": "ct",
    "AKAMAI_CLIENT_SECRET": "cs",
    "AKAMAI_ACCESS_TOKEN": "at",
}


@pytest.mark.parametrize(
    "names", [VARIABLES, {"host": "AKAMAI_HOST", "clientToken": "AKAMAI_CLIENT_TOKEN"} | {
        "clientSecret": "AKAMAI_CLIENT_SECRET", "accessToken": "AKAMAI_ACCESS_TOKEN"}]
)  # fmt: skip
def test_an_account_is_read_from_variables(names: Mapping[str, str]) -> None:
    access = read_settings(VALUES).cps_access(replace(ACCOUNT, edgerc_section=None, variables=names))
    assert (access.host, access.client_secret) == ("akab-v.luna.akamaiapis.net", Secret("cs"))


def test_missing_variables_are_named_with_the_place_that_names_them() -> None:
    account = replace(ACCOUNT, edgerc_section=None, variables=VARIABLES)
    text = refused(read_settings({**VALUES, "AKAMAI_CLIENT_SECRET": "", "AKAMAI_HOST": ""}), account)
    assert text.splitlines() == [
        f"certrecon.yaml:4:3: error: akamai.main: the variable {name} is not set, or empty. "
        f"Set {name} in the environment."
        for name in ("AKAMAI_HOST", "AKAMAI_CLIENT_SECRET")
    ]


# SCM

PASSWORD = Login(kind=LoginKind.PASSWORD, login="SECTIGO_LOGIN", password="SECTIGO_PASSWORD", customer_uri="acme")
OAUTH = Login(kind=LoginKind.OAUTH, client_id="SECTIGO_CLIENT_ID", client_secret="SECTIGO_CLIENT_SECRET")
CERTIFICATE = Login(
    kind=LoginKind.CERTIFICATE,
    login="SECTIGO_LOGIN",
    customer_uri="acme",
    certificate_file="SECTIGO_CERT_FILE",
    key_file="SECTIGO_KEY_FILE",
)
SECTIGO = {
    "SECTIGO_LOGIN": "ada",
    "SECTIGO_PASSWORD": "hunter2",
    "SECTIGO_CLIENT_ID": "id",
    "SECTIGO_CLIENT_SECRET": "s3cret",
    "SECTIGO_CERT_FILE": __file__,
    "SECTIGO_KEY_FILE": __file__,
}
SANDBOX = {
    "CERTRECON_SCM_URL": "https://localhost:1/api",
    "CERTRECON_SCM_PRIVATE_URL": "https://localhost:1/private/api",
    "CERTRECON_SCM_ADMIN_URL": "https://localhost:2/api",
    "CERTRECON_SCM_TOKEN_URL": "https://localhost:2/token",
    "CERTRECON_SCM_CUSTOMER_URI": "sandbox",
}


def instance(login: Login, base_url: str = "https://cert-manager.com/api") -> Instance:
    return Instance(name=InstanceName("enterprise"), base_url=base_url, login=login, location=PLACE)


def test_each_login_is_read() -> None:
    settings = read_settings(SECTIGO)
    assert settings.scm_access(instance(PASSWORD)).login == PasswordLogin(
        login="ada", password=Secret("hunter2"), customer_uri="acme"
    )
    assert settings.scm_access(instance(OAUTH)).login == OAuthLogin(
        client_id="id",
        client_secret=Secret("s3cret"),
        token_url="https://auth.sso.sectigo.com/auth/realms/apiclients/protocol/openid-connect/token",
    )
    assert settings.scm_access(instance(CERTIFICATE)).login == CertificateLogin(
        login="ada", customer_uri="acme", certificate_file=Path(__file__), key_file=Path(__file__)
    )


@pytest.mark.parametrize(
    ("login", "base_url"),
    [
        (PASSWORD, "https://localhost:1/api"),
        (CERTIFICATE, "https://localhost:1/private/api"),
        (OAUTH, "https://localhost:2/api"),
    ],
)
def test_a_sandbox_takes_the_place_of_the_address(login: Login, base_url: str) -> None:
    access = read_settings(SECTIGO | SANDBOX).scm_access(instance(login))
    assert access.base_url == base_url
    match access.login:
        case OAuthLogin(token_url=token_url):
            assert token_url == "https://localhost:2/token"
        case PasswordLogin(customer_uri=customer) | CertificateLogin(customer_uri=customer):
            assert customer == "sandbox"


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://cert-manager.com/api", "https://cert-manager.com/private/api"),
        ("https://hard.cert-manager.com/api/", "https://hard.cert-manager.com/private/api"),
        ("https://cert-manager.com/private/api", "https://cert-manager.com/private/api"),
    ],
)
def test_a_client_certificate_has_its_own_paths(base_url: str, expected: str) -> None:
    assert read_settings(SECTIGO).scm_access(instance(CERTIFICATE, base_url)).base_url == expected


@pytest.mark.parametrize(
    ("login", "missing"),
    [
        (PASSWORD, ["SECTIGO_LOGIN", "SECTIGO_PASSWORD"]),
        (OAUTH, ["SECTIGO_CLIENT_ID", "SECTIGO_CLIENT_SECRET"]),
        (CERTIFICATE, ["SECTIGO_LOGIN", "SECTIGO_CERT_FILE", "SECTIGO_KEY_FILE"]),
    ],
)
def test_missing_logins_are_all_named(login: Login, missing: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings({}).scm_access(instance(login))
    problems = caught.value.problems
    assert [problem.remedy for problem in problems] == [f"Set {name} in the environment." for name in missing]
    assert {str(problem.location) for problem in problems} == {"certrecon.yaml:4:3"}


def test_a_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no-such\.pem"):
        read_settings({**SECTIGO, "SECTIGO_CERT_FILE": str(tmp_path / "no-such.pem")}).scm_access(instance(CERTIFICATE))


@pytest.mark.parametrize("login", [replace(PASSWORD, login=None), replace(PASSWORD, customer_uri=None)])
def test_a_login_that_names_nothing_is_refused(login: Login) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(SECTIGO).scm_access(instance(login))
    assert len(caught.value.problems) == 1


# The sandbox


def test_a_sandbox_of_another_machine_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="not on this machine"):
        read_settings({"CERTRECON_SANDBOX": "https://sandbox.example.com:1"})


def test_a_sandbox_clock_never_meets_a_real_service(edgerc: Path) -> None:
    """A clock that is a week off, and jumps, would renew and wait at the wrong times."""
    settings = read_settings(SECTIGO | {"AKAMAI_EDGERC": str(edgerc), "CERTRECON_SANDBOX": "https://localhost:1"})
    assert "a real service" in refused(settings, ACCOUNT)
    with pytest.raises(ConfigurationError, match="a real service"):
        settings.scm_access(instance(PASSWORD))


def test_a_token_endpoint_is_a_service_too() -> None:
    environment = {**SECTIGO, **SANDBOX, "CERTRECON_SANDBOX": "https://localhost:1", "CERTRECON_SCM_TOKEN_URL": ""}
    with pytest.raises(ConfigurationError, match=r"sso\.sectigo\.com"):
        read_settings(environment).scm_access(instance(OAUTH))


def test_all_bad_variables_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(
            {
                "CERTRECON_SANDBOX": "https://example.com",
                "CERTRECON_CA_FILE": str(tmp_path / "gone.pem"),
                "CERTRECON_PRIVATE_ROOTS": "AB:CD",
            }
        )
    assert [problem.pointer for problem in caught.value.problems] == [
        "CERTRECON_SANDBOX",
        "CERTRECON_CA_FILE",
        "CERTRECON_PRIVATE_ROOTS",
    ]


def test_private_roots_of_the_environment_are_added() -> None:
    root = "ab" * 32
    settings = read_settings({"CERTRECON_PRIVATE_ROOTS": f"{root},{':'.join(['CD'] * 32)}"})
    named = replace(instance(PASSWORD), private_roots=frozenset({"EF" * 32}))
    assert settings.private_roots(named) == {"AB" * 32, "CD" * 32, "EF" * 32}


def test_secrets_do_not_show(edgerc: Path) -> None:
    settings = read_settings(SECTIGO | {"AKAMAI_EDGERC": str(edgerc)})
    shown = f"{settings!r} {settings.cps_access(ACCOUNT)!r} {settings.scm_access(instance(PASSWORD))!r}"
    assert "hunter2" not in shown
    assert "sec%ret" not in shown
    assert "s3cret" not in shown


def project(account: Account) -> Project:
    return Project(
        root=Path("/"),
        name=None,
        requires=None,
        accounts={account.name: account},
        instances={InstanceName("enterprise"): instance(PASSWORD)},
        policy=Policy(),
        lock=LockSettings(),
    )


@pytest.mark.parametrize(
    ("host", "environment", "local"),
    [
        ("localhost:1", SANDBOX, True),
        ("localhost:1", {}, False),
        ("akab-h.luna.akamaiapis.net", SANDBOX, False),
    ],
)
def test_all_is_local_only_if_every_service_is(
    edgerc: Path, host: str, environment: Mapping[str, str], local: bool
) -> None:
    edgerc.write_text(EDGERC.replace("akab-h.luna.akamaiapis.net", host))
    settings = read_settings({**SECTIGO, **environment, "AKAMAI_EDGERC": str(edgerc)})
    accounts, instances = project(ACCOUNT).accounts.values(), project(ACCOUNT).instances.values()
    assert settings.all_loopback(accounts, instances) is local


@pytest.mark.parametrize(
    ("given", "read_s"), [(None, 120.0), ("", 120.0), ("90s", 90.0), ("1m30s", 90.0), ("2m", 120.0)]
)
def test_how_long_reads_are_tried_again_is_of_the_environment(given: str | None, read_s: float) -> None:
    environment = {} if given is None else {"CERTRECON_READ_TIMEOUT": given}
    assert read_settings(environment).read_timeout_s == read_s


@pytest.mark.parametrize("given", ["0s", "90", "-1s", "soon"])
def test_a_read_timeout_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(ConfigurationError, match=f'"{given}" is not a length of time'):
        read_settings({"CERTRECON_READ_TIMEOUT": given})

"""Environment and `.edgerc` -> frozen values: credentials, addresses, and where a sandbox takes the services' place.

Files name variables; what these hold is read here and nowhere else. Every problem has a place and a remedy.
"""

import configparser
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from akamai.edgegrid import EdgeRc

from reconciler.errors import ConfigurationError, Location, Problem
from reconciler.model.access import (
    CertificateLogin,
    CpsAccess,
    OAuthLogin,
    PasswordLogin,
    ScmAccess,
    ScmLogin,
    Secret,
    is_loopback,
)
from reconciler.model.policy import Account, Instance, Login, LoginKind
from reconciler.model.times import LONGEST_SPAN_DAYS, span

READ_TIMEOUT_S = 120.0
TOKEN_URL = "https://auth.sso.sectigo.com/auth/realms/apiclients/protocol/openid-connect/token"  # noqa: S105 - an address
_EDGERC = "~/.edgerc"
_SECTION = "default"
_MAX_BODY = 131_072
_CREDENTIALS = ("host", "client_token", "client_secret", "access_token")
_CPS_DOMAIN = ".luna.akamaiapis.net"
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?")
_SHA256 = re.compile(r"[0-9A-F]{64}")
_ENVIRONMENT = Location("environment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says. `environment` itself stays hidden: it holds the secrets."""

    environment: Mapping[str, str] = field(repr=False)
    edgerc: Path
    ca_file: Path | None = None  # trusted for the services instead of the system's roots
    sandbox_url: str | None = None  # the control API of a sandbox whose clock is ours
    allowed_hosts: frozenset[str] = frozenset()
    extra_private_roots: frozenset[str] = frozenset()
    edge_staging: str | None = None  # "host:port"; None: the real edge
    edge_production: str | None = None
    read_timeout_s: float = READ_TIMEOUT_S

    def cps_access(self, account: Account) -> CpsAccess:
        """Return how to reach an account.

        Raises:
            ConfigurationError: credentials are missing, or the host is not one of Akamai's.
        """
        if account.variables and account.edgerc_section is None:
            values, place = self._from_variables(account), account.location
        else:
            values, place = self._from_edgerc(account), Location(str(self.edgerc))
        host = _bare_host(values["host"])
        self._check_host(host, account, place)
        return CpsAccess(
            account=account.name,
            host=host,
            client_token=Secret(values["client_token"]),
            client_secret=Secret(values["client_secret"]),
            access_token=Secret(values["access_token"]),
            max_body=_number(values.get("max_body"), place),
            account_switch_key=account.account_switch_key or _switch_key(values.get("account_key")),
            calls_per_minute=account.calls_per_minute,
        )

    def scm_access(self, instance: Instance) -> ScmAccess:
        """Return how to reach an instance; on a sandbox its address and customer take the place of the file's.

        Raises:
            ConfigurationError: credentials are missing, or a sandbox's clock would meet a real service.
        """
        login = _LoginReader(instance, self.environment).read()
        base_url = _base_url(instance, login, self.environment)
        for url in _addresses(base_url, login):
            self._check_sandbox(url, f"instance {instance.name}", instance.location)
        return ScmAccess(instance=instance.name, base_url=base_url, login=login)

    def private_roots(self, instance: Instance) -> frozenset[str]:
        """Return the fingerprints of the private roots that may be trusted for an instance."""
        return instance.private_roots | self.extra_private_roots

    def all_loopback(self, accounts: Iterable[Account], instances: Iterable[Instance]) -> bool:
        """Tell whether every service of these accounts and instances is on this machine.

        Raises:
            ConfigurationError: an account's or an instance's credentials are missing.
        """
        hosts = [self.cps_access(account).host for account in accounts]
        for instance in instances:
            access = self.scm_access(instance)
            hosts.extend(_addresses(access.base_url, access.login))
        return all(is_loopback(host) for host in hosts)

    def _from_variables(self, account: Account) -> dict[str, str]:
        named = {_snake(key): variable for key, variable in account.variables.items()}
        found = {key: self.environment.get(variable, "") for key, variable in named.items()}
        _refuse(
            _missing_variable(named.get(key, f"AKAMAI_{key.upper()}"), account.location, f"akamai.{account.name}")
            for key in _CREDENTIALS
            if not found.get(key)
        )
        return found

    def _from_edgerc(self, account: Account) -> dict[str, str]:
        section = account.edgerc_section or _SECTION
        place = Location(str(self.edgerc))
        if not self.edgerc.is_file():
            raise _error(
                place,
                f"no such file; account {account.name} takes its credentials from section [{section}] of it.",
                "Create it, or name another one in AKAMAI_EDGERC.",
            )
        try:
            file = EdgeRc(str(self.edgerc))
        except (configparser.Error, UnicodeDecodeError, OSError) as error:
            raise _error(place, f"not a credentials file: {_first_line(error)}", "Write it anew, as INI.") from error
        if not file.has_section(section):
            have = ", ".join(f"[{name}]" for name in file.sections()) or "none"
            raise _error(
                place,
                f"no section [{section}], which account {account.name} names; there is {have}.",
                f"Add it, or correct akamai.{account.name}.edgerc.section in {account.location.path}.",
            )
        found = dict(file.items(section, raw=True))  # raw: a secret may hold a per cent sign
        _refuse(
            Problem(location=place, text=f"section [{section}] has no {key}.", remedy="Add it.")
            for key in _CREDENTIALS
            if not found.get(key, "").strip()
        )
        return {key: value.strip() for key, value in found.items()}

    def _check_host(self, host: str, account: Account, place: Location) -> None:
        name = host.partition(":")[0]
        known = name.endswith(_CPS_DOMAIN) or is_loopback(host) or name in self.allowed_hosts
        if not (_HOST.fullmatch(host) and known):  # a slash or "#" in it would lead elsewhere
            raise _error(
                place,
                f"host '{host}' of account {account.name} is not one of Akamai's (*{_CPS_DOMAIN}).",
                "Correct it; another host must be named in CERTRECON_ALLOWED_HOSTS.",
            )
        self._check_sandbox(host, f"account {account.name}", place)

    def _check_sandbox(self, host: str, what: str, place: Location) -> None:
        if self.sandbox_url is not None and not is_loopback(host):
            raise _error(
                place,
                f"{what} is at {host}, a real service, while CERTRECON_SANDBOX names a sandbox, whose clock we take.",
                "Point everything at the sandbox (certrecon sandbox env), or unset CERTRECON_SANDBOX.",
            )


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings of an environment; all its problems at once.

    Raises:
        ConfigurationError: a variable can't be used.
    """
    _refuse(
        [
            *_sandbox_problems(environment),
            *_file_problems(environment),
            *_root_problems(environment),
            *_read_timeout_problems(environment),
        ]
    )
    return Settings(
        environment=dict(environment),
        edgerc=Path(environment.get("AKAMAI_EDGERC") or _EDGERC).expanduser(),
        ca_file=_path(environment.get("CERTRECON_CA_FILE")),
        sandbox_url=environment.get("CERTRECON_SANDBOX") or None,
        allowed_hosts=frozenset(host.lower() for host in _words(environment.get("CERTRECON_ALLOWED_HOSTS"))),
        extra_private_roots=frozenset(_fingerprints(environment)),
        edge_staging=environment.get("CERTRECON_EDGE_STAGING") or None,
        edge_production=environment.get("CERTRECON_EDGE_PRODUCTION") or None,
        read_timeout_s=_read_timeout_s(environment) or READ_TIMEOUT_S,
    )


def _sandbox_problems(environment: Mapping[str, str]) -> Iterable[Problem]:
    url = environment.get("CERTRECON_SANDBOX")
    if url and not is_loopback(url):
        yield _variable("CERTRECON_SANDBOX", f"'{url}' is not on this machine", "A sandbox listens on loopback only.")


def _file_problems(environment: Mapping[str, str]) -> Iterable[Problem]:
    path = _path(environment.get("CERTRECON_CA_FILE"))
    if path is None:
        return
    if not path.is_file():
        yield _variable("CERTRECON_CA_FILE", f"no such file: {path}", "Is the sandbox still running?")
    elif b"-----BEGIN CERTIFICATE-----" not in path.read_bytes():
        yield _variable("CERTRECON_CA_FILE", f"no certificate in {path}", "Give a file of PEM certificates.")


def _root_problems(environment: Mapping[str, str]) -> Iterable[Problem]:
    for fingerprint in _fingerprints(environment):
        if not _SHA256.fullmatch(fingerprint):
            text = f"'{fingerprint}' is no SHA-256 fingerprint"
            yield _variable("CERTRECON_PRIVATE_ROOTS", text, "Give 64 hexadecimal digits.")


def _read_timeout_problems(environment: Mapping[str, str]) -> Iterable[Problem]:
    given = environment.get("CERTRECON_READ_TIMEOUT")
    if given and not _read_timeout_s(environment):
        text = f'"{given}" is not a length of time of at most {LONGEST_SPAN_DAYS}d'
        yield _variable("CERTRECON_READ_TIMEOUT", text, "Write one, as 90s or 2m.")


def _read_timeout_s(environment: Mapping[str, str]) -> float | None:
    """Return the seconds that are given; None where there are none, or it is no span."""
    given = span(environment.get("CERTRECON_READ_TIMEOUT") or "")
    return given.total_seconds() if given else None


def _variable(name: str, text: str, remedy: str) -> Problem:
    return Problem(location=_ENVIRONMENT, pointer=name, text=f"{text}.", remedy=remedy)


def _fingerprints(environment: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(word.replace(":", "").upper() for word in _words(environment.get("CERTRECON_PRIVATE_ROOTS")))


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[,\s]+", text or "") if word)


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None


class _LoginReader:
    """Reads what an instance's login names. Missing variables are gathered, to be reported together."""

    def __init__(self, instance: Instance, environment: Mapping[str, str]) -> None:
        self._instance = instance
        self._environment = environment
        self._problems: list[Problem] = []

    def read(self) -> ScmLogin:
        login = self._instance.login
        found = self._login(login)
        _refuse(self._problems)
        return found

    def _login(self, login: Login) -> ScmLogin:
        match login.kind:
            case LoginKind.PASSWORD:
                return PasswordLogin(
                    login=self._value(login.login, "login"),
                    password=Secret(self._value(login.password, "password")),
                    customer_uri=self._customer(login),
                )
            case LoginKind.CERTIFICATE:
                return CertificateLogin(
                    login=self._value(login.login, "login"),
                    customer_uri=self._customer(login),
                    certificate_file=self._file(login.certificate_file, "certificateFile"),
                    key_file=self._file(login.key_file, "keyFile"),
                )
            case LoginKind.OAUTH:
                return OAuthLogin(
                    client_id=self._value(login.client_id, "clientId"),
                    client_secret=Secret(self._value(login.client_secret, "clientSecret")),
                    token_url=self._environment.get("CERTRECON_SCM_TOKEN_URL") or TOKEN_URL,
                )

    def _value(self, variable: str | None, key: str) -> str:
        if variable is None:
            self._problem(f"no variable is named in auth.{key}.", f"Add {key}: the name of a variable.")
            return ""
        value = self._environment.get(variable, "")
        if not value:
            self._problems.append(_missing_variable(variable, self._instance.location, self._pointer))
        return value

    def _customer(self, login: Login) -> str:
        customer = self._environment.get("CERTRECON_SCM_CUSTOMER_URI") or login.customer_uri
        if not customer:
            self._problem("no customerUri.", "Add it: the last part of the portal's address.")
        return customer or ""

    def _file(self, variable: str | None, key: str) -> Path:
        path = Path(self._value(variable, key)).expanduser()
        if variable and path.name and not path.is_file():
            self._problem(f"no such file: '{path}', which {variable} names.", f"Correct {variable}.")
        return path

    @property
    def _pointer(self) -> str:
        return f"sectigo.{self._instance.name}"

    def _problem(self, text: str, remedy: str) -> None:
        location = self._instance.location
        self._problems.append(Problem(location=location, pointer=self._pointer, text=text, remedy=remedy))


def _base_url(instance: Instance, login: ScmLogin, environment: Mapping[str, str]) -> str:
    match login:
        case PasswordLogin():
            return environment.get("CERTRECON_SCM_URL") or instance.base_url
        case OAuthLogin():
            return environment.get("CERTRECON_SCM_ADMIN_URL") or instance.base_url
        case CertificateLogin():
            return environment.get("CERTRECON_SCM_PRIVATE_URL") or _private(instance.base_url)


def _addresses(base_url: str, login: ScmLogin) -> tuple[str, ...]:
    """Return every address that a client of this login calls."""
    return (base_url, login.token_url) if isinstance(login, OAuthLogin) else (base_url,)


def _private(base_url: str) -> str:
    """Return the address for logins with a certificate: the same paths after `/private` (sectigo-scm 1.1)."""
    head, slash, last = base_url.rstrip("/").rpartition("/")
    return base_url if head.endswith("/private") else f"{head}/private{slash}{last}"


def _bare_host(text: str) -> str:
    return re.sub(r"^[a-z]+://", "", text.strip().lower()).rstrip("/")


def _switch_key(text: str | None) -> str | None:
    """Return the account switch key of an .edgerc; "none" switches it off, as in other tools (akamai-cps 1.6)."""
    return None if text is None or text.strip().lower() in {"", "none"} else text.strip()


def _number(text: str | None, place: Location) -> int:
    if not text:
        return _MAX_BODY
    if not (text.isascii() and text.isdigit()):
        raise _error(place, f"max_body is no number: '{text}'.", "Leave it out.")
    return int(text)


def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda letter: f"_{letter[1].lower()}", key)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _missing_variable(variable: str, location: Location, pointer: str) -> Problem:
    return Problem(
        location=location,
        pointer=pointer,
        text=f"the variable {variable} is not set, or empty.",
        remedy=f"Set {variable} in the environment.",
    )


def _error(location: Location, text: str, remedy: str) -> ConfigurationError:
    return ConfigurationError([Problem(location=location, text=text, remedy=remedy)])


def _refuse(problems: Iterable[Problem]) -> None:
    found = tuple(problems)
    if found:
        raise ConfigurationError(found)

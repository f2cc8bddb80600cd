"""How to reach the services: addresses and credentials, as `settings` found them. No secret shows in a `repr`."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.model.certificate import AccountName, InstanceName


class Secret:
    """A text that `repr`, `str` and tracebacks do not show."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True, kw_only=True)
class CpsAccess:
    """One Akamai account: the host of its API client, the client's three tokens, and whose account to act in."""

    account: AccountName
    host: str  # with port, if it is not 443
    client_token: Secret
    client_secret: Secret
    access_token: Secret
    max_body: int = 131_072  # bytes of a POST that are signed (EdgeGrid)
    account_switch_key: str | None = None
    calls_per_minute: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordLogin:
    login: str
    password: Secret
    customer_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateLogin:
    login: str
    customer_uri: str
    certificate_file: Path
    key_file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthLogin:
    client_id: str
    client_secret: Secret
    token_url: str


ScmLogin = PasswordLogin | CertificateLogin | OAuthLogin


@dataclass(frozen=True, slots=True, kw_only=True)
class ScmAccess:
    """One SCM instance: the address that its paths follow (".../api", ".../private/api"), and how to log in."""

    instance: InstanceName
    base_url: str
    login: ScmLogin


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a service says that a credential may do. It need not say anything: then only a step would tell."""

    who: str  # as the service calls the credential
    may_write: bool | None  # None: it does not say


def is_loopback(address: str) -> bool:
    """Tell whether an address, or a bare host with or without a port, is on this machine, by its name alone."""
    host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False

"""Clients from the configuration: which address, which login, which limits."""

import random
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from reconciler.model.access import CertificateLogin, CpsAccess, OAuthLogin, ScmAccess
from reconciler.model.policy import Account, Instance
from reconciler.ports import Clock
from reconciler.services.caller import Caller, Refusal
from reconciler.services.clock import RealClock, SandboxClock
from reconciler.services.cps import refusals as cps_refusals
from reconciler.services.cps.client import CpsClient, signer
from reconciler.services.cps.lists import ACTIVE_CERTIFICATES
from reconciler.services.cps.operations import list_contracts
from reconciler.services.http import Transport
from reconciler.services.limits import Limit, Limiter
from reconciler.services.reserve import Reserve
from reconciler.services.sandbox_control import SandboxControl
from reconciler.services.scm import refusals as scm_refusals
from reconciler.services.scm.client import ScmClient
from reconciler.services.scm.login import BearerLogin, HeaderLogin, token_refusal

# akamai-cps 5.2: 35 calls a minute, 20 in 2 s, 10 a minute for active-certificates. The first is set per account, to
# leave room for people; the others are shaved, since an account's other clients and the network's jitter count too.
_BURST = Limit(calls=18, seconds=2.0)
_ACTIVE_CERTIFICATES = Limit(calls=8, seconds=60.0)


class Settings(Protocol):
    """What the services need of `settings.Settings`."""

    @property
    def ca_file(self) -> Path | None: ...

    @property
    def sandbox_url(self) -> str | None: ...

    @property
    def read_timeout_s(self) -> float: ...

    def cps_access(self, account: Account) -> CpsAccess: ...

    def scm_access(self, instance: Instance) -> ScmAccess: ...


def clock_for(settings: Settings) -> RealClock | SandboxClock:
    """Return the clock of this run: the sandbox's, where certrecon is pointed at one."""
    if settings.sandbox_url is None:
        return RealClock()
    return SandboxClock(SandboxControl(settings.sandbox_url, settings.ca_file))


def cps_client(account: Account, settings: Settings, clock: Clock, *, only_looks: bool = False) -> CpsClient:
    """Return the client of an account. All clients of an account in one process should be this one: it has the limits.

    One who only looks leaves the account's last calls to runs that renew.

    Raises:
        ConfigurationError: its credentials are missing, or its host is not allowed.
    """
    access = settings.cps_access(account)
    transport = Transport("cps", f"https://{access.host}", authorize=signer(access), ca_file=settings.ca_file)
    limits = {
        "": (Limit(calls=access.calls_per_minute, seconds=60.0), _BURST),
        ACTIVE_CERTIFICATES: (_ACTIVE_CERTIFICATES,),
    }
    limiter = Limiter(clock, limits, reserve=Reserve(account.name) if only_looks else None)
    caller = _caller(transport, limiter, settings, clock, cps_refusals.refusal)
    return CpsClient(access, caller, clock)


def clock_offset(account: Account, settings: Settings) -> timedelta | None:
    """Return how far CPS's clock is before this machine's, by one signed read, accepted or not; None if it is not said.

    Raises:
        ConfigurationError: the account's credentials are missing, or its host is not allowed.
        ServiceUnavailableError: it does not answer.
    """
    access = settings.cps_access(account)
    transport = Transport("cps", f"https://{access.host}", authorize=signer(access), ca_file=settings.ca_file)
    with closing(transport):
        answer = transport.send(list_contracts())
    return None if answer.sent_at is None else timedelta(seconds=round(answer.sent_at - answer.received_at))


def scm_client(instance: Instance, settings: Settings, clock: Clock) -> ScmClient:
    """Return the client of an instance.

    Raises:
        ConfigurationError: its credentials are missing.
    """
    access = settings.scm_access(instance)
    if isinstance(access.login, OAuthLogin):
        return _bearer_client(access, access.login, settings, clock)
    login = access.login
    certificate = (login.certificate_file, login.key_file) if isinstance(login, CertificateLogin) else None
    transport = Transport(
        "scm",
        access.base_url,
        authorize=HeaderLogin(login),
        ca_file=settings.ca_file,
        client_certificate=certificate,
    )
    caller = _caller(transport, Limiter(clock), settings, clock, scm_refusals.refusal)
    return ScmClient(caller, login=login.login, by_password=certificate is None)


def _bearer_client(access: ScmAccess, login: OAuthLogin, settings: Settings, clock: Clock) -> ScmClient:
    token_transport = Transport("scm", login.token_url, ca_file=settings.ca_file)
    bearer = BearerLogin(login, _caller(token_transport, Limiter(clock), settings, clock, token_refusal))
    transport = Transport("scm", access.base_url, authorize=bearer, ca_file=settings.ca_file)
    caller = _caller(transport, Limiter(clock), settings, clock, scm_refusals.refusal, renew_login=bearer.forget)
    return ScmClient(caller, by_password=False, on_close=bearer.close)


def _caller(
    transport: Transport,
    limiter: Limiter,
    settings: Settings,
    clock: Clock,
    refusal: Refusal,
    *,
    renew_login: Callable[[], bool] = lambda: False,
) -> Caller:
    return Caller(
        transport,
        limiter=limiter,
        clock=clock,
        refusal=refusal,
        read_timeout_s=settings.read_timeout_s,
        jitter=random.random if settings.sandbox_url is None else _no_jitter,
        renew_login=renew_login,
    )


def _no_jitter() -> float:
    """Runs on the sandbox are repeatable."""
    return 0.0

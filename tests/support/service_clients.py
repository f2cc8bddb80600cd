"""Our clients against a scripted server: no sandbox, no limits, no waits that are not asked for."""

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.model.access import CpsAccess, Secret
from reconciler.model.certificate import AccountName
from reconciler.services.caller import Caller
from reconciler.services.cps import refusals as cps_refusals
from reconciler.services.cps.client import CpsClient, signer
from reconciler.services.http import Transport
from reconciler.services.limits import Limiter
from reconciler.services.scm import refusals as scm_refusals
from reconciler.services.scm.client import ScmClient
from tests.support.scripted import HandClock, ScriptedServer


def cps_access(*, switch_key: str | None = None) -> CpsAccess:
    return CpsAccess(
        account=AccountName("main"),
        host="akab-host.luna.akamaiapis.net",
        client_token=Secret("akab-client-token-xxx-xxxxxxxxxxxxxxxx"),
        client_secret=Secret("SOMESECRETSOMESECRETSOMESECRETSOMESECRETSOME"),
        access_token=Secret("akab-access-token-xxx-xxxxxxxxxxxxxxxx"),
        account_switch_key=switch_key,
    )


@contextmanager
def cps_on(
    server: ScriptedServer, *, switch_key: str | None = None, read_timeout_s: float = 0.0
) -> Iterator[CpsClient]:
    clock, access = HandClock(), cps_access(switch_key=switch_key)
    caller = Caller(
        Transport("cps", server.url, authorize=signer(access), answer_timeout_s=30.0),
        limiter=Limiter(clock),
        clock=clock,
        refusal=cps_refusals.refusal,
        read_timeout_s=read_timeout_s,
        jitter=lambda: 0.0,
    )
    client = CpsClient(access, caller, clock)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def scm_on(server: ScriptedServer, *, read_timeout_s: float = 0.0) -> Iterator[ScmClient]:
    clock = HandClock()
    caller = Caller(
        Transport("scm", server.url, answer_timeout_s=30.0),
        limiter=Limiter(clock),
        clock=clock,
        refusal=scm_refusals.refusal,
        read_timeout_s=read_timeout_s,
        jitter=lambda: 0.0,
    )
    client = ScmClient(caller, login="robot")
    try:
        yield client
    finally:
        client.close()

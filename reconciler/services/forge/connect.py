"""The client of the place where the repository lives, from the variables that its CI sets."""

import random
import re
from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import UsageError
from reconciler.model.access import Secret, is_loopback
from reconciler.model.forge import ForgeAccess
from reconciler.ports import Clock
from reconciler.services.caller import Caller
from reconciler.services.clock import RealClock
from reconciler.services.forge.github import GitHub, TokenLogin
from reconciler.services.forge.gitlab import GitLab
from reconciler.services.forge.refusals import github_refusal, gitlab_refusal
from reconciler.services.http import Transport
from reconciler.services.limits import Limiter

TOKEN = "CERTRECON_FORGE_TOKEN"  # noqa: S105 - the name of a variable
JOB_AUTHOR = "github-actions[bot]"  # who the token of a GitHub job writes as
_READ_TIMEOUT_S = 90.0
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def forge_access(environment: Mapping[str, str]) -> ForgeAccess:
    """Read where the repository lives. The token is read from the environment only, and shown nowhere.

    Raises:
        UsageError: this is neither a job of GitHub nor of GitLab, or the token is missing.
    """
    token = environment.get(TOKEN)
    if not token:
        raise UsageError(f"{TOKEN} is not set: it holds the token that may comment (a job's own, on GitHub).")
    ca_file = environment.get("CERTRECON_FORGE_CA_FILE")
    if environment.get("GITLAB_CI"):
        kind, repository = "gitlab", environment.get("CI_PROJECT_ID", "")
        api_url = environment.get("CI_API_V4_URL", "")
        known = repository.isdecimal()
    else:
        kind, repository = "github", environment.get("GITHUB_REPOSITORY", "")
        api_url = environment.get("GITHUB_API_URL", "")
        known = _REPOSITORY.fullmatch(repository) is not None
    if not known or not api_url:
        raise UsageError("This is no job of GitHub Actions or GitLab CI: the variables are missing that these set.")
    if not api_url.startswith("https://") and not is_loopback(api_url):
        raise UsageError(f'The token would go to "{api_url}", which is not HTTPS.')
    return ForgeAccess(
        kind=kind,
        api_url=api_url,
        repository=repository,
        token=Secret(token),
        author=environment.get("CERTRECON_FORGE_AUTHOR") or JOB_AUTHOR,
        ca_file=Path(ca_file) if ca_file else None,
    )


def connect(access: ForgeAccess, clock: Clock | None = None) -> GitHub | GitLab:
    """Return the client. Its time is the machine's, also where certrecon is pointed at a sandbox."""
    if access.kind == "gitlab":
        return GitLab(access, _caller(access, clock or RealClock()))
    return GitHub(access, _caller(access, clock or RealClock()))


def _caller(access: ForgeAccess, clock: Clock) -> Caller:
    gitlab = access.kind == "gitlab"
    login = (
        TokenLogin(access.token, header="PRIVATE-TOKEN")
        if gitlab
        else TokenLogin(access.token, header="Authorization", prefix="Bearer ")
    )
    return Caller(
        Transport(access.kind, access.api_url, authorize=login, ca_file=access.ca_file),
        limiter=Limiter(clock),
        clock=clock,
        refusal=gitlab_refusal if gitlab else github_refusal,
        read_timeout_s=_READ_TIMEOUT_S,
        jitter=random.random,
    )

"""What certrecon.yaml means: hosts that may be called, logins that are complete, dates and versions that exist."""

import ipaddress
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import SplitResult, urlsplit

from reconciler import __version__
from reconciler.desired.check import warning_id_problem
from reconciler.desired.fields import DATE_REMEDY, Fields, renew_before
from reconciler.desired.verdicts import quoted
from reconciler.desired.yamlfile import Document
from reconciler.errors import Problem
from reconciler.model.policy import LoginKind
from reconciler.model.times import LONGEST_SPAN_DAYS, day, instant, span

# A file that names another host could send passwords there: what is not listed takes an administrator's environment.
_SECTIGO_HOSTS = re.compile(r"(.+\.)?cert-manager\.com\Z|.+\.sectigo\.com\Z")
_LOGIN_FIELDS = {
    LoginKind.PASSWORD: ("login", "password", "customerUri"),
    LoginKind.OAUTH: ("clientId", "clientSecret"),
    LoginKind.CERTIFICATE: ("login", "customerUri", "certificateFile", "keyFile"),
}
_COMPARISONS: Mapping[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


def project_problems(document: Document, environment: Mapping[str, str]) -> Iterator[Problem]:
    """Find what is wrong in a configuration that fits its schema."""
    fields = Fields(document.data)
    yield from _version_problems(document, fields)
    for name, account in fields.section("akamai").named_sections():
        yield from _account_problems(document, f"akamai.{name}", account, fields)
    for name, instance in fields.section("sectigo").named_sections():
        yield from _url_problems(document, f"sectigo.{name}.baseUrl", instance.required("baseUrl"), environment)
        yield from _login_problems(document, f"sectigo.{name}.auth", instance.section("auth"))
    yield from _policy_problems(document, fields.section("policy"))
    yield from _span_problems(document, fields)


def _problem(document: Document, pointer: str, text: str, remedy: str, rule: str = "") -> Problem:
    return Problem(location=document.value(pointer), text=text, remedy=remedy, rule=rule, pointer=pointer)


def _version_problems(document: Document, fields: Fields) -> Iterator[Problem]:
    wanted = fields.text("requires")
    if wanted is not None and not _satisfies(__version__, wanted):
        text = f"This project needs certrecon {wanted}, and this is {__version__}."
        yield _problem(document, "requires", text, "Install a version that fits.")


def _satisfies(version: str, wanted: str) -> bool:
    have = _numbers(version)
    for clause in wanted.split(","):
        comparison, number = re.findall(r"[=!<>]+|[0-9.]+", clause)
        if not _COMPARISONS[comparison](have, _numbers(number)):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    """Return the parts of a version as numbers, without trailing zeros: 1.0 is 1."""
    parts = [int(part) for part in re.findall(r"[0-9]+", version)]
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def _account_problems(document: Document, pointer: str, account: Fields, fields: Fields) -> Iterator[Problem]:
    if "edgerc" in account and "env" in account:
        text = "Credentials come from .edgerc or from variables, not from both."
        yield _problem(document, pointer, text, "Keep either edgerc or env.")
    if "accountId" not in account and (fields.section("lock").text("backend") or "git") == "git":
        text = "The git lock is named by the account's id, and none is given."
        yield _problem(document, pointer, text, "Add accountId: Akamai's id of the account, as A-1XYZ.")


def _url_problems(document: Document, pointer: str, url: str, environment: Mapping[str, str]) -> Iterator[Problem]:
    parts = _split(url)
    host = parts.hostname if parts is not None else None
    if parts is None or not host or parts.query or parts.fragment:
        remedy = "Write it as https://cert-manager.com/api."
        yield _problem(document, pointer, f"{quoted(url)} is not the address of an API.", remedy)
    elif parts.scheme != "https":
        yield _problem(document, pointer, f"{quoted(url)} is not encrypted.", "Begin it with https://.")
    elif not (_is_loopback(host) or _SECTIGO_HOSTS.match(host) or host in _allowed_hosts(environment)):
        yield _problem(
            document,
            pointer,
            f"The host {quoted(host)} is not allowed.",
            "Only cert-manager.com, hosts below it or below sectigo.com, and this machine may stand in a file; another "
            "one is allowed by CERTRECON_ALLOWED_HOSTS in the environment.",
        )


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _allowed_hosts(environment: Mapping[str, str]) -> frozenset[str]:
    return frozenset(re.split(r"[,\s]+", environment.get("CERTRECON_ALLOWED_HOSTS", "").lower())) - {""}


def _login_problems(document: Document, pointer: str, login: Fields) -> Iterator[Problem]:
    kind = LoginKind(login.required("type"))
    needed = _LOGIN_FIELDS[kind]
    for field in needed:
        if field not in login:
            yield _problem(document, pointer, f'A login of type {kind} needs "{field}".', f"Add {field} under auth.")
    for field in login.data:
        if field != "type" and field not in needed and field in login:
            text = f'"{field}" means nothing for a login of type {kind}.'
            yield _problem(document, f"{pointer}.{field}", text, f"Take it out; needed are {', '.join(needed)}.")


def _span_problems(document: Document, fields: Fields) -> Iterator[Problem]:
    policy = fields.section("policy")
    spans = {
        "policy.planMaxAge": policy.text("planMaxAge"),
        "policy.renewal.csrMaxAge": policy.section("renewal").text("csrMaxAge"),
        "lock.ttl": fields.section("lock").text("ttl"),
    }
    for pointer, text in spans.items():
        if text is not None and span(text) is None:
            too_long = f"{quoted(text)} is longer than {LONGEST_SPAN_DAYS} days."
            yield _problem(document, pointer, too_long, 'Write less, as "14d" or "10m".')


def _policy_problems(document: Document, policy: Fields) -> Iterator[Problem]:
    yield from _renewal_problems(document, policy.section("renewal"))
    expiry = policy.section("expiry")
    warn, critical = expiry.number("warn"), expiry.number("critical")
    if warn is not None and critical is not None and critical > warn:
        text = f"Critical ({critical:g} days) would come before the warning ({warn:g} days)."
        yield _problem(document, "policy.expiry.critical", text, "Write less for critical than for warn.")
    for index, spelt in enumerate(policy.texts("acceptWarnings") or ()):
        if (wrong := warning_id_problem(spelt)) is not None:
            yield _problem(document, f"policy.acceptWarnings.{index}", *wrong)
    for index, campaign in enumerate(policy.sections("replace")):
        yield from _campaign_problems(document, f"policy.replace.{index}", campaign)


def _renewal_problems(document: Document, renewal: Fields) -> Iterator[Problem]:
    before = renew_before(renewal.data.get("before"))
    pointer = "policy.renewal.before"
    if before is not None and before.days is not None and before.days <= 8:
        text = f"{before.days:g} days before expiry is too late: CPS deploys by itself 7 days before, tested or not."
        yield _problem(document, pointer, text, 'Write more than 8 days, as "30d" or "33%".', "RENEW-01")
    if before is not None and before.percent is not None and before.percent > 50:
        text = f"{before.percent:g} % is more than half of any lifetime."
        yield _problem(document, pointer, text, 'Write at most "50%".', "RENEW-01")
    for index, freeze in enumerate(renewal.sections("freeze")):
        yield from _freeze_problems(document, f"policy.renewal.freeze.{index}", freeze)


def _freeze_problems(document: Document, pointer: str, freeze: Fields) -> Iterator[Problem]:
    days = {field: day(freeze.required(field)) for field in ("from", "to")}
    for field, read in days.items():
        if read is None:
            text = f"There is no day {quoted(freeze.required(field))}."
            yield _problem(document, f"{pointer}.{field}", text, DATE_REMEDY)
    first, last = days["from"], days["to"]
    if first is not None and last is not None and last < first:
        yield _problem(document, pointer, f"The freeze ends on {last}, before it begins.", "Exchange from and to.")


def _campaign_problems(document: Document, pointer: str, campaign: Fields) -> Iterator[Problem]:
    for field in ("issuedBefore", "deadline"):
        if field in campaign and instant(campaign.required(field)) is None:
            text = f"There is no instant {quoted(campaign.required(field))}."
            yield _problem(document, f"{pointer}.{field}", text, DATE_REMEDY)
    if not any(key in campaign.section("select") for key in campaign.section("select").data):
        text = "The campaign selects nothing by anything, which would be everything."
        yield _problem(document, f"{pointer}.select", text, "Name labels, names, a file of serials, issuer or profile.")

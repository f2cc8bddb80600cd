"""certrecon.yaml: where it is, and what it says."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from reconciler.desired.check_project import project_problems
from reconciler.desired.fields import Fields, duration, renew_before
from reconciler.desired.roots import private_roots, root_problems
from reconciler.desired.verdicts import document_problems
from reconciler.desired.yamlfile import Document, read
from reconciler.errors import ConfigurationError, DesiredStateError, Location, Problem
from reconciler.model.certificate import AccountName, InstanceName
from reconciler.model.policy import (
    Account,
    Approval,
    Budgets,
    Campaign,
    Freeze,
    Instance,
    LockSettings,
    Login,
    LoginKind,
    Notification,
    Policy,
    Project,
    Selection,
)
from reconciler.model.warnings import warning_id

FILE = "certrecon.yaml"

LockBackend = Literal["git", "file", "none"]


def find_project(directory: Path) -> Path:
    """Return the configuration file nearest upwards from `directory`, not beyond the git repository it lies in.

    Raises:
        ConfigurationError: there is none, or no such directory.
    """
    start = directory.resolve()
    if not start.is_dir():
        raise _refusal(Location(str(directory)), "There is no such folder.", "Correct -C.")
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
        if (folder / ".git").exists():
            break
    raise _refusal(
        Location(str(directory / FILE)),
        f"There is no {FILE} here, nor above it in this repository.",
        "Change into the repository, or name its folder with -C DIR.",
    )


def load_project(directory: Path, *, environment: Mapping[str, str]) -> Project:
    """Return the configuration that holds for `directory`; the environment may allow further hosts.

    Raises:
        ConfigurationError: with all that is wrong with it.
    """
    file = find_project(directory)
    try:
        document = read(file, FILE)
    except DesiredStateError as error:
        raise ConfigurationError(error.problems) from error
    problems = document_problems(document, "configuration") or (
        *project_problems(document, environment),
        *root_problems(file.parent, document),
    )
    if problems:
        raise ConfigurationError(sorted(problems, key=lambda problem: problem.location))
    return _project(file.parent, document)


def _refusal(location: Location, text: str, remedy: str) -> ConfigurationError:
    return ConfigurationError([Problem(location=location, text=text, remedy=remedy)])


def _project(root: Path, document: Document) -> Project:
    fields = Fields(document.data)
    return Project(
        root=root,
        name=fields.text("project"),
        requires=fields.text("requires"),
        accounts={
            AccountName(name): _account(name, account, document.key(f"akamai.{name}"))
            for name, account in fields.section("akamai").named_sections()
        },
        instances={
            InstanceName(name): _instance(root, name, instance, document.key(f"sectigo.{name}"))
            for name, instance in fields.section("sectigo").named_sections()
        },
        policy=_policy(fields.section("policy")),
        lock=_lock(fields.section("lock")),
        notify=tuple(
            Notification(url_variable=entry.required("url"), on=entry.texts("on") or ())
            for entry in fields.sections("notify")
        ),
    )


def _account(name: str, fields: Fields, location: Location) -> Account:
    variables = fields.text_map("env")
    section = fields.section("edgerc").text("section")
    return Account(
        name=AccountName(name),
        account_id=fields.text("accountId"),
        edgerc_section=section if variables else section or "default",
        variables=variables,
        account_switch_key=fields.text("accountSwitchKey"),
        calls_per_minute=fields.whole("callsPerMinute") or 30,
        location=location,
    )


def _instance(folder: Path, name: str, fields: Fields, location: Location) -> Instance:
    fingerprints, pems = private_roots(folder, fields.texts("privateRoots") or ())
    return Instance(
        name=InstanceName(name),
        base_url=fields.required("baseUrl").rstrip("/"),
        login=_login(fields.section("auth")),
        private_roots=fingerprints,
        private_root_pems=pems,
        location=location,
    )


def _login(fields: Fields) -> Login:
    return Login(
        kind=LoginKind(fields.required("type")),
        login=fields.text("login"),
        password=fields.text("password"),
        customer_uri=fields.text("customerUri"),
        client_id=fields.text("clientId"),
        client_secret=fields.text("clientSecret"),
        certificate_file=fields.text("certificateFile"),
        key_file=fields.text("keyFile"),
    )


def _policy(fields: Fields) -> Policy:
    renewal, expiry = fields.section("renewal"), fields.section("expiry")
    return Policy(
        approval=Approval(fields.text("approval") or Approval.MERGE),
        plan_max_age=duration(fields.text("planMaxAge") or "14d"),
        renew_before=renew_before(renewal.data.get("before")),
        csr_max_age=duration(renewal.text("csrMaxAge") or "14d"),
        freezes=tuple(map(_freeze, renewal.sections("freeze"))),
        warn_days=expiry.number("warn"),
        critical_days=expiry.number("critical"),
        accept_warnings=frozenset(warning_id(spelt) or spelt for spelt in fields.texts("acceptWarnings") or ()),
        budgets=_budgets(fields.section("budgets")),
        campaigns=tuple(map(_campaign, fields.sections("replace"))),
    )


def _freeze(fields: Fields) -> Freeze:
    return Freeze(
        first=date.fromisoformat(fields.required("from")),
        last=date.fromisoformat(fields.required("to")),
        reason=fields.text("reason") or "",
    )


def _budgets(fields: Fields) -> Budgets:
    standard = Budgets()

    def budget(key: str, otherwise: int) -> int:
        named = fields.whole(key)
        return otherwise if named is None else named

    return Budgets(
        orders=budget("orders", standard.orders),
        orders_per_day=budget("ordersPerDay", standard.orders_per_day),
        deletes=budget("deletes", standard.deletes),
        revokes=budget("revokes", standard.revokes),
        cancels=budget("cancels", standard.cancels),
        changed_percent=budget("changedPercent", standard.changed_percent),
    )


def _campaign(fields: Fields) -> Campaign:
    select, deadline = fields.section("select"), fields.text("deadline")
    return Campaign(
        name=fields.required("name"),
        issued_before=_instant(fields.required("issuedBefore")),
        select=Selection(
            labels=select.text_map("labels"),
            names=select.texts("names") or (),
            serials_file=select.text("serialsFile"),
            issuer=select.text("issuer"),
            profile=select.text("profile"),
        ),
        reason=fields.required("reason"),
        deadline=None if deadline is None else _instant(deadline),
        promote=fields.text("promote"),
        revoke_old=fields.flag("revokeOld") or False,
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _lock(fields: Fields) -> LockSettings:
    standard = LockSettings()
    match fields.text("backend"):
        case "file":
            backend: LockBackend = "file"
        case "none":
            backend = "none"
        case _:
            backend = standard.backend
    return LockSettings(
        backend=backend,
        remote=fields.text("remote") or standard.remote,
        ttl=duration(fields.text("ttl") or "10m"),
        ref_prefix=fields.text("refPrefix") or standard.ref_prefix,
    )

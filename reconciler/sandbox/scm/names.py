"""Whether the customer may order a certificate for these names: domains known, active, delegated, validated."""

import re
from collections.abc import Iterable, Mapping

from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.options import ScmOptions
from reconciler.sandbox.scm.state import Domain, Profile, ScmState
from reconciler.sandbox.scm.terms import validation_status
from reconciler.sandbox.scm.world import World

_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_NAME = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)+{_LABEL}")
_LONGEST = 253


def split_names(text: str) -> list[str]:
    """Return the names of a comma-separated text, lower case, each once."""
    return list(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))


def all_names(common_name: str, sans: Iterable[str]) -> list[str]:
    """Return the names of the certificate: the common name first, then the others as ordered."""
    return list(dict.fromkeys([common_name, *sans]))


def check_shape(names: Iterable[str], profile: Profile) -> None:
    """Refuse names that are none, and names that the profile's product does not hold."""
    listed = list(names)
    for name in listed:
        if len(name) > _LONGEST or not _NAME.fullmatch(name):
            raise RefusedError(-732)
        if name.startswith("*.") and not profile.wildcards:
            raise RefusedError(-39, "Wildcard names are not allowed for this certificate profile.")
    base = listed[0].removeprefix("*.")
    if not profile.multi_domain and not set(listed) <= {listed[0], base, f"www.{base}"}:
        raise RefusedError(-39, "Subject alternative names are not allowed for this certificate profile.")


def domain_of(state: ScmState, name: str) -> Domain | None:
    """Return the customer's domain that covers a name: the longest one that is the name or ends it."""
    host = name.removeprefix("*.")
    covering = [d for d in state.domains.values() if host == d.name or host.endswith(f".{d.name}")]
    return max(covering, key=lambda domain: len(domain.name), default=None)


def check_domains(world: World, names: Iterable[str], org_id: int) -> list[Domain]:
    """Return the domains of these names, or refuse the first that is unknown, inactive or not delegated."""
    domains: dict[int, Domain] = {}
    for name in names:
        domain = domain_of(world.state, name)
        if domain is None:
            raise RefusedError(int(world.options.unknown_domain_code), name)
        if not domain.active:
            raise RefusedError(-715, domain.name)
        if not _delegated(domain, name, org_id):
            code = int(world.options.not_delegated_code)
            raise RefusedError(code, name if code == -1010 else "certificate request")
        domains[domain.id] = domain
    return list(domains.values())


def check_validated(world: World, domains: Iterable[Domain]) -> None:
    """Refuse the domains without valid control validation, all in one text."""
    missing = [domain.name for domain in domains if validation_status(domain, world.now) != "VALIDATED"]
    if missing:
        raise RefusedError(int(world.options.not_validated_code), ", ".join(missing))


def _delegated(domain: Domain, name: str, org_id: int) -> bool:
    privilege = _privilege(domain, name)
    return any(
        delegation.org_id == org_id
        and delegation.status == "ACTIVE"
        and "SSL" in delegation.cert_types
        and privilege in delegation.privileges
        for delegation in domain.delegations
    )


def _privilege(domain: Domain, name: str) -> str:
    at_domain = name.removeprefix("*.") == domain.name
    if name.startswith("*."):
        return "WILDCARD_1ST_LEVEL" if at_domain else "WILDCARD_2ND_LEVEL"
    return "DOMAIN" if at_domain else "SUBDOMAIN"


_ADMIN_SPELLINGS: Mapping[str, str] = {
    "NOT_VALIDATED": "Not validated",
    "VALIDATED": "Validated",
    "EXPIRED": "Expired",
    "NOT_INITIATED": "Not initiated",
    "AWAITING_SUBMISSION": "Awaiting submission",
    "SUBMITTED": "Submitted",
    "REJECTED": "Rejected",
}


def spelt(status: str, options: ScmOptions) -> str:
    """Return a validation status as the chosen API generation spells it."""
    return _ADMIN_SPELLINGS[status] if options.validation_spelling == "admin" else status

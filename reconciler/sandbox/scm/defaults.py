"""The customer that a new sandbox starts with."""

from datetime import datetime, timedelta

from reconciler.sandbox.hierarchy import Kind
from reconciler.sandbox.ids import Ids
from reconciler.sandbox.scm.state import (
    Admin,
    CustomField,
    Delegation,
    Domain,
    OAuthClient,
    Organization,
    Profile,
    ScmState,
    Validation,
)

ALL_PRIVILEGES = [
    "sslRequest",
    "sslRenew",
    "sslReplace",
    "sslRevoke",
    "sslApprove",
    "sslManage",
    "allowDCV",
    "allowManageDomains",
    "approveDomainDelegation",
]
DOMAIN_PRIVILEGES = ["DOMAIN", "SUBDOMAIN", "WILDCARD_1ST_LEVEL", "WILDCARD_2ND_LEVEL"]
_KEY_TYPES = {"RSA": ["2048", "3072", "4096"], "EC": ["P-256", "P-384"]}
_DOMAINS = ("example.com", "example.net", "example.org", "example.co.uk")
_VALIDATION_AGE = timedelta(days=10)
# Sectigo reuses a domain validation for 198 days and an organization's for 398, minus the days before the start.
_DOMAIN_REUSE = timedelta(days=198)
_ORGANIZATION_REUSE = timedelta(days=398)


def default_state(ids: Ids, now: datetime) -> ScmState:
    """Return customer `acme`: three admins, four organizations and departments, five domains, nine profiles."""
    organizations = _organizations(ids, now)
    return ScmState(
        customer_uri="acme",
        admins={admin.login: admin for admin in _admins(ids)},
        oauth_clients={client.client_id: client for client in _oauth_clients(ids)},
        organizations={organization.id: organization for organization in organizations},
        domains={
            domain.id: domain for domain in _domains(ids, now, [organization.id for organization in organizations])
        },
        profiles={profile.id: profile for profile in _profiles()},
        custom_fields=[CustomField(id=54, name="CostCenter")],
    )


def _admins(ids: Ids) -> list[Admin]:
    def admin(login: str, full_name: str, roles: list[str], privileges: list[str]) -> Admin:
        return Admin(
            id=ids.next("scm.admin", first=85),
            login=login,
            password=ids.text("scm.password", 20),
            full_name=full_name,
            email=f"{login}@example.com",
            roles=roles,
            privileges=privileges,
        )

    return [
        admin("api-admin", "API Admin", ["MRAO"], [*ALL_PRIVILEGES]),
        admin("api-reader", "API Reader", ["MRAO"], []),
        admin("approver", "Second Approver", ["MRAO"], ["sslApprove", "sslManage"]),
    ]


def _oauth_clients(ids: Ids) -> list[OAuthClient]:
    return [
        OAuthClient(
            client_id=f"scm-{ids.hex('scm.oauth.id', 12)}", client_secret=ids.text("scm.oauth.secret", 32), login=login
        )
        for login in ("api-admin", "api-reader")
    ]


def _organizations(ids: Ids, now: datetime) -> list[Organization]:
    def validation(level: str, status: str) -> Validation:
        valid = status == "VALIDATED"
        return Validation(
            id=ids.next("scm.validation", first=233),
            level=level,
            status=status,
            submitted=now - _VALIDATION_AGE if valid else None,
            expires=now - _VALIDATION_AGE + _ORGANIZATION_REUSE if valid else None,
        )

    company = Organization(
        id=1101,
        name="Example Ltd",
        address="1 Example Street",
        city="Manchester",
        state_or_province="Greater Manchester",
        postal_code="M1 1AA",
        country="GB",
        registration_number="01234567",
        validations=[validation("OV_SSL", "VALIDATED"), validation("EV_SSL", "VALIDATED")],
    )
    daughter = Organization(
        id=1201,
        name="Example GmbH",
        address="Beispielstraße 1",
        city="München",
        state_or_province="Bayern",
        postal_code="80331",
        country="DE",
        registration_number="HRB 12345",
        validations=[validation("OV_SSL", "VALIDATED"), validation("EV_SSL", "NOT_VALIDATED")],
    )
    return [
        company,
        Organization(id=1102, name="Web", parent=company.id),
        Organization(id=1103, name="Private Lab", parent=company.id),
        daughter,
    ]


def _domains(ids: Ids, now: datetime, organizations: list[int]) -> list[Domain]:
    def domain(name: str) -> Domain:
        delegations = [
            Delegation(org_id=organization, cert_types=["SSL"], privileges=[*DOMAIN_PRIVILEGES])
            for organization in organizations
        ]
        return Domain(id=ids.next("scm.domain", first=409), name=name, delegations=delegations)

    domains = [domain(name) for name in (*_DOMAINS, "unvalidated-example.com")]
    for validated in domains[: len(_DOMAINS)]:
        validated.validated_at = now - _VALIDATION_AGE
        validated.expires_at = now - _VALIDATION_AGE + _DOMAIN_REUSE
        validated.method = "CNAME"
    return domains


def _profiles() -> list[Profile]:
    def profile(number: int, name: str, kind: Kind, terms: list[int], **traits: bool) -> Profile:
        return Profile(
            id=number,
            name=name,
            description=f"{name} (sandbox)",
            kind=kind,
            terms=terms,
            key_types={algorithm: [*sizes] for algorithm, sizes in _KEY_TYPES.items()},
            multi_domain=traits.get("multi_domain", False),
            wildcards=traits.get("wildcards", False),
            approval=traits.get("approval", False),
        )

    return [
        profile(2001, "DV Single", "DV", [199]),
        profile(2002, "DV Multi-Domain", "DV", [199], multi_domain=True, wildcards=True),
        profile(2003, "DV Wildcard", "DV", [199], wildcards=True),
        profile(2011, "OV Single", "OV", [199]),
        profile(2012, "OV Multi-Domain", "OV", [199], multi_domain=True, wildcards=True),
        profile(2013, "OV Wildcard", "OV", [199], wildcards=True, approval=True),
        profile(2021, "EV Single", "EV", [199], approval=True),
        profile(2022, "EV Multi-Domain", "EV", [199], multi_domain=True, approval=True),
        profile(2031, "Private TLS", "PRIVATE", [30, 365], multi_domain=True, wildcards=True),
    ]

"""A certificate that production serves, as a look sees it: for tests of what is told about it."""

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.model.certificate import Contact, DesiredCertificate, EnrollmentId, KeyType, PostalOrganization
from reconciler.model.enrollment import Enrollment, Served, ServedCertificate
from reconciler.model.order import Order, OrderStatus
from reconciler.planning.case import Case, Context
from reconciler.planning.ordering import order_terms
from reconciler.planning.plan import Plan, Standing, plan_for
from tests.support.certs import desired
from tests.support.looks import ACCOUNT, ENROLLMENT, INSTANCE, account_view, context, enrollment_for, instance_view
from tests.support.looks import order_for as order

ISSUED = datetime(2026, 11, 16, 0, 6, 32, tzinfo=UTC)
EXPIRES = datetime(2027, 6, 2, 23, 59, 59, tzinfo=UTC)  # 199 days, from 00:00 of the day of issue
SERIAL = 0xA1

WANTED = desired()


def enrollment(wanted: DesiredCertificate = WANTED, **fields: Any) -> Enrollment:
    return enrollment_for(wanted, **{"pending": (), **fields})


def served(serial: int = SERIAL, expires_at: datetime = EXPIRES) -> Served:
    """Return what both networks serve: one ECDSA certificate."""
    one = ServedCertificate(
        key_type=KeyType.ECDSA, serial=serial, sha256="AB" * 32, expires_at=expires_at, issuer="CN=Test CA"
    )
    return Served(staging={KeyType.ECDSA: one}, production={KeyType.ECDSA: one})


def issued_order(wanted: DesiredCertificate = WANTED, **fields: Any) -> Order:
    """Return the order of what is served."""
    standard = {
        "status": OrderStatus.ISSUED,
        "status_text": "Issued",
        "serial": SERIAL,
        "issued_at": ISSUED,
        "expires_at": EXPIRES,
    }
    return order(wanted, **{**standard, **fields})


def look(
    *,
    now: datetime,
    enrollments: Iterable[Enrollment] | None = None,
    live: Mapping[EnrollmentId, Served] | None = None,
    orders: Iterable[Order] | None = None,
    **fields: Any,
) -> Context:
    """Return a look at `now`: without further word, of one certificate that serves as wanted."""
    account = account_view(
        *(enrollments if enrollments is not None else [enrollment()]),
        served=live if live is not None else {ENROLLMENT: served()},
    )
    return context(account, instance_view(*(orders if orders is not None else [issued_order()])), now=now, **fields)


def planned(seen: Context, *wanted: DesiredCertificate) -> Plan:
    return plan_for(wanted or (WANTED,), seen)


def standing(seen: Context, wanted: DesiredCertificate = WANTED) -> Standing:
    (found,) = planned(seen, wanted).standings
    return found


def case_of(seen: Context, wanted: DesiredCertificate = WANTED) -> Case:
    instance = seen.observed.instances[INSTANCE]
    terms, _ = order_terms(wanted, instance, today=seen.observed.at.date())
    return Case(desired=wanted, account=seen.observed.accounts[ACCOUNT], instance=instance, terms=terms, context=seen)


def before_end(**span: float) -> datetime:
    return EXPIRES - timedelta(**span)


def with_enrollment(wanted: DesiredCertificate = WANTED, **fields: Any) -> DesiredCertificate:
    return dataclasses.replace(wanted, enrollment=dataclasses.replace(wanted.enrollment, **fields))


def complete(wanted: DesiredCertificate = WANTED) -> DesiredCertificate:
    """Return `wanted` with all that CPS demands of a create."""
    ada = Contact(first_name="Ada", last_name="Byron", email="tls@example.com", phone="+44 161 000 0000")
    org = PostalOrganization(
        name="Example Ltd",
        address_line_one="1 Main Street",
        city="Manchester",
        region="Greater Manchester",
        postal_code="M1 1AA",
        country="GB",
        phone="+44 161 000 0000",
    )
    return with_enrollment(wanted, admin_contact=ada, tech_contact=ada, org=org)

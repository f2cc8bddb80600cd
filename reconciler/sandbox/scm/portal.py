"""What people do in SCM's portal, and the CA by itself: for the control API, the seed and tests."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from reconciler.sandbox.ca import IssuedCertificate
from reconciler.sandbox.scm import dcv, orders, renew
from reconciler.sandbox.scm.enroll import Form, checked
from reconciler.sandbox.scm.fields import Members
from reconciler.sandbox.scm.state import Admin, CustomValue, Domain, Order, Organization, Status, Validation
from reconciler.sandbox.scm.terms import terms_of, validation_status
from reconciler.sandbox.scm.world import World

_REQUESTER = "api-admin"
_ORGANIZATION_ID, _PROFILE_ID = 1101, 2002  # Example Ltd, DV Multi-Domain
_APPROVER = "approver"
_ORGANIZATION_REUSE = timedelta(days=398)


class ScmPortal:
    """Every method acts at once, at the clock's time.

    Raises:
        KeyError: there is no such order, domain or organization.
        RefusedError: SCM does not allow it in this state.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def order(self, ssl_id: int) -> Order:
        return self._world.state.orders[ssl_id]

    def approve(self, ssl_id: int, *, by: str = _APPROVER, message: str = "approved in the portal") -> None:
        orders.approve(self._world, self.order(ssl_id), self._admin(by), message)

    def decline(self, ssl_id: int, *, by: str = _APPROVER, message: str = "declined in the portal") -> None:
        orders.decline(self._world, self.order(ssl_id), self._admin(by), message)

    def reject(self, ssl_id: int, *, reason: str = "refused by the CA") -> None:
        """Have the CA refuse an order."""
        orders.reject(self._world, self.order(ssl_id), reason)

    def invalidate(self, ssl_id: int, *, reason: str = "could not be sent to the CA") -> None:
        """Have SCM find an order wrong."""
        orders.invalidate(self._world, self.order(ssl_id), reason)

    def issue(self, ssl_id: int) -> None:
        """Have the CA sign an order that it has, without its usual delay; a no-op for any other."""
        order = self.order(ssl_id)
        if order.status is Status.APPLIED:
            orders.issue(self._world, order)

    def revoke(self, ssl_id: int, *, reason_code: int = 4, reason: str = "revoked in the portal") -> None:
        orders.revoke(self._world, self.order(ssl_id), _APPROVER, reason_code, reason)

    def edit_comments(self, ssl_id: int, comments: str) -> None:
        self.order(ssl_id).comments = comments
        self._world.record(_APPROVER, "updated", self.order(ssl_id))

    def edit_custom_field(self, ssl_id: int, name: str, value: str) -> None:
        order = self.order(ssl_id)
        kept = [present for present in order.custom_fields if present.name != name]
        order.custom_fields = [*kept, CustomValue(name=name, value=value)]

    def renew(self, ssl_id: int, *, csr_pem: str | None = None) -> Order:
        """Renew as a person does with the button: without a CSR, the old one again."""
        values: dict[str, object] = {"dcvMode": "CNAME"} if csr_pem is None else {"dcvMode": "CNAME", "csr": csr_pem}
        return renew.renewed(self._world, self._admin(_REQUESTER), self.order(ssl_id), Members(values))

    def order_by_hand(
        self, csr_pem: str, org_id: int = _ORGANIZATION_ID, profile_id: int = _PROFILE_ID, comments: str = ""
    ) -> int:
        """Order with the form of the portal, for the longest term; return the order's id."""
        world, admin = self._world, self._admin(_REQUESTER)
        term = max(terms_of(world.profile(profile_id, org_id), world.options, world.now))
        form = Form(org_id=org_id, csr_text=csr_pem, profile_id=profile_id, term=term, sans=(), comments=comments)
        return orders.place(world, admin, checked(world, admin, form)).ssl_id

    def hide(self, ssl_id: int, *, until: datetime) -> None:
        """Keep an order out of list and report until an instant, as a lagging index does."""
        self.order(ssl_id).visible_at = until

    def domain(self, name: str) -> Domain:
        for domain in self._world.state.domains.values():
            if domain.name == name.lower():
                return domain
        raise KeyError(name)

    def validate_domain(self, name: str, *, method: str = "CNAME") -> None:
        dcv.validate(self._world, self.domain(name), method)

    def expire_domain(self, name: str) -> None:
        """End a domain's validation now; one that never was stays NOT_VALIDATED."""
        domain = self.domain(name)
        if validation_status(domain, self._world.now) == "VALIDATED":
            domain.expires_at = self._world.now

    def break_domain(self, name: str) -> None:
        """Let the customer's DNS and web server no longer answer validations."""
        self.domain(name).answers = False

    def mend_domain(self, name: str) -> None:
        self.domain(name).answers = True

    def suspend_domain(self, name: str) -> None:
        self.domain(name).active = False

    def activate_domain(self, name: str) -> None:
        self.domain(name).active = True

    def organization(self, named: str | int) -> Organization:
        """Return an organization or department by id or name."""
        for organization in self._world.state.organizations.values():
            if named in (organization.id, organization.name):
                return organization
        raise KeyError(named)

    def validate_organization(self, named: str | int, *, level: str = "OV_SSL") -> None:
        validation = self._validation(named, level)
        validation.status = "VALIDATED"
        validation.submitted = self._world.now
        validation.expires = self._world.now + _ORGANIZATION_REUSE

    def expire_organization(self, named: str | int, *, level: str = "OV_SSL") -> None:
        validation = self._validation(named, level)
        if validation.status == "VALIDATED":
            validation.expires = self._world.now

    def expire_password(self, login: str, *, at: datetime) -> None:
        """Give an admin's password an end."""
        self._admin(login).password_expires = at

    def install(
        self,
        *,
        org_id: int,
        profile_id: int,
        csr_pem: str,
        common_name: str,
        sans: Sequence[str],
        term_days: int,
        certificate: IssuedCertificate,
        requested_at: datetime,
        comments: str = "",
        external_requester: str = "",
    ) -> Order:
        """Put an Issued order of an earlier day in place, with the certificate the authority made for that day."""
        world, admin = self._world, self._admin(_REQUESTER)
        order = Order(
            ssl_id=world.ids.next("scm.ssl_id", first=orders.FIRST_SSL_ID),
            renew_id=world.ids.text("scm.renew_id", 20),
            org_id=org_id,
            profile_id=profile_id,
            csr_pem=csr_pem,
            common_name=common_name,
            sans=list(sans),
            term=term_days,
            requester=admin.email,
            requester_id=admin.id,
            requested_via=world.options.requested_via,
            requested=requested_at,
            visible_at=requested_at,
            comments=comments,
            external_requester=external_requester,
            order_number=world.ids.next("scm.order_number", first=orders.FIRST_ORDER_NUMBER),
            approved=requested_at,
        )
        world.state.orders[order.ssl_id] = order
        orders.put_in_place(
            world, order, certificate.leaf_pem, certificate.serial, certificate.not_after, certificate.not_before
        )
        order.issued = max(requested_at, certificate.not_before)
        return order

    def _admin(self, login: str) -> Admin:
        return self._world.state.admins[login]

    def _validation(self, named: str | int, level: str) -> Validation:
        record = self._world.identity(self.organization(named).id)
        for validation in record.validations:
            if validation.level == level:
                return validation
        raise KeyError(level)

"""What every handler works with: SCM's state and surroundings, and one call of a known admin."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from reconciler.sandbox.ca import Authority
from reconciler.sandbox.clock import VirtualClock
from reconciler.sandbox.gate import Call
from reconciler.sandbox.ids import Ids
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.options import ScmOptions
from reconciler.sandbox.scm.state import Activity, Admin, Order, Organization, Profile, ScmState

Host = Literal["header", "admin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    state: ScmState
    options: ScmOptions
    clock: VirtualClock
    ids: Ids
    authority: Authority

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def record(self, actor: str, action: str, order: Order, note: str = "") -> None:
        """Add a line to the audit log."""
        self.state.activity.append(
            Activity(at=self.now, actor=actor, action=action, ssl_id=order.ssl_id, note=note),
        )

    def organization(self, org_id: int, admin: Admin | None = None) -> Organization:
        """Return an organization or department that `admin` may see; -1023 for any other."""
        found = self.state.organizations.get(org_id)
        if found is None or (admin is not None and not sees(admin, org_id)):
            raise RefusedError(-1023, org_id)
        return found

    def identity(self, org_id: int) -> Organization:
        """Return the record a subject is made from: the organization itself, or a department's parent."""
        organization = self.state.organizations[org_id]
        return organization if organization.parent is None else self.state.organizations[organization.parent]

    def profile(self, profile_id: int, org_id: int) -> Profile:
        """Return a profile that an organization may use; -111 for none such, -39 for another's."""
        profile = self.state.profiles.get(profile_id)
        if profile is None:
            raise RefusedError(-111, profile_id)
        if profile.organizations and org_id not in profile.organizations:
            raise RefusedError(-39, "The certificate profile id is invalid!")
        return profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One call, with the admin whose login it carries."""

    call: Call
    admin: Admin
    host: Host


def sees(admin: Admin, org_id: int) -> bool:
    return not admin.organizations or org_id in admin.organizations


def order_of(world: World, visit: Visit, *, read: bool = False) -> Order:
    """Return the order named in the path.

    `read` marks the operations (details, collect, locations, validation) for which the vendor declares a 404; the
    others answer 400 -124.
    """
    ssl_id = int(visit.call.path["ssl_id"])
    order = world.state.orders.get(ssl_id)
    if order is None:
        raise _unknown(world, ssl_id, read=read)
    if not sees(visit.admin, order.org_id):
        match world.options.foreign_id:
            case "-3":
                raise RefusedError(-3, "this operation")
            case "-37":
                raise RefusedError(-37)
            case "as_unknown":
                raise _unknown(world, ssl_id, read=read)
    return order


def _unknown(world: World, ssl_id: int, *, read: bool) -> RefusedError:
    choice = world.options.unknown_id
    if choice == "always_404" or (choice == "by_operation" and read):
        return RefusedError(-5101, ssl_id, status=404)
    return RefusedError(-124, ssl_id)

"""The operations on enrollments."""

from collections.abc import Iterable

from reconciler.sandbox.cps import body as enrollment_body
from reconciler.sandbox.cps import views
from reconciler.sandbox.cps.endpoints import ENROLLMENT, ENROLLMENTS, Answered, Asked, Endpoint, get
from reconciler.sandbox.cps.enrollments import Enrollments, Wishes, Written, check_contract
from reconciler.sandbox.cps.network_views import active_certificates_document
from reconciler.sandbox.cps.problems import invalid_request
from reconciler.sandbox.cps.state import Enrollment
from reconciler.sandbox.cps.world import World

_STATUS = ("enrollment-status",)
_BODY = ("enrollment",)


class EnrollmentCalls:
    def __init__(self, world: World, enrollments: Enrollments) -> None:
        self._world = world
        self._enrollments = enrollments

    def endpoints(self) -> list[Endpoint]:
        return [
            get("list_enrollments", ENROLLMENTS, self._list, "enrollments"),
            Endpoint(
                name="create_enrollment",
                method="POST",
                path=ENROLLMENTS,
                act=self._create,
                gives=_STATUS,
                takes=_BODY,
            ),
            get("get_enrollment", ENROLLMENT, self._get, "enrollment"),
            Endpoint(
                name="update_enrollment", method="PUT", path=ENROLLMENT, act=self._update, gives=_STATUS, takes=_BODY
            ),
            Endpoint(name="delete_enrollment", method="DELETE", path=ENROLLMENT, act=self._delete, gives=_STATUS),
            get(
                "list_active_certificates",
                "/cps/v2/active-certificates",
                self._list_active_certificates,
                "active-certificates",
            ),
        ]

    def _list(self, asked: Asked) -> Answered:
        shown = self._visible(asked, self._world.listed())
        documents = [views.enrollment_document(self._world, each, asked.accept.version) for each in shown]
        return Answered(body={"enrollments": documents})

    def _get(self, asked: Asked) -> Answered:
        return Answered(body=views.enrollment_document(self._world, self._enrollment(asked), asked.accept.version))

    def _create(self, asked: Asked) -> Answered:
        query = asked.call.query
        written = self._enrollments.create(_wanted(asked), query.get("contractId"), Wishes.of(query), asked.client)
        return self._written(written, 202)

    def _update(self, asked: Asked) -> Answered:
        enrollment = self._enrollment(asked)
        wishes = Wishes.of(asked.call.query)
        written = self._enrollments.update(enrollment, _wanted(asked), wishes, asked.client.user)
        return self._written(written, 200 if written.change is None else 202)

    def _delete(self, asked: Asked) -> Answered:
        enrollment = self._enrollment(asked)
        written = self._enrollments.delete(enrollment, Wishes.of(asked.call.query), asked.client.user)
        if written is None:
            return Answered(body={"enrollment": views.enrollment_path(enrollment.id), "changes": []})
        return self._written(written, 202)

    def _list_active_certificates(self, asked: Asked) -> Answered:
        enrollments = self._visible(asked, self._world.active())
        version = asked.accept.version
        documents = [
            active_certificates_document(self._world, each, version) for each in enrollments if each.staging is not None
        ]
        return Answered(body={"enrollments": documents})

    def _enrollment(self, asked: Asked) -> Enrollment:
        return self._world.enrollment(asked.call.path["enrollment"])

    def _visible(self, asked: Asked, enrollments: Iterable[Enrollment]) -> list[Enrollment]:
        """Return those of the contract asked for, or of all that the client can see."""
        contract = asked.call.query.get("contractId")
        if contract is None and self._world.options.contract_on_list == "required":
            raise invalid_request("The query parameter contractId is required.")
        if contract is not None:
            check_contract(contract, asked.client)
        contracts = asked.client.contracts if contract is None else [contract]
        return [enrollment for enrollment in enrollments if enrollment.contract in contracts]

    def _written(self, written: Written, status: int) -> Answered:
        options = self._world.options
        shown = written.change
        if shown is None and options.unchanged_update == "pending":
            shown = self._world.pending(written.enrollment)
        path = views.enrollment_path(written.enrollment.id)
        located = status == 202 and options.location_header == "present"
        return Answered(
            body={"enrollment": path, "changes": [] if shown is None else [views.change_path(shown)]},
            status=status,
            headers={"Location": path} if located else {},
        )


def _wanted(asked: Asked) -> enrollment_body.EnrollmentBody:
    assert asked.content is not None  # the endpoint takes a body
    return enrollment_body.parse(asked.decode(object), asked.content.version)

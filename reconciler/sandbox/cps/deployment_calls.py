"""The operations that read what runs on the networks, and what ran."""

from reconciler.sandbox.cps import history
from reconciler.sandbox.cps.body import Document
from reconciler.sandbox.cps.endpoints import ENROLLMENT, Answered, Asked, Endpoint, get
from reconciler.sandbox.cps.network_views import deployment_document, empty_deployment_document
from reconciler.sandbox.cps.problems import not_found
from reconciler.sandbox.cps.state import Enrollment, Network
from reconciler.sandbox.cps.world import World

_DEPLOYMENTS = f"{ENROLLMENT}/deployments"
_HISTORY = f"{ENROLLMENT}/history"


class DeploymentCalls:
    def __init__(self, world: World) -> None:
        self._world = world

    def endpoints(self) -> list[Endpoint]:
        return [
            get("get_deployments", _DEPLOYMENTS, self._get_both, "deployments"),
            get("get_production_deployment", f"{_DEPLOYMENTS}/production", self._get_production, "deployment"),
            get("get_staging_deployment", f"{_DEPLOYMENTS}/staging", self._get_staging, "deployment"),
            get("get_change_history", f"{_HISTORY}/changes", self._get_change_history, "change-history"),
            get(
                "get_certificate_history",
                f"{_HISTORY}/certificates",
                self._get_certificate_history,
                "certificate-history",
            ),
            get("get_dv_history", f"{ENROLLMENT}/dv-history", self._get_dv_history, "dv-history"),
        ]

    def _get_both(self, asked: Asked) -> Answered:
        enrollment = self._enrollment(asked)
        if enrollment.staging is None and self._world.options.never_deployed == "404":
            raise not_found()
        return Answered(body=self._wrapped(enrollment, asked.accept.version))

    def _get_production(self, asked: Asked) -> Answered:
        single = self._single(asked, "production")
        if self._world.options.production_shape == "wrapped":
            return Answered(body=self._wrapped(self._enrollment(asked), asked.accept.version))
        return Answered(body=single)

    def _get_staging(self, asked: Asked) -> Answered:
        return Answered(body=self._single(asked, "staging"))

    def _get_change_history(self, asked: Asked) -> Answered:
        rows = history.change_history(
            self._world, self._enrollment(asked), asked.accept.version, include_all=asked.flag("includeAll")
        )
        return Answered(body={"changes": rows})

    def _get_certificate_history(self, asked: Asked) -> Answered:
        rows = history.certificate_history(self._world, self._enrollment(asked), include_all=asked.flag("includeAll"))
        return Answered(body={"certificates": rows})

    def _get_dv_history(self, asked: Asked) -> Answered:
        self._enrollment(asked)
        return Answered(body={"results": []})

    def _enrollment(self, asked: Asked) -> Enrollment:
        return self._world.enrollment(asked.call.path["enrollment"])

    def _wrapped(self, enrollment: Enrollment, version: int) -> Document:
        return {
            "production": self._deployment(enrollment, "production", version),
            "staging": self._deployment(enrollment, "staging", version),
        }

    def _single(self, asked: Asked, network: Network) -> Document:
        document = self._deployment(self._enrollment(asked), network, asked.accept.version)
        if document is None:
            raise not_found()
        return document

    def _deployment(self, enrollment: Enrollment, network: Network, version: int) -> Document | None:
        deployment = enrollment.on(network)
        if deployment is not None:
            return deployment_document(deployment, version)
        empty = self._world.options.never_deployed == "empty-objects"
        return empty_deployment_document(enrollment, version) if empty else None

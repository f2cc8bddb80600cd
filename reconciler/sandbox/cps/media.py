"""CPS's media types: each call names the exact version that it sends and wants."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.sandbox.cps import body
from reconciler.sandbox.cps.options import CpsOptions
from reconciler.sandbox.cps.problems import Refused

_FORM = re.compile(r"application/vnd\.akamai\.cps\.(?P<name>[a-z-]+)\.v(?P<version>\d+)\+json", re.IGNORECASE)

# All that are asked for by a known client; the last one is current. deployment(s).v9 is in no definition.
SERVED: dict[str, tuple[int, ...]] = {
    "acknowledgement": (1,),
    "acknowledgement-with-hash": (1,),
    "active-certificates": (1, 2),
    "certificate-and-trust-chain": (1, 2),
    "certificate-history": (2,),
    "change": (1, 2),
    "change-history": (3, 5),
    "change-id": (1,),
    "change-management-info": (1, 2, 3, 4, 5, 6),
    "csr": (1, 2),
    "deployment": (1, 3, 6, 7, 8),
    "deployment-schedule": (1,),
    "deployments": (1, 3, 6, 7, 8),
    "dv-challenges": (1, 2),
    "dv-history": (1,),
    "enrollment": body.VERSIONS,
    "enrollment-status": (1,),
    "enrollments": body.VERSIONS,
    "warnings": (1,),
}
_UNDOCUMENTED_DEPLOYMENT_VERSION = 9


@dataclass(frozen=True, slots=True)
class MediaType:
    name: str
    version: int

    def __str__(self) -> str:
        return f"application/vnd.akamai.cps.{self.name}.v{self.version}+json"


def accepted(header: str | None, names: Sequence[str], options: CpsOptions) -> MediaType:
    """Return the first served type of an Accept header that is one of `names`.

    Raises:
        Refused: 406 (or 404, as the options say): none is.
    """
    return _served(header, names, options, 406, "Not Acceptable")


def content(header: str | None, names: Sequence[str], options: CpsOptions) -> MediaType:
    """Return the type of a body.

    Raises:
        Refused: 415 (or 404, as the options say): it is none of `names`.
    """
    return _served(header, names, options, 415, "Unsupported Media Type")


def _served(header: str | None, names: Sequence[str], options: CpsOptions, status: int, title: str) -> MediaType:
    for item in (header or "").split(","):
        match = _FORM.fullmatch(item.split(";")[0].strip())  # a charset may follow
        if match is not None and match["name"].lower() in names:
            media_type = MediaType(match["name"].lower(), int(match["version"]))
            if media_type.version in _versions(media_type.name, options):
                return media_type
    if options.media_type_mismatch == "lenient":
        return MediaType(names[0], SERVED[names[0]][-1])
    if options.media_type_mismatch == "404":
        raise Refused(404, "not-found", "Not Found")
    raise Refused(status, "unsupported-media-type", title, f"[{header or ''}] is not one of {_list(names, options)}.")


def _versions(name: str, options: CpsOptions) -> tuple[int, ...]:
    served = SERVED[name]
    if name in ("deployment", "deployments") and options.deployment_v9 == "as-v8":
        return (*served, _UNDOCUMENTED_DEPLOYMENT_VERSION)
    if name == "enrollments" and options.list_version_12 == "refused":
        return served[:-1]
    return served


def _list(names: Sequence[str], options: CpsOptions) -> str:
    return ", ".join(str(MediaType(name, version)) for name in names for version in _versions(name, options))

"""Every effective value of a certificate, and where it is written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reconciler.desired import worktree
from reconciler.desired.merge import Merged, merged
from reconciler.desired.schema import built_in
from reconciler.desired.yamlfile import Json, join, read
from reconciler.errors import Location
from reconciler.model.certificate import DesiredCertificate


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveValue:
    """One field. Without a source no file names it, and the value is built in."""

    pointer: str  # as the file spells it: "akamai.ocspStapling"
    value: Json
    source: Location | None
    unmanaged: bool = False  # built in for a create only; afterwards it is neither compared nor changed


def effective_values(root: Path, desired: DesiredCertificate) -> tuple[EffectiveValue, ...]:
    """Return what files name, then what is built in; both in the order of their pointers.

    Raises:
        DesiredStateError: a file cannot be read any more.
    """
    whole = _merged(root, PurePosixPath(desired.location.path))
    written = tuple(_written(whole, whole.data, ""))
    named = {one.pointer for one in written}
    key_types: list[Json] = [*sorted(one.spelt for one in desired.wanted_key_types)]
    taken: dict[str, Json] = {
        "name": desired.name,
        "akamai.account": desired.enrollment.account,
        "sectigo.instance": desired.order.instance,
        "keyTypes": key_types,
    }
    standard = (
        EffectiveValue(pointer=pointer, value=taken.get(pointer, value), source=None, unmanaged=pointer in _UNMANAGED)
        for pointer, value in built_in("certificate")
        if not any(one == pointer or one.startswith(f"{pointer}.") for one in named)
    )
    return (
        *sorted(written, key=lambda one: one.pointer),
        *(one for one in standard if one.value not in (None, [], "")),
    )


# Settings that a create takes from what is built in, and that nobody compares afterwards (DESIGN 3).
_UNMANAGED = frozenset(
    {"keyTypes"}
    | {
        f"akamai.{name}"
        for name in (
            "geography",
            "mustHaveCiphers",
            "preferredCiphers",
            "disallowedTlsVersions",
            "ocspStapling",
            "cloneDnsNames",
            "signatureAlgorithm",
            "excludeSans",
            "changeManagement",
        )
    }
)


def _merged(root: Path, path: PurePosixPath) -> Merged:
    defaults = {one.parent: one for one in worktree.files(root).defaults}
    layers = [defaults[folder] for folder in reversed(path.parents) if folder in defaults]
    return merged([read(root / one, str(one)) for one in layers], read(root / path, str(path)))


def _written(whole: Merged, fields: Mapping[str, Json], parent: str) -> Iterator[EffectiveValue]:
    for key, value in fields.items():
        pointer = join(parent, key)
        if isinstance(value, dict):
            yield from _written(whole, value, pointer)
        else:
            yield EffectiveValue(pointer=pointer, value=value, source=whole.places[pointer].key)

"""Defaults and file as one: maps merge by key, lists and scalars replace, null takes a value back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.desired.yamlfile import Document, Json, Place, join
from reconciler.errors import Location


@dataclass(frozen=True, slots=True)
class Merged:
    """One certificate's fields from all its files: the data without nulls, and the place of each effective value."""

    path: str  # the certificate's own file
    data: Mapping[str, Json]
    places: Mapping[str, Place]

    def location(self, pointer: str) -> Location:
        """Return where `pointer` is written: the nearest enclosing field that is, else the file's start."""
        while pointer:
            if pointer in self.places:
                return self.places[pointer].value
            pointer = pointer.rpartition(".")[0]
        return self.places[""].value

    @property
    def sources(self) -> dict[str, Location]:
        return {pointer: place.key for pointer, place in self.places.items() if pointer}


def merged(layers: Iterable[Document], file: Document) -> Merged:
    """Return `file` laid over the defaults in `layers`, the outermost folder's first."""
    data: dict[str, Json] = {}
    places: dict[str, Place] = {}
    for document in (*layers, file):
        data = _over(data, document.data, "", places, document.places)
    places[""] = file.places[""]
    return Merged(file.path, data, places)


def _over(
    below: Mapping[str, Json],
    above: Mapping[str, Json],
    parent: str,
    places: dict[str, Place],
    above_places: Mapping[str, Place],
) -> dict[str, Json]:
    """Return the fields of `above` over those of `below`, and move `places` along."""
    fields = dict(below)
    for key, value in above.items():
        pointer = join(parent, key)
        beneath = fields.pop(key, None)
        if isinstance(value, dict):
            kept = beneath if isinstance(beneath, dict) else {}
            fields[key] = _over(kept, value, pointer, places, above_places)
            places[pointer] = above_places[pointer]
            continue
        _forget(pointer, beneath, places)
        if value is not None:
            fields[key] = value
            _take(pointer, value, places, above_places)
    return fields


def _forget(pointer: str, value: Json, places: dict[str, Place]) -> None:
    places.pop(pointer, None)
    if isinstance(value, list | dict):
        for known in [known for known in places if known.startswith(f"{pointer}.")]:
            del places[known]


def _take(pointer: str, value: Json, places: dict[str, Place], above_places: Mapping[str, Place]) -> None:
    places[pointer] = above_places[pointer]
    if isinstance(value, list):
        for index, item in enumerate(value):
            _take(join(pointer, index), item, places, above_places)
    elif isinstance(value, dict):
        for key, item in value.items():
            _take(join(pointer, key), item, places, above_places)

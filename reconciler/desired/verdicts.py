"""What a schema finds wrong, in words that a site owner understands: what stands there, and what to write."""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from reconciler.desired.fits import fits
from reconciler.desired.schema import FORBIDDEN_IN_DEFAULTS, Kind, all_fields, schema_of, validator
from reconciler.desired.secrets import secret_problems
from reconciler.desired.yamlfile import Document, Json, join
from reconciler.errors import Problem

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_RULES = {"keyTypes": "KEY-01", "akamai.signatureAlgorithm": "KEY-02", "sectigo.term": "TERM-01"}
_SYNONYMS = {
    "altnames": "dnsNames",
    "cn": "commonName",
    "days": "term",
    "domain": "commonName",
    "domains": "dnsNames",
    "keytype": "keyTypes",
    "names": "dnsNames",
    "network": "secureNetwork",
    "ou": "organizationalUnit",
    "renewbefore": "before",
    "san": "dnsNames",
    "sans": "dnsNames",
    "subjectalternativenames": "dnsNames",
    "tags": "labels",
}
_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "a map",
    "string": "a text",
}
_LIMITS = {
    "minimum": "is less than {}",
    "maximum": "is more than {}",
    "minLength": "is shorter than {} characters",
    "maxLength": "is longer than {} characters",
}


@dataclass(frozen=True, slots=True)
class _Said:
    pointer: str
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """One error of the validator, with what is needed to word it."""

    keyword: str
    wanted: Any  # the keyword's value
    value: Json
    schema: Mapping[str, Any]
    of_key: bool  # a map's key is wrong, not a value
    pointer: str
    document: Document
    kind: Kind

    @property
    def example(self) -> str:
        """How the field is written, to follow "Write it"; empty where the schema shows nothing."""
        shown = [example for example in self.schema.get("examples", ()) if example not in (None, "")]
        return f", as {_shown(shown[0])}" if shown else ""

    @property
    def advice(self) -> str:
        described = str(self.schema.get("description", ""))
        return f"{described} Write it{self.example}." if self.example else described


def document_problems(document: Document, kind: Kind) -> tuple[Problem, ...]:
    """Return the secrets in a document, and what its schema says of the rest."""
    secrets = tuple(secret_problems(document))
    told = {problem.pointer for problem in secrets}
    return (*secrets, *(problem for problem in schema_problems(document, kind) if problem.pointer not in told))


def schema_problems(document: Document, kind: Kind) -> tuple[Problem, ...]:
    """Return what the schema of `kind` finds wrong in a document, one problem a field, in the order of the file."""
    if fits(document.data, schema_of(kind)):
        return ()
    verdicts = sorted(
        (_verdict(error, document, kind) for error in validator(kind).iter_errors(document.data)),
        key=lambda verdict: verdict.keyword == "pattern",  # where it also is too long, or empty, that says more
    )
    first: dict[str, Problem] = {}
    for verdict in verdicts:
        for said in _SAYING.get(verdict.keyword, _other)(verdict):
            first.setdefault(said.pointer, _problem(said, verdict))
    return tuple(sorted(first.values(), key=lambda problem: problem.location))


def quoted(value: object) -> str:
    """Return a value as messages show it: in quotes, on one line, not longer than a line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return f'"{text[:60]}…"' if len(text) > 60 else f'"{text}"'


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a remedy that names the nearest known word, else all of them if they are few."""
    by_folded = {name.casefold(): name for name in sorted(known)}
    nearest = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    if nearest:
        return f'Did you mean "{by_folded[nearest[0]]}"?'
    return f"Known: {', '.join(by_folded.values())}." if 0 < len(by_folded) <= 8 else ""


def _verdict(error: "ValidationError", document: Document, kind: Kind) -> _Verdict:
    assert isinstance(error.schema, Mapping)
    return _Verdict(
        keyword=str(error.validator),
        wanted=error.validator_value,
        value=cast("Json", error.instance),
        schema=error.schema,
        of_key="propertyNames" in error.absolute_schema_path,
        pointer=".".join(str(part) for part in error.absolute_path),
        document=document,
        kind=kind,
    )


def _problem(said: _Said, verdict: _Verdict) -> Problem:
    at_key = verdict.of_key or verdict.keyword == "additionalProperties"
    document = verdict.document
    return Problem(
        location=document.key(said.pointer) if at_key else document.value(said.pointer),
        text=said.text,
        remedy=said.remedy,
        rule=_RULES.get(re.sub(r"\.[0-9]+$", "", said.pointer), ""),
        pointer=said.pointer,
    )


def _type(verdict: _Verdict) -> Iterator[_Said]:
    wanted = [verdict.wanted] if isinstance(verdict.wanted, str) else [*verdict.wanted]
    allowed = " or ".join(_KINDS[name] for name in wanted if name != "null")
    written = verdict.document.text(verdict.pointer)
    remedy = f"Write {allowed}{verdict.example}."
    if "string" in wanted and isinstance(verdict.value, int | float):
        remedy = f'Write it in quotes: "{written}".'
    elif wanted[0] == "array" and written:
        remedy = f"Write it in brackets: [{written}]."
    yield _Said(verdict.pointer, f"This is {_kind_of(verdict.value)}, not {allowed}.", remedy)


def _kind_of(value: Json) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return "true or false"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {quoted(value)}"
        case list():
            return "a list"
        case dict():
            return "a map"


def _enum(verdict: _Verdict) -> Iterator[_Said]:
    known = [str(value) for value in verdict.wanted if value is not None]
    yield _Said(verdict.pointer, f"{quoted(verdict.value)} is not known here.", did_you_mean(str(verdict.value), known))


def _const(verdict: _Verdict) -> Iterator[_Said]:
    text = f"{quoted(verdict.value)} is not a version that this certrecon reads."
    yield _Said(verdict.pointer, text, f'Write "{verdict.wanted}".')


def _pattern(verdict: _Verdict) -> Iterator[_Said]:
    if verdict.of_key:
        key = str(verdict.value)
        remedy = "Use letters, digits, dots, hyphens and underscores, a letter or digit first."
        yield _Said(join(verdict.pointer, key), f"{quoted(key)} cannot be a name here.", remedy)
    elif "AKAMAI|SECTIGO" in verdict.wanted:
        yield _Said(  # what stands here may be the secret itself: it is not shown
            verdict.pointer,
            "This is not the name of a variable that may hold a secret.",
            "Put the value into the environment and write the name of its variable, which begins with AKAMAI_, "
            "SECTIGO_, NOTIFY_ or CERTRECON_.",
        )
    else:
        yield from _other(verdict)


def _required(verdict: _Verdict) -> Iterator[_Said]:
    present = verdict.value if isinstance(verdict.value, dict) else {}
    for key in verdict.wanted:
        if key not in present:
            field = verdict.schema.get("properties", {}).get(key, {})
            example = f", as {key}: {_shown(field['examples'][0])}" if field.get("examples") else ""
            yield _Said(join(verdict.pointer, key), f'The field "{key}" is missing.', f"Add it{example}.")


def _unknown(verdict: _Verdict) -> Iterator[_Said]:
    known = verdict.schema.get("properties", {})
    present = verdict.value if isinstance(verdict.value, dict) else {}
    for key in present:
        pointer = join(verdict.pointer, key)
        if key in known:
            continue
        if verdict.kind == "defaults" and pointer in FORBIDDEN_IN_DEFAULTS:
            yield _Said(pointer, f'"{key}" may not stand in defaults.', "Write it into each certificate's own file.")
        else:
            yield _Said(pointer, f'There is no field "{key}" here.', _instead(key, known, verdict))


def _instead(key: str, known: Mapping[str, object], verdict: _Verdict) -> str:
    """Return where an unknown key belongs, or the known key that looks most like it."""
    meant = _SYNONYMS.get(re.sub(r"[^a-z]", "", key.lower()), key)
    if meant in known:
        return f'Did you mean "{meant}"?'
    parents = sorted(parent for parent, name in all_fields(verdict.kind) if name == meant)
    if parents:
        places = " or ".join(f'"{parent}"' if parent else "the top level" for parent in parents[:2])
        return f'The field "{meant}" belongs under {places}.'
    return did_you_mean(key, known)


def _limit(verdict: _Verdict) -> Iterator[_Said]:
    text = f"{quoted(verdict.value)} {_LIMITS[verdict.keyword].format(verdict.wanted)}."
    yield _Said(verdict.pointer, "This is empty." if verdict.value == "" else text, verdict.advice)


def _too_few(verdict: _Verdict) -> Iterator[_Said]:
    yield _Said(verdict.pointer, "There is nothing in it.", f"Name at least one{verdict.example}.")


def _not_unique(verdict: _Verdict) -> Iterator[_Said]:
    yield _Said(verdict.pointer, "The same entry stands here twice.", "Keep one.")


def _other(verdict: _Verdict) -> Iterator[_Said]:
    yield _Said(verdict.pointer, f"{quoted(verdict.value)} does not fit this field.", verdict.advice)


_SAYING: Mapping[str, Callable[[_Verdict], Iterator[_Said]]] = {
    "additionalProperties": _unknown,
    "const": _const,
    "enum": _enum,
    "maxLength": _limit,
    "maximum": _limit,
    "minItems": _too_few,
    "minLength": _limit,
    "minProperties": _too_few,
    "minimum": _limit,
    "pattern": _pattern,
    "required": _required,
    "type": _type,
    "uniqueItems": _not_unique,
}


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

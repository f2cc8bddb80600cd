"""Akamai's OpenAPI definition of CPS as a judge of recorded exchanges."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from jsonschema import ValidationError
from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator, oas30_format_checker

from tests.support.recording import Exchange

PREFIX = "/cps/v2"
_METHODS = ("get", "put", "post", "delete")
Side = Literal["request", "answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place where an exchange is not as the definition says."""

    side: Side
    operation: str  # the definition's operationId, or the method and path of one that it does not have
    where: str  # "/enrollments/0/id"
    rule: str  # the keyword that failed, as "type", or "operation", "status", "media type", "query"
    text: str

    def __str__(self) -> str:
        return f"{self.side} of {self.operation} at {self.where or '/'}: {self.rule}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """A place where the service is known to differ from its definition. The patterns match whole texts."""

    name: str
    reason: str
    operation: str = ".*"
    where: str = ".*"
    rule: str = ".*"
    text: str = ".*"

    def covers(self, finding: Finding) -> bool:
        pairs = ((self.operation, finding.operation), (self.where, finding.where))
        texts = ((self.rule, finding.rule), (self.text, finding.text))
        return all(re.fullmatch(pattern, value, re.DOTALL) for pattern, value in (*pairs, *texts))


class Definition:
    """An OpenAPI document whose schemas are all written out in place, as Akamai's are."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._paths = [(_pattern(template), item) for template, item in document["paths"].items()]

    @classmethod
    def load(cls, path: Path) -> "Definition":
        return cls(json.loads(path.read_text()))

    @property
    def operations(self) -> set[str | None]:
        """Return the ids of all operations."""
        items = (item for _pattern, item in self._paths)
        return {operation["operationId"] for item in items for name, operation in item.items() if name in _METHODS}

    def operation_of(self, exchange: Exchange) -> str | None:
        """Return the id of the operation that an exchange is one of."""
        operation = self._operation(exchange)
        return None if operation is None else str(operation["operationId"])

    def findings(self, exchange: Exchange) -> Iterator[Finding]:
        """Yield all that is not as the definition says. Refusals (4xx, 5xx) are not defined, so their bodies pass."""
        operation = self._operation(exchange)
        if operation is None:
            name = f"{exchange.method} {exchange.path}"
            yield Finding(side="request", operation=name, where="", rule="operation", text="is not defined")
            return
        name = str(operation["operationId"])
        yield from _query_findings(name, operation, exchange)
        if exchange.status >= 400:
            return
        yield from _request_findings(name, operation, exchange)
        yield from _answer_findings(name, operation, exchange)

    def _operation(self, exchange: Exchange) -> Mapping[str, Any] | None:
        path = exchange.path.removeprefix(PREFIX)
        for pattern, item in self._paths:
            if pattern.fullmatch(path) and exchange.method.lower() in item:
                operation: Mapping[str, Any] = item[exchange.method.lower()]
                return operation
        return None


def unexplained(findings: Iterable[Finding], deviations: Iterable[Deviation]) -> list[str]:
    """Return the findings that no deviation covers, each once."""
    known = list(deviations)
    return sorted({str(found) for found in findings if not any(deviation.covers(found) for deviation in known)})


def _query_findings(name: str, operation: Mapping[str, Any], exchange: Exchange) -> Iterator[Finding]:
    defined = {parameter["name"]: parameter for parameter in operation.get("parameters", [])}
    given = dict(exchange.query)
    for key in given:
        if defined.get(key, {}).get("in") != "query":
            yield Finding(side="request", operation=name, where="", rule="query", text=f"{key} is not defined")
    for key, parameter in defined.items():
        if parameter["in"] == "query" and parameter.get("required") and key not in given:
            yield Finding(side="request", operation=name, where="", rule="query", text=f"{key} is missing")


def _request_findings(name: str, operation: Mapping[str, Any], exchange: Exchange) -> Iterator[Finding]:
    content = operation.get("requestBody", {}).get("content")
    if content is not None:
        yield from _body_findings(name, "request", content, exchange.request_type, exchange.request_body)
    elif exchange.request_body:
        yield Finding(side="request", operation=name, where="", rule="media type", text="a body where none is defined")


def _answer_findings(name: str, operation: Mapping[str, Any], exchange: Exchange) -> Iterator[Finding]:
    answer = operation["responses"].get(str(exchange.status))
    if answer is None:
        text = f"{exchange.status} is not defined"
        yield Finding(side="answer", operation=name, where="", rule="status", text=text)
        return
    yield from _body_findings(name, "answer", answer["content"], exchange.answer_type, exchange.answer_body)


def _body_findings(
    name: str, side: Side, content: Mapping[str, Any], media_type: str | None, body: bytes
) -> Iterator[Finding]:
    judged = media_type if media_type in content else _older(media_type or "", content)
    if media_type not in content:
        text = f"{media_type} is not defined"
        yield Finding(side=side, operation=name, where="", rule="media type", text=text)
    if judged is None:
        return
    schema = content[judged]["schema"]
    for error in _validator(side, json.dumps(schema)).iter_errors(json.loads(body)):
        yield from _schema_findings(name, side, error)


def _schema_findings(name: str, side: Side, error: ValidationError) -> Iterator[Finding]:
    where = "".join(f"/{part}" for part in error.absolute_path)
    yield Finding(side=side, operation=name, where=where, rule=str(error.validator), text=error.message)


def _older(media_type: str, content: Mapping[str, Any]) -> str | None:
    """Return the newest defined version of a media type whose own version is newer than the definition."""
    asked = _version(media_type)
    versions = [(_version(name), name) for name in content]
    older = [(found[1], name) for found, name in versions if found[0] == asked[0] and found[1] < asked[1]]
    return max(older)[1] if older else None


def _version(media_type: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.*)\.v(\d+)\+json", media_type)
    return (media_type, 0) if match is None else (match[1], int(match[2]))


@cache
def _validator(side: Side, schema: str) -> OAS30ReadValidator | OAS30WriteValidator:
    parsed = json.loads(schema)
    validator = OAS30WriteValidator if side == "request" else OAS30ReadValidator
    return validator(parsed, format_checker=oas30_format_checker)


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{[^}]*\}", "[^/]+", template))

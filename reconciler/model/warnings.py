"""CPS's warnings: which there are, how far each may be acknowledged, and the parsing of their text.

CPS gives one string without ids. It is matched against the texts of `warning_texts`, and all of it must match: what is
left over is a warning of unknown meaning, never nothing.
"""

import enum
import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType

from reconciler.model.warning_texts import WARNING_TEXTS

OVERLAP = "DOMAINS_EXIST_ON_ANOTHER_CERTIFICATE"  # our id: Akamai's list has none for this text
SANS_REMOVED = "SANS_REMOVED_REQUIRE_ACKNOWLEDGEMENT"
REMOVAL_WARNINGS = (SANS_REMOVED, "CERTIFICATE_VS_NETWORK_SAN_REMOVED_FROM_CERT_LIVE_ON_NETWORK")

# Texts beside the list: one of Akamai's OpenAPI examples, and one as the portal words it.
_MORE_TEXTS = (
    (
        OVERLAP,
        "Some of the domains being provisioned (<sanString>) exist on another certificate. Akamai recommends against "
        "overlapping names on Enhanced TLS and Standard TLS certificates except during digital property migrations. "
        "Enhanced TLS traffic could be misdirected in the event of DNS misconfiguration and treated as Standard TLS "
        "until the overlap is eliminated.",
    ),
    (SANS_REMOVED, "SAN names are being removed from enrollment that still may be live on the network."),
)


class WarningClass(enum.Enum):
    """How far a warning may be acknowledged without a person."""

    NEVER = "never acknowledged"
    ONLY_IF_DECLARED = "acknowledged only for the names that the file lists"
    HUMAN = "a person decides"
    PRIVATE_ONLY = "acknowledged only for a private issuer whose root is allowed"
    EXPECTED = "expected under a condition"
    OUR_BUG = "acknowledged, but our upload should not cause it"
    UNKNOWN = "of no class: a person decides"


# The first row that fits an id counts; `*` as in a shell. Ids of no row are UNKNOWN.
_CLASSES: tuple[tuple[WarningClass, tuple[str, ...]], ...] = (
    (
        WarningClass.NEVER,
        (
            "CSR_VS_CERTIFICATE_KEY_MISMATCH",
            "CSR_VS_CERTIFICATE_CN_MISMATCH",
            "CSR_VS_CERTIFICATE_CN_MISSING",
            "CSR_VS_CERTIFICATE_MISSING_SAN_FROM_SAN_LIST_IN_CERTIFICATE",
            "CERTIFICATE_EXPIRED",
            "CERTIFICATE_NOT_YET_VALID",
            "CERTIFICATE_SELF_SIGNED",
            "CERTIFICATE_SIGNATURE_MISMATCH",
            "CERTIFICATE_MISSING_CN_FROM_SAN_LIST",
            "CERTIFICATE_PARSING_ERROR",
            "CERTIFICATE_NOT_PEM_FORMAT",
            "CERTIFICATE_KMI_DATA_*",
            "X509_CERTIFICATE_INVALID_SIGNATURE",
            "TRUST_CHAIN_VERIFY_FAILED",
            "TRUST_CHAIN_INVALID*",
            "TRUST_CHAIN_EXPIRED_OR_NOT_YET_VALID",
            "TRUST_CHAIN_PARSING_ERROR*",
            "THIRD_PARTY_BLACKLISTED_*",
            "NAME_CONSTRAINTS_VIOLATION",
            "CSR_EXPIRED",
            "INVALID_CERTIFICATE",
            "INVALID_CSR",
        ),
    ),
    (WarningClass.ONLY_IF_DECLARED, REMOVAL_WARNINGS),
    (
        WarningClass.HUMAN,
        (
            "SNI_DNS_OVERLAP",
            "OVERLAPPING_TRAFFIC_CLASS",
            OVERLAP,
            "CERTIFICATE_ALREADY_LOADED",
            "TRUST_CHAIN_EXPIRED_BEFORE_EE",
            "CERTIFICATE_EXPIRATION_DATE_BEYOND_*",  # for a public issuer; a private one may live as long as it likes
        ),
    ),
    (
        WarningClass.PRIVATE_ONLY,
        (
            "TRUST_CHAIN_TERMINATES_WITH_NON_STANDARD_CERTIFICATE*",
            "TRUST_CHAIN_EMPTY_AND_CERTIFICATE_SIGNED_BY_NON_STANDARD_ROOT",
            "TRUST_CHAIN_DOES_NOT_INCLUDE_TRUSTED_CERTIFICATE",
        ),
    ),
    (
        WarningClass.EXPECTED,
        (
            "CSR_VS_CERTIFICATE_OU_FIELD_MISSING_IN_CERTIFICATE",
            "CSR_VS_CERTIFICATE_C_FIELD_MISSING_IN_CERTIFICATE",
            "CSR_VS_CERTIFICATE_ST_FIELD_MISSING_IN_CERTIFICATE",
            "CSR_VS_CERTIFICATE_L_FIELD_MISSING_IN_CERTIFICATE",
            "CSR_VS_CERTIFICATE_O_FIELD_MISSING_IN_CERTIFICATE",
            "CSR_VS_CERTIFICATE_C_FIELD_MISMATCH",
            "CSR_VS_CERTIFICATE_ST_FIELD_MISMATCH",
            "CSR_VS_CERTIFICATE_L_FIELD_MISMATCH",
            "CSR_VS_CERTIFICATE_O_FIELD_MISMATCH",
            "CSR_VS_CERTIFICATE_SUBJECT_FIELD_MISMATCH",
            "CSR_VS_CERTIFICATE_SUBJECT_FIELD_MISMATCH_MISSING_IN_CERTIFICATE",
            "CSR_VS_CERTIFICATE_*_CASE_MISMATCH",
            "CSR_VS_CERTIFICATE_ADDITIONAL_SAN_IN_SAN_LIST_IN_CERTIFICATE",
            "CROSS_SIGNED_ROOT_IN_TRUST_CHAIN",
            "CERTIFICATE_ADDED_TO_TRUST_CHAIN",
            "CERTIFICATE_MISSING_IN_TRUST_CHAIN",
            "CERTIFICATE_EXPIRATION_DATE_IN_NEAR_FUTURE",
            "CERTIFICATE_EXPIRATION_TOO_SHORT",
        ),
    ),
    (
        WarningClass.OUR_BUG,
        (
            "UNSORTED_TRUST_CHAIN",
            "EXTRA_CERT_IN_TRUST_CHAIN",
            "END_ENTITY_CERT_IN_TRUST_CHAIN",
            "TRUST_CHAIN_INCLUDES_STANDARD_ROOT_CERTIFICATE*",
            "MULTIPLE_TRUST_CHAINS",
        ),
    ),
)


def _class_of(warning_id: str) -> WarningClass:
    fitting = (cls for cls, patterns in _CLASSES if any(_fits(warning_id, pattern) for pattern in patterns))
    return next(fitting, WarningClass.UNKNOWN)


def _fits(warning_id: str, pattern: str) -> bool:
    """Tell whether the pattern fits; only one with a star is worth a regular expression, as all are tried at import."""
    return fnmatchcase(warning_id, pattern) if "*" in pattern else warning_id == pattern


WARNING_CLASSES: Mapping[str, WarningClass] = MappingProxyType(
    {warning_id: _class_of(warning_id) for warning_id in (*WARNING_TEXTS, OVERLAP)}
)

_PREFIXES = ("CSR_VS_CERTIFICATE_", "CERTIFICATE_", "TRUST_CHAIN_")


def warning_id(spelt: str) -> str | None:
    """Return the id that a person means: any case, hyphens for underscores, the prefix left out where that is clear."""
    name = spelt.strip().upper().replace("-", "_")
    if name in WARNING_CLASSES:
        return name
    fitting = [prefix + name for prefix in _PREFIXES if prefix + name in WARNING_CLASSES]
    return fitting[0] if len(fitting) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CpsWarning:
    """One warning. Without an id its text is none that is known: it can only block."""

    id: str | None
    text: str
    values: Mapping[str, str] = field(default_factory=dict)  # by the placeholders of `warning_texts`

    @property
    def warning_class(self) -> WarningClass:
        return WarningClass.UNKNOWN if self.id is None else WARNING_CLASSES[self.id]


def parse_warnings(text: str) -> tuple[CpsWarning, ...]:
    """Return all warnings of CPS's string: on lines of their own, or in a list with commas, with or without brackets.

    Every character but separators belongs to one of them; a line that begins like no known text is one without id.
    """
    body = _unwrapped(text)
    found: list[CpsWarning] = []
    position = 0
    while position < len(body):
        warning, position = _warning_at(body, position)
        found.append(warning)
        position = _skip_separators(body, position)
    return tuple(found)


def _unwrapped(text: str) -> str:
    body = text.replace("\r\n", "\n").strip()
    body = body.removeprefix("[WARNINGS]").strip()
    if body.startswith("[") and body.endswith("]"):
        body = body[1:-1].strip()
    return body


def _skip_separators(body: str, position: int) -> int:
    while position < len(body) and (body[position].isspace() or body[position] == ","):
        position += 1
    return position


def _warning_at(body: str, position: int) -> tuple[CpsWarning, int]:
    """Return the longest known warning that begins here; else the rest of the line as an unknown one."""
    matches = [(found, name) for name, pattern in _patterns() if (found := pattern.match(body, position))]
    if not matches:
        end = body.find("\n", position)
        end = len(body) if end < 0 else end
        return CpsWarning(id=None, text=body[position:end].strip()), end
    found, name = max(matches, key=lambda pair: pair[0].end())
    values = {key: value.strip() for key, value in found.groupdict().items()}
    return CpsWarning(id=name, text=found[0].strip(), values=values), found.end()


# What may stand for a value is narrow on purpose: a value that matched anything would swallow the warnings behind it.
_QUOTED = r"[^'\n]*"
_BRACKETED = r"(?:[^\[\]\n]|\[[^\[\]\n]*\])*"
_NAME = r"[^\s\[\](),]+"
_NAMES = rf"{_NAME}(?:,\s*{_NAME})*"
_NUMBER = r"-?\d+"
_RDN = r"[A-Za-z][\w.]*=(?:\\.|\"[^\"\n]*\"|[^,\\\n])*"
_X500_NAME = rf"{_RDN}(?:,[ \t]*{_RDN})*"
_CHAIN_LINE = (
    r"[ \t]*(?:Trust Chain:?|The chain that will be used is:"
    r"|(?:(?:Certificate:?|\d+[.:])[ \t]*)?(?:Subject|Issuer|Serial Number):[^\n]*)[ \t]*"
)
_CHAIN = rf"{_CHAIN_LINE}(?:\n{_CHAIN_LINE})*"
_ONE_LINE = r"[^\n]*?"
_REST_OF_LINE = r"[^\n]*"

_VALUES: Mapping[str, str] = {
    "certificateExpirationDays": _NUMBER,
    "expiredDays": _NUMBER,
    "expiresInDays": _NUMBER,
    "deletedInDays": _NUMBER,
    "willBeDeletedInDays": _NUMBER,
    "size": _NUMBER,
    "maximum": _NUMBER,
    "dnsName": _NAME,
    "invalidDomainName": _NAME,
    "nameOfSuperSet": _NAME,
    "domain": _NAME,
    "certificateValue": _NAME,
    "sanString": _NAMES,
    "issuerX500Principal": _X500_NAME,
    "trustChainData": _CHAIN,
    "subjectfield": r"[A-Za-z]+(?: [A-Za-z]+)*",
    "certificateSubjectValue": _REST_OF_LINE,  # stands last; taken whole, it is unequal if anything else is in it
    "dataType": r"[A-Za-z][\w ]*?",
    "trustChainDescription": r"[A-Za-z][\w ]*?",
}
_PLACEHOLDER = re.compile(r"<(\w+)>")
_END = r"(?=[ \t]*(?:\Z|\n|,))"


@functools.cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((name, _pattern(name, text)) for name, text in _all_texts())


def _all_texts() -> Iterator[tuple[str, str]]:
    yield from WARNING_TEXTS.items()
    yield from _MORE_TEXTS


def _pattern(name: str, text: str) -> re.Pattern[str]:
    parts = _PLACEHOLDER.split(text)  # literal, placeholder, literal, …
    pattern = rf"(?:(?i:{name.replace('_', '[-_]')}):\s+)?"  # the portal shows some with their code in front
    for place, part in enumerate(parts):
        pattern += f"(?P<{part}>{_value(part, parts[place - 1])})" if place % 2 else _literal(part)
    return re.compile(pattern + _END)


def _literal(text: str) -> str:
    runs = re.split(r"(\s+)", text)
    return "".join(_blank(run) if run.isspace() else re.escape(run) for run in runs)


def _blank(run: str) -> str:
    return r"[ \t]*\n[ \t]*" if "\n" in run else r"[ \t]+"


def _value(placeholder: str, before: str) -> str:
    if before.endswith("["):
        return _BRACKETED
    if before.endswith("'"):
        return _QUOTED
    return _VALUES.get(placeholder, _ONE_LINE)

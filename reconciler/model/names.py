"""DNS names as certificates carry them: lower-case A-labels; and the rules that a name can break (NAME-*).

The rules are those of the CA/Browser Forum's Baseline Requirements (7.1.4, 4.2.2), RFC 5890 and CPS; a private issuer
is bound by the syntax only.
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NewType

import idna

from reconciler.errors import Severity
from reconciler.model.suffixes import public_suffix

DnsName = NewType("DnsName", str)

MAX_COMMON_NAME = 64  # X.520 ub-common-name, in characters
MAX_NAMES = 100  # CPS: `maxAllowedSanNames` of a third-party enrollment
ADVISED_NAMES = 40  # Akamai's advice: handshakes grow with the certificate

_LDH = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
_WILDCARD = "*."


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFinding:
    """One rule that a name breaks."""

    rule: str
    severity: Severity
    text: str
    remedy: str


class BadNameError(ValueError):
    """A text cannot be read as a DNS name; `finding` says why."""

    def __init__(self, finding: NameFinding) -> None:
        self.finding = finding
        super().__init__(finding.text)


def dns_name(text: str) -> DnsName:
    """Return `text` as certificates carry it: lower case, A-labels, without the root's final dot; "*." stays in front.

    Only spelling is judged here; what a CA refuses is found by `name_findings`.

    Raises:
        BadNameError: it holds what no DNS name can, or a label that IDNA 2008 does not know.
    """
    trimmed = text.strip().removesuffix(".")
    for finding in _spelling_findings(trimmed):
        raise BadNameError(finding)
    if trimmed.isascii():
        return DnsName(trimmed.lower())
    return DnsName(_a_labels(trimmed))


def name_findings(text: str, *, public: bool) -> tuple[NameFinding, ...]:
    """Return what is wrong with a name as a person wrote it; `public` adds what only public CAs refuse."""
    if (address := _address(text)) is not None:
        return (_address_finding(text, address, public=public),)
    if spelling := tuple(_spelling_findings(text)):
        return spelling
    try:
        name = dns_name(text)
    except BadNameError as error:
        return (error.finding,)
    if form := tuple(_form_findings(name, public=public)):
        return form
    return tuple(_public_findings(name)) if public else ()


def common_name_findings(name: DnsName) -> tuple[NameFinding, ...]:
    if len(name) <= MAX_COMMON_NAME:
        return ()
    return (
        _error(
            "NAME-08",
            f'The common name "{name}" has {len(name)} characters; at most {MAX_COMMON_NAME} fit.',
            "Take a shorter name as commonName and put this one into dnsNames.",
        ),
    )


def set_findings(names: Iterable[DnsName]) -> tuple[NameFinding, ...]:
    """Return what is wrong with the names together; all of them as written, normalised, with repetitions."""
    written = [*names]
    return (*_count_findings(len(set(written))), *_repetition_findings(written))


def ev_wildcard_findings(names: Iterable[DnsName]) -> tuple[NameFinding, ...]:
    """Return one finding for each wildcard: the EV Guidelines allow none."""
    return tuple(
        _error(
            "NAME-07",
            f'"{name}" is a wildcard, and EV certificates may not hold one.',
            "Name the hosts one by one, or take an OV profile.",
        )
        for name in names
        if is_wildcard(name)
    )


def is_wildcard(name: str) -> bool:
    return name.startswith(_WILDCARD)


def covers(wildcard: DnsName, name: DnsName) -> bool:
    """Tell whether `wildcard` stands for `name`: one label in place of the star (RFC 6125 6.4.3)."""
    return is_wildcard(wildcard) and name != wildcard and name.partition(".")[2] == wildcard.removeprefix(_WILDCARD)


def registrable_domain(name: DnsName) -> str | None:
    """Return the domain below the public suffix, as a CA validates it; None for a suffix itself or an unknown TLD.

    Only the ICANN section of the list counts (BR 3.2.2.6), so that of "a.github.io" it is "github.io".
    """
    host = name.removeprefix(_WILDCARD)
    suffix = public_suffix(host, icann=True)
    if suffix is None or host == suffix:
        return None
    return f"{host.removesuffix(suffix).removesuffix('.').rpartition('.')[2]}.{suffix}"


def _error(rule: str, text: str, remedy: str) -> NameFinding:
    return NameFinding(rule=rule, severity=Severity.ERROR, text=text, remedy=remedy)


def _warning(rule: str, text: str, remedy: str) -> NameFinding:
    return NameFinding(rule=rule, severity=Severity.WARNING, text=text, remedy=remedy)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip().strip("[]"))
    except ValueError:
        return None


def _address_finding(text: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address, *, public: bool) -> NameFinding:
    kind = "an address" if address.is_global else "a reserved or private address"
    make = _error if public else _warning
    return make("NAME-04", f'"{text}" is {kind}; the edge is asked for by name.', "Write a DNS name in its place.")


def _spelling_findings(text: str) -> Iterator[NameFinding]:
    """Find what cannot be part of a name; nothing of it is taken away silently."""
    if "://" in text:
        yield _error("NAME-01", f'"{text}" starts with a scheme.', f'Write only "{_host_of(text)}".')
    elif "/" in text:
        yield _error("NAME-01", f'"{text}" holds a path.', f'Write only "{_host_of(text)}".')
    elif "@" in text:
        yield _error("NAME-01", f'"{text}" is an e-mail address.', "Write a DNS name.")
    elif ":" in text:
        yield _error("NAME-01", f'"{text}" holds a port.', f'Write only "{text.partition(":")[0]}".')
    elif any(character.isspace() for character in text):
        yield _error("NAME-01", f'"{text}" holds a space.', "Write one name in each entry, without spaces.")
    elif text.endswith(".") and text.strip("."):
        yield _error("NAME-01", f'"{text}" ends with a dot.', f'Write "{text.rstrip(".")}".')
    elif not text or "" in text.split("."):
        yield _error("NAME-01", f'"{text}" has an empty label.', "Write labels joined by single dots.")


def _host_of(text: str) -> str:
    host = text.partition("://")[2] or text
    return host.partition("/")[0].rpartition("@")[2].partition(":")[0]


def _a_labels(text: str) -> str:
    """Return the A-labels of an international name (UTS 46, not transitional; a star in front stays)."""
    star = _WILDCARD if is_wildcard(text) else ""
    try:
        return star + idna.encode(text.removeprefix(star), uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise BadNameError(
            _error(
                "NAME-09",
                f'"{text}" has no ASCII form: {str(error).rstrip(".")}.',
                "Check the spelling; a name registered all the same is written in its xn-- form.",
            )
        ) from error


def _form_findings(name: DnsName, *, public: bool) -> Iterator[NameFinding]:
    yield from _wildcard_form_findings(name)
    if len(name) > 253:
        yield _error("NAME-01", f'"{name[:60]}…" has {len(name)} characters; at most 253 fit.', "Take a shorter name.")
    for label in name.removeprefix(_WILDCARD).split("."):
        if "*" not in label:
            yield from _label_findings(name, label, public=public)


def _wildcard_form_findings(name: DnsName) -> Iterator[NameFinding]:
    if "*" in name.removeprefix(_WILDCARD):
        yield _error(
            "NAME-05",
            f'"{name}" is not a wildcard that a certificate can hold.',
            'Write "*." and a full name, as "*.example.com"; the star stands for one whole label, the first.',
        )


def _label_findings(name: DnsName, label: str, *, public: bool) -> Iterator[NameFinding]:
    if len(label) > 63:
        yield _error("NAME-01", f'In "{name}" a label has {len(label)} characters; at most 63 fit.', "Shorten it.")
    elif not _LDH.match(label):
        yield _error(
            "NAME-01",
            f'In "{name}" the label "{label}" is not made of letters, digits and inner hyphens.',
            "Correct the spelling.",
        )
    elif public and "_" in label:
        yield _error(
            "NAME-02",
            f'In "{name}" the label "{label}" has an underscore, which public CAs may not issue.',
            "Take a name without underscores, or a private issuer.",
        )
    elif label[2:4] == "--" and not _is_p_label(label):
        yield _error(
            "NAME-09",
            f'In "{name}" the label "{label}" has "--" in third place and is no valid xn-- form.',
            "Correct the spelling; only international names may have it there.",
        )


def _is_p_label(label: str) -> bool:
    """Tell whether `label` is "xn--" and valid Punycode (BR 1.6.1, P-Label)."""
    encoded = label.removeprefix("xn--")
    try:
        return encoded != label and bool(encoded.encode("ascii").decode("punycode"))
    except UnicodeError:
        return False


def _public_findings(name: DnsName) -> Iterator[NameFinding]:
    base = name.removeprefix(_WILDCARD)
    if base.endswith((".in-addr.arpa", ".ip6.arpa", ".onion")):
        yield _error(
            "NAME-10",
            f'"{name}" lies in a zone for which no public certificate is issued here.',
            "Take a name in an ordinary domain.",
        )
    elif base == "home.arpa" or base.endswith(".home.arpa") or public_suffix(base, icann=True) is None:
        yield _error(
            "NAME-03",
            f'"{name}" is an internal name: the Internet\'s root knows no ".{base.rpartition(".")[2]}" for it.',
            'Take a name in a registered domain, or "issuer: private".',
        )
    elif is_wildcard(name):
        yield from _suffix_findings(name, base)
    elif "." not in base:
        yield _error("NAME-03", f'"{name}" is a top-level domain, not a host.', "Write the full name.")


def _suffix_findings(name: DnsName, base: str) -> Iterator[NameFinding]:
    if public_suffix(base, icann=True) == base:
        yield _error(
            "NAME-06",
            f'"{name}" would cover all domains below the public suffix "{base}".',
            "Write the wildcard below your own domain.",
        )
    elif public_suffix(base, icann=False) == base:
        yield _warning(
            "NAME-06",
            f'"{name}" covers what others may own: "{base}" is in the private section of the Public Suffix List.',
            "Make sure that the whole suffix is yours.",
        )


def _count_findings(count: int) -> Iterator[NameFinding]:
    if count > MAX_NAMES:
        yield _error(
            "NAME-11",
            f"There are {count} names; an enrollment holds at most {MAX_NAMES}.",
            "Split them over several certificates.",
        )
    elif count > ADVISED_NAMES:
        yield _warning(
            "NAME-11",
            f"There are {count} names; Akamai advises at most about {ADVISED_NAMES}, as each makes handshakes larger.",
            "Split them over several certificates if you can.",
        )


def _repetition_findings(written: list[DnsName]) -> Iterator[NameFinding]:
    for name, times in Counter(written).items():
        if times > 1:
            yield _warning("NAME-12", f'"{name}" is named {times} times.', "Name it once.")
    wildcards = {name for name in written if is_wildcard(name)}
    for name in dict.fromkeys(written):
        wildcard = DnsName(_WILDCARD + name.partition(".")[2])
        if wildcard in wildcards and wildcard != name:
            yield _warning("NAME-12", f'"{name}" is covered by "{wildcard}" already.', "Leave one of them out.")

"""Which of CPS's warnings policy accepts. Each one must be, or nothing is acknowledged."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from reconciler.model.certificate import DesiredCertificate, IssuerClass
from reconciler.model.enrollment import ChangeManagement
from reconciler.model.names import DnsName
from reconciler.model.policy import Policy
from reconciler.model.warnings import (
    REMOVAL_WARNINGS,
    SANS_REMOVED,
    CpsWarning,
    WarningClass,
    parse_warnings,
    warning_id,
)
from reconciler.planning.findings import listed
from reconciler.planning.profiles import Kind, ca_additions

_SUBJECT_FIELD = re.compile(r"CSR_VS_CERTIFICATE_(?P<field>C|ST|L|O|OU)_FIELD_(?:MISMATCH|MISSING_IN_CERTIFICATE)\Z")
_ANY_SUBJECT_FIELD = {
    "CSR_VS_CERTIFICATE_SUBJECT_FIELD_MISMATCH",
    "CSR_VS_CERTIFICATE_SUBJECT_FIELD_MISMATCH_MISSING_IN_CERTIFICATE",
}
_BEYOND = "CERTIFICATE_EXPIRATION_DATE_BEYOND_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What our own checks proved of the uploaded certificates. False and None: nothing."""

    kind: Kind | None = None
    path_verified: bool = False  # CERT-04 and CERT-05 hold
    private_root_allowed: bool = False  # the path ends at a private root that the configuration names
    term_as_ordered: bool = False  # CERT-03 holds, without a warning
    cross_kept: bool = False  # the chain was uploaded with the cross-signed root, on purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Why warnings may be acknowledged, and why not. Without `refusals` all may be."""

    notes: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        return not self.refusals


@dataclass(frozen=True, slots=True)
class _Yes:
    why: str


@dataclass(frozen=True, slots=True)
class _No:
    why: str
    final: bool = False  # no `acceptWarnings` changes it


_Ruling = _Yes | _No


def judge_text(text: str, desired: DesiredCertificate, policy: Policy, evidence: Evidence) -> Verdict:
    """Judge CPS's string of warnings as a whole."""
    return judge(parse_warnings(text), desired, policy, evidence)


def judge_management(
    management: ChangeManagement, desired: DesiredCertificate, policy: Policy, evidence: Evidence
) -> Verdict:
    """Judge what change management found; its errors are never acknowledged."""
    warnings = tuple(one for message in management.warnings for one in parse_warnings(message))
    verdict = judge(warnings, desired, policy, evidence)
    errors = tuple(f"CPS calls it an error: {message}" for message in management.errors)
    return Verdict(notes=verdict.notes, refusals=(*errors, *verdict.refusals))


def judge(warnings: Iterable[CpsWarning], desired: DesiredCertificate, policy: Policy, evidence: Evidence) -> Verdict:
    """Return what to say of each warning, once where it repeats.

    `policy` and the file may accept further ids; never those of the class NEVER, nor what a public certificate must
    not have, nor a text that is not known.
    """
    notes: dict[str, None] = {}
    refusals: dict[str, None] = {}
    for warning in warnings:
        match _judged(warning, desired, policy, evidence):
            case _Yes(why=why):
                notes[f"{warning.id}: {why}"] = None
            case _No(why=why):
                refusals[f"{warning.id or 'unknown warning'}: {why}: {_on_one_line(warning.text)}"] = None
            case never:
                assert_never(never)
    return Verdict(notes=tuple(notes), refusals=tuple(refusals))


def _judged(warning: CpsWarning, desired: DesiredCertificate, policy: Policy, evidence: Evidence) -> _Ruling:
    ruling = _ruling(warning, desired, evidence)
    if isinstance(ruling, _No) and not ruling.final and _accepted_by_id(warning, desired, policy):
        return _Yes("accepted by `acceptWarnings`")
    return ruling


def _accepted_by_id(warning: CpsWarning, desired: DesiredCertificate, policy: Policy) -> bool:
    if warning.id in {warning_id(spelt) for spelt in policy.accept_warnings}:
        return True
    names = _names_in(warning)
    accepted = (one for one in desired.accept_warnings if warning_id(one.id) == warning.id)
    return any(not one.names or (names and names <= one.names) for one in accepted)


def _ruling(warning: CpsWarning, desired: DesiredCertificate, evidence: Evidence) -> _Ruling:
    private = desired.order.issuer is IssuerClass.PRIVATE
    match warning.warning_class:
        case WarningClass.NEVER:
            return _No("is never acknowledged", final=True)
        case WarningClass.ONLY_IF_DECLARED:
            return _removal(warning, desired)
        case WarningClass.PRIVATE_ONLY:
            return _private_only(evidence, private=private)
        case WarningClass.HUMAN:
            if private and evidence.private_root_allowed and (warning.id or "").startswith(_BEYOND):
                return _Yes("a private CA is bound to no lifetime")
            return _No("a person decides")
        case WarningClass.EXPECTED:
            return _expected(warning, desired, evidence)
        case WarningClass.OUR_BUG:
            return _Yes("CPS repairs it, but our chain should not cause it: please report this")
        case WarningClass.UNKNOWN:
            return _No("a person decides") if warning.id else _No("CPS says what no known text is", final=True)


def _private_only(evidence: Evidence, *, private: bool) -> _Ruling:
    if not private:
        return _No("a public certificate must lead to a root that CPS knows", final=True)
    if not evidence.private_root_allowed:
        return _No("the root is not among the allowed ones (`privateRoots`)", final=True)
    return _Yes("the private root is allowed")


def _removal(warning: CpsWarning, desired: DesiredCertificate) -> _Ruling:
    """Accept the removal of the names that the file lists; the one warning names them all, the other each alone."""
    names, declared = _names_in(warning), _declared_removals(desired)
    if wanted := names & desired.sans:
        return _No(f"the file still asks for {listed(wanted)}", final=True)
    if not names or not names <= declared:
        return _No("the file's `acceptWarnings` must list these names", final=True)
    if warning.id == SANS_REMOVED and names != declared:
        return _No(f"the file lists {listed(declared - names)} too", final=True)
    return _Yes(f"the file lists the removal of {listed(names)}")


def _declared_removals(desired: DesiredCertificate) -> frozenset[str]:
    return frozenset[str]().union(
        *(one.names for one in desired.accept_warnings if warning_id(one.id) in REMOVAL_WARNINGS)
    )


def undeclared_removal(desired: DesiredCertificate, removed: frozenset[DnsName]) -> str | None:
    """Say what the file must have before CPS asks about the removal: afterwards the change would be blocked."""
    if not removed or removed == _declared_removals(desired):
        return None
    return (
        f"CPS will ask about the removal: it is blocked until `acceptWarnings` has {SANS_REMOVED} with just these names"
    )


def _expected(warning: CpsWarning, desired: DesiredCertificate, evidence: Evidence) -> _Ruling:
    name = warning.id or ""
    if name.endswith("_CASE_MISMATCH"):
        return _case_mismatch(warning)
    if field := _subject_field(warning):
        return _subject(field, desired, evidence, missing="MISSING" in name)
    match name:
        case "CSR_VS_CERTIFICATE_ADDITIONAL_SAN_IN_SAN_LIST_IN_CERTIFICATE":
            names = _names_in(warning)
            known = names and names <= desired.sans | ca_additions(desired.common_name)
            return _Yes("the CA adds the bare or the www name") if known else _No("nobody asked for this name")
        case "CROSS_SIGNED_ROOT_IN_TRUST_CHAIN":
            return _Yes("kept on purpose") if evidence.cross_kept else _No("no cross-signed root should be there")
        case "CERTIFICATE_ADDED_TO_TRUST_CHAIN" | "CERTIFICATE_MISSING_IN_TRUST_CHAIN":
            proved = evidence.path_verified
            return (
                _Yes("the issuer rotates its CAs; our own path check passed") if proved else _No("no path was proved")
            )
        case "CERTIFICATE_EXPIRATION_DATE_IN_NEAR_FUTURE" | "CERTIFICATE_EXPIRATION_TOO_SHORT":
            ordered = evidence.term_as_ordered
            return _Yes("the term is the one that was ordered") if ordered else _No("the term is not the one ordered")
        case _:
            return _No("a person decides")


def _case_mismatch(warning: CpsWarning) -> _Ruling:
    keys = ("certificateValue", "csrValue", "csrSubjectValue", "certificateSubjectValue")
    values = [warning.values[key] for key in keys if key in warning.values]
    if len(values) == 2 and values[0].casefold() == values[1].casefold():
        return _Yes("equal but for upper and lower case")
    return _No("the values differ in more than case")


def _subject_field(warning: CpsWarning) -> str | None:
    """Return the letters of the subject field that a warning is about; "?" where it names another one."""
    if found := _SUBJECT_FIELD.match(warning.id or ""):
        return found["field"]
    if warning.id in _ANY_SUBJECT_FIELD:
        field = warning.values.get("subjectfield", "")
        return field if field in {"C", "ST", "L", "O", "OU"} else "?"
    return None


def _subject(field: str, desired: DesiredCertificate, evidence: Evidence, *, missing: bool) -> _Ruling:
    if missing and field == "OU" and desired.order.issuer is IssuerClass.PUBLIC:
        return _Yes("public CAs write no OU (BR 7.1.2.7)")
    if missing and field in {"C", "ST", "L", "O"} and evidence.kind is Kind.DV:
        return _Yes("a DV certificate names no organization")
    # SCM's API shows no address: whether the CA wrote its own record of the organization cannot be proved here.
    return _No("compare it with the organization in SCM, then accept the id")


def _names_in(warning: CpsWarning) -> frozenset[str]:
    values = (warning.values.get(key, "") for key in ("sanString", "sanValue", "dnsName"))
    return frozenset(name.lower() for value in values for name in re.split(r"[\s,]+", value) if name)


def _on_one_line(text: str) -> str:
    return " ".join(text.split())

"""The checks of issued certificates, before anything is uploaded: CERT-01 to CERT-07, EKU-01, DUAL-01."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reconciler.model.certificate import DesiredCertificate, InstanceName, IssuerClass, KeyType
from reconciler.model.chains import BrokenChainError, issued_by, order_chain, verify_chain
from reconciler.model.x509 import ANY_USAGE, CLIENT_AUTH, SERVER_AUTH, Certificate, CsrInfo
from reconciler.planning.findings import Finding, error, listed, note, skipped, warning
from reconciler.planning.lifetime import validity_limit
from reconciler.planning.profiles import Kind, ca_additions

_DAY = timedelta(days=1)
_LEAST_SHARE_OF_TERM = 0.8  # less is what is left of a longer order, or a mistake
_SHORT_LIVED = 7 * _DAY  # needs no CRL (BR 4.9.7)
_MANY_SCTS_BEYOND = 180 * _DAY  # Apple and Chrome ask for three SCTs above this, for two below
_CLIENT_AUTH_ENDS = datetime(2027, 3, 15, tzinfo=UTC)  # Chrome Root Program Policy 1.8: serverAuth only

# Reserved policy identifiers: Baseline Requirements 7.1.6.1, EV Guidelines 7.1.6.1.
_POLICIES = {Kind.DV: "2.23.140.1.2.1", Kind.OV: "2.23.140.1.2.2", Kind.EV: "2.23.140.1.1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """An issued certificate as it would be uploaded, and all that was found."""

    leaf: Certificate
    chain: tuple[Certificate, ...]  # empty where none could be built
    path: IssuerClass | None  # to which allowed roots it leads
    findings: tuple[Finding, ...]
    remedy: str = ""  # where something other than the certificate has to be put right


def examine(
    leaf: Certificate,
    given: Iterable[Certificate],
    csr: CsrInfo,
    desired: DesiredCertificate,
    *,
    kind: Kind | None,
    term_days: int | None,
    public_roots: tuple[Certificate, ...],
    private_roots: frozenset[str],
    live_serials: frozenset[int] | None,
    revoked: bool | None,
    now: datetime,
    private_certificates: Iterable[Certificate] = (),
) -> Examined:
    """Check an issued certificate before its upload: CERT-01 to CERT-07 and EKU-01; None is unknown.

    `given` is all that the CA sent, in any order; `private_roots` are SHA-256 fingerprints, and of
    `private_certificates`, which need not be among what was sent, only those count. The issuer's class is proved by a
    path to an allowed root, never believed.
    """
    given = tuple(given)
    own = tuple(one for one in (*given, *private_certificates) if one.self_signed and one.sha256 in private_roots)
    chain, broken = _chain(leaf, given, (*public_roots, *own))
    roots = {IssuerClass.PUBLIC: public_roots, IssuerClass.PRIVATE: own}
    path = None if broken else _path(leaf, chain, roots)
    findings = (
        *_key_findings(leaf, csr),
        *_name_findings(leaf, desired),
        *_validity_findings(leaf, desired, term_days, now),
        *_class_findings(leaf, chain, desired.order.issuer, path, roots, broken),
        *_path_findings(leaf, chain, path, roots, now),
        *_extension_findings(leaf, desired.order.issuer, kind),
        *_usage_findings(leaf, desired.order.issuer),
        *_serial_findings(leaf, live_serials, revoked=revoked),
    )
    remedy = (
        _root_remedy(given, desired.order.instance)
        if path is None and desired.order.issuer is IssuerClass.PRIVATE
        else ""
    )
    return Examined(leaf=leaf, chain=chain, path=path, findings=findings, remedy=remedy)


def check_halves(halves: Mapping[KeyType, Examined]) -> tuple[Finding, ...]:
    """Return what keeps the halves of one upload from standing beside each other: DUAL-01."""
    findings = [
        error("DUAL-01", f"the {key_type} half has a {half.leaf.key.spelt} key")
        for key_type, half in sorted(halves.items())
        if half.leaf.key.spelt != key_type.spelt
    ]
    findings += [
        error("DUAL-01", f"the {key_type} half has a chain that is not its own")
        for key_type, half in sorted(halves.items())
        if half.chain and not issued_by(half.leaf, half.chain[0])
    ]
    names = {half.leaf.sans for half in halves.values()}
    if len(names) > 1:
        unequal = frozenset[str]().union(*names) - frozenset.intersection(*names)
        findings.append(error("DUAL-01", f"the halves differ in names: {listed(unequal)}"))
    return tuple(findings)


_Roots = Mapping[IssuerClass, tuple[Certificate, ...]]


def _root_remedy(given: tuple[Certificate, ...], instance: InstanceName) -> str:
    """Say how a private root comes to be allowed: a person compares it with what the CA's operator says it is."""
    sent = next((one for one in given if one.self_signed), None)
    place = f"sectigo.{instance}.privateRoots in certrecon.yaml"
    if sent is None:
        return (
            f"SCM sends no root with it: if the CA is yours, add its root's PEM file to {place}; else do not use it,"
            " and ask Sectigo."
        )
    return (
        f"If {sent.issuer} is your root, add its SHA-256 to {place}, after comparing it with its operator:"
        f" {sent.sha256}; else do not use it, and ask Sectigo."
    )


def _chain(
    leaf: Certificate, given: tuple[Certificate, ...], roots: tuple[Certificate, ...]
) -> tuple[tuple[Certificate, ...], str]:
    try:
        return order_chain(leaf, given, roots=roots), ""
    except BrokenChainError as broken:
        return (), str(broken)


def _path(leaf: Certificate, chain: tuple[Certificate, ...], roots: _Roots) -> IssuerClass | None:
    """Return to which roots the certificate led when it was made; whether it does now is another question."""
    for issuer, trusted in roots.items():
        if verify_chain(leaf, chain, trusted, leaf.not_before, private=issuer is IssuerClass.PRIVATE) is None:
            return issuer
    return None


def _key_findings(leaf: Certificate, csr: CsrInfo) -> Iterator[Finding]:
    if leaf.spki_sha256 != csr.spki_sha256:
        yield error("CERT-01", f"{leaf.label} is not for the key of the CSR")


def _name_findings(leaf: Certificate, desired: DesiredCertificate) -> Iterator[Finding]:
    if leaf.common_name != desired.common_name:
        yield error("CERT-02", f"the common name is {leaf.common_name or 'missing'}, not {desired.common_name}")
    if missing := desired.sans - leaf.sans:
        yield error("CERT-02", f"names are missing in the certificate: {listed(missing)}")
    added = leaf.sans - desired.sans
    expected = added & ca_additions(desired.common_name)
    if expected:
        yield note("CERT-02", f"the CA added {listed(expected)}")
    if added - expected:
        yield error("CERT-02", f"the certificate has names that nobody asked for: {listed(added - expected)}")
    if leaf.other_names:
        yield error("CERT-02", f"the certificate has names that are no DNS names: {listed(leaf.other_names)}")


def _validity_findings(
    leaf: Certificate, desired: DesiredCertificate, term_days: int | None, now: datetime
) -> Iterator[Finding]:
    if now < leaf.not_before:
        yield error("CERT-03", f"not valid before {leaf.not_before:%Y-%m-%d %H:%M:%S} UTC")
    if now > leaf.not_after:
        yield error("CERT-03", f"expired on {leaf.not_after:%Y-%m-%d %H:%M:%S} UTC")
    limit = validity_limit(leaf.not_before)
    if desired.order.issuer is IssuerClass.PUBLIC and leaf.lifetime > limit:
        yield error(
            "CERT-03",
            f"valid for {leaf.lifetime / _DAY:.5f} days; a public one of its date may be for {limit / _DAY:.0f}",
        )
    if term_days is None:
        yield skipped("CERT-03", "the ordered term is not known")
    elif leaf.lifetime < _LEAST_SHARE_OF_TERM * term_days * _DAY:
        yield warning("CERT-03", f"valid for {leaf.lifetime / _DAY:.1f} days; {term_days} were ordered")


def _class_findings(
    leaf: Certificate,
    chain: tuple[Certificate, ...],
    wanted: IssuerClass,
    path: IssuerClass | None,
    roots: _Roots,
    broken: str,
) -> Iterator[Finding]:
    if path is wanted:
        return
    if path is not None:
        yield error("CERT-04", f"a {path} CA issued it ({leaf.issuer}); the file says issuer: {wanted}")
        return
    why = broken or verify_chain(leaf, chain, roots[wanted], leaf.not_before, private=wanted is IssuerClass.PRIVATE)
    yield error("CERT-04", f"no path leads to an allowed {wanted} root: {why}")


def _path_findings(
    leaf: Certificate, chain: tuple[Certificate, ...], path: IssuerClass | None, roots: _Roots, now: datetime
) -> Iterator[Finding]:
    if path is None:
        yield skipped("CERT-05", "there is no path (CERT-04)")
        return
    for moment, at in (("now", now), ("at its end", leaf.not_after)):
        why = verify_chain(leaf, chain, roots[path], at, private=path is IssuerClass.PRIVATE)
        if why is not None:
            yield error("CERT-05", f"its path is not valid {moment}: {why}")
    for above in chain:
        if above.usages is not None and not above.usages & {SERVER_AUTH, ANY_USAGE}:
            yield error("CERT-05", f"{above.label} may not issue for TLS servers")
    if leaf.is_ca:
        yield error("CERT-05", "it is a CA's certificate")


def _extension_findings(leaf: Certificate, issuer: IssuerClass, kind: Kind | None) -> Iterator[Finding]:
    if leaf.must_staple:
        yield error("CERT-06", "it demands a stapled OCSP answer (Must-Staple): an outage of the CA would be ours")
    if issuer is IssuerClass.PRIVATE:
        return
    wanted_scts = 3 if leaf.lifetime > _MANY_SCTS_BEYOND else 2
    if leaf.sct_count < wanted_scts:
        yield warning("CERT-06", f"{leaf.sct_count} SCTs; browsers ask for {wanted_scts}")
    if not leaf.has_ocsp:
        yield warning("CERT-06", "no OCSP responder is named: nothing can be stapled")
    if not leaf.has_crl and leaf.lifetime > _SHORT_LIVED:
        yield warning("CERT-06", "no CRL is named")
    policy = None if kind is None else _POLICIES.get(kind)
    if policy is None:
        yield skipped("CERT-06", "the profile's name does not tell DV, OV or EV")
    elif policy not in leaf.policies:
        yield warning("CERT-06", f"its policies do not say {kind}: {listed(leaf.policies) or 'there are none'}")


def _usage_findings(leaf: Certificate, issuer: IssuerClass) -> Iterator[Finding]:
    if leaf.usages is None:
        if issuer is IssuerClass.PUBLIC:
            yield error("EKU-01", "it names no extended key usage; a public certificate must name serverAuth")
        return
    if not leaf.usages & {SERVER_AUTH, ANY_USAGE}:
        yield error("EKU-01", "it is not for TLS servers: serverAuth is missing")
    if CLIENT_AUTH in leaf.usages and issuer is IssuerClass.PUBLIC:
        find = error if leaf.not_before >= _CLIENT_AUTH_ENDS else warning
        yield find("EKU-01", "it is for TLS clients too (clientAuth); public ones of 2027-03-15 and later may not be")


def _serial_findings(
    leaf: Certificate, live_serials: frozenset[int] | None, *, revoked: bool | None
) -> Iterator[Finding]:
    if live_serials is None:
        yield skipped("CERT-07", "the serials that are served are not known")
    elif leaf.serial in live_serials:
        yield error("CERT-07", f"serial {leaf.serial:x} is served already: this is not a new certificate")
    if revoked is None:
        yield skipped("CERT-07", "whether SCM has revoked it is not known")
    elif revoked:
        yield error("CERT-07", "SCM says that it is revoked")

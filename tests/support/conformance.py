"""Second opinions on all that a sandbox made or was given: leaves, CSRs and deployed chains."""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.ca import IssuedCertificate
from tests.support.lint import lint_errors

MOST_JUDGED = 100
_Judged = TypeVar("_Judged")


def evenly(whole: Sequence[_Judged], most: int) -> Sequence[_Judged]:
    """Return at most `most` of a sequence, spread over all of it."""
    return whole[:: -(-len(whole) // most)] if whole else whole


def leaf_problems(issued: IssuedCertificate) -> list[str]:
    """Return what pkilint finds wrong in a certificate of the sandbox's CA; empty is well."""
    errors = lint_errors(issued.leaf_pem, private=issued.kind == "PRIVATE")
    return [f"{issued.kind} {issued.key_type} leaf {issued.serial:x}: {error}" for error in errors]


def world_problems(world: Sandbox) -> list[str]:
    """Return what cryptography and openssl find wrong in the CSRs and deployed chains of a world; empty is well."""
    return [*_csr_problems(world), *_chain_problems(world)]


@lru_cache(maxsize=4096)
def csr_problem(csr_pem: str) -> str | None:
    """Return why a CSR does not verify, or None."""
    if not x509.load_pem_x509_csr(csr_pem.encode()).is_signature_valid:
        return "cryptography: the signature is not valid"
    heard = _openssl(["req", "-verify", "-noout"], csr_pem)
    return None if heard.returncode == 0 and "verify OK" in heard.stdout + heard.stderr else heard.stderr.strip()


@lru_cache(maxsize=4096)
def chain_problem(leaf_pem: str, chain_pem: str, roots_pem: str, at: datetime) -> str | None:
    """Return why a leaf with the chain that is served with it does not verify to one of the roots, or None."""
    return _cryptography_problem(leaf_pem, chain_pem, roots_pem, at) or _openssl_problem(
        leaf_pem, chain_pem, roots_pem, at
    )


def _csr_problems(world: Sandbox) -> Iterator[str]:
    for change in world.cps.state.changes.values():
        for key in change.keys:
            problem = csr_problem(key.csr_pem)
            if problem is not None:
                yield f"{key.algorithm} CSR of change {change.id}: {problem}"


def _chain_problems(world: Sandbox) -> Iterator[str]:
    roots_pem = world.authority.public_roots_pem() + world.authority.private_root_pem()
    for enrollment in evenly([*world.cps.state.enrollments.values()], MOST_JUDGED):
        for deployment in filter(None, (enrollment.staging, enrollment.production)):
            for served in deployment.certificates:
                at = deployment.deployed_at.replace(microsecond=0)
                problem = chain_problem(served.certificate_pem, served.trust_chain_pem, roots_pem, at)
                if problem is not None:
                    yield f"{served.algorithm} chain of enrollment {enrollment.id}: {problem}"


def _cryptography_problem(leaf_pem: str, chain_pem: str, roots_pem: str, at: datetime) -> str | None:
    leaf = x509.load_pem_x509_certificate(leaf_pem.encode())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    store = Store(x509.load_pem_x509_certificates(roots_pem.encode()))
    verifier = PolicyBuilder().store(store).time(at).build_server_verifier(x509.DNSName(names[0].replace("*", "any")))
    try:
        verifier.verify(leaf, _certificates(chain_pem))
    except VerificationError as error:
        return f"cryptography: {error}"
    return None


def _certificates(pem: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem.encode()) if pem.strip() else []


def _openssl_problem(leaf_pem: str, chain_pem: str, roots_pem: str, at: datetime) -> str | None:
    with tempfile.TemporaryDirectory() as directory:
        roots, chain = Path(directory, "roots.pem"), Path(directory, "chain.pem")
        roots.write_text(roots_pem)
        chain.write_text(chain_pem)
        command = ["verify", "-x509_strict", "-purpose", "sslserver", "-attime", str(int(at.timestamp()))]
        command += ["-CAfile", str(roots), "-no-CApath", "-no-CAstore"]
        if chain_pem.strip():
            command += ["-untrusted", str(chain)]
        heard = _openssl(command, leaf_pem)
    return None if heard.returncode == 0 else f"openssl: {heard.stderr.strip()}"


def _openssl(arguments: Sequence[str], text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["openssl", *arguments], input=text, capture_output=True, text=True, check=False)

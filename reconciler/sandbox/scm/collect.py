"""Collect: the certificate and its chain in each format, or why not yet."""

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates
from starlette.responses import Response

from reconciler.sandbox.ca import key_type_of
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.options import ScmOptions
from reconciler.sandbox.scm.state import Order, Status
from reconciler.sandbox.scm.world import Visit, World, order_of

_TYPE = "application/octet-stream;charset=UTF-8"
_DEFAULT_FORMAT = "base64"
_PENDING = frozenset({Status.INIT, Status.REQUESTED, Status.SA_APPROVED, Status.APPROVED, Status.APPLIED})
_COLLECTABLE = frozenset({Status.ISSUED, Status.EXPIRED})
_PKCS7 = {"base64": Encoding.PEM, "bin": Encoding.DER}
_CHAIN_ALONE = frozenset({"x509IO", "x509IOR"})
_FORMATS = frozenset({"x509", "pem", "x509R", "x509CO", "pemco", "x509IO", "x509IOR", "pemia", *_PKCS7})


def collect(world: World, visit: Visit) -> Response:
    """Serve `collect/{sslId}?format=`."""
    return _collected(world, visit, visit.call.query.get("format") or _DEFAULT_FORMAT)


def collect_by_path(world: World, visit: Visit) -> Response:
    """Serve `collect/{sslId}/{format}`, which the manuals have forgotten and clients have not."""
    old_host = visit.host == "header" and "/ssl/v1/" in visit.call.target
    if world.options.path_collect == "v1_header" and not old_host:
        return Response("Not Found", 404, media_type="text/plain")
    return _collected(world, visit, str(visit.call.path["format"]))


def _collected(world: World, visit: Visit, wanted: str) -> Response:
    order = order_of(world, visit, read=True)
    if wanted not in _FORMATS:
        raise RefusedError(-1450, wanted)
    pending = _pending(world, order)
    if pending is not None:
        return pending
    order.downloaded = world.now
    return _answer(_body(wanted, order.leaf_pem, chain_of(world, order, wanted), world.options), order)


def _pending(world: World, order: Order) -> Response | None:
    """Return the answer to a collect that comes too early or too late."""
    if order.status is Status.REVOKED:
        raise RefusedError(-110)
    if order.status not in _COLLECTABLE | _PENDING:
        raise RefusedError(-1112, order.status)
    if order.status in _COLLECTABLE:
        lag = timedelta(seconds=world.options.collect_lag_s)
        if order.issued is not None and world.now < order.issued + lag:
            raise RefusedError(-109)
        return None
    match world.options.pending_code:
        case "by_state":
            raise RefusedError(-23 if order.status in (Status.INIT, Status.REQUESTED) else 0)
        case "empty":
            return _answer(b"", order)
        case code:
            raise RefusedError(int(code))


def chain_of(world: World, order: Order, wanted: str) -> list[str]:
    """Return the chain above an order's leaf, issuing CA first; the root as the options say. Nothing for imports."""
    if order.issued_by is None:
        return []
    key_type = key_type_of(x509.load_pem_x509_certificate(order.leaf_pem.encode()).public_key())
    chain = world.authority.chain(order.issued_by, key_type, cross=world.options.chain_cross)
    everywhere = world.options.chain_root_formats == "all"
    with_root = world.options.chain_root and (everywhere or wanted in _CHAIN_ALONE)
    return list(chain.issuer_first if with_root else chain.intermediates)


def _answer(body: bytes, order: Order) -> Response:
    name = order.common_name.replace("*", "star").replace(".", "_")
    headers = {"Content-Disposition": f'attachment; filename="{name}.cert"'}
    return Response(body, headers=headers, media_type=_TYPE)


def _body(wanted: str, leaf: str, chain: list[str], options: ScmOptions) -> bytes:
    if wanted in _PKCS7:
        certificates = [x509.load_pem_x509_certificate(pem.encode()) for pem in (leaf, *chain)]
        return serialize_certificates(certificates, _PKCS7[wanted])
    return "".join(f"{pem.strip()}\n" for pem in _pem_order(wanted, leaf, chain, options)).encode()


def _pem_order(wanted: str, leaf: str, chain: list[str], options: ScmOptions) -> list[str]:
    """Return what a PEM format holds, in its order. `chain` starts with the issuing CA."""
    leaf_first = [leaf, *chain]
    match wanted:
        case "x509" | "pem":
            return leaf_first[::-1] if options.x509_order == "root_first" else leaf_first
        case "x509R":
            return leaf_first if options.x509_order == "root_first" else leaf_first[::-1]
        case "x509CO" | "pemco":
            return [leaf]
        case "x509IO":
            return chain[::-1]
        case "x509IOR":
            return chain
        case "pemia":
            return [leaf, *_issuers(chain, options)]
        case _:
            raise RefusedError(-1450, wanted)


def _issuers(chain: list[str], options: ScmOptions) -> list[str]:
    match options.pemia:
        case "issuer":
            return chain[:1]
        case "all":
            return chain
        case "intermediates":
            return [pem for pem in chain if not _self_signed(pem)]


def _self_signed(pem: str) -> bool:
    certificate = x509.load_pem_x509_certificate(pem.encode())
    return certificate.issuer == certificate.subject

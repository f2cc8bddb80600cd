"""Certificates that were bought elsewhere: a zip of files (v1), a list of DERs (v2)."""

import base64
import io
import zipfile
from datetime import timedelta
from email.parser import BytesParser

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from starlette.responses import Response

from reconciler.sandbox.scm.answers import json_answer
from reconciler.sandbox.scm.enroll import check_custom_fields, read_custom_fields
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.fields import Members, parse_json, query_integer
from reconciler.sandbox.scm.leaf import normal_serial, read_leaf, serial_hex
from reconciler.sandbox.scm.orders import FIRST_SSL_ID
from reconciler.sandbox.scm.state import Order, Status
from reconciler.sandbox.scm.world import Visit, World

_LARGEST_ZIP = 50 * 1024 * 1024
_MOST_ENTRIES = 128
_SUFFIXES = (".cer", ".crt", ".pem", ".der")
_NO_PROFILE = 0


def import_zip(world: World, visit: Visit) -> Response:
    """Take the certificate files of a zip; files that are none are reported, not refused."""
    org_id = query_integer(visit.call.query, "orgId", lowest=1)
    if org_id is None:
        raise RefusedError(-1001, "orgId")
    world.organization(org_id, visit.admin)
    processed, errors = 0, list[str]()
    for name, content in _files(visit):
        processed += 1
        if not name.lower().endswith(_SUFFIXES):
            errors.append(f"{name} - Unsupported file extension")
            continue
        try:
            certificate = _load(content)
        except ValueError:
            errors.append(f"[{name}] - Certificate cannot be parsed")
            continue
        if _known(world, certificate) is not None:
            errors.append(f"[{name}] - SSL certificate already exists. Order number: N/A")
        else:
            _add(world, visit, org_id, certificate)
    return json_answer({"processedCount": processed, "errors": errors})


def _files(visit: Visit) -> list[tuple[str, bytes]]:
    content_type = (visit.call.header("content-type") or "").encode("latin-1")
    form = BytesParser().parsebytes(b"Content-Type: " + content_type + b"\r\n\r\n" + visit.call.body)
    for part in form.walk():
        if part.get_param("name", header="content-disposition") == "file":
            return _unzip(part.get_payload(decode=True))
    raise RefusedError(-1001, "file")


def _unzip(content: object) -> list[tuple[str, bytes]]:
    if not isinstance(content, bytes) or len(content) > _LARGEST_ZIP:
        raise RefusedError(-1601, "file")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = [entry for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in files) > _LARGEST_ZIP:
                raise RefusedError(-1601, "file")
            return [(entry.filename, archive.read(entry)) for entry in files]
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError):  # broken; encrypted; an unknown method
        raise RefusedError(-1601, "file") from None


def _load(content: bytes) -> x509.Certificate:
    """Return a certificate, PEM or DER, all of which can be read; ValueError for any other."""
    pem = b"-----BEGIN" in content
    certificate = x509.load_pem_x509_certificate(content) if pem else x509.load_der_x509_certificate(content)
    try:
        read_leaf(_pem(certificate))
    except (x509.DuplicateExtension, UnsupportedAlgorithm) as error:
        raise ValueError(str(error)) from error
    return certificate


def import_list(world: World, visit: Visit) -> Response:
    """Take a JSON list of certificates; each entry succeeds or fails by itself."""
    entries = parse_json(visit.call.body)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RefusedError(-1002)
    if not 1 <= len(entries) <= _MOST_ENTRIES:
        raise RefusedError(-1601, "list")
    return json_answer([_import_entry(world, visit, Members(entry)) for entry in entries])


def _import_entry(world: World, visit: Visit, members: Members) -> dict[str, object]:
    try:
        organization = world.organization(members.required_integer("orgID"), visit.admin)
        certificate = _load(base64.b64decode(members.required_text("cert"), validate=True))
        values = read_custom_fields(members) or []
        check_custom_fields(world, values)
        present = _known(world, certificate)
        order = present or _add(world, visit, organization.id, certificate)
        order.comments = members.text("comments", longest=1024) or order.comments
        order.external_requester = members.emails("externalRequester") or order.external_requester
        order.custom_fields = values or order.custom_fields
    except RefusedError as refusal:
        return {"errorMessage": refusal.description}
    except ValueError:
        return {"errorMessage": "Certificate cannot be parsed"}
    leaf = read_leaf(order.leaf_pem)
    shown = {"id": order.ssl_id, "subject": leaf.subject, "serialNumber": normal_serial(order.serial)}
    return {"cert": shown, "created": present is None}


def _known(world: World, certificate: x509.Certificate) -> Order | None:
    pem = _pem(certificate)
    return next((order for order in world.state.orders.values() if order.leaf_pem == pem), None)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _add(world: World, visit: Visit, org_id: int, certificate: x509.Certificate) -> Order:
    pem = _pem(certificate)
    sans = list(read_leaf(pem).sans)
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc + timedelta(seconds=1)
    order = Order(
        ssl_id=world.ids.next("scm.ssl_id", first=FIRST_SSL_ID),
        renew_id=world.ids.text("scm.renew_id", 20),
        org_id=org_id,
        profile_id=_NO_PROFILE,
        csr_pem="",
        common_name=str(names[0].value).lower() if names else next(iter(sans), ""),
        sans=sans,
        term=lifetime.days,
        requester=visit.admin.email,
        requester_id=visit.admin.id,
        requested_via="Imported",
        requested=world.now,
        visible_at=world.now,
        status=Status.ISSUED,
        issued=certificate.not_valid_before_utc,
        expires=certificate.not_valid_after_utc,
        serial=serial_hex(certificate.serial_number),
        leaf_pem=pem,
    )
    world.state.orders[order.ssl_id] = order
    return order

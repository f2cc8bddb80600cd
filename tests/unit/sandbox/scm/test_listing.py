"""List and count: paging, filters, lag."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.csrs import make_csr, make_key
from tests.support.scm import Answer, Scm


def ids(answer: Answer) -> list[int]:
    return [row["sslId"] for row in answer.json]


def listed(scm: Scm, query: str = "") -> list[int]:
    return ids(scm.get(f"/api/ssl/v1?{query}"))


def test_a_row_before_issue_is_id_and_name_only(scm: Scm) -> None:
    ssl_id = scm.enroll(subjAltNames="b.example.com")
    assert scm.get("/api/ssl/v1").json == [{"sslId": ssl_id, "commonName": "www.example.com"}]


def test_a_row_after_issue_has_names_and_serial(scm: Scm) -> None:
    ssl_id = scm.issued(subjAltNames="b.example.com")
    (row,) = scm.get("/api/ssl/v2").json
    assert row["subjectAlternativeNames"] == ["www.example.com", "b.example.com"]
    assert row["serialNumber"] == scm.details(ssl_id)["serialNumber"]
    assert len(row["serialNumber"].split(":")) == 16


def test_pages_together_are_all_rows(scm: Scm) -> None:
    placed = [scm.enroll() for _ in range(5)]
    pages = [scm.get(f"/api/ssl/v1?size=2&position={position}") for position in (0, 2, 4, 6)]
    assert [ids(page) for page in pages] == [placed[:2], placed[2:4], placed[4:], []]
    assert {page.headers["x-total-count"] for page in pages} == {"5"}


def test_sizes_are_clamped_unless_the_option_refuses(scm: Scm) -> None:
    placed = [scm.enroll() for _ in range(3)]
    assert listed(scm, "size=201") == listed(scm, "size=0") == listed(scm) == placed
    scm.options.list_default_size = 2
    assert listed(scm) == listed(scm, "size=0") == placed[:2]
    scm.options.list_over_size = "refuse"
    assert scm.get("/api/ssl/v1?size=201").refusal == (400, -1601)
    assert listed(scm, "size=200") == placed


@pytest.mark.parametrize(
    "query", ["size=x", "size=-1", "position=-1", "orgId=abc", "sslTypeId=1.5", "position=99999999999"]
)
def test_a_number_that_is_none_is_refused(scm: Scm, query: str) -> None:
    assert scm.get(f"/api/ssl/v1?{query}").refusal == (400, -1601)


def test_the_count_is_a_header_without_a_body(scm: Scm) -> None:
    scm.enroll()
    scm.enroll("b.example.com")
    answer = scm.call("HEAD", "/api/ssl/v1?commonName=b.example")
    assert (answer.status, answer.headers["x-total-count"], answer.body) == (200, "1", b"")
    assert scm.gate.calls["scm.count_orders"] == 1


def test_the_order_of_rows_is_an_option(scm: Scm) -> None:
    placed = [scm.enroll() for _ in range(8)]
    scm.options.list_order = "descending"
    assert listed(scm) == placed[::-1]
    scm.options.list_order = "shuffle"
    shuffles = [listed(scm) for _ in range(5)]
    assert all(sorted(rows) == placed for rows in shuffles)
    assert len({tuple(rows) for rows in shuffles}) > 1


def test_text_filters_match_a_part_whatever_the_case(scm: Scm) -> None:
    first = scm.enroll(subjAltNames="b.example.net", externalRequester="ops@example.com")
    second = scm.enroll("shop.example.com")
    assert listed(scm, "commonName=WWW.example") == [first]
    assert listed(scm, "subjectAlternativeName=b.example") == [first]
    assert listed(scm, "externalRequester=OPS@") == [first]
    assert listed(scm, "requester=api-admin&vendor=sectigo") == [first, second]
    scm.options.list_match = "exact"
    assert listed(scm, "commonName=www.example") == []
    assert listed(scm, "commonName=WWW.example.com") == [first]


def test_filters_combine_and_unknown_ones_are_ignored(scm: Scm) -> None:
    first = scm.enroll()
    second = scm.enroll(orgId=1201)
    third = scm.enroll(certType=2012)
    assert listed(scm, "orgId=1101&sslTypeId=2002&issuerDN=x&comments=y&status=") == [first]
    assert listed(scm, "orgId=1201") == [second]
    assert listed(scm, "sslTypeId=2012") == [third]


def test_status_filters_understand_both_spellings(scm: Scm) -> None:
    issued = scm.issued()
    scm.options.sa_approval_s = 100
    between = scm.enroll()
    scm.advance(seconds=5)
    waiting = scm.enroll(certType=2022)
    assert listed(scm, "status=Issued") == [issued]
    assert listed(scm, "status=SAApproved") == listed(scm, "status=SA%20Approved") == [between]
    assert listed(scm, "status=requested") == [waiting]
    assert listed(scm, "status=Unmanaged") == []


@pytest.mark.parametrize("query", ["status=Ready", "installStatus=x", "renewalStatus=x", "requestedVia=x"])
def test_a_value_outside_its_enum_is_refused_empty_or_ignored(scm: Scm, query: str) -> None:
    ssl_id = scm.enroll()
    assert scm.get(f"/api/ssl/v1?{query}").refusal == (400, -1601)
    scm.options.bad_filter = "empty"
    assert listed(scm, query) == []
    scm.options.bad_filter = "ignore"
    assert listed(scm, query) == [ssl_id]


@pytest.mark.parametrize(
    "query",
    [
        "requestedVia=Web%20API",
        "requestedVia=API",
        "installStatus=NONE",
        "installStatus=Not%20configured",
        "renewalStatus=NOT_SCHEDULED",
        "renewalStatus=Not%20scheduled",
        "discoveryStatus=NotDeployed",
    ],
)
def test_enum_filters_of_both_generations_are_understood(scm: Scm, query: str) -> None:
    assert listed(scm, query) == [scm.enroll()] or listed(scm, query) == list(scm.state.orders)


def test_certificates_are_found_by_what_is_in_them(scm: Scm) -> None:
    other = scm.issued("b.example.com")
    ssl_id = scm.issued(csr=make_csr("www.example.com", key=make_key("EC")))
    shown = scm.details(ssl_id)
    serial, inside = shown["serialNumber"], shown["certificateDetails"]
    assert listed(scm, f"serialNumber={serial}") == [ssl_id]
    assert listed(scm, f"serialNumber=00{serial.replace(':', '').lower()}") == [ssl_id]
    assert listed(scm, f"sha1Hash={inside['sha1Hash'].lower()}") == [ssl_id]
    assert listed(scm, f"sha256Hash={inside['sha256Hash']}") == [ssl_id]
    assert listed(scm, f"md5Hash={inside['md5Hash']}") == [ssl_id]
    assert listed(scm, "keyAlgorithm=EC&keyParam=p-256&keySize=256") == [ssl_id]
    assert listed(scm, "keyAlgorithm=RSA") == [other]
    assert listed(scm, "signatureAlgorithm=SHA256WITHRSA") == [other]
    assert listed(scm, "issuer=E36") == [ssl_id]
    assert listed(scm, "keyUsage=keyEncipherment") == [other]
    assert listed(scm, "extendedKeyUsage=serverAuth") == [other, ssl_id]


def test_a_new_order_can_be_hidden_from_list_count_and_report_for_a_while(scm: Scm) -> None:
    scm.options.visible_after_s = 30
    ssl_id = scm.enroll()

    def seen() -> tuple[list[int], str, list[int]]:
        count = scm.call("HEAD", "/api/ssl/v1").headers["x-total-count"]
        report = scm.post("/api/report/v1/ssl-certificates", {"certificateStatus": 0}).json["reports"]
        return listed(scm), count, [row["id"] for row in report]

    scm.advance(seconds=29)
    assert seen() == ([], "0", [])
    assert scm.details(ssl_id)["sslId"] == ssl_id
    scm.advance(seconds=1)
    assert seen() == ([ssl_id], "1", [ssl_id])


def test_a_person_can_hide_one_order(scm: Scm) -> None:
    hidden, shown = scm.enroll(), scm.enroll()
    scm.portal.hide(hidden, until=scm.clock.now() + timedelta(hours=1))
    assert listed(scm) == [shown]


def test_foreign_orders_can_arrive_between_pages(scm: Scm) -> None:
    placed = [scm.enroll() for _ in range(4)]
    scm.options.rows_between_pages = 1
    scm.options.list_order = "descending"
    first = scm.get("/api/ssl/v1?size=2&position=0")
    second = scm.get("/api/ssl/v1?size=2&position=2")
    assert (first.headers["x-total-count"], second.headers["x-total-count"]) == ("4", "5")
    assert ids(first) == placed[:1:-1]
    assert ids(second) == [placed[2], placed[1]]


def test_serials_can_be_plain(scm: Scm) -> None:
    ssl_id = scm.issued()
    scm.options.serials = "plain"
    (row,) = scm.get("/api/ssl/v1").json
    assert row["serialNumber"] == scm.order(ssl_id).serial


def test_any_accept_header_is_served(scm: Scm) -> None:
    headers: dict[str, Any] = {**scm.login(), "Accept": "image/png"}
    assert scm.get("/api/ssl/v1", headers=headers).status == 200

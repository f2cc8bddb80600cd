"""All orders in one look: the report, or the list with details; and whether that is all."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from reconciler.model.order import Order
from reconciler.model.reading import Reading
from reconciler.services.scm.client import ScmClient
from tests.support.scripted import Reply, ScriptedServer, Seen, scripted_server
from tests.support.service_clients import scm_on


class ScmServer(ScriptedServer):
    """Answers list, count, details and report from a few orders, with what a test makes of each."""

    def __init__(self) -> None:
        super().__init__()
        self.ids = list(range(1, 6))
        self.total: int | None = None  # what is counted, if that is not the truth
        self.report: Reply | None = None
        self.report_ids: list[int] | None = None
        self.broken: dict[int, Reply] = {}
        self.head: Reply | None = None
        self.appears_at: dict[int, int] = {}  # by position asked for: an order that comes meanwhile

    def answer(self, seen: Seen) -> Reply:
        if seen.path == "/report/v1/ssl-certificates":
            ids = self.ids if self.report_ids is None else self.report_ids
            return self.report or _json({"statusCode": 0, "reports": [_row(number) for number in ids]})
        if seen.path != "/ssl/v1":
            number = int(seen.path.rpartition("/")[2])
            return self.broken.get(number) or _json(_details(number))
        if seen.method == "HEAD":
            return self.head or self._page([])
        position, size = int(seen.query["position"]), int(seen.query["size"])
        if position in self.appears_at:
            self.ids.insert(0, self.appears_at.pop(position))
        return self._page(self.ids[position : position + size])

    def _page(self, ids: list[int]) -> Reply:
        rows = [{"sslId": number, "commonName": f"n{number}.example.com"} for number in ids]
        total = len(self.ids) if self.total is None else self.total
        return _json(rows, {"X-Total-Count": str(total)})


def _json(document: Any, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(body=json.dumps(document).encode(), headers=headers or {})


def _row(number: int) -> dict[str, Any]:
    return {"id": number, "commonName": f"n{number}.example.com", "status": "Issued", "comments": f"c{number}"}


def _details(number: int) -> dict[str, Any]:
    return {"sslId": number, "commonName": f"n{number}.example.com", "status": "Issued", "comments": f"c{number}"}


@pytest.fixture
def server() -> Iterator[ScmServer]:
    with scripted_server(ScmServer()) as running:
        yield running


def orders(server: ScmServer, *, page_rows: int = 200, most_details: int = 1000) -> Reading[tuple[Order, ...]]:
    with scm_on(server) as scm:
        return read(scm, page_rows=page_rows, most_details=most_details)


def read(scm: ScmClient, *, page_rows: int = 200, most_details: int = 1000) -> Reading[tuple[Order, ...]]:
    scm._orders.page_rows = page_rows
    scm._orders.most_details = most_details
    return scm.orders()


def ids(reading: Reading[tuple[Order, ...]]) -> list[int]:
    return sorted(order.ssl_id for order in reading.values)


def paths(server: ScmServer) -> list[str]:
    return [f"{seen.method} {seen.path}" for seen in server.seen]


def test_two_calls_bring_everything(server: ScmServer) -> None:
    reading = orders(server)
    assert (ids(reading), reading.complete) == ([1, 2, 3, 4, 5], True)
    assert paths(server) == ["HEAD /ssl/v1", "POST /report/v1/ssl-certificates"]
    assert json.loads(server.seen[1].body) == {"certificateStatus": 0}


def test_a_report_with_more_rows_than_were_counted_is_complete(server: ScmServer) -> None:
    server.total = 4  # one order came between the calls
    assert orders(server).complete


@pytest.mark.parametrize("status", [404, 405])
def test_where_head_is_unknown_the_list_counts(server: ScmServer, status: int) -> None:
    """The documents of the admin host know no HEAD."""
    server.head = Reply(status=status)
    reading = orders(server)
    assert (ids(reading), reading.complete) == ([1, 2, 3, 4, 5], True)
    assert server.seen[1].query == {"size": "1", "position": "0"}


def test_a_short_report_is_asked_again_and_then_the_list(server: ScmServer) -> None:
    server.report_ids = [1, 2, 3, 4]
    reading = orders(server)
    assert (ids(reading), reading.complete) == ([1, 2, 3, 4, 5], True)
    assert paths(server)[:4] == ["HEAD /ssl/v1", "POST /report/v1/ssl-certificates"] * 2
    assert paths(server)[4] == "GET /ssl/v1"
    assert {order.comments for order in reading.values} == {"c1", "c2", "c3", "c4", "c5"}


@pytest.mark.parametrize(
    "report",
    [
        _json({"statusCode": 1, "message": "failed"}),
        _json({"statusCode": 1, "reports": [{"id": number} for number in range(1, 6)]}),
        _json({"statusCode": 0}),
        _json({"reports": []}),
        Reply(status=400, body=b'{"code": -3, "description": "You are not authorized to perform this."}'),
        Reply(status=400, body=b'{"code": -37, "description": "Access denied."}'),
        Reply(status=403, body=b"{}"),
    ],
)
def test_a_report_that_will_not_do_gives_way_to_the_list(server: ScmServer, report: Reply) -> None:
    server.report = report
    reading = orders(server)
    assert (ids(reading), reading.complete) == ([1, 2, 3, 4, 5], True)
    assert "GET /ssl/v1/5" in paths(server)


@pytest.mark.parametrize(
    "report", [Reply(status=500), Reply(body=b'{"statusCode": 0, "reports": []}', cut=9), Reply(body=b"[]")]
)
def test_a_failing_report_is_an_incomplete_reading(server: ScmServer, report: Reply) -> None:
    server.report = report
    reading = orders(server)
    assert (reading.values, reading.complete) == ((), False)
    assert "report" in reading.problems[0]


def test_a_bad_row_does_not_hide_the_others(server: ScmServer) -> None:
    rows = [_row(1), {"commonName": "no-id.example.com"}, _row(3)]
    server.total = 3
    server.report = _json({"statusCode": 0, "reports": rows})
    reading = orders(server)
    assert (ids(reading), reading.complete) == ([1, 3], False)
    assert "row 2" in reading.problems[0]


@pytest.fixture
def listing(server: ScmServer) -> ScmServer:
    """A server whose report is forbidden."""
    server.report = Reply(status=400, body=b'{"code": -3, "description": "no"}')
    return server


def test_the_list_is_read_page_by_page(listing: ScmServer) -> None:
    assert ids(orders(listing, page_rows=2)) == [1, 2, 3, 4, 5]
    asked = [seen.query["position"] for seen in listing.seen if seen.path == "/ssl/v1" and seen.method == "GET"]
    assert asked == ["0", "2", "4"]


def test_a_page_that_is_missing_makes_it_incomplete(listing: ScmServer) -> None:
    listing.total = 7
    reading = orders(listing, page_rows=2)
    assert (ids(reading), reading.complete) == ([1, 2, 3, 4, 5], False)
    assert "5 rows of 7" in reading.problems[0]


def test_a_list_that_moves_is_walked_again(listing: ScmServer) -> None:
    listing.appears_at = {2: 6}  # a new order shifts the rows between two pages
    reading = orders(listing, page_rows=2)
    assert (ids(reading), reading.complete) == ([1, 2, 3, 4, 5, 6], True)


def test_a_list_that_keeps_moving_is_incomplete(listing: ScmServer) -> None:
    class Restless(ScmServer):
        def answer(self, seen: Seen) -> Reply:
            if seen.query.get("position") == "2":
                self.ids.append(max(self.ids) + 1)
            return super().answer(seen)

    with scripted_server(Restless()) as restless:
        restless.report = listing.report
        assert not orders(restless, page_rows=2).complete


def test_an_order_in_the_list_that_can_not_be_read_makes_it_incomplete(listing: ScmServer) -> None:
    listing.broken = {3: Reply(status=404, body=b'{"code": -5101, "description": "Certificate not found."}')}
    reading = orders(listing)
    assert (ids(reading), reading.complete) == ([1, 2, 4, 5], False)
    assert "order 3" in reading.problems[0]


def test_more_details_than_are_bearable_are_not_read(listing: ScmServer) -> None:
    reading = orders(listing, most_details=2)
    assert (ids(reading), reading.complete) == ([4, 5], False)  # the newest
    assert "3 older orders" in reading.problems[0]


def test_details_of_settled_orders_are_read_once(listing: ScmServer) -> None:
    listing.broken = {5: _json({**_details(5), "status": "Applied"})}
    with scm_on(listing) as scm:
        read(scm)
        listing.seen.clear()
        assert ids(read(scm)) == [1, 2, 3, 4, 5]
    assert [path for path in paths(listing) if path.count("/") == 3 and "report" not in path] == ["GET /ssl/v1/5"]

"""All orders of an SCM instance in one look: the report, or where that will not do, the list with details of each.

The report is one call for everything; it is believed if it has at least as many rows as SCM counted just before. The
list has no dates, no status and no comments, so each order costs a call: newest first, and not more than is bearable.
"""

import logging
from dataclasses import dataclass, field

import msgspec

from reconciler.errors import ServiceRejectedError, UnexpectedAnswerError
from reconciler.model.order import Order, SslId
from reconciler.model.reading import Reading
from reconciler.services.caller import Caller
from reconciler.services.decode import BodyError, encode
from reconciler.services.http import Answer, Request
from reconciler.services.scm import refusals, wire

log = logging.getLogger(__name__)

PAGE_ROWS = 200  # the most that SCM gives
MOST_DETAILS = 1000
_WALKS = 3
_REPORTS = 2

Orders = Reading[tuple[Order, ...]]


class _NoReportError(Exception):
    """The report can't say it all: ask otherwise."""


@dataclass(kw_only=True)
class OrderReader:
    """Reads all orders. It remembers details of orders that are past their issue, so that a second look is cheap."""

    caller: Caller
    most_details: int = MOST_DETAILS
    page_rows: int = PAGE_ROWS
    settled: dict[tuple[SslId, str], Order] = field(default_factory=dict)  # by id and serial

    def read(self) -> Orders:
        """Return all orders, and what is missing.

        Raises:
            ServiceError: SCM did not answer.
        """
        for attempt in range(_REPORTS):
            try:
                return self._report()
            except _NoReportError as error:
                log.info("scm: the report will not do: %s (try %d)", error, attempt + 1)
            except ServiceRejectedError as error:
                if not refusals.not_allowed(error):
                    raise
                log.info("scm: this admin may not use the report: reading the list with details")
                break
        return self._list()

    def _report(self) -> Orders:
        counted = self._count()
        request = Request(
            operation="read the report of all orders",
            method="POST",  # it reads all the same
            path="/report/v1/ssl-certificates",
            headers=JSON,
            body=encode({"certificateStatus": 0}),  # any; an empty body is refused
        )
        report = self.caller.call(request, lambda answer: wire.report(answer.body))
        if report.status_code != 0 or report.reports is None:
            raise _NoReportError(f"statusCode {report.status_code}: {report.message or 'no message'}")
        if len(report.reports) < counted:
            raise _NoReportError(f"it has {len(report.reports)} rows, and SCM counts {counted} orders")
        return _parsed(report.reports)

    def _count(self) -> int:
        """Return how many orders there are. The admin host's documents know no HEAD, so there the list is asked."""
        try:
            return self.caller.call(_list_request("count orders", "HEAD", {}), _total)
        except (ServiceRejectedError, UnexpectedAnswerError):
            return self.caller.call(_list_request("count orders", "GET", {"size": "1", "position": "0"}), _total)

    def _list(self) -> Orders:
        rows, problems = self._walk()
        orders: list[Order] = []
        newest_first = sorted(rows, key=lambda row: row.ssl_id, reverse=True)
        for row in newest_first[: self.most_details]:
            order = self._details(row)
            if order is None:
                problems.append(f"scm: order {row.ssl_id} is in the list and can't be read.")
            else:
                orders.append(order)
        unread = len(newest_first) - self.most_details
        if unread > 0:
            problems.append(
                f"scm: {unread} older orders were not read: the report is out of reach, and one call for each is too "
                "much. Give this admin the right to use reports."
            )
        return Reading(values=tuple(orders), complete=not problems, problems=tuple(problems))

    def _walk(self) -> tuple[tuple[wire.WireListRow, ...], list[str]]:
        """Return all rows of the list; walk again while orders come or go meanwhile."""
        rows, totals = self._pages()
        for _ in range(_WALKS - 1):
            if totals == {len(rows)}:
                break
            log.info("scm: the list of orders moved during the walk: %d rows of %s", len(rows), totals)
            rows, totals = self._pages()
        if totals == {len(rows)}:
            return tuple(rows.values()), []
        return tuple(rows.values()), [f"scm: the list of orders does not add up: {len(rows)} rows of {max(totals)}."]

    def _pages(self) -> tuple[dict[int, wire.WireListRow], set[int]]:
        """Walk the list once; return its rows by id, and every total that SCM named on the way."""
        rows: dict[int, wire.WireListRow] = {}
        totals: set[int] = set()
        position = 0
        while True:
            query = {"size": str(self.page_rows), "position": str(position)}
            total, page = self.caller.call(_list_request("list orders", "GET", query), _page)
            totals.add(total)
            rows.update((row.ssl_id, row) for row in page)
            position += len(page)
            if not page or position >= total:
                return rows, totals

    def _details(self, row: wire.WireListRow) -> Order | None:
        key = (SslId(row.ssl_id), row.serial_number or "")
        if key in self.settled:
            return self.settled[key]
        order = read_order(self.caller, SslId(row.ssl_id))
        if order is not None and not order.status.pending:
            self.settled[key] = order
        return order


JSON = {"Content-Type": "application/json;charset=UTF-8", "Accept": "application/json"}


def read_order(caller: Caller, ssl_id: SslId) -> Order | None:
    """Return one order; None where SCM does not know it, or does not show it."""
    request = Request(
        operation=f"read order {ssl_id}",
        method="GET",
        path=f"/ssl/v1/{ssl_id}",
        query={"dateFormat": "ISO_HMS"},  # else MM/dd/yyyy, without a time
        headers={"Accept": "application/json"},
    )
    try:
        return caller.call(request, lambda answer: wire.details(answer.body))
    except ServiceRejectedError as error:
        if refusals.not_there(error):
            return None
        raise


def _parsed(rows: list[msgspec.Raw]) -> Orders:
    orders: dict[SslId, Order] = {}
    problems: list[str] = []
    for place, row in enumerate(rows, 1):
        try:
            order = wire.report_row(row)
        except BodyError as error:
            problems.append(f"scm: row {place} of the report: {error}")
        else:
            orders[order.ssl_id] = order
    return Reading(values=tuple(orders.values()), complete=not problems, problems=tuple(problems))


def _list_request(operation: str, method: str, query: dict[str, str]) -> Request:
    return Request(
        operation=operation, method=method, path="/ssl/v1", query=query, headers={"Accept": "application/json"}
    )


def _total(answer: Answer) -> int:
    text = answer.headers.get("X-Total-Count", "").strip()
    if not (text.isascii() and text.isdigit()):
        raise BodyError(f"no count of orders in X-Total-Count: {text!r}")
    return int(text)


def _page(answer: Answer) -> tuple[int, tuple[wire.WireListRow, ...]]:
    return _total(answer), wire.list_rows(answer.body)

"""The report as text: the status, the validations, and the orders to come."""

from collections.abc import Iterator

from rich.text import Text

from reconciler.planning.load import Forecast
from reconciler.report.escape import visible
from reconciler.report.lines import count_of
from reconciler.report.reportjson import Report
from reconciler.report.status import status_text


def report_text(report: Report) -> list[Text]:
    """Return the lines; the page has the plan and the pictures beside."""
    return [
        *status_text(report.status),
        Text(),
        *(Text(visible(f"not read: {line}"), style="red") for line in report.unread),
        Text("Validations", style="bold"),
        *(Text(visible(f"  {line}")) for line in _validations(report)),
        Text(),
        Text("Orders to come", style="bold"),
        *(Text(f"  {line}") for line in _load(report.forecast)),
    ]


def _validations(report: Report) -> Iterator[str]:
    for one in report.validations:
        level = f" ({one.level})" if one.level is not None else ""
        until = f"can be used until {one.until}" if one.until is not None else f"SCM tells no date: {one.state}"
        count = count_of(len(one.certificates), "certificate")
        yield f"{one.subject} {one.name}{level} at {one.instance}: {until}, for {count}"


def _load(forecast: Forecast) -> Iterator[str]:
    yield f"{count_of(forecast.year_orders, 'order')} in the next 365 days"
    for limit in forecast.limits:
        yield f"{limit.orders_a_year:,} a year at {limit.max_days} days, the longest life from {limit.since}"

"""Counts the cells of the crash matrix that were played and passed, and prints the count when all tests are over.

A test that is a cell says so by the property `CELL`, with the kind of cell as value.
"""

from collections import Counter

import pytest

CELL = "crash matrix"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    passed = terminalreporter.stats.get("passed", [])
    kinds = Counter(kind for report in passed for name, kind in report.user_properties if name == CELL)
    if kinds:
        listed = ", ".join(f"{count} {kind}s" for kind, count in sorted(kinds.items()))
        terminalreporter.write_line(f"crash matrix: {kinds.total()} cells ({listed})")

"""Prints what tests have to tell, when all of them are over: figures that a person wants to read in the output.

A test tells by the property `TOLD`, with the text as value.
"""

import pytest

TOLD = "told"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.stats.get("passed", []):
        for name, text in report.user_properties:
            if name == TOLD:
                terminalreporter.write_line(str(text))

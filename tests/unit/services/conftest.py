"""Fixtures of the service tests."""

from collections.abc import Iterator

import pytest

from tests.support.scripted import HandClock, ScriptedServer, scripted_server


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server(ScriptedServer()) as running:
        yield running


@pytest.fixture
def clock() -> HandClock:
    return HandClock()

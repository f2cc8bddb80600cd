"""A fresh SCM for each test; all share one certificate authority."""

from datetime import UTC, datetime

import pytest

from reconciler.sandbox.ca import CaState
from tests.support.scm import Scm

START = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)


@pytest.fixture
def scm(ca_state: CaState) -> Scm:
    """Return an SCM whose clock stands at 2026-11-16T09:30Z."""
    return Scm(ca_state, start=START)

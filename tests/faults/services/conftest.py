"""A site for each test: one certificate, on a sandbox of its own."""

from typing import TYPE_CHECKING

import pytest

from tests.support.control import Control
from tests.support.program import Program
from tests.support.site import DV, Site

if TYPE_CHECKING:
    from reconciler.sandbox.server import BackgroundSandbox


@pytest.fixture
def site(program: Program, control: Control, sandbox: "BackgroundSandbox") -> Site:
    """Return a site with the file of a DV certificate, which nobody has to approve; nothing is applied yet."""
    made = Site(program=program, control=control, sandbox=sandbox)
    made.write(DV)
    return made


@pytest.fixture
def live(site: Site) -> Site:
    """Return a site whose certificate is in production."""
    site.deploy()
    return site

"""A sandbox whose clock stands still: runs in this process read it without a call, as half of theirs would be."""

import contextlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from reconciler.services.sandbox_control import SandboxControl

if TYPE_CHECKING:
    from reconciler.sandbox.app import Sandbox
    from reconciler.sandbox.server import BackgroundSandbox


@contextlib.contextmanager
def standing_sandbox(world: "Sandbox", folder: Path) -> Iterator["BackgroundSandbox"]:
    """Serve `world` in a thread."""
    from reconciler.sandbox.server import BackgroundSandbox

    over_http = SandboxControl.now
    with BackgroundSandbox(world, folder) as sandbox:

        def now(control: SandboxControl) -> datetime:
            return sandbox.clock.now() if control.url == sandbox.urls["control"] else over_http(control)

        with mock.patch.object(SandboxControl, "now", now):
            yield sandbox

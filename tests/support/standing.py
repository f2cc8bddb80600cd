"""A sandbox whose clock stands still: runs in this process read it without a call, as half of theirs would be."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from reconciler.services.sandbox_control import SandboxControl

if TYPE_CHECKING:
    from reconciler.sandbox.app import Sandbox
    from reconciler.sandbox.server import BackgroundSandbox


@contextlib.contextmanager
def standing_sandbox(world: "Sandbox", folder: Path) -> Iterator["BackgroundSandbox"]:
    """Serve `world` in a thread, to runs in this process: the only sandbox that they meet."""
    from reconciler.sandbox.server import BackgroundSandbox

    with (
        BackgroundSandbox(world, folder) as sandbox,
        mock.patch.object(SandboxControl, "now", lambda _: sandbox.clock.now()),
    ):
        yield sandbox

"""What to type next: the last line of talk of a command that somebody just starting out would run."""

import os
import shlex
import sys
from pathlib import Path

from reconciler.cli.options import say


def hint(command: str, directory: Path) -> None:
    """Say which command comes next, in the folder that this one was about."""
    say(f"Next: {command}" + (f" -C {shlex.quote(str(directory))}" if directory != Path() else ""))


def apply_command(*, waits: bool = False) -> str:
    """Return how `apply` is run from here. A sandbox's time passes only while somebody waits."""
    words = ["certrecon apply"]
    if not sys.stdin.isatty():
        words.append("--auto-approve")
    if waits:
        words.append("--wait 48h" if os.environ.get("CERTRECON_SANDBOX") else "--wait 1h")
    return " ".join(words)

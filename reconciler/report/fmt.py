"""What `fmt` found, as a list and a difference."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from rich.text import Text

from reconciler.report.escape import visible

FORMAT_VERSION = "1.0"
_STYLES = {"+": "green", "-": "red", "@": "cyan"}

Change = tuple[str, bytes, bytes]  # path, before, after


def fmt_text(changes: Iterable[Change], *, written: bool) -> list[Text]:
    """Return a line a file that was changed; what would be changed in it, where nothing was written."""
    lines = []
    for path, before, after in changes:
        lines.append(Text(f"{visible(path)}", style="bold"))
        if not written:
            lines.extend(_difference(path, before, after))
    return lines


def fmt_json(changes: Iterable[Change], *, written: bool, problems: Sequence[Any], tool_version: str) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "fmt",
        "tool_version": tool_version,
        "written": written,
        "changed": [path for path, _, _ in changes],
        "problems": list(problems),
    }


def _difference(path: str, before: bytes, after: bytes) -> Iterable[Text]:
    lines = difflib.unified_diff(
        before.decode(errors="replace").splitlines(),
        after.decode(errors="replace").splitlines(),
        f"a/{path}",
        f"b/{path}",
        lineterm="",
    )
    return (Text(f"  {visible(line)}", style=_STYLES.get(line[:1], "")) for line in lines)

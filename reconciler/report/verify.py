"""What the edge was found to serve: a line a certificate and network, with what is wrong below it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.text import Text

from reconciler.planning.edge_checks import EdgeVerdict, Leaf
from reconciler.report.escape import visible

FORMAT_VERSION = "1.0"
_WORDS = {"ok": ("=", "green"), "warn": ("!", "yellow"), "wrong": ("!", "bold red"), "skipped": ("?", "cyan")}


def word(verdict: EdgeVerdict) -> str:
    """Return the verdict in a word."""
    if verdict.skipped is not None:
        return "skipped"
    return "wrong" if verdict.wrong else "warn" if verdict.warnings else "ok"


def verify_text(verdicts: Sequence[EdgeVerdict]) -> list[Text]:
    """Return what was found, worst first."""
    order = ("wrong", "skipped", "warn", "ok")
    ranked = sorted(verdicts, key=lambda one: (order.index(word(one)), one.desired.name, one.network))
    return [*(line for one in ranked for line in _lines(one)), _summary(verdicts)]


def _lines(verdict: EdgeVerdict) -> list[Text]:
    symbol, style = _WORDS[word(verdict)]
    said = verdict.skipped or "; ".join(map(_leaf, verdict.leaves)) or "serves nothing"
    head = Text.assemble(
        (f"  {symbol} {word(verdict):<8}", style),
        (f"{visible(verdict.desired.name)}", "bold"),
        f"  {verdict.network}: {visible(said)}",
    )
    return [head, *(Text(f"      {visible(one)}", style=style) for one in (*verdict.wrong, *verdict.warnings))]


def _leaf(leaf: Leaf) -> str:
    names = "1 name" if leaf.names == 1 else f"{leaf.names} names"
    return f"{leaf.key_type} {leaf.certificate.serial:x} until {leaf.certificate.not_after:%Y-%m-%d} for {names}"


def _summary(verdicts: Sequence[EdgeVerdict]) -> Text:
    counts = [(sum(word(one) == kind for one in verdicts), kind) for kind in ("ok", "warn", "wrong", "skipped")]
    said = ", ".join(f"{count} {kind}" for count, kind in counts if count) or "no certificates"
    return Text(f"Verify: {said}.", style="bold")


def verify_json(verdicts: Sequence[EdgeVerdict], *, at: datetime, tool_version: str) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "verify",
        "tool_version": tool_version,
        "at": at.isoformat(),
        "verdicts": [
            {
                "certificate": one.desired.name,
                "network": one.network,
                "verdict": word(one),
                "wrong": list(one.wrong),
                "warnings": list(one.warnings),
                "skipped": one.skipped,
                "served": [
                    {
                        "key_type": leaf.key_type.spelt,
                        "serial": f"{leaf.certificate.serial:x}",
                        "not_after": leaf.certificate.not_after.isoformat(),
                        "issuer": leaf.certificate.issuer,
                        "names": leaf.names,
                    }
                    for leaf in one.leaves
                ],
            }
            for one in verdicts
        ],
    }

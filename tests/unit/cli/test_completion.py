"""Shell completion, through our own entry point."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(("typed", "offered"), [("certrecon sta", ["status"]), ("certrecon lock re", ["repair"])])
def test_bash_is_offered_the_commands(typed: str, offered: list[str]) -> None:
    asked = {
        "_CERTRECON_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split()) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-m", "reconciler.cli.main"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == offered


def test_the_script_to_install_names_our_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler.cli.main"],
        env={**os.environ, "_CERTRECON_COMPLETE": "source_zsh"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.lstrip().startswith("#compdef certrecon\n")

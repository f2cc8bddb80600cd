"""`certrecon version`. Nothing else is imported here: whoever asks for the version waits for nothing (cli/start.py)."""

from reconciler import __version__


def version_line() -> str:
    return f"certrecon {__version__}"


def version() -> None:
    """Print the version.

    Examples: `certrecon version`; `certrecon --version`.
    """
    print(version_line())

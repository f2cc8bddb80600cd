"""The command line: commands, and what becomes of errors. Commands, and what they need, are imported when they run."""

import os
import sys
from typing import Annotated, cast

import typer

from reconciler.cli.late import LateCommands
from reconciler.cli.options import say
from reconciler.cli.version import version_line
from reconciler.errors import CertreconError, ExitCode

# Click's UsageError, wherever Typer has it from: newer versions carry their own Click.
_WrongUsage = cast(
    "type[typer.BadParameter]", next(base for base in typer.BadParameter.__mro__ if base.__name__ == "UsageError")
)

READ_TIMEOUT = "CERTRECON_READ_TIMEOUT"

app = typer.Typer(
    name="certrecon",
    cls=LateCommands,
    help="Reconcile TLS certificates on Akamai (CPS third-party enrollments, issued by Sectigo SCM) with YAML in git."
    "\n\n"
    "Examples: `certrecon init`; `certrecon validate`; `certrecon plan`; `certrecon apply`; `certrecon status`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # locals would hold credentials
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(version_line())
        raise typer.Exit


@app.callback()
def _options(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", envvar="CERTRECON_VERBOSE", help="Log each call on stderr.")
    ] = False,
    read_timeout: Annotated[
        str | None,
        typer.Option(
            "--read-timeout",
            metavar="DURATION",
            envvar=READ_TIMEOUT,
            help="How long a read of a service that fails is tried again; 120s without it. Changes are sent once.",
        ),
    ] = None,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    import logging

    if read_timeout is not None:
        os.environ[READ_TIMEOUT] = read_timeout  # where the services' settings come from
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code; every expected error is one message on stderr."""
    try:
        code = app(args=arguments, standalone_mode=False, prog_name="certrecon")
    except typer.Abort:
        return ExitCode.ERROR  # a prompt that was left
    except _WrongUsage as error:
        error.show()
        return ExitCode.USAGE
    except CertreconError as error:
        say(f"certrecon: {error}")
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.ERROR
    except KeyboardInterrupt:
        say("certrecon: interrupted")
        return ExitCode.INTERRUPTED
    return code if isinstance(code, int) else ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())

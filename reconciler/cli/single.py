"""What the commands on one certificate share: find it by its name, and open what it needs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from reconciler.model.certificate import DesiredCertificate
    from reconciler.wiring import Run

Name = Annotated[str, typer.Argument(metavar="NAME", help="The certificate: its file's path below certificates/.")]


@contextmanager
def open_certificate(directory: Path, name: str) -> Iterator[tuple["Run", "DesiredCertificate"]]:
    """Open the services of one certificate; close them at the end.

    Raises:
        ConfigurationError, DesiredStateError: configuration, credentials or its file cannot be used.
        UsageError: there is no such certificate.
    """
    from reconciler.app.looking import certificate_of
    from reconciler.planning.selectors import Selectors
    from reconciler.wiring import Named, open_run

    with open_run(directory, Named(selectors=Selectors(targets=(name,)))) as run:
        yield run, certificate_of(run.planner.desired, name)


def now() -> datetime:
    """Return the time that commands without services go by: the sandbox's, where certrecon is pointed at one.

    Raises:
        ConfigurationError, ServiceError: it is pointed at one that cannot be asked.
    """
    if not os.environ.get("CERTRECON_SANDBOX"):  # what asks a sandbox takes long to import
        return datetime.now(UTC)  # noqa: TID251 - offline there is no service whose clock would count
    from reconciler.wiring import service_time

    return service_time()


def today() -> date:
    return now().date()

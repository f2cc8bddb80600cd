"""What the commands on one certificate share: find it by its name, and open what it needs."""

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


def today() -> date:
    return datetime.now(UTC).date()  # noqa: TID251 - offline there is no service whose clock would count

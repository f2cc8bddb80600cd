"""What the commands on one certificate share: find it by its name, and open what it needs."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.errors import UsageError

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
    from reconciler.desired.load import load
    from reconciler.desired.project import load_project
    from reconciler.wiring import Named, open_run

    with ExitStack() as stack:
        try:
            run = stack.enter_context(open_run(directory, Named(targets=(name,))))
        except UsageError:
            project = load_project(directory, environment=os.environ)
            certificate_of(load(project, today=today()), name)  # says it better: its file is broken, or a near name
            raise
        yield run, certificate_of(run.planner.desired, name)


def today() -> date:
    return datetime.now(UTC).date()  # noqa: TID251 - offline there is no service whose clock would count

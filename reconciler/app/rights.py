"""May this run's credentials change anything? Asked before `apply` takes a lock, since a step would be too late."""

from reconciler.errors import ReadOnlyError
from reconciler.execution.perform import Services
from reconciler.model.access import Rights


def refuse_readers(services: Services) -> None:
    """Refuse credentials of which their service says that they may only read. One that says nothing is let through.

    Raises:
        ReadOnlyError: with each of them, and what to do.
        AuthenticationError: a service did not accept the credentials.
    """
    found = [
        *(
            _line(f"cps: account {name}", rights, "Give it read-write access to CPS", f"akamai.{name}")
            for name, cps in services.cps.items()
            if (rights := cps.rights()).may_write is False
        ),
        *(
            _line(
                f"scm: instance {name}", rights, "Give it the privilege to request SSL certificates", f"sectigo.{name}"
            )
            for name, scm in services.scm.items()
            if (rights := scm.rights()).may_write is False
        ),
    ]
    if found:
        raise ReadOnlyError(found)


def _line(where: str, rights: Rights, remedy: str, place: str) -> str:
    return f"{where}: {rights.who} may only read, and apply changes things. {remedy}, or name another one in {place}."

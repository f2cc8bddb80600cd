"""Keep one comment on a pull request true: written once, replaced by each run, left alone by outdated ones."""

import enum

from reconciler.errors import OutcomeUnknownError, ServiceRejectedError, ServiceUnavailableError
from reconciler.ports import Forge
from reconciler.report.comment import About

_TRIES = 4


class Posted(enum.StrEnum):
    """What became of a comment."""

    CREATED = "written"
    UPDATED = "replaced"
    UNCHANGED = "unchanged"
    OUTDATED = "not written: the pull request has moved on, and a newer run speaks for it"
    FORBIDDEN = "not written: the token may not comment here, as in runs of forks; the job's summary has it"


def post(forge: Forge, number: int, body: str, about: About) -> Posted:
    """Write or replace our comment that has the marker, unless the run is not of the pull request's head any more.

    Raises:
        ServiceError: the forge did not do it, and it is not for lack of rights.
    """
    try:
        return _post(forge, number, body, about)
    except ServiceRejectedError as error:
        if error.code != "403":
            raise
        return Posted.FORBIDDEN


def _post(forge: Forge, number: int, body: str, about: About) -> Posted:
    for left in reversed(range(_TRIES)):
        try:
            return _once(forge, number, body, about)
        except OutcomeUnknownError as error:  # it may stand there: the next look finds it by its marker
            if not left:
                remedy = "It may stand there for all that. Run the job again."
                raise ServiceUnavailableError(error.service, error.operation, error.detail, remedy=remedy) from error
    raise AssertionError("unreachable: the last try returns or raises")


def _once(forge: Forge, number: int, body: str, about: About) -> Posted:
    ours = [one for one in forge.comments(number) if one.body.startswith(about.marker)]
    if forge.head(number) != about.head:  # read last: the less time between it and what is written, the better
        return Posted.OUTDATED
    if not ours:
        forge.create(number, body)
        return Posted.CREATED
    first, *doubles = ours
    for double in doubles:  # of an answer that was lost, and a list that lagged
        forge.delete(number, double.id)
    if first.body.strip() == body.strip():
        return Posted.UNCHANGED
    forge.update(number, first.id, body)
    return Posted.UPDATED

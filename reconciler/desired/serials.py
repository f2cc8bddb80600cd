"""What a replacement campaign says beyond its schema: an instant in the past, and a file of serial numbers."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from reconciler.desired.project import FILE
from reconciler.desired.verdicts import quoted
from reconciler.desired.yamlfile import Document, read
from reconciler.errors import DesiredStateError, Location, Problem
from reconciler.model.policy import Campaign, Project
from reconciler.model.replacement import Replacement

MAX_BYTES = 16 << 20  # some 400,000 serials: several times what any CA had to revoke in a day
_MOST_PROBLEMS = 10  # of a file of another kind each line is one
_HEX = re.compile(r"[0-9A-Fa-f]+\Z|[0-9A-Fa-f]{1,2}(:[0-9A-Fa-f]{2})+\Z")
_LONGEST = 1 << 160  # RFC 5280 4.1.2.2: at most 20 octets
_DIGITS_THAT_ARE_NO_CHANCE = 40  # so many hexadecimal digits are all below A once in 10^8


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacements:
    """The campaigns that can be planned, in the order of the configuration, and what is wrong with the others."""

    ready: tuple[Replacement, ...]
    problems: tuple[Problem, ...]


def read_replacements(project: Project, *, now: datetime) -> Replacements:
    """Return the project's campaigns with the serials that their files list.

    Raises:
        DesiredStateError: certrecon.yaml cannot be read any more.
    """
    campaigns = project.policy.campaigns
    if not campaigns:
        return Replacements(ready=(), problems=())
    document = read(project.root / FILE, FILE)
    ready: list[Replacement] = []
    problems: list[Problem] = []
    for index, campaign in enumerate(campaigns):
        pointer = f"policy.replace.{index}"
        wrong = [*_campaign_problems(document, pointer, campaign, campaigns[:index], now)]
        serials: frozenset[int] = frozenset()
        if campaign.select.serials_file is not None:
            try:
                serials = _serials_of(document, pointer, project.root, campaign.select.serials_file)
            except DesiredStateError as error:
                wrong.extend(error.problems)
        problems.extend(wrong)
        if not wrong:
            ready.append(Replacement(campaign=campaign, serials=serials))
    return Replacements(ready=tuple(ready), problems=tuple(problems))


def _campaign_problems(
    document: Document, pointer: str, campaign: Campaign, earlier: tuple[Campaign, ...], now: datetime
) -> Iterator[Problem]:
    def problem(field: str, text: str, remedy: str) -> Problem:
        at = f"{pointer}.{field}"
        return Problem(location=document.value(at), text=text, remedy=remedy, pointer=at)

    if campaign.issued_before >= now:
        text = f"{_spelt(campaign.issued_before)} is yet to come: what is requested until then would be replaced too."
        yield problem("issuedBefore", text, f"Write an instant that has passed; now it is {_spelt(now)}.")
    if campaign.deadline is not None and campaign.deadline <= campaign.issued_before:
        text = f"The deadline is not after issuedBefore, {_spelt(campaign.issued_before)}."
        yield problem("deadline", text, "Correct one of the two.")
    if any(one.name == campaign.name for one in earlier):
        text = f"Two campaigns are called {quoted(campaign.name)}, and what a campaign has begun is known by its name."
        yield problem("name", text, "Give each a name of its own.")


def _spelt(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def _serials_of(document: Document, pointer: str, root: Path, path: str) -> frozenset[int]:
    at = f"{pointer}.select.serialsFile"
    if (wrong := _path_problem(root, path)) is not None:
        problem = Problem(location=document.value(at), text=wrong[0], remedy=wrong[1], pointer=at)
        raise DesiredStateError([problem])
    return parse_serials(_content(root / path, path), path)


def _path_problem(root: Path, path: str) -> tuple[str, str] | None:
    """Return what is wrong with the path, and the remedy. What lies outside of the project nobody has reviewed."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts:
        return f"{quoted(path)} is not a path below {FILE}'s folder.", "Put the file into the repository."
    file = root / path
    if file.resolve() != root.resolve() / path:
        return f"{quoted(path)} is a link, or lies behind one.", "Put the file itself there."
    if not file.is_file():
        return f"There is no file {quoted(path)} in {FILE}'s folder.", "Add it, or correct its name."
    return None


def _content(file: Path, shown: str) -> bytes:
    try:
        if file.stat().st_size > MAX_BYTES:
            text = f"The file is larger than {MAX_BYTES >> 20} MiB."
            raise _refusal(Location(shown, 1, 1), text, "Split the campaign; each may have a file of its own.")
        return file.read_bytes()
    except OSError as error:
        text = f"The file cannot be read: {error.strerror}."
        raise _refusal(Location(shown, 1, 1), text, "Check its owner and mode.") from error


def _refusal(location: Location, text: str, remedy: str) -> DesiredStateError:
    return DesiredStateError([Problem(location=location, text=text, remedy=remedy)])


def parse_serials(content: bytes, shown: str) -> frozenset[int]:
    """Return the serial numbers of a file that people know as `shown`: one a line, in hexadecimal.

    Colons between the octets, blanks, empty lines, and comments from "#" on mean nothing.

    Raises:
        DesiredStateError: it holds none, or something else; at most ten lines are named.
    """
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _refusal(Location(shown, line, 1), "This is not UTF-8 text.", "Save the list as plain text.") from error
    written = {number: text for number, line in enumerate(lines, 1) if (text := line.partition("#")[0].strip())}
    problems = [*_line_problems(written, shown)]
    if problems:
        raise DesiredStateError(problems)
    if not written:
        raise _refusal(Location(shown, 1, 1), "The file lists no serial number.", "Write one a line.")
    return frozenset(int(text.replace(":", ""), 16) for text in written.values())


def _line_problems(written: Mapping[int, str], shown: str) -> Iterator[Problem]:
    if _looks_decimal(written.values()):
        text = "These serial numbers look decimal: no line has a digit from A to F."
        yield Problem(location=Location(shown, min(written), 1), text=text, remedy="Write them in hexadecimal.")
        return
    wrong = [number for number, text in written.items() if not _is_serial(text)]
    for number in wrong[:_MOST_PROBLEMS]:
        text = f"{quoted(written[number])} is no serial number of a certificate."
        remedy = "Write it in hexadecimal, with or without colons, and nothing else on the line."
        yield Problem(location=Location(shown, number, 1), text=text, remedy=remedy)
    if len(wrong) > _MOST_PROBLEMS:
        text = f"{len(wrong) - _MOST_PROBLEMS} more lines are no serial numbers."
        yield Problem(location=Location(shown, wrong[_MOST_PROBLEMS], 1), text=text, remedy="See the first ones.")


def _is_serial(text: str) -> bool:
    return bool(_HEX.match(text)) and 0 < int(text.replace(":", ""), 16) < _LONGEST


def _looks_decimal(texts: Iterable[str]) -> bool:
    """Tell whether a list is decimal: read as hexadecimal, it would silently be about no certificate."""
    joined = "".join(texts)
    return joined.isdecimal() and joined.isascii() and len(joined) >= _DIGITS_THAT_ARE_NO_CHANCE

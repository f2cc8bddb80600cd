"""One comment on a pull request, kept true against the API's stand-in."""

from collections.abc import Iterator

import pytest

from reconciler.app.comment import Posted, post
from reconciler.errors import AuthenticationError, ServiceError, ServiceRejectedError, ServiceUnavailableError
from reconciler.report.comment import About, comment_text
from reconciler.services.forge.connect import connect, forge_access
from tests.support.forge import TOKEN, Fault, ForgeStandIn, Pull, serving
from tests.support.scripted import HandClock

HEAD, LATER = "a" * 40, "b" * 40
ABOUT = About(project="web", head=HEAD)


@pytest.fixture(params=["github", "gitlab"])
def forge(request: pytest.FixtureRequest) -> Iterator[tuple[ForgeStandIn, dict[str, str]]]:
    with serving() as stand_in:
        stand_in.pulls[7] = Pull(head=HEAD)
        yield stand_in, getattr(stand_in, request.param)


@pytest.fixture
def github() -> Iterator[ForgeStandIn]:
    with serving() as stand_in:
        stand_in.pulls[7] = Pull(head=HEAD)
        yield stand_in


def say(environment: dict[str, str], text: str = "the plan", about: About = ABOUT) -> Posted:
    client = connect(forge_access(environment), HandClock())
    try:
        return post(client, 7, comment_text(text, about), about)
    finally:
        client.close()


def test_the_first_run_writes_and_the_next_replaces(forge: tuple[ForgeStandIn, dict[str, str]]) -> None:
    stand_in, environment = forge
    assert say(environment, "first") is Posted.CREATED
    assert say(environment, "second") is Posted.UPDATED
    assert say(environment, "second") is Posted.UNCHANGED
    (body,) = stand_in.bodies(7)
    assert body.startswith("<!-- certrecon:plan:web -->\nsecond")


def test_comments_of_others_and_of_other_projects_stay(forge: tuple[ForgeStandIn, dict[str, str]]) -> None:
    stand_in, environment = forge
    stand_in.say(7, f"{ABOUT.marker}\nquoted by a person", author="mallory")
    stand_in.say(7, "<!-- certrecon:plan:shop -->\nanother project")
    stand_in.say(7, f"it says {ABOUT.marker}")
    assert say(environment) is Posted.CREATED
    assert len(stand_in.bodies(7)) == 4
    assert stand_in.bodies(7)[0].endswith("quoted by a person")


def test_a_comment_on_the_second_page_is_found(forge: tuple[ForgeStandIn, dict[str, str]]) -> None:
    stand_in, environment = forge
    for number in range(120):
        stand_in.say(7, f"remark {number}", author="ada")
    assert say(environment, "first") is Posted.CREATED
    assert say(environment, "second") is Posted.UPDATED


def test_a_run_of_an_outdated_head_writes_nothing(forge: tuple[ForgeStandIn, dict[str, str]]) -> None:
    stand_in, environment = forge
    stand_in.say(7, f"{ABOUT.marker}\nof a newer commit")
    stand_in.pulls[7].head = LATER
    assert say(environment) is Posted.OUTDATED
    assert stand_in.written() == []


def test_a_lost_answer_leaves_one_comment(forge: tuple[ForgeStandIn, dict[str, str]]) -> None:
    stand_in, environment = forge
    stand_in.faults.append(Fault(match="^POST", status=0))
    assert say(environment) is Posted.UNCHANGED
    assert len(stand_in.bodies(7)) == 1


@pytest.mark.parametrize("call", ["^GET .*(comments|notes)", "^POST", "^GET .*/(pulls|merge_requests)/7$"])
def test_a_5xx_is_tried_again(forge: tuple[ForgeStandIn, dict[str, str]], call: str) -> None:
    stand_in, environment = forge
    stand_in.faults.append(Fault(match=call, status=502, times=2))
    assert say(environment) is Posted.CREATED
    assert len(stand_in.bodies(7)) == 1


def test_a_forge_that_stays_down_is_an_error(forge: tuple[ForgeStandIn, dict[str, str]]) -> None:
    stand_in, environment = forge
    stand_in.faults.append(Fault(match="^POST", status=503, times=99))
    with pytest.raises(ServiceUnavailableError, match="Run the job again"):
        say(environment)
    assert stand_in.bodies(7) == []


def test_doubles_are_removed(forge: tuple[ForgeStandIn, dict[str, str]]) -> None:
    stand_in, environment = forge
    stand_in.say(7, f"{ABOUT.marker}\none")
    stand_in.say(7, f"{ABOUT.marker}\ntwo")
    assert say(environment) is Posted.UPDATED
    assert len(stand_in.bodies(7)) == 1


def test_a_token_that_may_not_comment_is_said_and_is_no_failure(forge: tuple[ForgeStandIn, dict[str, str]]) -> None:
    stand_in, environment = forge
    body = '{"message": "Resource not accessible by integration"}'
    stand_in.faults.append(Fault(match="^POST", status=403, body=body))
    assert say(environment) is Posted.FORBIDDEN
    assert len(stand_in.written()) == 1


def test_a_rate_limit_is_no_lack_of_rights(github: ForgeStandIn) -> None:
    headers = {"Retry-After": "7"}
    github.faults.append(Fault(match="comments", status=403, body='{"message": "rate limit"}', headers=headers))
    assert say(github.github) is Posted.CREATED


def test_a_wrong_token_is_an_error_that_does_not_show_it(forge: tuple[ForgeStandIn, dict[str, str]]) -> None:
    _, environment = forge
    with pytest.raises(AuthenticationError) as caught:
        say({**environment, "CERTRECON_FORGE_TOKEN": "wrong-token-of-somebody"})
    assert "wrong-token" not in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_pull_request_that_does_not_exist_is_an_error(github: ForgeStandIn) -> None:
    github.faults.append(Fault(match="pulls/7", status=404, body='{"message": "Not Found"}'))
    with pytest.raises(ServiceRejectedError):
        say(github.github)


def test_the_longest_plan_is_cut_to_what_is_accepted(forge: tuple[ForgeStandIn, dict[str, str]]) -> None:
    stand_in, environment = forge
    assert say(environment, "\n".join(f"line {number} 🔐" for number in range(20_000))) is Posted.CREATED
    (body,) = stand_in.bodies(7)
    assert len(body) <= 65_536
    assert "more lines do not fit" in body


@pytest.mark.parametrize(
    "change",
    [
        {"CERTRECON_FORGE_TOKEN": ""},
        {"GITHUB_REPOSITORY": "example"},
        {"GITHUB_API_URL": "http://api.example.com"},
        {"GITHUB_API_URL": ""},
    ],
)
def test_what_a_job_has_not_set_is_wrong_usage(change: dict[str, str]) -> None:
    environment = ForgeStandIn(url="https://api.example.com").github
    forge_access(environment)
    with pytest.raises(Exception, match=r"not set|not HTTPS|no job"):
        forge_access({**environment, **change})


def test_errors_are_of_the_forge(github: ForgeStandIn) -> None:
    github.faults.append(Fault(match="comments", status=418, times=9, body="teapot"))
    with pytest.raises(ServiceError, match="github: read the comments: HTTP 418: teapot"):
        say(github.github)

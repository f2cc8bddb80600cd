"""Notifications over HTTP: apprise's json:// against a server of this test."""

import logging

import pytest

from reconciler.errors import NotificationError
from reconciler.services.notify import AppriseNotifier
from tests.support.receiver import Receiver, receiving

SECRET = "s3cr3t-path"


def notifier(server: Receiver | None, scheme: str = "json") -> AppriseNotifier:
    port = server.server_port if server is not None else 1
    return AppriseNotifier(f"{scheme}://127.0.0.1:{port}/{SECRET}", variable="NOTIFY_URL")


def test_a_message_arrives_with_title_body_and_kind() -> None:
    with receiving() as server:
        notifier(server).send("certrecon: 1 critical", "a <b>\nc", urgent=True)
        notifier(server).send("certrecon: 1 well again", "ok", urgent=False)
    first, second = server.bodies
    assert (first["title"], first["message"], first["type"]) == ("certrecon: 1 critical", "a <b>\nc", "warning")
    assert second["type"] == "success"


def test_a_refusal_nobody_there_and_a_wrong_url_are_errors_without_the_url(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with receiving(status=500) as server:
        cases = [notifier(server), notifier(None), notifier(None, scheme="nonsense"), AppriseNotifier("", variable="V")]
        for one in cases:
            with pytest.raises(NotificationError) as raised:
                one.send("t", "b", urgent=True)
            assert SECRET not in str(raised.value)
            assert SECRET not in repr(one)
            assert raised.value.__cause__ is None
    assert len(server.bodies) == 1  # sent once
    assert SECRET not in caplog.text


def test_what_a_plugin_raises_is_told_by_its_kind_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import apprise

    def notify(*_: object, **__: object) -> bool:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(apprise.Apprise, "notify", notify)
    with pytest.raises(NotificationError, match="NOTIFY_URL: RuntimeError while it was sent") as raised:
        notifier(None).send("t", "b", urgent=True)
    assert SECRET not in str(raised.value)


def test_levels_of_logging_are_as_before() -> None:
    before = {name: logging.getLogger(name).level for name in ("apprise", "requests", "urllib3")}
    with receiving() as server:
        notifier(server).send("t", "b", urgent=False)
    assert {name: logging.getLogger(name).level for name in before} == before

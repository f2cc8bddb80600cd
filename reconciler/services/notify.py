"""Notifications by apprise: a hundred services behind one URL, which holds their secrets and is never shown."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.errors import NotificationError

# Addresses of webhooks are secrets, and these would write them into a log of --verbose.
_TALKATIVE = ("apprise", "requests", "urllib3")
_TIMEOUT_S = 15.0


class AppriseNotifier:
    """Sends to one URL. `variable` is what the URL is known by."""

    def __init__(self, url: str, *, variable: str) -> None:
        self._url = url
        self._variable = variable

    def __repr__(self) -> str:
        return f"AppriseNotifier(variable={self._variable!r})"

    def send(self, title: str, body: str, *, urgent: bool) -> None:
        """Send a message, once.

        Raises:
            NotificationError: it was not delivered, or nobody knows.
        """
        try:
            with _quiet():
                delivered = self._sent(title, body, urgent=urgent)
        except NotificationError:
            raise
        except Exception as error:  # noqa: BLE001 - plugins of a hundred services raise what they like
            raise NotificationError(f"{self._variable}: {type(error).__name__} while it was sent.") from None
        if not delivered:
            raise NotificationError(f"{self._variable}: the service did not take it, or could not be reached.")

    def _sent(self, title: str, body: str, *, urgent: bool) -> bool:
        # It loads all of its plugins at the first URL, a second's work: only for those who send something.
        from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType

        asset = AppriseAsset(app_id="certrecon", async_mode=False, service_timeout=_TIMEOUT_S, secure_logging=True)
        receiver = Apprise(asset=asset)
        if not receiver.add(self._url):
            raise NotificationError(f"{self._variable}: its value is no notification URL that apprise knows.")
        kind = NotifyType.WARNING if urgent else NotifyType.SUCCESS
        return bool(receiver.notify(body=body, title=title, notify_type=kind, body_format=NotifyFormat.TEXT))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the libraries log and warn of to themselves."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # plugins still import modules that Python has deprecated
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)

"""Addresses and secrets."""

import pytest

from reconciler.model.access import PasswordLogin, Secret, is_loopback


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("https://localhost:8443/api", True),
        ("localhost:8443", True),
        ("127.0.0.1", True),
        ("https://[::1]:1/", True),
        ("https://cert-manager.com/api", False),
        ("localhost.example.com", False),
        ("https://localhost@evil.example/", False),
        ("akab-x.luna.akamaiapis.net", False),
        ("127.example.com", False),
    ],
)
def test_loopback_is_told_by_the_host(address: str, local: bool) -> None:
    assert is_loopback(address) is local


def test_a_secret_does_not_show() -> None:
    login = PasswordLogin(login="ada", password=Secret("hunter2"), customer_uri="acme")
    assert "hunter2" not in f"{login} {login!r} {login.password} {login.password!r}"
    assert login.password.reveal() == "hunter2"


def test_equal_secrets_are_equal() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1

"""What looks like a secret is refused, without being shown; what is public passes."""

import pytest

from reconciler.desired.secrets import looks_secret, secret_problems
from reconciler.desired.yamlfile import parse

# Made up, and put together here, so that no scanner of this repository takes them for real.
SECRETS = [
    "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIE",
    "akab-" + "c113ntt0k3n4qtar" + "-" + "cjxgzzwe3spxtsyi",
    "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2",
    "https://ada:" + "lovelace@notify.example.com/x",
    "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0" + ".abc",
    "C113nt53CR3TN6N90yVuAgICxIRwsObLi0E67/N8eRN=",
]


@pytest.mark.parametrize("value", SECRETS)
def test_the_forms_of_secrets_are_known(value: str) -> None:
    assert looks_secret(value)


@pytest.mark.parametrize(
    "value",
    [
        "www.example.com",
        "7BB647A62AEEAC88BF257AA522D01FFEA395E0AB45C73F93F65654EC38F25A06",
        "7bB647a62aEEac88bF257aa522d01ffea395e0AB",
        "7bb647a6-2aee-4c88-bf25-7aa522d01ffe",
        "SECTIGO_PASSWORD",
        "CSR_VS_CERTIFICATE_OU_FIELD_MISSING_IN_CERTIFICATE",
        "https://cert-manager.com/api",
        "+44 161 000 0000",
        "Example Ltd / Department of Web and Everything Else 2026",
    ],
)
def test_public_values_pass(value: str) -> None:
    assert not looks_secret(value)


@pytest.mark.parametrize("value", SECRETS)
def test_the_message_has_a_place_and_never_the_value(value: str) -> None:
    (problem,) = secret_problems(parse(f"labels:\n  note: {value!r}\n".encode(), "f.yaml"))
    assert str(problem).startswith("f.yaml:2:9: error: labels.note: This looks like a secret")
    assert value not in str(problem)


@pytest.mark.parametrize("key", ["password", "clientSecret", "accessToken", "api_key", "PASSWD", "privateKey"])
def test_a_field_for_a_secret_may_hold_the_name_of_a_variable_only(key: str) -> None:
    assert list(secret_problems(parse(f"a: {{{key}: SECTIGO_PASSWORD}}".encode(), "f.yaml"))) == []
    (problem,) = secret_problems(parse(f"a: {{{key}: hunter2}}".encode(), "f.yaml"))
    assert "hunter2" not in str(problem)
    assert problem.remedy

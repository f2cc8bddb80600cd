"""Logins, tokens, privileges and limits."""

import base64
from datetime import timedelta

import pytest

from reconciler.sandbox.clock import real_now
from reconciler.sandbox.scm.operations import OPERATIONS
from tests.support.csrs import make_csr
from tests.support.scm import Scm

ORGANIZATIONS = "/api/organization/v1"


def test_all_three_headers_log_in(scm: Scm) -> None:
    assert scm.get(ORGANIZATIONS).status == 200


@pytest.mark.parametrize(
    "change", [{"password": "wrong"}, {"customerUri": "other"}, {"login": "nobody"}, {"password": ""}]
)
def test_a_wrong_header_is_an_unknown_user(scm: Scm, change: dict[str, str]) -> None:
    answer = scm.get(ORGANIZATIONS, headers={**scm.login(), **change})
    assert answer.status == 401
    assert answer.json == {"code": -16, "description": "Unknown user"}
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"


@pytest.mark.parametrize("missing", ["login", "password", "customerUri"])
def test_a_missing_header_is_an_unknown_user(scm: Scm, missing: str) -> None:
    headers = {name: value for name, value in scm.login().items() if name != missing}
    assert scm.get(ORGANIZATIONS, headers=headers).refusal == (401, -16)


def _client_certificate(scm: Scm, name: str) -> bytes:
    credential = scm.authority.issue_loopback_client(name, real_now=real_now())
    return base64.b64decode("".join(credential.certificate_pem.splitlines()[1:-1]))


def test_a_client_certificate_logs_its_own_admin_in_under_private(scm: Scm) -> None:
    peer = _client_certificate(scm, "api-admin")
    headers = {"login": "api-admin", "customerUri": "acme"}
    assert scm.get("/private" + ORGANIZATIONS, headers=headers, peer=peer).status == 200
    assert scm.get("/private" + ORGANIZATIONS, headers={**headers, "login": "approver"}, peer=peer).status == 401
    assert scm.get("/private" + ORGANIZATIONS, headers={**headers, "customerUri": "x"}, peer=peer).status == 401


def test_a_password_does_not_stand_in_for_the_client_certificate(scm: Scm) -> None:
    assert scm.get("/private" + ORGANIZATIONS).refusal == (401, -16)


def test_a_client_certificate_is_no_login_outside_private(scm: Scm) -> None:
    peer = _client_certificate(scm, "api-admin")
    assert scm.get(ORGANIZATIONS, headers={"login": "api-admin", "customerUri": "acme"}, peer=peer).status == 401


def test_a_bearer_token_opens_the_admin_host_only(scm: Scm) -> None:
    bearer = {"Authorization": f"Bearer {scm.token()}"}
    assert scm.get(ORGANIZATIONS, headers=bearer, admin_host=True).status == 200
    refused = scm.get(ORGANIZATIONS, headers=bearer)
    assert refused.status == 401
    assert refused.body == b""


def test_header_logins_are_refused_on_the_admin_host(scm: Scm) -> None:
    answer = scm.get(ORGANIZATIONS, headers=scm.login(), admin_host=True)
    assert answer.status == 401
    url = "https://cert-manager.test/auth/realms/apiclients/protocol/openid-connect/token"
    assert url in answer.headers["www-authenticate"]


def test_either_login_works_anywhere_if_the_option_says_so(scm: Scm) -> None:
    scm.options.logins = "anywhere"
    assert scm.get(ORGANIZATIONS, headers=scm.login(), admin_host=True).status == 200
    assert scm.get(ORGANIZATIONS, headers={"Authorization": f"Bearer {scm.token()}"}).status == 200


def test_of_two_logins_the_bearer_counts_unless_the_option_says_otherwise(scm: Scm) -> None:
    both = {**scm.login(), "Authorization": "Bearer nonsense"}
    assert scm.get(ORGANIZATIONS, headers=both).status == 401
    scm.options.both_logins = "headers"
    assert scm.get(ORGANIZATIONS, headers=both).status == 200


def test_the_token_endpoint_answers_as_keycloak_does(scm: Scm) -> None:
    client = next(iter(scm.state.oauth_clients.values()))
    answer = scm.ask_token(
        grant_type="client_credentials", client_id=client.client_id, client_secret=client.client_secret
    )
    assert answer.status == 200
    assert answer.json["expires_in"] == 300
    assert answer.json["token_type"] == "Bearer"
    assert scm.gate.calls["oauth.token"] == 1


def test_a_client_may_name_itself_in_a_basic_header(scm: Scm) -> None:
    client = next(iter(scm.state.oauth_clients.values()))
    basic = base64.b64encode(f"{client.client_id}:{client.client_secret}".encode()).decode()
    assert scm.ask_token(headers={"Authorization": f"Basic {basic}"}, grant_type="client_credentials").status == 200
    assert scm.ask_token(headers={"Authorization": "Basic !"}, grant_type="client_credentials").status == 401


def test_a_wrong_secret_is_an_invalid_client(scm: Scm) -> None:
    client = next(iter(scm.state.oauth_clients))
    answer = scm.ask_token(grant_type="client_credentials", client_id=client, client_secret="wrong")
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")


def test_another_grant_is_refused(scm: Scm) -> None:
    answer = scm.ask_token(grant_type="password", client_id="x", client_secret="y")
    assert (answer.status, answer.json["error"]) == (400, "unsupported_grant_type")


def test_a_token_ends_in_real_time_and_is_forgotten_then(scm: Scm) -> None:
    token = scm.token()
    scm.advance(days=2)
    assert scm.get(ORGANIZATIONS, headers={"Authorization": f"Bearer {token}"}, admin_host=True).status == 200
    scm.state.tokens[token].expires_at = real_now() - timedelta(seconds=1)
    assert scm.get(ORGANIZATIONS, headers={"Authorization": f"Bearer {token}"}, admin_host=True).status == 401
    scm.token()
    assert token not in scm.state.tokens


def test_the_lifetime_of_tokens_is_an_option(scm: Scm) -> None:
    scm.options.token_lifetime_s = -1
    bearer = {"Authorization": f"Bearer {scm.token()}"}
    assert scm.get(ORGANIZATIONS, headers=bearer, admin_host=True).status == 401


def test_a_token_of_a_removed_client_is_worthless(scm: Scm) -> None:
    bearer = {"Authorization": f"Bearer {scm.token()}"}
    scm.state.oauth_clients.clear()
    assert scm.get(ORGANIZATIONS, headers=bearer, admin_host=True).status == 401


WRITES = [
    ("POST", "/api/ssl/v1/enroll"),
    ("PUT", "/api/ssl/v1"),
    ("DELETE", "/api/ssl/v1/1"),
    ("POST", "/api/ssl/v1/approve/1"),
    ("POST", "/api/ssl/v1/decline/1"),
    ("POST", "/api/ssl/v1/renewById/1"),
    ("POST", "/api/ssl/v1/renew/abc"),
    ("POST", "/api/ssl/v1/renew/manual/1"),
    ("POST", "/api/ssl/v1/replace/1"),
    ("POST", "/api/ssl/v1/revoke/1"),
    ("POST", "/api/ssl/v1/revoke/serial/AB"),
    ("POST", "/api/ssl/v1/revoke/manual"),
    ("POST", "/api/ssl/v1/1/location"),
    ("PUT", "/api/ssl/v1/1/location/2"),
    ("DELETE", "/api/ssl/v1/1/location/2"),
    ("POST", "/api/ssl/v1/1/dcv/recheck"),
    ("POST", "/api/ssl/v1/import"),
    ("POST", "/api/ssl/v2/import"),
    ("POST", "/api/domain/v1"),
    ("DELETE", "/api/domain/v1/409"),
    ("PUT", "/api/domain/v1/409/activate"),
    ("PUT", "/api/domain/v1/409/suspend"),
    ("POST", "/api/domain/v1/delegation"),
    ("POST", "/api/domain/v1/409/delegation"),
    ("DELETE", "/api/domain/v1/409/delegation"),
    ("POST", "/api/domain/v1/409/delegation/approve"),
    ("POST", "/api/domain/v1/409/delegation/reject"),
    ("POST", "/api/dcv/v1/validation/start/domain/cname"),
    ("POST", "/api/dcv/v2/validation/start/domain/email"),
    ("POST", "/api/dcv/v2/validation/submit/domain/cname"),
    ("POST", "/api/dcv/v2/validation/submit/domain/txt"),
    ("POST", "/api/dcv/v2/validation/submit/domain/email"),
    ("POST", "/api/dcv/v2/validation/sync"),
    ("POST", "/api/dcv/v2/validation/clear"),
    ("POST", "/api/dcv/v2/validation/delete"),
]


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_an_admin_without_privileges_may_not_write(scm: Scm, method: str, path: str) -> None:
    assert scm.call(method, path, {}, login="api-reader").refusal == (400, -3)


def test_every_operation_that_writes_needs_a_privilege_but_ones_own_password(scm: Scm) -> None:
    for method, path in WRITES:
        scm.call(method, path, {}, login="api-reader")
    reads = {"report", "activity_report", "domains_report", "get_dcv_status"}
    posts = {name for name, method, _, _ in OPERATIONS if method not in ("GET", "HEAD")}
    tried = {key.removeprefix("scm.") for key in scm.gate.mutating_calls}
    assert tried == posts - reads - {"change_password"}


def test_the_refusal_of_dcv_has_the_text_met_in_the_field(scm: Scm) -> None:
    answer = scm.post("/api/dcv/v2/validation/sync", {"domain": "example.com"}, login="api-reader")
    assert answer.json["description"] == "You are not authorized to perform DCV validation."


@pytest.mark.parametrize("path", ["/api/report/v1/ssl-certificates", "/api/dcv/v2/validation/status"])
def test_posts_that_read_are_open_to_readers_and_do_not_count_as_writes(scm: Scm, path: str) -> None:
    assert scm.post(path, {"domain": "example.com"}, login="api-reader").status == 200
    assert scm.gate.mutating_calls.total() == 0


def test_calls_above_the_limit_are_told_when_to_come_back(scm: Scm) -> None:
    scm.options.scm_calls_per_minute = 2
    assert [scm.get(ORGANIZATIONS).status for _ in range(3)] == [200, 200, 429]
    wait_s = int(scm.get(ORGANIZATIONS).headers["retry-after"])
    assert 58 <= wait_s <= 61
    scm.advance(seconds=wait_s)
    assert scm.get(ORGANIZATIONS).status == 200


def test_an_account_can_lock_after_wrong_passwords(scm: Scm) -> None:
    scm.options.lock_out_after = 2
    wrong = {**scm.login(), "password": "wrong"}
    assert [scm.get(ORGANIZATIONS, headers=wrong).status for _ in range(2)] == [401, 401]
    assert scm.get(ORGANIZATIONS).refusal == (401, -16)


def test_a_right_password_forgets_earlier_wrong_ones(scm: Scm) -> None:
    scm.options.lock_out_after = 2
    for _ in range(3):
        assert scm.get(ORGANIZATIONS, headers={**scm.login(), "password": "wrong"}).status == 401
        assert scm.get(ORGANIZATIONS).status == 200


def test_the_password_state_follows_the_clock(scm: Scm) -> None:
    assert scm.get("/api/admin/v1/password").json == {"state": "NEVER_EXPIRE"}
    scm.portal.expire_password("api-admin", at=scm.clock.now() + timedelta(days=3))
    assert scm.get("/api/admin/v1/password").json == {"expirationDate": "2026-11-19", "state": "ALIVE"}
    scm.advance(days=3)
    assert scm.get("/api/admin/v1/password").refusal == (401, -16)


def test_a_client_certificate_sees_that_the_password_has_expired(scm: Scm) -> None:
    scm.portal.expire_password("api-admin", at=scm.clock.now())
    headers = {"login": "api-admin", "customerUri": "acme"}
    peer = _client_certificate(scm, "api-admin")
    assert scm.get("/private/api/admin/v1/password", headers=headers, peer=peer).json["state"] == "EXPIRED"


def test_a_new_password_replaces_the_old_one(scm: Scm) -> None:
    scm.portal.expire_password("api-admin", at=scm.clock.now() + timedelta(days=1))
    old = scm.login()
    answer = scm.post("/api/admin/v1/changepassword", {"newPassword": "correct horse 1"})
    assert (answer.status, answer.body) == (204, b"")
    assert scm.get(ORGANIZATIONS, headers=old).status == 401
    assert scm.get(ORGANIZATIONS).status == 200
    assert scm.get("/api/admin/v1/password").json["expirationDate"] == "2027-02-14"


@pytest.mark.parametrize(
    ("password", "code"), [("short", -976), ("x" * 33, -976), ("my-API-ADMIN-pw", -982), (None, -1001)]
)
def test_a_bad_new_password_is_refused(scm: Scm, password: str | None, code: int) -> None:
    assert scm.post("/api/admin/v1/changepassword", {"newPassword": password}).refusal == (400, code)


def test_the_same_password_again_is_refused(scm: Scm) -> None:
    body = {"newPassword": scm.state.admins["api-admin"].password}
    assert scm.post("/api/admin/v1/changepassword", body).refusal == (400, -220)


def test_a_token_alone_does_not_change_the_password(scm: Scm) -> None:
    bearer = {"Authorization": f"Bearer {scm.token()}"}
    body = {"newPassword": "correct horse 1"}
    answer = scm.post("/api/admin/v1/changepassword", body, headers=bearer, admin_host=True)
    assert answer.refusal == (400, -213)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/ssl/v1/enroll-keygen"),
        ("POST", "/api/ssl/v1/keystore/1/p12"),
        ("GET", "/api/ssl/v3"),
        ("DELETE", "/api/organization/v1/1101"),
        ("GET", "/elsewhere"),
    ],
)
def test_what_the_sandbox_does_not_know_is_a_loud_501(scm: Scm, method: str, path: str) -> None:
    answer = scm.call(method, path)
    assert answer.status == 501
    assert path in answer.json["description"]


def test_an_admin_of_one_organization_sees_only_its_orders(scm: Scm) -> None:
    ssl_id = scm.enroll(orgId=1201, csr=make_csr("a.example.com"))
    scm.state.admins["api-reader"].organizations = [1101]
    for choice, refusal in (("as_unknown", (404, -5101)), ("-3", (400, -3)), ("-37", (400, -37))):
        scm.options.foreign_id = choice  # type: ignore[assignment]
        assert scm.get(f"/api/ssl/v1/{ssl_id}", login="api-reader").refusal == refusal
    assert scm.get("/api/ssl/v1", login="api-reader").json == []
    assert [row["id"] for row in scm.get(ORGANIZATIONS, login="api-reader").json] == [1101]

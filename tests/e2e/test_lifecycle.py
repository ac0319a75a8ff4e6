"""A token's life: renewed, logged out, ended by a new password; which passwords there may be."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
from passlib.hash import pbkdf2_sha256
from support.client import bearer
from support.ledger import Account
from support.stack import seconds
from support.wait import until

DIES_WITHIN = 2  # seconds, of a revoked token
WITH_TOKEN = [("POST", "/v1/token/renew"), ("DELETE", "/v1/token"), ("PUT", "/v1/user/password")]


@pytest.fixture
def session_max(stack):
    return seconds(stack.setting("security", "SESSION_MAX", "12h"))


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


def renew(client, headers, **options):
    return client.post("/v1/token/renew", headers=headers, **options)


def new_password(ledger):
    password = f"pass {secrets.token_hex(8)}"
    ledger.passwords.add(password)
    return password


def change(client, account, password, old=None):
    return client.put("/v1/user/password", headers=account.headers,
                      json={"password": old or account.password, "new_password": password})


def check_dies(client, headers, path):
    """Assert that a token is refused soon, at the gateway and where the database is asked."""
    until(lambda: client.get(path, headers=headers).status_code == 401, DIES_WITHIN, "it dies")
    for method, other in [("GET", "/v1/user"), ("POST", "/v1/upload"), *WITH_TOKEN]:
        assert client.request(method, other, headers=headers).status_code == 401


# -- what all three have in common


@pytest.mark.parametrize("method, path", WITH_TOKEN)
def test_a_token_is_needed(client, method, path):
    answer = client.request(method, path)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="imagegate"'
    answer = client.request(method, path, headers=bearer("a.b.c"))
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("method, path", WITH_TOKEN)
def test_of_an_unknown_account(client, mint, method, path):
    headers = bearer(mint.token("0" * 16))
    json = {"password": "long enough", "new_password": "long enough"}
    assert client.request(method, path, headers=headers, json=json).status_code == 401


# -- renewal


def test_renew(client, account):
    before = claims(account.token)
    answer = renew(client, account.headers)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    document = answer.json()
    assert set(document) == {"access_token", "token_type", "expires_in"}
    after = claims(document["access_token"])
    for name in ("iss", "aud", "sub", "gen", "auth_time"):
        assert after[name] == before[name]
    assert after["jti"] != before["jti"]
    assert after["iat"] >= before["iat"]
    assert after["exp"] - after["iat"] == document["expires_in"]
    for token in (account.token, document["access_token"]):
        assert client.get("/v1/user", headers=bearer(token)).status_code == 200


def test_renew_as_text(client, account):
    answer = renew(client, account.headers | {"Accept": "text/plain"})
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert client.get("/v1/user", headers=bearer(answer.text)).status_code == 200


def test_renewing_keeps_the_time_of_the_login(client, mint, account):
    login = int(time.time()) - 1000
    answer = renew(client, bearer(mint.token(account.id, auth_time=login)))
    assert claims(answer.json()["access_token"])["auth_time"] == login


def test_a_session_ends(client, mint, account, session_max):
    """However often it was renewed, after SESSION_MAX the password is needed again."""
    now = int(time.time())
    ended = bearer(mint.token(account.id, auth_time=now - session_max))
    assert client.get("/v1/user", headers=ended).status_code == 200
    answer = renew(client, ended)
    assert answer.status_code == 401
    assert "log in again" in answer.json()["detail"]

    ends_soon = bearer(mint.token(account.id, auth_time=now - session_max + 100))
    document = renew(client, ends_soon).json()
    assert 0 < document["expires_in"] <= 100, "no token outlives its session"


def test_renewing_costs_no_login(stack, client, account):
    """It is no way to record a login."""
    last = f"select last_login_at from admin.accounts where id = '{account.id}'"
    before = stack.psql(last)
    assert renew(client, account.headers).status_code == 200
    assert stack.psql(last) == before


# -- logout


def test_logout_is_everywhere(client, ledger, account, stored):
    name, image = stored
    path = f"/v1/user/{name}"
    first = account.headers
    renewed = bearer(renew(client, first).json()["access_token"])
    ledger.login(account)
    tokens = [first, renewed, account.headers]
    for headers in tokens:
        assert client.get(path, headers=headers).content == image.data
    answer = client.delete("/v1/token", headers=renewed)
    assert answer.status_code == 204
    assert not answer.content
    for headers in tokens:
        check_dies(client, headers, path)
    ledger.login(account)
    assert client.get(path, headers=account.headers).content == image.data


def test_a_late_logout_harms_no_new_login(client, ledger, account):
    """The same request twice, as a client sends it that lost the answer."""
    old = account.headers
    assert client.delete("/v1/token", headers=old).status_code == 204
    ledger.login(account)
    assert client.delete("/v1/token", headers=old).status_code == 401
    assert client.get("/v1/user", headers=account.headers).status_code == 200


# -- change of password


@pytest.mark.parametrize("document, word", [
    ({}, "password"), ({"password": "long enough"}, "new_password"),
    ({"new_password": "long enough"}, "password"),
    ({"password": "long enough", "new_password": 12345678}, "new_password"),
    ({"password": "long enough", "new_password": "short"}, "at least"),
    ({"password": "long enough", "new_password": "x" * 1025}, "at most"),
    ({"password": "long enough", "new_password": "Password1"}, "commonest"),
])
def test_change_against_the_rules(client, member, document, word):
    answer = client.put("/v1/user/password", headers=member.headers, json=document)
    assert answer.status_code == 400
    assert word in answer.json()["detail"]


@pytest.mark.parametrize("body, media_type, status", [
    (b"[]", "application/json", 400), (b"", "application/json", 400),
    (b'{"password":"a","new_password":"long enough"}', "text/plain", 415),
    (b"x" * 8193, "application/json", 413)])
def test_change_by_no_json(client, member, body, media_type, status):
    headers = member.headers | {"Content-Type": media_type}
    assert client.put("/v1/user/password", headers=headers, data=body).status_code == status


def test_change_needs_the_old_password(client, ledger, account):
    answer = change(client, account, new_password(ledger), old="not the password")
    assert answer.status_code == 403
    assert client.get("/v1/user", headers=account.headers).status_code == 200
    assert ledger.try_login(account).status_code == 200


def test_change(client, ledger, account, stored):
    name, image = stored
    path = f"/v1/user/{name}"
    before = Account(account.login, account.password, token=account.token)
    assert client.get(path, headers=account.headers).content == image.data
    account.password = new_password(ledger)
    answer = change(client, account, account.password, old=before.password)
    assert answer.status_code == 204
    assert not answer.content
    check_dies(client, before.headers, path)
    assert ledger.try_login(before).status_code == 401
    ledger.login(account)
    assert client.get(path, headers=account.headers).content == image.data


def test_two_changes_at_the_same_time(client, ledger, account):
    """One wins; the account has its password and no other."""
    wanted = [new_password(ledger) for _ in range(4)]
    with ThreadPoolExecutor(len(wanted)) as pool:
        answers = list(pool.map(lambda password: change(client, account, password), wanted))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(204) == 1
    assert set(statuses) <= {204, 401, 503}
    account.password = wanted[statuses.index(204)]
    ledger.login(account)
    for password in wanted:
        if password != account.password:
            assert ledger.try_login(Account(account.login, password)).status_code == 401


# -- users of the older services


def stored_hash(stack, login):
    return stack.psql(f"select password_hash from imagegate.accounts where login = '{login}'",
                      role="postgres")[0][0]


@pytest.mark.parametrize("password", ["an older password", "pässwörd – 密码", "x" * 300])
def test_an_older_hash_opens_the_account_and_is_renewed(stack, ledger, password):
    """Made by passlib as the older services did; what replaces it passlib can read in turn."""
    account = Account(f"older.{secrets.token_hex(4)}", password)
    older = pbkdf2_sha256.using(rounds=29000).hash(password)
    stack.psql(f"select admin.account_create($sql${account.login}$sql$, $sql${older}$sql$)")
    assert ledger.try_login(Account(account.login, password + "x")).status_code == 401
    assert stored_hash(stack, account.login) == older
    ledger.login(account)
    renewed = stored_hash(stack, account.login)
    rounds = int(stack.setting("security", "PBKDF2_ROUNDS", "600000"))
    assert renewed.startswith(f"$pbkdf2-sha256${rounds}$")
    assert pbkdf2_sha256.verify(password, renewed)
    ledger.login(account)
    assert stored_hash(stack, account.login) == renewed


def test_an_older_hash_and_a_change_of_password(stack, client, ledger, mint):
    """Even before the first login renews it; afterwards passlib agrees."""
    account = Account(f"older.{secrets.token_hex(4)}", new_password(ledger))
    older = pbkdf2_sha256.using(rounds=29000).hash(account.password)
    (account.id,), = stack.psql(f"select admin.account_create('{account.login}', $sql${older}$sql$)")
    account.token = mint.token(account.id)
    password = new_password(ledger)
    assert change(client, account, password).status_code == 204
    assert pbkdf2_sha256.verify(password, stored_hash(stack, account.login))

"""What an operator does by hand: psql in the database's container, and hash-password."""

import secrets

import pytest
from support.client import bearer
from support.ledger import Account
from support.wait import until

DIES_WITHIN = 2  # seconds, of a revoked token


@pytest.fixture
def hash_password(stack, ledger):
    """A function that hashes a password as operators do."""

    def make(password):
        ledger.passwords.add(password)
        return stack.exec("security", "hash-password", stdin=f"{password}\n").stdout.strip()

    return make


def call(stack, function, *arguments, check=True):
    """Call a function of schema admin with text arguments, quoted by dollars."""
    quoted = ", ".join(f"$sql${argument}$sql$" for argument in arguments)
    return stack.psql(f"select admin.{function}({quoted})", check=check)


def listed(stack, login):
    rows = stack.psql("select id, login, created_at, last_login_at, disabled from admin.accounts "
                      f"where login = '{login}'")
    return rows[0] if rows else None


def check_dies(client, account, path):
    """Assert that the account's token is refused soon after a revocation, on every way in."""
    until(lambda: client.get(path, headers=account.headers).status_code == 401, DIES_WITHIN,
          "the token dies")
    assert client.get("/v1/user", headers=account.headers).status_code == 401
    assert client.post("/v1/upload", headers=account.headers, data=b"x").status_code == 401


@pytest.mark.parametrize("function", ["account_disable", "account_enable", "account_revoke",
                                      "account_delete"])
def test_unknown_login(stack, function):
    assert not call(stack, function, "nobody.of.this.name", check=False)


def test_hash_password_refuses_a_short_one(stack):
    done = stack.exec("security", "hash-password", stdin="short\n", check=False)
    assert done.returncode == 1
    assert not done.stdout and "short" not in done.stderr.replace("shorter", "")


def test_create(stack, client, ledger, hash_password):
    account = Account(f"made.{secrets.token_hex(4)}", f"pass {secrets.token_hex(8)}")
    (account.id,), = call(stack, "account_create", account.login, hash_password(account.password))
    ledger.login(account)
    user = client.get("/v1/user", headers=account.headers).json()
    assert (user["login"], user["id"]) == (account.login, account.id)
    taken = call(stack, "account_create", account.login.upper(), hash_password("another one"),
                 check=False)
    assert not taken


def test_list(stack, account):
    identity, login, created, last_login, disabled = listed(stack, account.login)
    assert (identity, login, disabled) == (account.id, account.login, "f")
    assert created and last_login


def test_disable_and_enable(stack, client, ledger, account, stored):
    name, image = stored
    path = f"/v1/user/{name}"
    assert client.get(path, headers=account.headers).content == image.data
    account.may_log_in = False
    call(stack, "account_disable", account.login)
    check_dies(client, account, path)
    assert listed(stack, account.login)[4] == "t"
    refused = ledger.try_login(account)
    unknown = client.post("/v1/token", json={"login": "nobody.x", "password": "not the password"})
    assert refused.status_code == 401
    assert refused.json()["detail"] == unknown.json()["detail"]

    call(stack, "account_enable", account.login)
    old = account.headers
    ledger.login(account)
    account.may_log_in = True
    assert client.get(path, headers=account.headers).content == image.data
    assert client.get(path, headers=old).status_code == 401, "old tokens stay dead"


def test_set_password(stack, client, ledger, account, stored, hash_password):
    name, image = stored
    path = f"/v1/user/{name}"
    before = Account(account.login, account.password)
    assert client.get(path, headers=account.headers).content == image.data
    account.password = f"pass {secrets.token_hex(8)}"
    call(stack, "account_set_password", account.login, hash_password(account.password))
    check_dies(client, account, path)
    assert ledger.try_login(before).status_code == 401
    ledger.login(account)
    assert client.get(path, headers=account.headers).content == image.data


def test_a_hash_of_fewer_rounds_is_renewed(stack, ledger):
    """As of the older services: it opens the account, and is replaced by a stronger one."""
    older = ("$pbkdf2-sha256$29000$AAECAwQFBgcICQoLDA0ODw$"
             "UjBiVZ4GS2GLCutBTVSJ2BTERlFVTk8Q7SbubxW4nu4")  # made by passlib
    account = Account(f"older.{secrets.token_hex(4)}", "qwe123")
    call(stack, "account_create", account.login, older)
    assert ledger.try_login(account).status_code == 200
    ledger.passwords.discard(account.password)  # too short to look for in logs
    (stored,), = stack.psql("select password_hash from imagegate.accounts "
                            f"where login = '{account.login}'", role="postgres")
    assert int(stored.split("$")[2]) > 29000
    assert ledger.try_login(account).status_code == 200
    ledger.passwords.discard(account.password)


def test_a_forged_older_generation(stack, client, account, mint):
    """A token that was never issued, but says it is of a generation before the disabling."""
    account.may_log_in = False
    call(stack, "account_disable", account.login)
    until(lambda: client.get("/v1/user", headers=bearer(mint.token(account.id))).status_code == 401,
          DIES_WITHIN, "generation 0 is dead")


def test_the_last_of_equal_settings_counts(stack, monkeypatch, tmp_path):
    """For scripts as for Compose: who pastes a line of the README once more has it twice."""
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "env"))
    (tmp_path / "env").write_text("COMPOSE_FILE=first.yml\nCOMPOSE_FILE=last.yml\n")
    assert stack.script("setting", "COMPOSE_FILE").stdout == "last.yml\n"
    assert stack.script("setting", "NO_SUCH_SETTING", "default").stdout == "default\n"

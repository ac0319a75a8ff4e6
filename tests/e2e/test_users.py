"""What operators do by `make user-…`: scripts/user, with passwords on the standard input."""

import secrets
import time

import pytest
from support.ledger import Account
from support.wait import until

DIES_WITHIN = 2  # seconds, of a revoked token


@pytest.fixture
def newcomer(ledger):
    """Nobody yet."""
    account = Account(f"op.{secrets.token_hex(6)}", f"pass {secrets.token_hex(8)}")
    ledger.passwords.add(account.password)
    return account


@pytest.fixture
def user(stack):
    """A function that runs scripts/user and tells what it said."""

    def run(action, login, password=None, fails=False):
        done = stack.script("user", action, login, stdin="" if password is None else f"{password}\n")
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        assert not password or password not in done.stdout + done.stderr
        return done.stderr if fails else done.stdout

    return run


def check_dies(client, account):
    start = time.monotonic()
    until(lambda: client.post("/v1/upload", headers=account.headers, data=b"x").status_code == 401,
          DIES_WITHIN, "the token dies")
    assert time.monotonic() - start < DIES_WITHIN


@pytest.mark.parametrize("login", ["", "a'b", "a b", "$(id)", "a\nb", "`id`", "a\\b", "ä"])
@pytest.mark.parametrize("action", ["add", "disable", "delete"])
def test_no_login(user, action, login):
    assert user(action, login, fails=True).startswith("user: ")


@pytest.mark.parametrize("action", ["disable", "enable", "revoke"])
def test_nobody(user, action):
    assert 'no account "nobody.of.this.name"' in user(action, "nobody.of.this.name", fails=True)


def test_no_such_action(user):
    assert "what is to be done" in user("promote", "somebody", fails=True)


@pytest.mark.parametrize("password, why", [("shorty", "shorter"), ("Password1", "commonest"),
                                           ("", "no password|shorter")])
def test_bad_password(user, newcomer, password, why):
    said = user("add", newcomer.login, password, fails=True)
    assert any(word in said for word in why.split("|"))
    assert newcomer.login not in user("list", newcomer.login)


def test_life(user, client, ledger, newcomer):
    """Made, listed, closed, opened, given another password, logged out, removed."""
    assert newcomer.login in user("add", newcomer.login, newcomer.password)
    assert "is taken" in user("add", newcomer.login.upper(), "another password", fails=True)
    ledger.login(newcomer)
    assert newcomer.login in user("list", newcomer.login[3:].upper())
    assert newcomer.login not in user("list", "nothing.like.it")

    user("disable", newcomer.login)
    check_dies(client, newcomer)
    assert ledger.try_login(newcomer).status_code == 401
    user("enable", newcomer.login)
    ledger.login(newcomer)

    old = Account(newcomer.login, newcomer.password)
    newcomer.password = f"pass {secrets.token_hex(8)}"
    user("password", newcomer.login, newcomer.password)
    check_dies(client, newcomer)
    assert ledger.try_login(old).status_code == 401
    ledger.login(newcomer)

    user("revoke", newcomer.login)
    check_dies(client, newcomer)
    ledger.login(newcomer)

    user("delete", newcomer.login)
    check_dies(client, newcomer)
    assert ledger.try_login(newcomer).status_code == 401
    assert newcomer.login not in user("list", newcomer.login)


def test_delete_says_what_and_can_be_repeated(user, account):
    said = user("delete", account.login)
    assert account.login in said and account.id in said
    assert "nothing was removed" in user("delete", account.login)


def test_delete_what_was_disabled(user, account):
    """As a run that was cut leaves it."""
    account.may_log_in = False
    user("disable", account.login)
    assert account.id in user("delete", account.login)

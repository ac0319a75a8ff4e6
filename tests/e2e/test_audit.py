"""The audit: what operators can read afterwards of what happened to an account."""

import contextlib
import secrets

import pytest
from support.ledger import Account
from support.wait import until

LOGIN_FAILED = "imagegate.audit_login_failed(text, inet)"
FROM = "imagegate.audit_from(inet)"


def audited(stack, login):
    """The rows about a login, oldest first: action, account, address, actor."""
    rows = stack.psql("select action, account, host(address), actor from audit "
                      f"where lower(login) = lower('{login}')")
    return [tuple(row) for row in reversed(rows)]


@pytest.fixture
def forbidden(stack):
    """A context manager in which the pool may not call a function."""

    @contextlib.contextmanager
    def forbid(function):
        stack.psql(f"revoke execute on function {function} from accounts", role="postgres")
        try:
            yield
        finally:
            stack.psql(f"grant execute on function {function} to accounts", role="postgres")

    return forbid


def test_a_failure_to_write_is_logged(stack, ledger, account, forbidden):
    wrong = Account(account.login, f"not {secrets.token_hex(8)}")
    with forbidden(LOGIN_FAILED):
        assert ledger.try_login(wrong).status_code == 401
    with forbidden(FROM):
        assert ledger.try_login(account).status_code == 200
    for words in ("audit: a failed login was not recorded", "audit: a login was not recorded"):
        until(lambda words=words: words in stack.logs("security"), 5, f"the log says {words}")
    assert [row[0] for row in audited(stack, account.login)] == ["created", "login"]


def test_no_account_without_its_record(stack, ledger, forbidden):
    newcomer = Account(f"audit.{secrets.token_hex(6)}", f"pass {secrets.token_hex(8)}")
    with forbidden(FROM):
        assert ledger.try_register(newcomer).status_code == 503
    assert audited(stack, newcomer.login) == []
    assert not stack.psql(f"select id from accounts where login = '{newcomer.login}'")


def test_an_account_from_first_to_last(stack, ledger):
    account = ledger.register()
    wrong = Account(account.login.upper(), f"not {secrets.token_hex(8)}")
    assert ledger.try_login(wrong).status_code == 401
    account.may_log_in = False
    stack.psql(f"select account_disable('{account.login}')")
    assert ledger.try_login(account).status_code == 401
    rows = audited(stack, account.login)
    assert [row[0] for row in rows] == ["created", "login", "login failed", "disabled",
                                        "tokens revoked", "login failed"]
    assert {row[1] for row in rows} == {account.id}
    for action, _, address, actor in rows:
        by_the_pool = action in ("created", "login", "login failed")
        assert actor == ("accounts" if by_the_pool else "admin")
        assert bool(address) == by_the_pool


def test_nobody(stack, ledger):
    nobody = Account(f"nobody.{secrets.token_hex(6)}", f"pass {secrets.token_hex(8)}")
    assert ledger.try_login(nobody).status_code == 401
    (action, account, address, actor), = audited(stack, nobody.login)
    assert (action, account, actor) == ("login failed", "", "accounts") and address


def test_no_secret_is_in_it(stack, ledger):
    everything = stack.psql("select * from imagegate.audit", role="postgres")
    text = "\n".join("\t".join(row) for row in everything)
    assert "login failed" in text and "$pbkdf2" not in text and "eyJ" not in text
    for secret in ledger.passwords | stack.secrets:
        assert secret not in text

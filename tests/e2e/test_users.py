"""What operators do by `make user-…`: scripts/user, with passwords on the standard input."""

import secrets

import pytest
from support import s3
from support.client import Wire, head
from support.images import Images
from support.ledger import Account
from support.stack import seconds, size
from support.wait import until

DIES_WITHIN = 2  # seconds, of a revoked token
PAGE = 100  # images that are removed at once


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


@pytest.fixture
def long_ago(stack):
    """A function that puts what was done to an account back in time: a day, or so many seconds."""

    def put_back(account, by=86400):
        stack.psql(f"update imagegate.audit set at = at - interval '{by} seconds' "
                   f"where login = '{account.login}'", role="postgres")

    return put_back


@pytest.fixture
def closed(user, account, long_ago):
    """An account that was disabled a day ago, so that no upload of it can be under way."""
    account.may_log_in = False
    user("disable", account.login)
    long_ago(account)
    return account


@pytest.fixture
def longest(stack):
    """How long after its token's last second an upload may become an image, as the README has it."""
    limits = {name: stack.setting("uploader", name, "")
              for name in ("UPLOAD_TIMEOUT", "STORE_TIMEOUT", "MAX_UPLOAD")}
    return (seconds(limits["UPLOAD_TIMEOUT"]) + seconds(limits["STORE_TIMEOUT"])
            + (size(limits["MAX_UPLOAD"]) >> 20))


def check_dies(client, account):
    until(lambda: client.post("/v1/upload", headers=account.headers, data=b"x").status_code == 401,
          DIES_WITHIN, "the token dies")


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


def test_life(user, client, ledger, newcomer, long_ago):
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

    user("disable", newcomer.login)
    check_dies(client, newcomer)
    long_ago(newcomer)
    user("delete", newcomer.login)
    assert ledger.try_login(newcomer).status_code == 401
    assert newcomer.login not in user("list", newcomer.login)


# -- deleting

@pytest.mark.parametrize("ident", ["", "x", "0123456789ABCDEF", "0123456789abcdef/", "../0123456789abc"])
def test_images_of_nobody(stack, ident):
    done = stack.exec("uploader-gallery", "images-rm", ident, check=False)
    assert done.returncode == 64
    assert "no id of an account" in done.stderr


def test_delete_says_what_and_can_be_repeated(user, closed):
    said = user("delete", closed.login)
    assert closed.login in said and closed.id in said and "removed: 0" in said
    assert "nothing was removed" in user("delete", closed.login)


def test_delete_removes_the_images(user, stack, client, ledger, member, account, stored, long_ago):
    """More than a page of them, some in the gateway's cache; and nobody else's."""
    other, image = stored
    names = [ledger.upload(account, Images.noise()) for _ in range(PAGE + 3)]
    hot = [f"/v1/user/{name}" for name in (names[0], names[-1])]
    for path in hot:
        assert client.get(path, headers=member.headers).status_code == 200
    account.may_log_in = False
    user("disable", account.login)
    long_ago(account)
    said = user("delete", account.login)
    for name in names:
        ledger.images.pop(name)
    assert f"removed: {len(names)}\n" in said and "removed: 0\n" in said
    assert not [key for key in s3.objects(ledger.store) if key.startswith(f"{account.id}/")]
    for path in hot:
        assert client.get(path, headers=member.headers).status_code == 404
    assert client.get(f"/v1/user/{other}", headers=member.headers).content == image.data
    assert account.login not in user("list", account.login)
    until(lambda: f"{PAGE} images of account {account.id}" in stack.logs("uploader-gallery"), 5, "the log tells")


def test_delete_while_an_upload_is_under_way(user, stack, ledger, account, long_ago):
    """It was let on before, so it becomes an image when the others are gone already; no run leaves it, cut or not."""
    account.may_log_in = False
    first, late = Images.noise(), Images.noise(30, 30)
    name = ledger.upload(account, first)
    with Wire(stack.base_url) as wire:
        wire.send(head("POST", "/v1/upload", *account.headers.items(), ("Content-Length", len(late.data)),
                       ("Expect", "100-continue")))
        wire.receive(b" 100 Continue\r\n\r\n")  # the token was checked
        stack.psql(f"select account_disable('{account.login}')")
        assert "removed: 1\n" in stack.exec("uploader-gallery", "images-rm", account.id).stdout
        assert ledger.absent(first.data)
        ledger.images.pop(name)
        ledger.sent(late.data)
        wire.send(late.data)
        answer = wire.answer("POST")
    assert answer.status == 201 and not ledger.absent(late.data)
    with stack.script_until("s to wait", "user", "delete", account.login):
        pass  # cut
    assert ledger.absent(late.data)
    assert account.login in user("list", account.login)
    long_ago(account)
    user("delete", account.login)
    assert account.login not in user("list", account.login)


def test_delete_waits_for_uploads(user, stack, account, long_ago, longest):
    """As long as one may take, from when the account was disabled."""
    account.may_log_in = False
    user("disable", account.login)
    long_ago(account, longest - 5)
    user("delete", account.login)
    (between,), = stack.psql(f"""select extract(epoch from max(at) filter (where action = 'deleted')
        - max(at) filter (where action = 'disabled')) from audit where account = '{account.id}'""")
    assert float(between) >= longest


def test_enabled_meanwhile(user, stack, ledger, account):
    """Somebody has thought better of it: the account stays."""
    with stack.script_until("is disabled", "user", "delete", account.login) as running:
        stack.psql(f"select account_enable('{account.login}')")
        assert "enabled" in running.stdout.read()
        assert running.wait() == 1
    ledger.login(account)


def test_delete_while_the_gateway_is_deaf(user, stack, ledger, account, long_ago):
    """What cannot be forgotten everywhere is not forgotten anywhere, and its account stays."""
    account.may_log_in = False
    image = Images.noise()
    name = ledger.upload(account, image)
    user("disable", account.login)
    long_ago(account)
    socket = "/run/imagegate/purge/purge.sock"
    stack.shell("gateway", f"mv {socket} {socket}.away")
    try:
        assert "NOT" in user("delete", account.login, fails=True)
    finally:
        stack.shell("gateway", f"mv {socket}.away {socket}")
    assert not ledger.absent(image.data)
    assert account.login in user("list", account.login)
    assert "removed: 1\n" in user("delete", account.login)
    ledger.images.pop(name)
    assert ledger.absent(image.data)

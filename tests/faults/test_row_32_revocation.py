"""
Row 32: revocation, whatever happens to its way.  A token dies at the gateway within two seconds,
with the auth cache on; where the database is asked it dies at once; and without a list of
revocations nobody gets in.
"""

import contextlib
import secrets
import time

import psycopg
import pytest
from support.client import bearer
from support.stack import docker
from support.wait import until

DIES_WITHIN = 2  # seconds
STALE_AFTER = 10  # seconds, of a list that is not being updated
TABLE = "/run/imagegate/revocations/table"
SESSION = "from pg_stat_activity where application_name = 'imagegate revocations'"
HASH = "$pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODw$UjBiVZ4GS2GLCutBTVSJ2BTERlFVTk8Q7SbubxW4nu4"


@pytest.fixture(scope="module", autouse=True)
def auth_cache(stack):
    """What is measured here is measured with it."""
    assert stack.setting("gateway", "AUTH_CACHE", "on") == "on"


@pytest.fixture
def owner(stack):
    """A session of the database's owner, to revoke without the delay of starting a psql."""
    with psycopg.connect(host=stack.address("db", "users"), dbname="imagegate", autocommit=True,
                         user="imagegate_owner", password=stack.secret("db_owner_password"),
                         connect_timeout=5) as session:
        yield session


@pytest.fixture
def path(client, account, stored):
    """A path that the account may read, and that the gateway has in its caches."""
    name, image = stored
    assert client.get(f"/v1/user/{name}", headers=account.headers).content == image.data
    return f"/v1/user/{name}"


def sql(call):
    """A way to revoke by a function of schema admin."""
    return lambda owner, account: owner.execute(f"select admin.{call}", {"login": account.login})


REVOKE = {
    "disable": sql("account_disable(%(login)s)"),
    "delete": sql("account_delete(%(login)s)"),
    "revoke": sql("account_revoke(%(login)s)"),
    "set password": sql(f"account_set_password(%(login)s, '{HASH}')"),
}


def revoke(owner, account, way="revoke"):
    account.proven = True  # that it could log in is known; after some ways it no longer can
    REVOKE[way](owner, account)


def check_dies(client, account, path):
    """Assert that a token which the gateway has in its cache is refused soon."""
    until(lambda: client.get(path, headers=account.headers).status_code == 401, DIES_WITHIN,
          "the token dies")


def check_dead(client, mint, account):
    """Assert that no worker lets any token of its generation in, that none has seen before."""
    for _ in range(20):
        headers = bearer(mint.token(account.id))
        assert client.post("/v1/upload", headers=headers, data=b"x").status_code == 401


@contextlib.contextmanager
def frozen(stack, service):
    stack.pause(service)
    try:
        yield
    finally:
        stack.unpause(service)


# -- at the gateway, within two seconds


@pytest.mark.parametrize("way", REVOKE)
def test_each_way(client, owner, mint, account, path, way):
    revoke(owner, account, way)
    check_dies(client, account, path)
    check_dead(client, mint, account)


def test_notification_lost(client, owner, mint, account, path):
    owner.execute("alter table imagegate.revocations disable trigger revocations_notify")
    try:
        revoke(owner, account)
        check_dies(client, account, path)
    finally:
        owner.execute("alter table imagegate.revocations enable trigger revocations_notify")
    check_dead(client, mint, account)


def test_connection_cut(stack, client, owner, mint, account, path):
    stack.psql(f"select pg_terminate_backend(pid) {SESSION}", role="postgres")
    revoke(owner, account)
    check_dies(client, account, path)
    check_dead(client, mint, account)


def test_connection_frozen(stack, client, owner, mint, account, path):
    """The other end is there but never says anything again: no notification, no answer, no end."""
    (pid,), = stack.psql(f"select pid {SESSION}", role="postgres")
    stack.shell("db", f"kill -STOP {pid}")
    try:
        revoke(owner, account)
        check_dies(client, account, path)
    finally:
        stack.shell("db", f"kill -CONT {pid}", check=False)
    check_dead(client, mint, account)


def test_database_restarted(stack, client, mint, account, path):
    """As soon as it takes a revocation again, that one works."""
    stack.restart("db")
    account.proven = True
    call = f"select admin.account_revoke('{account.login}')"
    until(lambda: stack.psql(call, check=False), 30, "the database is back")
    check_dies(client, account, path)
    check_dead(client, mint, account)


def test_database_restarted_right_after(stack, client, owner, mint, account, path):
    revoke(owner, account)
    stack.kill("db")
    stack.start("db")
    check_dies(client, account, path)
    until(lambda: stack.psql("select 1", check=False), 30, "the database is back")
    check_dead(client, mint, account)


def test_database_frozen_before(stack, client, mint, account, path):
    """Nobody can revoke meanwhile; live tokens go on; afterwards it works at once."""
    # Only the beginning of trouble is logged: that of an earlier test must be over.
    until(lambda: stack.shell("security-revocations", "echo $(($(date +%s) - $(stat -c %Y "
          "/run/imagegate/revocations/table)))").stdout.strip() in ("0", "1"), 20, "the list is fresh")
    with frozen(stack, "db"):
        wait_for_log(stack, "security-revocations", "is not being updated")
        assert client.get(path, headers=account.headers).status_code == 200
    account.proven = True
    stack.psql(f"select admin.account_revoke('{account.login}')")
    check_dies(client, account, path)
    check_dead(client, mint, account)


def test_listener_restarted(stack, client, owner, mint, account, path):
    """What was revoked while it was away is in its first list."""
    stack.stop("security-revocations")
    revoke(owner, account)
    assert client.get(path, headers=account.headers).status_code == 200
    stack.start("security-revocations")
    check_dies(client, account, path)
    check_dead(client, mint, account)


# -- where the database is asked, at once


def renew(client, headers):
    return client.post("/v1/token/renew", headers=headers)


def check_at_once(client, headers):
    """Assert that nothing that asks the database takes the token."""
    assert renew(client, headers).status_code == 401
    assert client.get("/v1/user", headers=headers).status_code == 401
    assert client.delete("/v1/token", headers=headers).status_code == 401
    change = {"password": "long enough", "new_password": "long enough"}
    assert client.put("/v1/user/password", headers=headers, json=change).status_code == 401


@pytest.mark.parametrize("way", REVOKE)
def test_renewal_right_after(stack, client, owner, account, path, way):
    """The list stands still, so that it is the database alone that refuses."""
    renewed = bearer(renew(client, account.headers).json()["access_token"])
    with frozen(stack, "security-revocations"):
        revoke(owner, account, way)
        check_at_once(client, account.headers)
        check_at_once(client, renewed)
        assert client.get(path, headers=account.headers).status_code == 200, "the list is old"
    check_dies(client, account, path)


def test_renewal_right_after_a_logout(stack, client, account):
    renewed = bearer(renew(client, account.headers).json()["access_token"])
    with frozen(stack, "security-revocations"):
        assert client.delete("/v1/token", headers=renewed).status_code == 204
        check_at_once(client, account.headers)
        check_at_once(client, renewed)


def test_renewal_right_after_a_change_of_password(stack, client, ledger, account):
    password = f"pass {secrets.token_hex(8)}"
    ledger.passwords.add(password)
    with frozen(stack, "security-revocations"):
        change = {"password": account.password, "new_password": password}
        answer = client.put("/v1/user/password", headers=account.headers, json=change)
        assert answer.status_code == 204
        check_at_once(client, account.headers)
    account.password = password


def test_renewal_without_database(stack, client, account):
    """Whether it was revoked nobody knows: no new token."""
    with frozen(stack, "db"):
        assert renew(client, account.headers).status_code == 503
    until(lambda: renew(client, account.headers).status_code == 200, 10, "the database is back")


def test_logout_without_database(stack, client, ledger, account):
    """503: it may be done when the database is back, or not; then the next try does it."""
    with frozen(stack, "db"):
        assert client.delete("/v1/token", headers=account.headers).status_code == 503
    until(lambda: client.delete("/v1/token", headers=account.headers).status_code in (204, 401), 10,
          "the database is back")
    check_at_once(client, account.headers)
    assert ledger.try_login(account).status_code == 200


# -- the list itself


def wait_for_log(stack, service, text, provoke=lambda: None):
    """Wait until a service logs a text from now on; provoke() before each look."""
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def logged():
        provoke()
        return text in stack.logs(service, since)

    until(logged, STALE_AFTER + 10, f"{service} logs {text!r}")


def test_list_frozen(stack, client, mint, owner, member, account, path, recovers):
    """Live tokens go on, by what is known; its age is logged and seen in /readyz."""
    with frozen(stack, "security-revocations"):
        revoke(owner, account)
        wait_for_log(stack, "security-validate", "revocations are late",
                     lambda: client.get(path, headers=bearer(mint.token(member.id))))
        assert client.get(path, headers=bearer(mint.token(member.id))).status_code == 200
        assert client.get(path, headers=bearer("x.y.z")).status_code == 401
        until(lambda: client.get("/readyz").status_code == 503, 5, "/readyz sees it")
    check_dies(client, account, path)
    recovers()


@pytest.fixture
def nobody_writes(stack, recovers):
    """The process that writes the list is stopped, but its container lives."""
    (process,) = [p for p in stack.processes("security-revocations")
                  if p.program.endswith("/revocations")]
    stack.shell("security-revocations", f"kill -STOP {process.pid}")
    yield
    stack.shell("security-revocations", f"kill -CONT {process.pid}")
    recovers()


def check_nobody_gets_in(client, mint, member, path):
    """Assert that the gateway answers 503 even to a good token, and 401 to others or 503 too."""
    until(lambda: client.get(path, headers=member.headers).status_code == 503, 5,
          "what was cached ends")
    for _ in range(10):  # whichever worker answers
        good = bearer(mint.token(member.id))
        for headers in (good, member.headers):
            assert client.get(path, headers=headers).status_code == 503
        assert client.get("/v1/user", headers=good).status_code == 503
        assert client.post("/v1/upload", headers=good, data=b"x").status_code == 503
        assert renew(client, good).status_code == 503
        assert client.get(path, headers=bearer("x.y.z")).status_code in (401, 503)
        assert client.get(path).status_code in (401, 503)
    until(lambda: client.get("/readyz").status_code == 503, 5, "/readyz sees it")


@pytest.mark.usefixtures("nobody_writes")
@pytest.mark.parametrize("damage", [f"rm {TABLE}", f": >{TABLE}", f"head -c 32 /dev/zero >{TABLE}",
                                    f"echo nonsense >{TABLE}", f"rm {TABLE}; mkdir {TABLE}"],
                         ids=["deleted", "empty", "zeros", "nonsense", "a folder"])
def test_list_damaged(stack, client, mint, member, path, damage):
    stack.shell("security-revocations", damage)
    try:
        check_nobody_gets_in(client, mint, member, path)
    finally:
        stack.shell("security-revocations", f"rmdir {TABLE}", check=False)


def test_list_never_made(stack, client, mint, member, path, recovers):
    """The cell starts without the process that makes the list."""
    for service in ("security-revocations", "security-validate"):
        stack.stop(service)
    try:
        stack.start("security-validate")
        assert docker("exec", stack.containers["security-validate"], "test", "-e", TABLE,
                      check=False).returncode == 1
        check_nobody_gets_in(client, mint, member, path)
    finally:
        stack.start("security-validate")
        stack.start("security-revocations")
    recovers()

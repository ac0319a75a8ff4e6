"""Row 16: the database restarted, paused, locked; a session killed in mid-register."""

import secrets
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from support.client import bearer
from support.images import Images
from support.ledger import Account
from support.wait import until

# Kills the first session that waits for a lock.
KILL_WAITING = """
set application_name = 'killer';
do $$
begin
    for i in 1..600 loop
        perform pg_terminate_backend(pid) from pg_locks where not granted;
        exit when found;
        perform pg_sleep(0.05);
    end loop;
end $$
"""


@pytest.fixture
def owner(stack):
    """A session of the database's owner."""
    with psycopg.connect(host=stack.address("db", "users"), dbname="imagegate",
                         user="imagegate_owner", password=stack.secret("db_owner_password"),
                         connect_timeout=5) as session:
        yield session
        session.rollback()


def somebody():
    """Nobody yet: an account to be registered."""
    return Account(f"row16.{secrets.token_hex(6)}", "password of row 16")


def check_reads_and_uploads(ledger, mint, member, stored):
    """Assert that who has a token is served, even one that no cache has seen."""
    name, image = stored
    fresh = bearer(mint.token(member.id))
    assert ledger.client.get(f"/v1/user/{name}", headers=fresh).content == image.data
    ledger.upload(member, Images.noise())


def check_unavailable(ledger, member, newcomer):
    calls = [lambda: ledger.try_login(member), lambda: ledger.try_register(newcomer),
             lambda: ledger.client.get("/v1/user", headers=member.headers)]
    with ThreadPoolExecutor(len(calls)) as pool:
        statuses = [answer.status_code for answer in pool.map(lambda call: call(), calls)]
    assert statuses == [503, 503, 503]


def check_registers(ledger, newcomer):
    """Assert that nothing half is left of a failed register: the login is free."""
    assert ledger.try_register(newcomer).status_code == 201
    assert ledger.login(newcomer)


def test_paused(stack, ledger, mint, member, stored, recovers):
    newcomer = somebody()
    stack.pause("db")
    try:
        check_reads_and_uploads(ledger, mint, member, stored)
        assert ledger.try_login(member).status_code == 503
        assert ledger.client.get("/v1/user", headers=member.headers).status_code == 503
    finally:
        stack.unpause("db")
    recovers()
    check_registers(ledger, newcomer)


def test_down(stack, ledger, mint, member, stored, recovers):
    newcomer = somebody()
    stack.stop("db")
    try:
        check_unavailable(ledger, member, newcomer)
        check_reads_and_uploads(ledger, mint, member, stored)
        assert ledger.client.get("/livez").status_code == 200
        until(lambda: ledger.client.get("/readyz").status_code == 503, 10, "/readyz sees it")
    finally:
        stack.start("db")
    recovers()
    check_registers(ledger, newcomer)


def test_restarted(stack, ledger, member, recovers):
    """Kept connections have died; the first login may meet that, no hand is needed."""
    stack.restart("db")
    recovers()
    assert ledger.login(member)


def test_locked(ledger, mint, member, stored, owner):
    newcomer = somebody()
    owner.execute("lock table imagegate.accounts in access exclusive mode")
    check_unavailable(ledger, member, newcomer)
    check_reads_and_uploads(ledger, mint, member, stored)
    owner.rollback()
    check_registers(ledger, newcomer)


def test_session_killed_in_mid_register(stack, ledger, owner):
    """The insert waits for a lock when its session is killed."""
    newcomer = somebody()

    def killer_is_there():
        owner.rollback()  # a transaction sees one state of the sessions
        return owner.execute("select 1 from pg_stat_activity where application_name = 'killer'").fetchone()

    with ThreadPoolExecutor(1) as pool:
        killer = pool.submit(stack.psql, KILL_WAITING, role="postgres")
        until(killer_is_there, 20, "the killer is there")
        owner.execute("lock table imagegate.accounts in share row exclusive mode")
        assert ledger.try_register(newcomer).status_code == 503
        killer.result()
    owner.rollback()
    check_registers(ledger, newcomer)

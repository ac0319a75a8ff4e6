"""The database as it runs: image imagegate-db, the program sql/migrate, what several sessions do at once, and the tests in SQL.

Needs the docker socket and a network on which a container's address can be reached. Everything that is started is removed.
"""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import secrets
import shlex
import shutil
import subprocess
import time

import psycopg
import pytest
from psycopg import errors

HERE = pathlib.Path(__file__).resolve().parent
SQL = HERE.parents[1] / "sql"
PGTAP = "/usr/share/postgresql/17/extension/pgtap.sql"
TAG = os.environ.get("IMAGEGATE_VERSION", "latest")
# With what a shell or an SQL string could stumble over.
PASSWORDS = {
    "imagegate_owner": "owner 'it''s' \\ \"$HOME\"",
    "accounts": "accounts '$1' \\\\",
    "revocations": "\\q revocations; --",
    "monitoring": "$(id) && m''n",
}
HASH = "$pbkdf2-sha256$29000$AAECAwQFBgcICQoLDA0ODw$UjBiVZ4GS2GLCutBTVSJ2BTERlFVTk8Q7SbubxW4nu4"
HASH2 = "$pbkdf2-sha256$600000$EBESExQVFhcYGRobHB0eHw$kGk.1hBOnwqtriRGWC4PVOo1T/YbpIOXqCQbT61FO9s"


def docker(*args, check=True):
    done = subprocess.run(["docker", *args], capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done


class Database:
    """A container of image imagegate-db, with as few rights as it gets in production."""

    def __init__(self):
        self.name = "imagegate-sqltest-" + secrets.token_hex(6)

    def run(self):
        docker(
            "run", "-d", "--name", self.name, "--read-only", "--cap-drop", "ALL",
            "--security-opt", "no-new-privileges", "--tmpfs", "/tmp:uid=2104,gid=2104,mode=0700",
            "--tmpfs", "/run/postgresql:uid=2104,gid=2104,mode=0700",
            "-v", f"{HERE}:{HERE}:ro", "-e", "DB_OWNER_PASSWORD=" + PASSWORDS["imagegate_owner"], f"imagegate-db:{TAG}",
        )  # fmt: skip

    def wait(self):
        deadline = time.monotonic() + 60
        while docker("exec", self.name, "pg_isready", "-q", "-U", "postgres", check=False).returncode:
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)
        template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        self.host = docker("inspect", "-f", template, self.name).stdout.strip()

    def log(self):
        done = docker("logs", self.name)
        return done.stdout + done.stderr

    def remove(self):
        docker("rm", "-f", "-v", self.name)

    def connect(self, role, **options):
        settings = {"dbname": "imagegate", "password": PASSWORDS.get(role), "autocommit": True} | options
        return psycopg.connect(host=self.host, user=role, connect_timeout=5, **settings)

    def psql(self, statement, user="admin", check=True):
        """As an operator would, in the container; rows as text."""
        done = docker("exec", self.name, "psql", "-XAtU", user, "-v", "ON_ERROR_STOP=1", "-c", statement, check=check)
        return done.stdout.strip() if check else done.stderr

    def migrate(self, folder=SQL, **environment):
        return subprocess.run(
            [folder / "migrate"], capture_output=True, text=True, check=False,
            env={
                "PATH": os.environ["PATH"],
                "DB_HOST": self.host,
                "DB_OWNER_PASSWORD": PASSWORDS["imagegate_owner"],
                "DB_ACCOUNTS_PASSWORD": PASSWORDS["accounts"],
                "DB_REVOCATIONS_PASSWORD": PASSWORDS["revocations"],
                "DB_MONITORING_PASSWORD": PASSWORDS["monitoring"],
            } | environment,
        )  # fmt: skip

    def schema(self, *options):
        """A dump, with the data unless options say otherwise."""
        return docker("exec", self.name, "pg_dump", "-U", "postgres", "--restrict-key=x", *options, "imagegate").stdout


@contextlib.contextmanager
def running():
    database = Database()
    try:
        database.run()
        database.wait()
        yield database
    finally:
        database.remove()


@pytest.fixture(name="fresh")
def fixture_fresh():
    with running() as database:
        yield database


@pytest.fixture(name="database", scope="module")
def fixture_database():
    with running() as database:
        done = database.migrate()
        assert done.returncode == 0, done.stderr
        yield database
        # No statement, hash or password reached the log in all of these tests.
        log = database.log()
        for secret in ["$pbkdf2", "INSERT", "SCRAM-SHA-256$", *PASSWORDS.values()]:
            assert secret not in log


@pytest.fixture(name="accounts")
def fixture_accounts(database):
    with database.connect("accounts") as connection:
        yield connection


@pytest.fixture(name="revocations")
def fixture_revocations(database):
    with database.connect("revocations") as connection:
        yield connection


@pytest.fixture(name="folder")
def fixture_folder(tmp_path):
    """A copy of sql/, to be altered."""
    return shutil.copytree(SQL, tmp_path / "sql")


def one(connection, statement, *values):
    row = connection.execute(statement, values).fetchone()
    return row[0] if row and len(row) == 1 else row


def create(connection, login=None, password_hash=HASH):
    login = login or secrets.token_hex(8)
    return one(connection, "SELECT imagegate.account_create(%s, %s)", login, password_hash), login


# --- in SQL: privileges, constraints, functions


@pytest.fixture(name="pg_prove", scope="module")
def fixture_pg_prove(tmp_path_factory):
    """pg_prove and its psql, on a database with pgTAP in it. That is no part of the image: it is PL/pgSQL, and loaded as such."""
    with running() as database:
        assert database.migrate().returncode == 0
        psql = ["docker", "exec", "-i", "-e", "PGOPTIONS=-c client_min_messages=warning", database.name, "psql", "-U", "postgres"]
        create = "CREATE SCHEMA tap; GRANT USAGE ON SCHEMA tap TO PUBLIC; SET search_path = tap;\n"
        subprocess.run([*psql, "-Xq", "-v", "ON_ERROR_STOP=1"], input=create + pathlib.Path(PGTAP).read_text(),
                       stdout=subprocess.DEVNULL, text=True, check=True)  # fmt: skip
        program = tmp_path_factory.mktemp("pgtap") / "psql"
        program.write_text(f'#!/bin/sh\nexec {shlex.join(psql)} "$@"\n')
        program.chmod(0o755)
        yield ["pg_prove", "--psql-bin", program, "--verbose"]


@pytest.mark.parametrize("file", sorted(path.name for path in HERE.glob("*.sql") if path.name != "begin.sql"))
def test_in_sql(pg_prove, file):
    done = subprocess.run([*pg_prove, HERE / file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# --- what is refused

@pytest.mark.parametrize("role", ["accounts", "revocations", "monitoring", "imagegate_owner"])
@pytest.mark.parametrize("other", ["postgres", "template1", "template0"])
def test_no_other_database(database, role, other):
    with pytest.raises(psycopg.OperationalError, match="no pg_hba.conf entry"):
        database.connect(role, dbname=other)


@pytest.mark.parametrize("role", ["postgres", "admin", "pg_read_all_data", "nobody"])
def test_no_other_role(database, role):
    with pytest.raises(psycopg.OperationalError, match="no pg_hba.conf entry"):
        database.connect(role, password="x")


@pytest.mark.parametrize("password", [None, "wrong"])
def test_no_wrong_password(database, password):
    with pytest.raises(psycopg.OperationalError, match="password"):
        database.connect("accounts", password=password)


def test_statements_with_hashes_are_not_shown(database):
    """Who monitors sees what runs, but for the sessions whose statements may hold one: operators' and the owner's."""
    shown = "SELECT state || coalesce(query, '') FROM pg_stat_activity WHERE pid = pg_backend_pid()"
    assert database.psql(shown) == "disabled"
    with database.connect("imagegate_owner") as owner:
        assert one(owner, shown) == "disabled"
    with database.connect("accounts") as accounts, database.connect("monitoring") as monitoring:
        create(accounts)
        seen = monitoring.execute("SELECT usename, query FROM pg_stat_activity").fetchall()
    assert [query for user, query in seen if user == "accounts"] == ["SELECT imagegate.account_create($1, $2)"]


def test_few_sessions_monitor(database):
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(database.connect("monitoring"))
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            database.connect("monitoring")


def test_checksums_and_durability(database):
    assert database.psql("SHOW data_checksums") == "on"
    assert database.psql("SHOW fsync") == "on"
    assert database.psql("SHOW synchronous_commit") == "on"


# --- accounts


def test_parallel_creation(database):
    login = secrets.token_hex(8)
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(database.connect("accounts")) for _ in range(50)]
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            ids = [done[0] for done in pool.map(lambda c: create(c, login), connections)]
    assert len([account for account in ids if account]) == 1


def test_logged_in(accounts, database):
    account, login = create(accounts)
    assert database.psql(f"SELECT last_login_at IS NULL FROM accounts WHERE login = '{login}'") == "t"
    accounts.execute("SELECT imagegate.account_logged_in(%s)", (account,))
    assert database.psql(f"SELECT last_login_at > created_at FROM accounts WHERE login = '{login}'") == "t"


REVOKED = "SELECT generation, until - now() BETWEEN '24 hours' AND '25 hours' FROM imagegate.revocations WHERE account = %s"


def test_log_out(accounts, revocations):
    account, _ = create(accounts)
    revocations.execute("LISTEN revocations")
    assert one(accounts, "SELECT imagegate.account_log_out(%s, 0)", account) is True
    assert [n.channel for n in revocations.notifies(timeout=10, stop_after=1)] == ["revocations"]
    assert one(accounts, "SELECT generation FROM imagegate.account_by_id(%s)", account) == 1
    assert one(revocations, REVOKED, account) == (1, True)


CHANGE = "SELECT imagegate.account_change_password(%s, %s, %s, %s)"


def test_change_password(database, accounts, revocations):
    account, login = create(accounts)
    revocations.execute("LISTEN revocations")
    assert one(accounts, CHANGE, account, 0, HASH, HASH2) is True
    assert [n.channel for n in revocations.notifies(timeout=10, stop_after=1)] == ["revocations"]
    assert one(accounts, "SELECT * FROM imagegate.account_by_login(%s)", login) == (account, login, HASH2, 1, False)
    assert one(revocations, REVOKED, account) == (1, True)
    changed = f"SELECT password_changed_at > created_at FROM imagegate.accounts WHERE id = '{account}'"
    assert database.psql(changed, user="postgres") == "t"


@pytest.mark.parametrize("call", ["account_log_out(%s, 0)", f"account_change_password(%s, 0, '{HASH}', '{HASH2}')"])
def test_one_wins(database, accounts, call):
    """Of many at the same time one is done; the others are told that it was not them."""
    account, _ = create(accounts)
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(database.connect("accounts")) for _ in range(20)]
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            done = list(pool.map(lambda c: one(c, f"SELECT imagegate.{call}", account), connections))
    assert sorted(done) == [False] * 19 + [True]
    assert one(accounts, "SELECT generation FROM imagegate.account_by_id(%s)", account) == 1


@pytest.mark.parametrize(
    ("call", "actions"),
    [
        ("account_log_out(%s, 0)", "tokens revoked"),
        (f"account_change_password(%s, 0, '{HASH}', '{HASH2}')", "password changed, tokens revoked"),
    ],
)
def test_what_the_owner_does_is_in_the_audit(database, accounts, call, actions):
    account, _ = create(accounts)
    assert one(accounts, f"SELECT imagegate.{call} FROM imagegate.audit_from('192.0.2.7')", account) is True
    audit = f"FROM audit WHERE account = '{account}' AND address = '192.0.2.7' AND actor = 'accounts'"
    assert database.psql(f"SELECT string_agg(action, ', ' ORDER BY action) {audit}") == actions


def test_login_uses_the_index(database, accounts):
    create(accounts, "indexed")
    plan = database.psql(
        "SET enable_seqscan = off; EXPLAIN SELECT FROM imagegate.accounts a WHERE lower(a.login) = lower('x'::text)",
        user="postgres",
    )
    assert "accounts_login" in plan


# --- operators


@pytest.mark.parametrize("call", ["account_disable('{}')", "account_revoke('{}')", "account_set_password('{}', '" + HASH2 + "')"])
def test_operator_revokes(database, accounts, revocations, call):
    account, login = create(accounts)
    old = "INSERT INTO imagegate.revocations VALUES ('0000000000000000', 1, now() - interval '1 second')"
    database.psql(old, user="postgres")
    revocations.execute("LISTEN revocations")
    for generation in [1, 2]:
        assert database.psql("SELECT " + call.format(login.upper())) == account
        assert [n.channel for n in revocations.notifies(timeout=10, stop_after=1)] == ["revocations"]
        assert one(accounts, "SELECT generation FROM imagegate.account_by_id(%s)", account) == generation
        row = "SELECT generation, until - now() BETWEEN '24 hours' AND '25 hours' FROM imagegate.revocations WHERE account = %s"
        assert one(revocations, row, account) == (generation, True)
    assert one(revocations, "SELECT count(*) FROM imagegate.revocations WHERE until < now()") == 0


def test_parallel_revocations(database, accounts):
    """Each renews an expired row and tries to remove the others'."""
    made = [create(accounts) for _ in range(8)]
    for account, _ in made:
        database.psql(f"INSERT INTO imagegate.revocations VALUES ('{account}', 0, now() - interval '1 day')", user="postgres")
    calls = [f"SELECT account_disable('{login}')" for _, login in made] * 2
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(database.psql, calls))
    for account, _ in made:
        assert one(accounts, "SELECT generation FROM imagegate.account_by_id(%s)", account) == 2


# --- audit


def audited(database, login):
    """The rows about a login, oldest first: action, account, address, actor."""
    found = database.psql(
        f"SELECT action, account, host(address), actor FROM audit WHERE lower(login) = lower('{login}')"
    )
    return [tuple(row.split("|")) for row in reversed(found.split("\n"))] if found else []


def one_row(database, statement):
    return database.psql(statement, user="postgres")


def test_audit_of_a_taken_login_is_empty(accounts, database):
    _, login = create(accounts)
    before = audited(database, login)
    assert create(accounts, login) == (None, login)
    assert audited(database, login) == before


def test_audit_of_what_is_rolled_back_is_empty(accounts, database):
    login = secrets.token_hex(8)
    accounts.execute("BEGIN")
    create(accounts, login)
    accounts.execute("ROLLBACK")
    assert audited(database, login) == []


def test_audit_of_a_new_hash_is_empty(accounts, database):
    account, login = create(accounts)
    before = audited(database, login)
    accounts.execute("SELECT imagegate.account_rehash(%s, %s, %s)", (account, HASH, HASH2))
    assert audited(database, login) == before


def test_an_address_is_of_one_transaction(accounts, database):
    login = secrets.token_hex(8)
    accounts.execute(f"SELECT imagegate.account_create('{login}', '{HASH}') FROM imagegate.audit_from('2001:db8::1')")
    account, other = create(accounts)
    assert audited(database, login)[0][2] == "2001:db8::1"
    assert audited(database, other) == [("created", account, "", "accounts")]


def test_audit_of_the_pool(accounts, database):
    account, login = create(accounts)
    accounts.execute("SELECT imagegate.account_logged_in(%s) FROM imagegate.audit_from('192.0.2.1')", (account,))
    accounts.execute("SELECT imagegate.account_logged_in(%s) FROM imagegate.audit_from(NULL)", (account,))
    accounts.execute("SELECT imagegate.audit_login_failed(%s, '192.0.2.2')", (login.upper(),))
    assert audited(database, login) == [
        ("created", account, "", "accounts"),
        ("login", account, "192.0.2.1", "accounts"),
        ("login", account, "", "accounts"),
        ("login failed", account, "192.0.2.2", "accounts"),
    ]
    assert one(accounts, "SHOW synchronous_commit") == "on"


def test_audit_of_a_login_that_nobody_has(accounts, database):
    login = secrets.token_hex(8)
    accounts.execute("SELECT imagegate.audit_login_failed(%s, '192.0.2.2')", (login,))
    assert audited(database, login) == [("login failed", "", "192.0.2.2", "accounts")]


def test_audit_of_operators(database):
    login = secrets.token_hex(8)
    account = database.psql(f"SELECT account_create('{login}', '{HASH}')")
    for call in [f"account_set_password('{login}', '{HASH2}')", f"account_disable('{login}')", f"account_enable('{login}')"]:
        database.psql(f"SELECT {call}")
    database.psql(f"DELETE FROM imagegate.accounts WHERE id = '{account}'", user="postgres")
    actions = ["created", "password changed", "tokens revoked", "disabled", "tokens revoked", "enabled"]
    assert audited(database, login) == [(a, account, "", "admin") for a in actions] + [("deleted", account, "", "postgres")]


def test_audit_holds_no_secret(database, accounts):
    create(accounts)
    dump = docker("exec", database.name, "pg_dump", "-U", "postgres", "-a", "-t", "imagegate.audit", "imagegate").stdout
    assert "created" in dump
    for secret in ["$pbkdf2", *PASSWORDS.values()]:
        assert secret not in dump


def test_audit_forgets_what_is_too_old(database, accounts):
    _, login = create(accounts)
    age = "UPDATE imagegate.audit SET at = now() - interval '{}' WHERE login = '{}'"
    database.psql(age.format("89 days", login), user="postgres")
    create(accounts)
    assert len(audited(database, login)) == 1
    database.psql(age.format("91 days", login), user="postgres")
    create(accounts)
    assert audited(database, login) == []

    _, login = create(accounts)
    assert database.psql("SELECT audit_keep('2 days')") == "2 days"
    assert database.psql("SELECT action, actor FROM audit LIMIT 1") == "retention changed|admin"
    database.psql(age.format("49 hours", login), user="postgres")
    create(accounts)
    assert audited(database, login) == []
    database.psql("SELECT audit_keep('90 days')")


def test_audit_of_a_flood_is_bounded(database, accounts):
    """Only logins make room for logins."""
    _, kept = create(accounts)
    flood = secrets.token_hex(8)
    for _ in range(3):
        accounts.execute("SELECT imagegate.audit_login_failed(%s, NULL)", (flood,))
    database.psql("ALTER TABLE imagegate.audit ALTER id RESTART WITH 2000000000", user="postgres")
    for login in ["after.1", "after.2", "after.3"]:
        accounts.execute("SELECT imagegate.audit_login_failed(%s, NULL)", (login,))
    while one_row(database, "SELECT count(*) FROM imagegate.audit WHERE action IN ('login', 'login failed')") != "3":
        before = one_row(database, "SELECT count(*) FROM imagegate.audit")
        create(accounts)
        assert int(one_row(database, "SELECT count(*) FROM imagegate.audit")) < int(before)
    assert audited(database, flood) == []
    assert [row[0] for row in audited(database, kept)] == ["created"]


def test_audit_uses_its_indexes(database):
    for condition, index in [
        ("at < now() - interval '90 days' ORDER BY at LIMIT 2", "audit_at"),
        ("action IN ('login', 'login failed') AND id <= 5 ORDER BY id LIMIT 2", "audit_logins"),
    ]:
        plan = database.psql(
            f"SET enable_seqscan = off; EXPLAIN SELECT id FROM imagegate.audit WHERE {condition}", user="postgres"
        )
        assert index in plan


# --- migrations


def failed(done, text):
    assert done.returncode == 1
    assert done.stderr.startswith("migrate: ") and done.stderr.count("\n") == 1, done.stderr
    assert text in done.stderr
    for password in PASSWORDS.values():
        assert password not in done.stderr


def test_migrations_hold_no_transaction_control():
    for file in sorted(SQL.glob("migrations/*.sql")):
        assert not re.search(r"(?im)^\s*(begin|commit|rollback|start\s+transaction|end)\s*(work|transaction)?\s*;", re.sub(
            r"(?s)BEGIN ATOMIC.*?\nEND;", "", file.read_text()
        )), file  # fmt: skip


def test_migrating_again_changes_nothing(database):
    before = database.schema()
    done = database.migrate()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert database.schema() == before


@pytest.mark.parametrize("landed", range(1, len(list(SQL.glob("migrations/*.sql")))))
def test_migrations_apply_from_every_earlier_schema(database, fresh, folder, landed):
    """With accounts in it, the schema after the first ones becomes that of today, and the accounts are still there."""
    later = sorted(folder.glob("migrations/*.sql"))[landed:]
    for file in later:
        file.unlink()
    assert fresh.migrate(folder).returncode == 0
    with fresh.connect("accounts") as connection:
        account, login = create(connection)
    done = fresh.migrate()
    assert (done.returncode, done.stdout) == (0, "".join(f"applied {file.stem}\n" for file in later)), done.stderr
    assert fresh.schema("--schema-only") == database.schema("--schema-only")
    with fresh.connect("accounts") as connection:
        assert one(connection, "SELECT id FROM imagegate.account_by_login(%s)", login) == account


def test_changed_migration_is_refused(database, folder):
    with (folder / "migrations" / "0001_accounts.sql").open("a") as file:
        file.write("-- harmless\n")
    failed(database.migrate(folder), "migration 0001_accounts has changed")


def test_renamed_migration_is_refused(database, folder):
    (folder / "migrations" / "0001_accounts.sql").rename(folder / "migrations" / "0001_other.sql")
    failed(database.migrate(folder), "migration 0001_accounts has changed")


def test_gap_is_refused(database, folder):
    (folder / "migrations" / "0099_late.sql").write_text("SELECT 1;\n")
    failed(database.migrate(folder), "without a gap")


def test_failing_migration_leaves_nothing(database, folder):
    number = len(list(folder.glob("migrations/*.sql"))) + 1
    before = database.schema()
    bad = "CREATE TABLE imagegate.half ();\nSELECT 1 / 0;\nCREATE TABLE imagegate.other ();\n"
    (folder / "migrations" / f"{number:04}_bad.sql").write_text(bad)
    failed(database.migrate(folder), "division by zero")
    assert database.schema() == before


def test_wrong_owner_password(database):
    failed(database.migrate(DB_OWNER_PASSWORD="wrong"), "password authentication failed")


def test_no_server(database):
    failed(database.migrate(DB_PORT="1"), "Connection refused")


def test_newer_database_is_refused(fresh, folder):
    assert fresh.migrate().returncode == 0
    number = len(list(folder.glob("migrations/*.sql"))) + 1
    (folder / "migrations" / f"{number:04}_good.sql").write_text("CREATE TABLE imagegate.good ();\n")
    assert fresh.migrate(folder).stdout == f"applied {number:04}_good\n"
    failed(fresh.migrate(), f"the database is newer than this program: it has migration {number:04}_good")


def test_parallel_migrations(fresh):
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: fresh.migrate(), range(6)))
    assert [d.returncode for d in done] == [0] * 6, [d.stderr for d in done]
    count = len(list(SQL.glob("migrations/*.sql")))
    assert "".join(d.stdout for d in done).count("applied ") == count


def test_image_and_rotation(fresh):
    """The image migrates, a second run sets another password, and a killed server comes back with everything."""

    def migrate(accounts_password):
        docker(
            "run", "--rm", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
            "--name", fresh.name + "-migrate", "-e", f"DB_HOST={fresh.host}",
            "-e", "DB_OWNER_PASSWORD=" + PASSWORDS["imagegate_owner"], "-e", "DB_ACCOUNTS_PASSWORD=" + accounts_password,
            "-e", "DB_REVOCATIONS_PASSWORD=x", "-e", "DB_MONITORING_PASSWORD=x", f"imagegate-migrate:{TAG}",
        )  # fmt: skip

    migrate("first")
    with fresh.connect("accounts", password="first") as connection:
        account, login = create(connection)
    migrate("second")
    with pytest.raises(psycopg.OperationalError, match="password"):
        fresh.connect("accounts", password="first")
    docker("kill", fresh.name)
    docker("start", fresh.name)
    fresh.wait()
    with fresh.connect("accounts", password="second") as connection:
        assert one(connection, "SELECT id FROM imagegate.account_by_login(%s)", login) == account


def test_first_start_that_was_killed():
    database = Database()
    try:
        database.run()
        while docker("exec", database.name, "test", "-d", "/var/lib/postgresql/data/17.new", check=False).returncode:
            time.sleep(0.02)
        docker("kill", database.name)
        docker("start", database.name)
        database.wait()
        assert database.migrate().returncode == 0
    finally:
        database.remove()


# --- settings


def test_settings(tmp_path):
    empty = tmp_path / "empty"
    empty.touch()
    two = tmp_path / "two"
    two.write_text("one\ntwo\n")
    done = subprocess.run(
        [SQL / "migrate"], capture_output=True, text=True, check=False,
        env={
            "PATH": os.environ["PATH"], "DB_HOST": "x", "DB_HOST_FILE": str(two), "DB_PORT_FILE": str(two),
            "DB_OWNER_PASSWORD_FILE": str(empty), "DB_ACCOUNTS_PASSWORD_FILE": str(tmp_path / "absent"),
        },
    )  # fmt: skip
    assert done.returncode == 78
    assert done.stderr.splitlines() == [
        "migrate: DB_HOST and DB_HOST_FILE are both set",
        "migrate: DB_PORT is not one line of printable ASCII",
        f"migrate: DB_OWNER_PASSWORD_FILE: {empty} is empty",
        f"migrate: DB_ACCOUNTS_PASSWORD_FILE: cannot read {tmp_path / 'absent'}",
        "migrate: DB_REVOCATIONS_PASSWORD is not set, nor is DB_REVOCATIONS_PASSWORD_FILE",
        "migrate: DB_MONITORING_PASSWORD is not set, nor is DB_MONITORING_PASSWORD_FILE",
    ]


def test_server_refuses_to_start_without_its_password():
    done = docker("run", "--rm", "--name", "imagegate-sqltest-" + secrets.token_hex(6), f"imagegate-db:{TAG}", check=False)
    assert done.returncode == 78
    assert "DB_OWNER_PASSWORD is not set" in done.stderr

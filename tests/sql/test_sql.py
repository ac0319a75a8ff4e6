"""The database as it runs: image imagegate-db, the program sql/migrate, and what each role may and may not do.

Needs the docker socket and a network on which a container's address can be reached. Everything that is started is removed.
"""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import time

import psycopg
import pytest
from psycopg import errors

SQL = pathlib.Path(__file__).resolve().parents[2] / "sql"
TAG = os.environ.get("IMAGEGATE_VERSION", "latest")
# With what a shell or an SQL string could stumble over.
PASSWORDS = {
    "imagegate_owner": "owner 'it''s' \\ \"$HOME\"",
    "accounts": "accounts '$1' \\\\",
    "revocations": "\\q revocations; --",
}
HASH = "$pbkdf2-sha256$29000$AAECAwQFBgcICQoLDA0ODw$UjBiVZ4GS2GLCutBTVSJ2BTERlFVTk8Q7SbubxW4nu4"
HASH2 = "$pbkdf2-sha256$600000$EBESExQVFhcYGRobHB0eHw$kGk.1hBOnwqtriRGWC4PVOo1T/YbpIOXqCQbT61FO9s"
ACCOUNTS_FUNCTIONS = {
    "account_by_id",
    "account_by_login",
    "account_change_password",
    "account_create",
    "account_log_out",
    "account_logged_in",
    "account_login_taken",
    "account_rehash",
    "audit_from",
    "audit_login_failed",
}


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
            "-e", "DB_OWNER_PASSWORD=" + PASSWORDS["imagegate_owner"], f"imagegate-db:{TAG}",
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


# --- what is refused

EVERYBODY_DENIED = [
    "SELECT FROM imagegate.accounts",
    "INSERT INTO imagegate.accounts (id, login, password_hash) VALUES ('', '', '')",
    "UPDATE imagegate.accounts SET disabled = false",
    "DELETE FROM imagegate.accounts",
    "TRUNCATE imagegate.accounts",
    "BEGIN; LOCK TABLE imagegate.accounts IN ACCESS SHARE MODE",
    "COPY imagegate.accounts TO STDOUT",
    "SELECT FROM imagegate.migrations",
    "INSERT INTO imagegate.revocations VALUES ('', 0, now())",
    "UPDATE imagegate.revocations SET generation = 0",
    "DELETE FROM imagegate.revocations",
    "TRUNCATE imagegate.revocations",
    "SELECT FROM imagegate.revocations FOR UPDATE",
    "BEGIN; LOCK TABLE imagegate.revocations IN EXCLUSIVE MODE",
    "DROP TABLE imagegate.revocations",
    "DROP FUNCTION imagegate.account_create",
    "SELECT imagegate.account_revoke('0123456789abcdef')",
    "SELECT imagegate.account_id_new()",
    "SELECT imagegate.account_named('x')",
    "SELECT FROM imagegate.audit",
    "INSERT INTO imagegate.audit (action) VALUES ('login')",
    "UPDATE imagegate.audit SET login = 'x'",
    "DELETE FROM imagegate.audit",
    "TRUNCATE imagegate.audit",
    "ALTER TABLE imagegate.accounts DISABLE TRIGGER accounts_audit",
    "UPDATE imagegate.audit_retention SET keep = '1 day'",
    "SELECT imagegate.audit_write('login', NULL, 'x')",
    "SELECT imagegate.audit_trim(2000001)",
    "SELECT FROM admin.audit",
    "SELECT admin.audit_keep('1 day')",
    "SELECT 'x'::imagegate.login; CREATE TABLE imagegate.x (l imagegate.login)",
    "SELECT FROM admin.accounts",
    "SELECT admin.account_disable('x')",
    "SELECT admin.account_revoke('x')",
    "SELECT admin.account_delete('x')",
    "CREATE TABLE imagegate.x ()",
    "CREATE TEMPORARY TABLE x ()",
    "CREATE SCHEMA x",
    "CREATE ROLE x",
    "CREATE DATABASE x",
    "CREATE FUNCTION imagegate.x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE EXTENSION pgcrypto SCHEMA imagegate",
    "ALTER ROLE admin PASSWORD 'x'",
    "ALTER SYSTEM SET log_statement = 'all'",
    "SET log_statement = 'all'",
    "SET ROLE imagegate_owner",
    "SET ROLE admin",
    "SET SESSION AUTHORIZATION postgres",
    "GRANT imagegate_owner TO accounts",
    "DO $$ BEGIN END $$",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY (SELECT 1) TO '/tmp/x'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT pg_reload_conf()",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IS DISTINCT FROM current_user",
    "SELECT lo_create(1)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_try_advisory_xact_lock(1)",
    "SELECT * FROM pg_authid",
    "SELECT * FROM pg_hba_file_rules",
]


@pytest.mark.parametrize("statement", EVERYBODY_DENIED)
@pytest.mark.parametrize("role", ["accounts", "revocations"])
def test_denied(database, role, statement):
    with database.connect(role) as connection:
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement)


def test_denied_to_accounts(accounts):
    with pytest.raises(errors.InsufficientPrivilege):
        accounts.execute("SELECT FROM imagegate.revocations")


@pytest.mark.parametrize(
    "call",
    [
        "account_create('x', 'x')",
        "account_login_taken('x')",
        "account_by_login('x')",
        "account_logged_in('x')",
        "account_rehash('x', 'x', 'x')",
        "account_by_id('x')",
        "audit_from('192.0.2.1')",
        "audit_login_failed('x', '192.0.2.1')",
        "account_log_out('x', 0)",
        "account_change_password('x', 0, 'x', 'x')",
    ],
)
def test_denied_to_revocations(revocations, call):
    with pytest.raises(errors.InsufficientPrivilege):
        revocations.execute(f"SELECT imagegate.{call}")


@pytest.mark.parametrize("role", ["accounts", "revocations", "imagegate_owner"])
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


def test_operators_have_no_more_than_their_schema(database):
    for statement in [
        "SELECT FROM imagegate.accounts", "CREATE TABLE admin.x ()", "SET ROLE imagegate_owner", "DELETE FROM audit",
        "UPDATE audit SET login = 'x'", "INSERT INTO audit (action) VALUES ('login')", "TRUNCATE imagegate.audit",
        "DELETE FROM imagegate.audit", "SELECT imagegate.audit_write('login', NULL, 'x')",
    ]:  # fmt: skip
        assert "permission denied" in database.psql(statement, check=False)


# --- what the catalogue says, of everything that there is

OURS = "n.nspname !~ '^(pg_|information_schema)'"


def rows(database, statement):
    return set(filter(None, database.psql(statement, user="postgres").split("\n")))


@pytest.mark.parametrize(
    ("role", "functions"),
    [
        ("accounts", {f"imagegate.{f}" for f in ACCOUNTS_FUNCTIONS}),
        ("revocations", set()),
        ("admin", {f"admin.account_{f}" for f in ["create", "delete", "disable", "enable", "revoke", "set_password"]} | {"admin.audit_keep"}),
    ],
)
def test_functions_of_a_role(database, role, functions):
    assert functions == rows(
        database,
        f"""SELECT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE {OURS} AND has_function_privilege('{role}', p.oid, 'EXECUTE')
              AND has_schema_privilege('{role}', n.oid, 'USAGE')""",
    )


@pytest.mark.parametrize(
    ("role", "tables"),
    [("accounts", set()), ("revocations", {"revocations SELECT"}), ("admin", {"accounts SELECT", "audit SELECT"})],
)
def test_tables_of_a_role(database, role, tables):
    assert tables == rows(
        database,
        f"""SELECT c.relname || ' ' || right_ FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
            unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN']) right_
            WHERE {OURS} AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
              AND has_table_privilege('{role}', c.oid, right_)""",
    )


def test_service_roles_own_nothing_and_are_in_nothing(database):
    assert not rows(
        database,
        """SELECT classid::regclass || ' ' || objid FROM pg_shdepend
           WHERE deptype = 'o' AND refobjid IN (SELECT oid FROM pg_roles WHERE rolname IN ('accounts', 'revocations', 'admin'))
           UNION ALL SELECT 'member ' || member::regrole FROM pg_auth_members
           WHERE member::regrole::text IN ('accounts', 'revocations', 'admin')""",
    )


def test_each_function_has_a_search_path(database):
    assert not rows(
        database,
        f"""SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE {OURS} AND p.proconfig IS DISTINCT FROM ARRAY['search_path=pg_catalog, pg_temp']""",
    )


def test_everything_has_a_comment(database):
    assert not rows(
        database,
        f"""SELECT 'function ' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE {OURS} AND obj_description(p.oid, 'pg_proc') IS NULL
            UNION ALL SELECT 'table ' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE {OURS} AND c.relkind IN ('r', 'v') AND obj_description(c.oid, 'pg_class') IS NULL
            UNION ALL SELECT 'column ' || c.relname || '.' || a.attname
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE {OURS} AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped
              AND col_description(c.oid, a.attnum) IS NULL
            UNION ALL SELECT 'domain ' || t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
            WHERE {OURS} AND t.typtype = 'd' AND obj_description(t.oid, 'pg_type') IS NULL
            UNION ALL SELECT 'schema ' || n.nspname FROM pg_namespace n
            WHERE {OURS} AND obj_description(n.oid, 'pg_namespace') IS NULL""",
    )


@pytest.mark.parametrize("role", ["accounts", "revocations"])
def test_timeouts(database, role):
    with database.connect(role) as connection:
        for name in ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"]:
            assert one(connection, "SELECT setting::int FROM pg_settings WHERE name = %s", name) > 0


def test_checksums_and_durability(database):
    assert database.psql("SHOW data_checksums") == "on"
    assert database.psql("SHOW fsync") == "on"
    assert database.psql("SHOW synchronous_commit") == "on"


# --- accounts


@pytest.mark.parametrize(
    "login", ["", "a b", "a" * 65, "ä", "a\n", "\na", "a/b", "'; DROP TABLE imagegate.accounts; --", None]
)
def test_bad_login(accounts, login):
    with pytest.raises((errors.CheckViolation, errors.NotNullViolation)) as caught:
        accounts.execute("SELECT imagegate.account_create(%s, %s)", (login, HASH))
    assert "$pbkdf2" not in str(caught.value)


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "",
        "secret",
        HASH + "\n",
        HASH + "A",
        HASH[:-1],
        HASH[:-1] + "5",
        HASH.replace("sha256", "sha512"),
        HASH.replace("29000", "999"),
        HASH.replace("29000", "029000"),
        HASH.replace("29000", "10000000"),
        HASH.replace("0ODw", "0ODx"),
        HASH.replace("Uj", "+j"),
    ],
)
def test_bad_hash(accounts, bad):
    with pytest.raises((errors.CheckViolation, errors.NotNullViolation)) as caught:
        create(accounts, password_hash=bad)
    # A row, or a value, in an error would end in somebody's log.
    assert "AAECAwQF" not in str(caught.value)


@pytest.mark.parametrize("value", ["", "0123456789abcdeF", "0123456789abcdew", "0123456789abcde", "0123456789abcdef0"])
def test_bad_id(database, value):
    statement = f"INSERT INTO imagegate.revocations VALUES ('{value}', 0, now())"
    assert "violates check constraint" in database.psql(statement, user="postgres", check=False)


def test_create_and_read(accounts):
    account, login = create(accounts, "Bob._@+-" + secrets.token_hex(4))
    assert re.fullmatch("[0-9a-v]{16}", account)
    assert one(accounts, "SELECT * FROM imagegate.account_by_login(%s)", login.upper()) == (account, login, HASH, 0, False)
    assert one(accounts, "SELECT login, generation, disabled FROM imagegate.account_by_id(%s)", account) == (login, 0, False)
    for name, taken in [(login.upper(), True), ("not-" + login, False)]:
        assert one(accounts, "SELECT imagegate.account_login_taken(%s)", name) is taken
    assert create(accounts, login.lower())[0] is None
    assert accounts.execute("SELECT * FROM imagegate.account_by_login('nobody')").fetchall() == []
    assert accounts.execute("SELECT * FROM imagegate.account_by_id('nobody')").fetchall() == []


def test_ids_use_the_whole_alphabet_at_each_place(database):
    ids = rows(database, "SELECT imagegate.account_id_new() FROM generate_series(1, 2000)")
    assert len(ids) == 2000
    for place in range(16):
        assert {account[place] for account in ids} == set("0123456789abcdefghijklmnopqrstuv")


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


def test_rehash(accounts):
    account, login = create(accounts)

    def stored():
        return one(accounts, "SELECT password_hash FROM imagegate.account_by_login(%s)", login)

    accounts.execute("SELECT imagegate.account_rehash(%s, %s, %s)", (account, HASH2, HASH2))
    assert stored() == HASH
    accounts.execute("SELECT imagegate.account_rehash(%s, %s, %s)", (account, HASH, HASH2))
    assert stored() == HASH2


REVOKED = "SELECT generation, until - now() BETWEEN '24 hours' AND '25 hours' FROM imagegate.revocations WHERE account = %s"


@pytest.mark.parametrize("generation", [0, 2, -1])
def test_log_out_with_a_dead_generation(database, accounts, revocations, generation):
    account, login = create(accounts)
    database.psql(f"SELECT account_revoke('{login}')")
    assert one(accounts, "SELECT imagegate.account_log_out(%s, %s)", account, generation) is False
    assert one(revocations, REVOKED, account) == (1, True)


def test_log_out_of_nobody(database, accounts):
    account, login = create(accounts)
    database.psql(f"SELECT account_disable('{login}')")
    for of in [account, "0000000000000000", "", None]:
        assert one(accounts, "SELECT imagegate.account_log_out(%s, 1)", of) is False


def test_log_out(accounts, revocations):
    account, _ = create(accounts)
    revocations.execute("LISTEN revocations")
    assert one(accounts, "SELECT imagegate.account_log_out(%s, 0)", account) is True
    assert [n.channel for n in revocations.notifies(timeout=10, stop_after=1)] == ["revocations"]
    assert one(accounts, "SELECT generation FROM imagegate.account_by_id(%s)", account) == 1
    assert one(revocations, REVOKED, account) == (1, True)


CHANGE = "SELECT imagegate.account_change_password(%s, %s, %s, %s)"


def test_change_password_that_comes_too_late(database, accounts, revocations):
    account, login = create(accounts)
    assert one(accounts, CHANGE, account, 0, HASH2, HASH2) is False
    assert one(accounts, CHANGE, account, 1, HASH, HASH2) is False
    assert one(accounts, CHANGE, "0000000000000000", 0, HASH, HASH2) is False
    assert one(revocations, REVOKED, account) is None
    database.psql(f"SELECT account_disable('{login}')")
    assert one(accounts, CHANGE, account, 1, HASH, HASH2) is False
    assert one(accounts, "SELECT * FROM imagegate.account_by_login(%s)", login) == (account, login, HASH, 1, True)


def test_change_password_to_no_hash(accounts):
    account, login = create(accounts)
    with pytest.raises(errors.CheckViolation):
        accounts.execute(CHANGE, (account, 0, HASH, "secret"))
    assert one(accounts, "SELECT * FROM imagegate.account_by_login(%s)", login) == (account, login, HASH, 0, False)


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


@pytest.mark.parametrize(
    "call",
    [
        "account_disable('nobody')",
        "account_enable('nobody')",
        "account_revoke('nobody')",
        "account_delete('nobody')",
        f"account_set_password('nobody', '{HASH}')",
    ],
)
def test_operator_names_nobody(database, call):
    assert 'no account "nobody"' in database.psql(f"SELECT {call}", check=False)


def test_operator_creates(database):
    login = secrets.token_hex(8)
    account = database.psql(f"SELECT account_create('{login}', '{HASH}')")
    assert database.psql(f"SELECT id FROM accounts WHERE login = '{login}'") == account
    problem = database.psql(f"SELECT account_create('{login.upper()}', '{HASH}')", check=False)
    assert f'login "{login.upper()}" is taken' in problem


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


def test_operator_disables_and_enables(database, accounts):
    account, login = create(accounts)
    state = "SELECT disabled, generation FROM imagegate.account_by_login(%s)"
    database.psql(f"SELECT account_disable('{login}')")
    assert one(accounts, state, login) == (True, 1)
    assert database.psql(f"SELECT disabled FROM accounts WHERE id = '{account}'") == "t"
    database.psql(f"SELECT account_enable('{login}')")
    assert one(accounts, state, login) == (False, 1)


def test_operator_deletes(database, accounts, revocations):
    account, login = create(accounts)
    assert database.psql(f"SELECT account_delete('{login.upper()}')") == account
    assert accounts.execute("SELECT * FROM imagegate.account_by_id(%s)", (account,)).fetchall() == []
    assert one(revocations, REVOKED, account) == (1, True)
    assert 'no account' in database.psql(f"SELECT account_delete('{login}')", check=False)
    again, _ = create(accounts, login)
    assert again not in (None, account)


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


@pytest.mark.parametrize("keep", ["23 hours", "11 years", "-1 day", "0"])
def test_audit_is_kept_a_day_at_least(database, keep):
    before = one_row(database, "SELECT keep FROM imagegate.audit_retention")
    assert "1 day to 10 years" in database.psql(f"SELECT audit_keep('{keep}')", check=False)
    assert one_row(database, "SELECT keep FROM imagegate.audit_retention") == before


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
            "-e", "DB_REVOCATIONS_PASSWORD=x", f"imagegate-migrate:{TAG}",
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
    ]


def test_server_refuses_to_start_without_its_password():
    done = docker("run", "--rm", "--name", "imagegate-sqltest-" + secrets.token_hex(6), f"imagegate-db:{TAG}", check=False)
    assert done.returncode == 78
    assert "DB_OWNER_PASSWORD is not set" in done.stderr

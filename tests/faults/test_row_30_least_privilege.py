"""Row 30: each S3 key has one right, each database role its functions, and no more."""

import hashlib
import secrets
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import psycopg
import pytest
from support import s3
from support.images import Images

BUCKET = {"Bucket": "images"}

# Operation -> further arguments; {key} is an object that is there.
OPERATIONS = {
    "get_object": {"Key": "{key}"},
    "head_object": {"Key": "{key}"},
    "list_objects_v2": {},
    "list_objects": {},
    "list_object_versions": {},
    "list_multipart_uploads": {},
    "put_object": {"Key": "{new}", "Body": b"evil"},
    "copy_object": {"Key": "{new}", "CopySource": "images/{key}"},
    "delete_object": {"Key": "{key}"},
    "delete_objects": {"Delete": {"Objects": [{"Key": "{key}"}], "Quiet": False}},
    "get_object_acl": {"Key": "{key}"},
    "get_object_tagging": {"Key": "{key}"},
    "put_object_tagging": {"Key": "{key}", "Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}},
    "create_bucket": {"Bucket": "other"},
    "delete_bucket": {},
    "get_bucket_policy": {},
    "put_bucket_policy": {"Policy": '{"Version":"2012-10-17","Statement":[]}'},
    "delete_bucket_policy": {},
    "get_bucket_versioning": {},
    "put_bucket_versioning": {"VersioningConfiguration": {"Status": "Enabled"}},
    "get_bucket_notification_configuration": {},
}
RIGHTS = {
    "put": {"put_object"},
    "get": {"get_object", "head_object"},
    # To MinIO versions are part of a listing.
    "gallery": {"list_objects_v2", "list_objects", "list_object_versions", "delete_object",
                "delete_objects"},
    "monitoring": set(),
}
DENIED = {"AccessDenied", "403"}

outside = pytest.mark.parametrize("right, operation", [
    (right, operation) for right, allowed in RIGHTS.items()
    for operation in OPERATIONS if operation not in allowed])


@pytest.fixture(scope="module")
def store(stack):
    """A function that makes the client of a key on the inside network."""
    url = f"http://{stack.address('storage', 'store')}:9000"
    return lambda right: s3.client(url, stack.secret(f"store_{right}_key"),
                                   stack.secret(f"store_{right}_secret"))


@pytest.fixture(scope="module")
def key(ledger, member):
    return ledger.upload(member, Images.noise()).replace("-", "/", 1)


def fill(value, **words):
    """The arguments with {key} and {new} replaced."""
    if isinstance(value, dict):
        return {name: fill(item, **words) for name, item in value.items()}
    if isinstance(value, list):
        return [fill(item, **words) for item in value]
    return value.format(**words) if isinstance(value, str) else value


def call(client, operation, key):
    template = OPERATIONS[operation]
    arguments = template if "Policy" in template else fill(template, key=key, new="new/object")
    answer = getattr(client, operation)(**BUCKET | arguments)
    if operation == "delete_objects":  # always 200; the errors are inside
        raise botocore.exceptions.ClientError({"Error": answer["Errors"][0]}, operation)
    return answer


@outside
def test_key_outside_its_right(store, key, right, operation):
    with pytest.raises(botocore.exceptions.ClientError) as refusal:
        call(store(right), operation, key)
    assert refusal.value.response["Error"]["Code"] in DENIED


@pytest.mark.parametrize("right", RIGHTS)
@pytest.mark.parametrize("bucket", ["other", ".minio.sys", "images2"])
def test_key_in_another_bucket(store, right, bucket):
    client = store(right)
    for send in (lambda: client.get_object(Bucket=bucket, Key="x"),
                 lambda: client.put_object(Bucket=bucket, Key="x", Body=b"evil"),
                 lambda: client.list_objects_v2(Bucket=bucket)):
        with pytest.raises(botocore.exceptions.ClientError):
            send()


@pytest.mark.parametrize("right", RIGHTS)
@pytest.mark.parametrize("method, path", [
    ("GET", "info"), ("GET", "list-users"), ("GET", "accountinfo"), ("POST", "service?action=stop"),
    ("GET", "list-canned-policies"), ("PUT", "add-service-account"), ("GET", "config"),
    ("PUT", "add-user?accessKey=evil"), ("PUT", "set-user-status?accessKey=x&status=enabled"),
    ("GET", "list-service-accounts"),
])
def test_key_is_no_administrator(stack, right, method, path):
    url = f"http://{stack.address('storage', 'store')}:9000/minio/admin/v3/{path}"
    body = b"x" if method == "PUT" else b""
    request = botocore.awsrequest.AWSRequest(method, url, data=body, headers={
        "X-Amz-Content-Sha256": hashlib.sha256(body).hexdigest()})
    credentials = botocore.credentials.Credentials(stack.secret(f"store_{right}_key"),
                                                   stack.secret(f"store_{right}_secret"))
    botocore.auth.SigV4Auth(credentials, "s3", "us-east-1").add_auth(request)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    signed = urllib.request.Request(url, body or None, dict(request.headers), method=method)
    try:
        answer = opener.open(signed, timeout=10)
        # Whoever asks about himself learns what he may do, and nothing about others.
        assert path in ("accountinfo", "list-service-accounts"), answer.read()
    except urllib.error.HTTPError as refusal:
        assert refusal.code in (400, 403), path


def test_each_key_has_its_right(store, ledger):
    """So that the refusals above mean something."""
    body = Images.noise().data
    ledger.sent(body)
    name = f"0123456789abcdef/{secrets.token_hex(15)}.png"
    store("put").put_object(Bucket="images", Key=name, Body=body)
    assert store("get").get_object(Bucket="images", Key=name)["Body"].read() == body
    assert name in s3.objects(store("gallery"))
    store("gallery").delete_object(Bucket="images", Key=name)
    assert name not in s3.objects(store("gallery"))


# -- the database

COMMON = [
    "create table imagegate.evil (a int)", "create temp table evil (a int)", "create schema evil",
    "create role evil", "create database evil", "set role imagegate_owner", "set role admin",
    "set role postgres", "do $$ begin end $$", "select lo_create(0)", "select pg_advisory_lock(1)",
    "select pg_read_file('/etc/passwd')", "copy (select 1) to program 'true'",
    "copy (select 1) to '/tmp/evil'", "select pg_reload_conf()", "alter system set port = 1",
    "create function imagegate.evil() returns int language sql as 'select 1'",
    "create extension dblink schema imagegate", "select * from pg_authid",
    "select * from imagegate.accounts", "select * from admin.accounts",
    "select admin.account_disable('x')",
    "select admin.account_create('x', 'y')", "select admin.account_set_password('x', 'y')",
    "select admin.account_revoke('x')", "select admin.account_delete('x')",
    "select imagegate.account_revoke('x')", "select imagegate.account_id_new()",
    "select imagegate.account_named('x')", "truncate imagegate.accounts",
    "insert into imagegate.accounts (id) values ('x')", "update imagegate.accounts set login = 'x'",
    "delete from imagegate.accounts", "alter table imagegate.accounts disable trigger all",
    "delete from imagegate.revocations",
    "update imagegate.revocations set generation = 0", "truncate imagegate.revocations",
    "insert into imagegate.revocations (account) values ('x')",
    "drop function imagegate.account_by_id(text)",
]
STATEMENTS = {
    "accounts": [*COMMON, "select * from imagegate.revocations", "set role revocations"],
    "monitoring": [*COMMON, "select * from imagegate.revocations", "set role accounts", "select pg_ls_dir('/')"],
    "revocations": [*COMMON, "set role accounts", "select imagegate.account_create('x', 'y')",
                    "select imagegate.account_login_taken('x')",
                    "select * from imagegate.account_by_login('x')",
                    "select imagegate.account_logged_in('x')",
                    "select imagegate.account_rehash('x', 'y', 'z')",
                    "select * from imagegate.account_by_id('x')",
                    "select imagegate.account_log_out('x', 0)",
                    "select imagegate.account_change_password('x', 0, 'y', 'z')"],
}


def connect(stack, user, password, dbname="imagegate"):
    return psycopg.connect(host=stack.address("db", "users"), dbname=dbname, user=user,
                           password=password, connect_timeout=5, autocommit=True)


@pytest.fixture(scope="module")
def sessions(stack):
    """A session of each service role."""
    opened = {role: connect(stack, role, stack.secret(f"db_{role}_password"))
              for role in STATEMENTS}
    yield opened
    for session in opened.values():
        session.close()


@pytest.mark.parametrize("role, statement", [(role, statement) for role in STATEMENTS
                                             for statement in STATEMENTS[role]])
def test_role_outside_its_functions(sessions, role, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sessions[role].execute(statement)


@pytest.mark.parametrize("user, password, database", [
    ("accounts", "db_accounts_password", "postgres"),
    ("accounts", "db_accounts_password", "template1"),
    ("accounts", "db_revocations_password", "imagegate"),
    ("revocations", "db_accounts_password", "imagegate"),
    ("postgres", "db_owner_password", "imagegate"),
    ("postgres", "db_owner_password", "postgres"),
    ("admin", "db_owner_password", "imagegate"),
    ("imagegate_owner", "db_accounts_password", "imagegate"),
])
def test_who_may_not_connect(stack, user, password, database):
    with pytest.raises(psycopg.OperationalError):
        connect(stack, user, stack.secret(password), database)


def test_each_role_has_its_functions(sessions, member):
    account, = sessions["accounts"].execute(
        "select id, login from imagegate.account_by_login(%s)", [member.login]).fetchall()
    assert account == (member.id, member.login)
    assert sessions["revocations"].execute("select count(*) from imagegate.revocations").fetchone()
    assert sessions["monitoring"].execute("select count(*) from pg_stat_activity where state = 'active'").fetchone() > (0,)

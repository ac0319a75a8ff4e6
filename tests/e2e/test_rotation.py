"""Keys and passwords change while the service is used: nobody is logged out, no request is lost."""

import contextlib
import fcntl
import os
from dataclasses import replace

import jwt
import psycopg
import pytest
from botocore.exceptions import ClientError
from support import s3
from support.client import bearer
from support.stack import TREE
from support.use import every_pool, used
from support.wait import until


def kid(token):
    return jwt.get_unverified_header(token)["kid"]


def keys(stack):
    return [line.split()[0] for line in stack.secret("jwt_keys").splitlines()]


def test_rotation_of_no_keys(stack, tmp_path):
    done = stack.script("rotate-key", str(tmp_path))
    assert done.returncode == 1
    assert "there is no" in done.stderr


def test_one_rotation_at_a_time(stack, tmp_path):
    """The second one changes nothing."""
    text = "k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"
    (tmp_path / "jwt_keys").write_text(text)
    with (tmp_path / ".rotate-key").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = stack.script("rotate-key", str(tmp_path))
    assert done.returncode == 1
    assert "another rotation" in done.stderr
    assert (tmp_path / "jwt_keys").read_text() == text


def test_no_more_keys_than_the_programs_take(stack, tmp_path):
    lines = [f"k{i} AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n" for i in range(16)]
    (tmp_path / "jwt_keys").write_text("".join(lines))
    done = stack.script("rotate-key", str(tmp_path))
    assert done.returncode == 1
    assert "16 keys" in done.stderr
    assert (tmp_path / "jwt_keys").read_text() == "".join(lines)


@pytest.mark.usefixtures("rotated")
def test_rotation(stack, client, ledger, account, stored):
    name, image = stored
    path = f"/v1/user/{name}"
    old, before = account.headers, keys(stack)
    with used(stack, *every_pool(ledger, replace(account), name)):
        done = stack.script("rotate-key", str(stack.secrets_dir))
        assert done.returncode == 0, done.stderr
    stack.forget()

    now = keys(stack)
    assert now[1:] == before and now[0] not in before
    ledger.login(account)
    assert kid(account.token) == now[0]
    for headers in (old, account.headers):
        assert client.get(path, headers=headers).content == image.data
        renewed = client.post("/v1/token/renew", headers=headers).json()["access_token"]
        assert kid(renewed) == now[0]
        assert client.get(path, headers=bearer(renewed)).content == image.data
    assert (stack.secrets_dir / "jwt_keys").stat().st_mode & 0o777 == 0o444


@pytest.mark.usefixtures("rotated")
def test_a_rotation_that_was_cut(stack, client, account):
    """It has left its second container behind; the next run replaces both, and drops the keys that have died."""
    compose = ["up", "-d", "--no-deps", "--no-recreate", "--scale", "security-validate=2"]
    stack.script("compose", *compose, "security-validate")
    file = stack.secrets_dir / "jwt_keys"
    signer = keys(stack)[0]
    os.utime(file, (0, 0))
    done = stack.script("rotate-key", str(stack.secrets_dir))
    assert done.returncode == 0, done.stderr
    assert keys(stack)[1:] == [signer]
    stack.forget()
    for service in ("security", "security-validate"):
        names = stack.script("compose", "ps", "-q", service).stdout.split()
        assert names == [stack.containers[service]]
    assert client.get("/v1/user", headers=account.headers).status_code == 200


# -- the keys of the store, the passwords of the database

STORE_KEYS = [f"store_{right}_{part}" for right in ("put", "get", "gallery", "monitoring") for part in ("key", "secret")]
DB_PASSWORDS = [f"db_{role}_password" for role in ("accounts", "revocations", "monitoring", "owner")]


@pytest.fixture
def secrets_change(stack):
    """A context manager: within its block each of these secrets gets another word, and no file but they remains."""

    @contextlib.contextmanager
    def check(names):
        files = sorted(os.listdir(stack.secrets_dir))
        before = [stack.secret(name) for name in names]
        yield
        stack.forget()
        assert not set(before) & {stack.secret(name) for name in names}
        assert {(stack.secrets_dir / name).stat().st_mode & 0o777 for name in names} == {0o444}
        assert sorted(os.listdir(stack.secrets_dir)) == files

    return check


@pytest.fixture
def secrets_dir_lock(stack):
    @contextlib.contextmanager
    def lock():
        folder = os.open(stack.secrets_dir, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    return lock


def rotate(stack, what):
    done = stack.script(f"rotate-{what}", str(stack.secrets_dir))
    assert done.returncode == 0, done.stdout + done.stderr


def may_list(stack, key, secret):
    url = f"http://{stack.address('storage', 'store')}:9000"
    try:
        return bool(s3.client(url, key, secret).list_objects_v2(Bucket="images", MaxKeys=1))
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidAccessKeyId"
        return False


def may_connect(stack, role, password):
    try:
        with psycopg.connect(host=stack.address("db", "users"), dbname="imagegate", user=role, password=password):
            return True
    except psycopg.OperationalError as error:
        assert "password authentication failed" in str(error)
        return False


@pytest.mark.parametrize("what", ["store-keys", "db-passwords"])
def test_no_secrets_to_rotate(stack, tmp_path, what):
    done = stack.script(f"rotate-{what}", str(tmp_path))
    assert done.returncode == 1
    assert "there is no" in done.stderr
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("what", ["store-keys", "db-passwords"])
def test_one_of_these_rotations_at_a_time(stack, secrets_dir_lock, what):
    with secrets_dir_lock():
        done = stack.script(f"rotate-{what}", str(stack.secrets_dir))
    assert done.returncode == 1
    assert "another rotation" in done.stderr


def test_store_keys(stack, ledger, account, stored, secrets_change):
    """
    The first run is cut: the pools then have keys that no file has any more, which are good until the pools are replaced.
    """
    old = stack.secret("store_gallery_key"), stack.secret("store_gallery_secret")
    assert may_list(stack, *old)
    with secrets_change(STORE_KEYS), used(stack, *every_pool(ledger, account, stored[0])):
        with (TREE / "docker-compose.yml").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with stack.script_until("waiting for another", "rotate-store-keys", str(stack.secrets_dir)) as cut:
                assert cut.poll() is None
        rotate(stack, "store-keys")
    assert not may_list(stack, *old)
    assert may_list(stack, stack.secret("store_gallery_key"), stack.secret("store_gallery_secret"))


def test_db_passwords(stack, client, ledger, account, stored, secrets_change):
    roles = {"accounts": "accounts", "revocations": "revocations", "monitoring": "monitoring", "owner": "imagegate_owner"}
    old = {role: stack.secret(f"db_{file}_password") for file, role in roles.items()}
    with secrets_change(DB_PASSWORDS), used(stack, *every_pool(ledger, account, stored[0])):
        rotate(stack, "db-passwords")
    for file, role in roles.items():
        assert not may_connect(stack, role, old[role])
        assert may_connect(stack, role, stack.secret(f"db_{file}_password"))
    # Revocations still arrive.
    assert client.delete("/v1/token", headers=account.headers).status_code == 204
    until(lambda: client.get(f"/v1/user/{stored[0]}", headers=account.headers).status_code == 401, 5, "the token dies")


@pytest.mark.parametrize("told", [False, True])
def test_db_passwords_after_a_cut(stack, secrets_change, told):
    """The owner's new password is in a file, and the database has been told of it, or has not."""
    with secrets_change(DB_PASSWORDS):
        file = stack.secrets_dir / ".new-db_owner_password"
        file.write_text("another")
        if told:
            done = stack.script("compose", "run", "--rm", "-T", "--no-deps", "migrate", "owner", stdin="another")
            assert done.returncode == 0, done.stderr
            assert may_connect(stack, "imagegate_owner", "another")
        rotate(stack, "db-passwords")
    assert may_connect(stack, "imagegate_owner", stack.secret("db_owner_password"))

"""`make rotate-key` while the service is used: nobody is logged out, no request is lost."""

import fcntl
import os
from dataclasses import replace

import jwt
import pytest
from support.client import bearer
from support.use import every_pool, used


@pytest.fixture
def rotated(stack, ledger, mint):
    """Afterwards the rest of the run uses the key that is the first one then."""
    yield
    stack.forget()
    mint.__init__(stack.secret("jwt_keys"), mint.lifetime)
    ledger.login(ledger.reader)


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

"""Pools are replaced while the service is used: only those that changed, and no request is lost."""

import contextlib
import fcntl
import os

import pytest
from support.stack import POOLS, TREE
from support.use import every_pool, used
from support.wait import until

ALL = (*POOLS, "metrics")
COUNTS = {"security": ("ACCOUNTS_WORKERS", 1), "security-validate": ("VALIDATE_WORKERS", 3),
          "uploader": ("UPLOADER_WORKERS", 3), "uploader-signer": ("SIGNER_WORKERS", 3),
          "uploader-gallery": ("GALLERY_WORKERS", 3)}


@pytest.fixture(scope="module")
def ours(stack):
    """All pools are of the Compose that the tests have, which is not always the one that started the stack."""
    yield run(stack, "replace", *ALL)
    stack.forget()


@pytest.fixture
def steady(stack, ledger, account, stored):
    """A context manager: every pool is in use during its block."""
    return lambda: used(stack, *every_pool(ledger, account, stored[0]))


def run(stack, *argv, status=0):
    done = stack.script(*argv)
    assert done.returncode == status, done.stdout + done.stderr
    stack.forget()
    return done.stdout + done.stderr


def ids(stack):
    """Service -> its containers."""
    lines = [line.split() for line in stack.script("containers").stdout.splitlines()]
    return {service: [line[-1] for line in lines if line[0] == service] for service in {line[0] for line in lines}}


def changed(before, after):
    return {service for service in before if before[service] != after[service]}


@contextlib.contextmanager
def settings(**values):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, str(value))
        yield


@pytest.mark.usefixtures("ours")
def test_what_did_not_change_stays(stack):
    before = ids(stack)
    assert run(stack, "replace", *ALL) == ""
    assert ids(stack) == before


@pytest.mark.usefixtures("ours")
def test_every_pool(stack, steady):
    before = ids(stack)
    workers = {pool: len(stack.workers(pool)) for pool in POOLS}
    with steady():
        with settings(**dict(COUNTS.values())):
            run(stack, "replace", *ALL)
            during = ids(stack)
            assert changed(before, during) == set(POOLS)
            for pool, (_, count) in COUNTS.items():
                assert len(during[pool]) == 1
                assert len(stack.workers(pool)) == count
        run(stack, "replace", *ALL)
        assert changed(during, ids(stack)) == set(POOLS)
    assert {pool: len(stack.workers(pool)) for pool in POOLS} == workers


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("secret, pool", [("store_get_secret", "uploader-signer"), ("jwt_keys", "security-validate")])
def test_a_secret_that_was_written(stack, secret, pool):
    before = ids(stack)
    os.utime(stack.secrets_dir / secret)
    run(stack, "replace", pool)
    assert changed(before, ids(stack)) == {pool}


@pytest.mark.usefixtures("ours")
def test_a_container_that_does_not_come_up(stack, steady):
    """It takes nothing over, and nothing of it stays."""
    before = ids(stack)
    with steady(), settings(VALIDATE_WORKERS="none"):
        said = run(stack, "replace", "security-validate", status=1)
    assert "does not come up" in said and '"none"' in said
    assert ids(stack) == before


@pytest.mark.usefixtures("ours")
def test_a_replacement_that_was_cut(stack, steady):
    """Whichever of the two that it left has the socket."""
    with steady():
        run(stack, "compose", "up", "-d", "--no-deps", "--no-recreate", "--scale", "uploader=2", "uploader")
        left = ids(stack)["uploader"]
        assert len(left) == 2
        run(stack, "replace", "uploader")
    now, = ids(stack)["uploader"]
    assert now not in left


@pytest.mark.parametrize("lock, argv", [("docker-compose.yml", ("replace", "metrics")), ("", ("up",))])
def test_one_at_a_time(stack, lock, argv):
    """Two `make up` at once, or one in a rotation, would take containers and keys from under each other."""
    descriptor = os.open(TREE / lock if lock else stack.secrets_dir, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with stack.script_until("waiting for another", *argv) as running:
            assert running.poll() is None
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            assert running.wait(60) == 0
    finally:
        os.close(descriptor)


@pytest.mark.usefixtures("ours")
def test_the_hands_of_an_operator_reach_a_new_container(stack):
    """Its number is not that of the first one any more."""
    done = stack.script("inside", "uploader", "hostname")
    assert stack.containers["uploader"].startswith(done.stdout.strip()) and done.stdout.strip()
    done = stack.script("inside", "nobody", "hostname")
    assert (done.returncode, done.stderr) == (1, "nobody does not run: make up starts it\n")


def test_up(stack, steady, recovers):
    """`make up` replaces the pool that changed, and nothing else that runs."""
    run(stack, "up")  # what another Compose has started is made anew
    recovers()
    before = ids(stack)
    with steady():
        with settings(SIGNER_WORKERS=3):
            assert "uploader-signer has a new container" in run(stack, "up")
        assert changed(before, ids(stack)) == {"uploader-signer"}
        run(stack, "up")
    until(lambda: len(stack.workers("uploader-signer")) == 2, 5, "as many workers as before")

"""Row 19: a pool that is dead or hangs.  Nothing protected is ever served without a 204."""

import contextlib
import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.client import bearer
from support.images import Images
from support.stack import POOLS, docker
from support.wait import until

DEADLINE = 10  # seconds within which the gateway gives up on a pool that hangs
HASHING_DEADLINE = 20  # and on the one that may take long


@pytest.fixture(params=["dead", "hanging"])
def without(request, stack, recovers):
    """A context manager that takes a pool away and waits for it to be back."""

    @contextlib.contextmanager
    def take_away(pool):
        away, back = {"dead": (stack.stop, stack.start),
                      "hanging": (stack.pause, stack.unpause)}[request.param]
        away(pool)
        try:
            yield
        finally:
            back(pool)
            recovers()

    return take_away


@pytest.fixture
def fresh(mint, member):
    """A function that makes a good token which no cache has seen."""
    return lambda: bearer(mint.token(member.id))


def check_unavailable(*calls, deadline=DEADLINE):
    """Assert that each call, all made at the same time, ends in a 503."""
    start = time.monotonic()
    with ThreadPoolExecutor(len(calls)) as pool:
        statuses = [answer.status_code for answer in pool.map(lambda call: call(), calls)]
    assert set(statuses) <= {503, 504}
    assert time.monotonic() - start < deadline


def test_validate(client, ledger, member, stored, fresh, without):
    name, _ = stored
    path = f"/v1/user/{name}"
    assert client.get(path, headers=member.headers).status_code == 200
    with without("security-validate"):
        image = Images.noise()
        check_unavailable(lambda: client.get(path, headers=fresh()),
                          lambda: client.get(path, headers=bearer("x.y.z")),
                          lambda: client.get(path),
                          lambda: client.get("/v1/user", headers=fresh()),
                          lambda: client.post("/v1/upload", data=image.data, headers=fresh()))
        assert ledger.absent(image.data)
        until(lambda: client.get(path, headers=member.headers).status_code == 503, 5,
              "the cached 204 ends")
        until(lambda: client.get("/readyz").status_code == 503, 10, "/readyz sees it")
        assert client.get("/livez").status_code == 200


def account_calls(client, member):
    """One call of each kind that the accounts pool answers."""
    newcomer = {"login": f"row19.{secrets.token_hex(6)}", "password": "short"}
    return [lambda: client.post("/v1/token", json=member.credentials),
            lambda: client.get("/v1/user", headers=member.headers),
            lambda: client.post("/v1/register", json=newcomer)]


def test_accounts_dead(stack, client, ledger, member, stored, fresh, recovers):
    name, image = stored
    stack.stop("security")
    try:
        check_unavailable(*account_calls(client, member))
        assert client.get(f"/v1/user/{name}", headers=fresh()).content == image.data
        ledger.upload(member, Images.noise())
    finally:
        stack.start("security")
    recovers()


def test_accounts_hanging(stack, client, ledger, member, stored, fresh, recovers):
    """Nobody else waits for it, and the gateway gives it up."""
    name, image = stored
    calls = account_calls(client, member)
    stack.pause("security")
    try:
        with ThreadPoolExecutor(1) as pool:
            unavailable = pool.submit(check_unavailable, *calls, deadline=HASHING_DEADLINE)
            assert client.get(f"/v1/user/{name}", headers=fresh()).content == image.data
            ledger.upload(member, Images.noise())
            until(lambda: client.get("/readyz").status_code == 503, 10, "/readyz sees it")
            unavailable.result()
    finally:
        stack.unpause("security")
    recovers()


def test_accounts_late(stack, client, member, recovers):
    """What has waited too long is refused as soon as the pool goes on, and not hashed."""
    calls = account_calls(client, member)
    with ThreadPoolExecutor(len(calls)) as pool:
        stack.pause("security")
        try:
            waiting = [pool.submit(call) for call in calls]
            # The probe of the readiness waits a second longer than any request may.
            until(lambda: client.get("/readyz").status_code == 503, 10, "/readyz sees it")
        finally:
            stack.unpause("security")
        answers = [call.result() for call in waiting]
    for answer in answers:
        assert answer.status_code == 503
        assert "more requests than can be answered" in answer.json()["detail"]
        assert int(answer.headers["Retry-After"]) == 5
    recovers()


def test_uploader_dead(stack, client, ledger, member, stored, recovers):
    name, image = stored
    refused = Images.noise()
    stack.stop("uploader")
    try:
        check_unavailable(lambda: client.post("/v1/upload", data=refused.data,
                                              headers=member.headers))
        assert client.get(f"/v1/user/{name}", headers=member.headers).content == image.data
        assert client.get("/v1/user", headers=member.headers).status_code == 200
        until(lambda: client.get("/readyz").status_code == 503, 10, "/readyz sees it")
    finally:
        stack.start("uploader")
    recovers()
    assert ledger.absent(refused.data)


def test_signer(client, ledger, member, stored, without):
    hot, image = stored
    client.get(f"/v1/user/{hot}", headers=member.headers)
    cold = ledger.upload(member, Images.noise())
    with without("uploader-signer"):
        check_unavailable(lambda: client.get(f"/v1/user/{cold}", headers=member.headers))
        assert client.get(f"/v1/user/{hot}", headers=member.headers).content == image.data
        ledger.upload(member, Images.noise())


def test_revocations(client, stored, fresh, without):
    """The list of revocations stands still: live tokens go on, as documented."""
    name, _ = stored
    with without("security-revocations"):
        assert client.get(f"/v1/user/{name}", headers=fresh()).status_code == 200
        assert client.get(f"/v1/user/{name}", headers=bearer("x.y.z")).status_code == 401


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("how", ["hang", "are dead"])
def test_a_pool_whose_workers(stack, recovers, pool, how):
    """Its health check, as Docker runs it, fails."""
    check = stack.inspect(pool)["Config"]["Healthcheck"]["Test"][1:]

    def healthy():
        return stack.exec(pool, *check, check=False).returncode == 0

    assert healthy()
    workers = [worker.pid for worker in stack.workers(pool)]
    if how == "hang":
        stack.shell(pool, f"kill -STOP {' '.join(map(str, workers))}")
    else:
        docker("kill", "--signal", "STOP", stack.containers[pool])  # who would start others
        stack.kill_workers(pool, workers)
    try:
        assert not healthy()
    finally:
        if how == "hang":
            stack.shell(pool, f"kill -CONT {' '.join(map(str, workers))}")
        docker("kill", "--signal", "CONT", stack.containers[pool])
    until(healthy, 20, "the pool is healthy again")
    recovers()

"""
Reads while the store is stopped, frozen, killed or restarted: what the cache holds goes on being served,
to valid tokens only; nothing cut is ever served; nothing that is gone comes back.
"""

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from support import substitute
from support.client import Wire, bearer, head
from support.images import Images
from support.stack import docker
from support.trace import Trace
from support.wait import until

CACHE_TIME = 1  # seconds, of the second gateway
READERS = 24


@pytest.fixture
def read(client, member):
    """A function that reads an image with a good token, from the stack's gateway or another one."""

    def get(name, gateway=client, headers=None):
        return gateway.get(f"/v1/user/{name}", headers=member.headers | (headers or {}))

    return get


@pytest.fixture(scope="module")
def brief(stack):
    """A second gateway, whose images are kept for a second."""
    with substitute.gateway(stack, IMAGE_CACHE_TIME=f"{CACHE_TIME}s") as gateway:
        yield gateway


def alive(gateway):
    try:
        return gateway.get("/livez").status_code == 200
    except requests.ConnectionError:
        return False


@pytest.fixture
def trace(stack):
    with Trace(stack) as trace:
        yield trace


def check_hot(client, read, name, image):
    """The cached image, whole and in part, to valid tokens only."""
    assert read(name).content == image.data
    assert read(name, headers={"Range": "bytes=3-9"}).content == image.data[3:10]
    assert client.get(f"/v1/user/{name}").status_code == 401
    assert client.get(f"/v1/user/{name}", headers=bearer("x.y.z")).status_code == 401


@pytest.mark.parametrize("away, back", [("stop", "start"), ("pause", "unpause")])
def test_cached_images_go_on(stack, client, ledger, member, stored, read, recovers, away, back):
    hot, image = stored
    cold = ledger.upload(member, Images.noise())
    read(hot)
    getattr(stack, away)("storage")
    try:
        check_hot(client, read, hot, image)
        start = time.monotonic()
        assert read(cold).status_code in (503, 504)
        assert time.monotonic() - start < 21
        check_hot(client, read, hot, image)
        assert client.get(f"/v1/user/{cold}").status_code == 401
    finally:
        getattr(stack, back)("storage")
    recovers()
    assert read(cold).status_code == 200


def test_a_connection_is_kept(stack, ledger, member, read):
    """What was fetched for one reader spares the next one the way to the store."""
    assert read(ledger.upload(member, Images.noise())).status_code == 200
    port, established = f":{9000:04X}", "01"
    connections = [line.split() for line in stack.shell("gateway", "cat /proc/net/tcp").stdout.splitlines()]
    assert [fields for fields in connections if fields[2].endswith(port) and fields[3] == established]


def test_a_revoked_and_an_expired_token_on_a_hot_image(stack, client, ledger, mint, stored, read,
                                                       recovers):
    """The cache of images and the store's absence change nothing about who may read."""
    name, image = stored
    account = ledger.register()
    brief_token = mint.token(account.id, exp=int(time.time()) + 4)
    assert read(name).content == image.data
    assert client.get(f"/v1/user/{name}", headers=account.headers).content == image.data
    assert client.get(f"/v1/user/{name}", headers=bearer(brief_token)).status_code == 200
    stack.stop("storage")
    try:
        stack.psql(f"select admin.account_disable('{account.login}')")
        account.may_log_in = False
        until(lambda: client.get(f"/v1/user/{name}", headers=account.headers).status_code == 401, 5,
              "the revoked token is refused")
        until(lambda: client.get(f"/v1/user/{name}",
                                 headers=bearer(brief_token)).status_code == 401, 6,
              "the expired token is refused")
        check_hot(client, read, name, image)
    finally:
        stack.start("storage")
    recovers()


def test_the_cache_survives_a_restart_of_the_gateway(stack, client, stored, read, recovers):
    name, image = stored
    read(name)
    stack.stop("storage")
    try:
        stack.restart("gateway")
        until(lambda: alive(client), 20, "the gateway is up")
        check_hot(client, read, name, image)
    finally:
        stack.start("storage")
    recovers()


def test_restarted_under_readers(stack, ledger, member, stored, read, recovers):
    """Hot reads never fail; cold ones give the image or say that they can't."""
    hot, image = stored
    read(hot)
    others = [(ledger.upload(member, other), other) for other in
              (Images.noise() for _ in range(60))]
    over = threading.Event()

    def read_hot():
        count = 0
        while not over.is_set():
            assert read(hot).content == image.data
            count += 1
        return count

    def read_cold(pair):
        name, other = pair
        answer = read(name)
        assert answer.status_code in (200, 503, 504)
        assert answer.status_code != 200 or answer.content == other.data
        return answer.status_code

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read_hot) for _ in range(2)]
        try:
            restart = pool.submit(stack.restart, "storage")
            statuses = list(pool.map(read_cold, others))
            restart.result()
        finally:
            over.set()
        assert all(reader.result() for reader in readers)
    assert set(statuses) <= {200, 503, 504}
    recovers()
    for name, other in others:
        assert read(name).content == other.data


@pytest.fixture
def large(ledger, member):
    """The name of an image of 60 MB that no cache knows, and the image."""
    image = Images.noise(4500, 4500)
    return ledger.upload(member, image), image


def test_a_cut_fill_is_never_served(stack, member, read, recovers, large):
    """The store is killed while it sends; what the cache got of it is of no use to anybody."""
    name, image = large
    store = stack.containers["storage"]
    # A twentieth of a core: the image takes the store seconds.
    docker("update", "--cpu-period", "100000", "--cpu-quota", "5000", store)
    try:
        with Wire(stack.base_url, 40) as wire:
            wire.send(head("GET", f"/v1/user/{name}", *member.headers.items(),
                           ("Connection", "close")))
            count = len(wire.socket.recv(65536))
            stack.kill("storage")
            while piece := wire.socket.recv(65536):
                count += len(piece)
        assert 0 < count < len(image.data)
        # 504 while the dead container's address does not answer, 503 once its name is gone.
        assert read(name).status_code in (503, 504)
        assert read(name, headers={"Range": "bytes=0-9"}).status_code in (503, 504)
    finally:
        docker("update", "--cpu-quota", "-1", store)
        stack.start("storage")
    recovers()
    assert read(name).content == image.data


def fetches_of_a_crowd(ledger, member, read, trace):
    """How often the store is asked for an image that many ask for at the same time, first of all."""
    image = Images.noise(60, 60)
    name = ledger.upload(member, image)
    gate = threading.Barrier(READERS)

    def first(_):
        gate.wait(60)
        return read(name).content

    with ThreadPoolExecutor(READERS) as pool:
        assert set(pool.map(first, range(READERS))) == {image.data}
    return len(trace.gets(name))


def test_many_first_readers(ledger, member, read, trace):
    """
    Most of them get what one of them fetched; who has waited for a moment asks the store, so where the store is
    slow they may be many.
    """
    assert 1 <= min(fetches_of_a_crowd(ledger, member, read, trace) for _ in range(3)) < READERS / 2


def test_an_expired_entry_is_revalidated(ledger, member, brief, read, trace):
    """By its ETag: the store sends no bytes again."""
    image = Images.noise(60, 60)
    name = ledger.upload(member, image)
    assert read(name, brief).content == image.data

    def revalidated():
        assert read(name, brief).content == image.data
        return 304 in [status for status, _ in trace.gets(name)]

    until(revalidated, 10, "the entry was past its time and asked for")
    fetches = trace.gets(name)
    assert [status for status, _ in fetches].count(200) == 1
    assert all(size < 1000 for status, size in fetches if status == 304), "headers alone"
    assert hashlib.md5(image.data).hexdigest() in read(name, brief).headers["ETag"]


@pytest.mark.parametrize("seen_gone", [False, True])
def test_row_33_a_deleted_image_never_comes_back(stack, ledger, member, brief, read, recovers,
                                                 seen_gone):
    image = Images.noise()
    name = ledger.upload(member, image)
    assert read(name, brief).content == image.data
    ledger.store.delete_object(Bucket="images", Key=name.replace("-", "/", 1))
    del ledger.images[name]
    if seen_gone:
        until(lambda: read(name, brief).status_code == 404, 10, "the entry is past its time")
    stack.stop("storage")
    try:
        until(lambda: read(name, brief).status_code != 200, 10, "the entry is past its time")
        end = time.monotonic() + 3
        while time.monotonic() < end:
            assert read(name, brief).status_code in (404, 503, 504)
    finally:
        stack.start("storage")
    recovers()
    assert read(name, brief).status_code == 404


def test_a_404_is_kept_for_a_second_at_most(ledger, member, read):
    image = Images.noise()
    name = ledger.upload(member, image)
    absent = name.replace("-vu", "-vv", 1)
    assert read(absent).status_code == 404
    ledger.sent(image.data)
    ledger.store.put_object(Bucket="images", Key=absent.replace("-", "/", 1), Body=image.data)
    until(lambda: read(absent).content == image.data, 2.5, "it is found")

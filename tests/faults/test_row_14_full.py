"""Row 14: no room at the store, on the disk, or for the bodies that the gateway spools."""

import hashlib

import pytest
from support import s3, substitute
from support.images import Images
from support.stack import docker
from support.wait import until


class SmallStore:
    """A store of its own with a disk of 64 MiB."""

    def __init__(self, ident, stack):
        self.ident = ident
        self.url = f"http://{substitute.address(ident)}:9000"
        self.root = s3.client(self.url, stack.secret("store_root_user"),
                              stack.secret("store_root_password"))

    def exec(self, *argv):
        return docker("exec", self.ident, *argv, check=False).returncode == 0

    def is_up(self):
        return self.exec("curl", "-fsS", "http://127.0.0.1:9000/minio/health/cluster")

    def fill(self):
        """Leave room for an image or two."""
        assert self.exec("fallocate", "-l", "56M", "/data/filler")

    def make_room(self):
        assert self.exec("rm", "/data/filler")


@pytest.fixture
def small_store(stack):
    """The uploads go to it."""
    data = {"/data": "size=64m,uid=2101,gid=2101,mode=0700"}
    with substitute.container(*substitute.like(stack, "storage", data)) as ident:
        store = SmallStore(ident, stack)
        until(store.is_up, 30, "the small store is up")
        docker("run", "--rm", *substitute.like(stack, "createbuckets", STORE_URL=store.url))
        with substitute.uploader(stack, 2, STORE_URL=store.url):
            yield store


def test_full_store(client, ledger, member, small_store):
    taken = set()  # the MD5 of each image that was answered with 201

    def upload():
        """Not with the ledger, which would look for the image in the real store."""
        image = Images.noise(1000, 1000)
        answer = client.post("/v1/upload", data=image.data, headers=member.headers)
        if answer.status_code == 201:
            taken.add(hashlib.md5(image.data).hexdigest())
        else:
            ledger.answered(answer.status_code, answer.headers, answer.text, image.data)
            # The store does not know at once that it is full: first it just fails.
            assert answer.status_code in (503, 507)
        return answer.status_code

    assert upload() == 201
    small_store.fill()
    until(lambda: upload() == 507, 20, "the store is full")
    for _ in range(3):
        assert upload() == 507
    assert set(s3.objects(small_store.root).values()) == taken
    small_store.make_room()
    until(lambda: upload() == 201, 20, "there is room again")
    assert set(s3.objects(small_store.root).values()) == taken


def test_full_disk(stack, ledger, member):
    """There is less than uploads must leave: the store hears of none."""
    image = Images.noise()
    with substitute.uploader(stack, 1, DISK_FREE="1048576G"):
        answer = ledger.try_upload(member, image.data)
        assert answer.status_code == 507
        assert ledger.absent(image.data)
    ledger.upload(member, image)


@pytest.fixture
def small_gateway(stack):
    """A gateway whose spool has 2 MiB."""
    with substitute.gateway(stack, spool="2m") as client:
        yield client


@pytest.mark.parametrize("form", [False, True])
def test_full_spool(ledger, member, small_gateway, form):
    def upload(image):
        ledger.sent(image.data)
        body = {"files": {"file": ("x.png", image.data)}} if form else {"data": image.data}
        answer = small_gateway.post("/v1/upload", headers=member.headers, **body)
        ledger.answered(answer.status_code, answer.headers, answer.text, image.data)
        return answer.status_code

    large = Images.noise(1000, 1000)
    assert upload(Images.noise(500, 500)) == 201
    for _ in range(3):
        assert upload(large) == 503
        assert ledger.absent(large.data)
        assert upload(Images.noise(500, 500)) == 201, "the spool was not given back"

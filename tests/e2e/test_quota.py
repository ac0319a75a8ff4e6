"""
What keeps strangers from filling the disk: the allowance of bytes per account and day, in an
uploader pool of its own beside the stack's; and the quota of the bucket.
"""

import base64
import secrets
import time

import pytest
from support.images import Images
from support.stack import docker
from support.wait import until

DAY = 86400
NEEDED = 30  # seconds that a test may take
LIMIT = 64 << 10
SOCKET = "/run/imagegate/uploader/uploader.sock"
TMPFS = "uid=2004,gid=2004,mode=0700,size=2m"
SECRETS = {"STORE_ACCESS_KEY": "store_put_key", "STORE_SECRET_KEY": "store_put_secret"}
UPLOAD = f"base64 -d | cgi-fcgi -bind -connect {SOCKET}"


class Pool:
    def __init__(self, stack, ledger):
        options = ["--env", f"UPLOAD_DAILY_BYTES={LIMIT}", "--env", f"MAX_UPLOAD={LIMIT}",
                   "--tmpfs", f"/run/imagegate/uploader:{TMPFS}",
                   "--tmpfs", f"/run/imagegate-private:{TMPFS}"]
        for name, file in SECRETS.items():
            options += ["--env", f"{name}_FILE=/run/secrets/{file}",
                        "--volume", f"{stack.secrets_dir / file}:/run/secrets/{file}:ro"]
        image = stack.inspect("uploader")["Config"]["Image"]
        self.ledger = ledger
        self.container = docker(
            "run", "--detach", "--rm", "--read-only", "--cap-drop", "ALL", "--user", "2004:2004",
            "--network", f"{stack.project}_store", *options, image,
            "pool", "uploader", SOCKET, "2").stdout.strip()
        until(self.healthy, 20, "the pool answers")

    def healthy(self):
        return docker("exec", self.container, "pool-healthy", SOCKET, check=False).returncode == 0

    def upload(self, account, body):
        """Status and the whole answer; written down in the ledger as any upload."""
        self.ledger.sent(body)
        parameters = {"REQUEST_METHOD": "POST", "ROUTE": "upload", "ACCOUNT_ID": account,
                      "CONTENT_LENGTH": len(body), "REQUEST_ID": secrets.token_hex(16)}
        words = [word for name, value in parameters.items() for word in ("--env", f"{name}={value}")]
        answer = docker("exec", "--interactive", *words, self.container, "sh", "-c", UPLOAD,
                        stdin=base64.b64encode(body).decode()).stdout
        return int(answer.split()[1]), answer


@pytest.fixture(scope="module")
def pool(stack, ledger):
    pool = Pool(stack, ledger)
    yield pool
    docker("kill", pool.container)


@pytest.fixture
def uploader():
    """A new account's id: the pool takes the gateway's word for it.  No day ends in a test."""
    until(lambda: time.time() % DAY < DAY - NEEDED, NEEDED + 1, "another day begins")
    return "".join(secrets.choice("0123456789abcdefghijklmnopqrstuv") for _ in range(16))


def large():
    """An image of more than a third of the limit and less than a half."""
    image = Images.noise(96, 96).data
    assert LIMIT / 3 < len(image) < LIMIT / 2
    return image


def test_over_the_allowance(pool, ledger, uploader):
    for _ in range(2):
        assert pool.upload(uploader, large())[0] == 201
    refused = large()
    for _ in range(3):
        status, answer = pool.upload(uploader, refused)
        assert status == 429
        wait = int(answer.partition("Retry-After: ")[2].split()[0])
        assert 1 <= wait <= DAY
        assert f"{LIMIT} bytes a day" in answer and '"error":"too many requests"' in answer
    assert ledger.absent(refused)
    # What is left is left, and another account has all of its own.
    assert pool.upload(uploader, Images.noise().data)[0] == 201
    assert pool.upload(uploader[::-1], large())[0] == 201


def test_only_what_is_stored_counts(pool, uploader):
    broken = large()[:-1]
    for _ in range(4):
        assert pool.upload(uploader, broken)[0] == 400
    for _ in range(2):
        assert pool.upload(uploader, large())[0] == 201


def test_the_count_outlives_the_workers(pool, uploader):
    for _ in range(2):
        assert pool.upload(uploader, large())[0] == 201
    docker("exec", pool.container, "sh", "-c",
           "for p in /proc/[0-9]*; do case $(readlink $p/exe) in */uploader) "
           "kill -KILL ${p#/proc/};; esac; done")
    until(pool.healthy, 20, "the pool answers")
    assert pool.upload(uploader, large())[0] == 429


@pytest.fixture
def create_buckets(stack):
    """A function that runs the stack's createbuckets with another STORE_QUOTA; the output."""
    image = stack.inspect("createbuckets")["Config"]["Image"]
    environment = stack.inspect("createbuckets")["Config"]["Env"]
    files = [entry.partition("=")[2] for entry in environment if "_FILE=" in entry]

    def run(quota):
        options = [word for entry in environment if "_FILE=" in entry for word in ("--env", entry)]
        for path in files:
            options += ["--volume", f"{stack.secrets_dir / path.rpartition('/')[2]}:{path}:ro"]
        return docker("run", "--rm", "--read-only", "--cap-drop", "ALL", "--user", "2102:2102",
                      "--tmpfs", "/tmp:uid=2102,gid=2102,mode=0700", *options,
                      "--env", f"STORE_QUOTA={quota}", "--network", f"{stack.project}_store",
                      image, check=False)

    return run


@pytest.mark.parametrize("quota", ["-1", "1.5G", "10GB", "G", "99999999T", "x; mc rb"])
def test_bad_bucket_quota(create_buckets, quota):
    done = create_buckets(quota)
    assert done.returncode == 78
    assert "STORE_QUOTA" in done.stderr


def test_bucket_over_its_quota(ledger, member, stored, create_buckets, recovers):
    """MinIO knows the size of the bucket from its scanner, which may take a minute or two."""
    name, image = stored

    def full():
        image = Images.noise()
        answer = ledger.try_upload(member, image.data)
        assert answer.status_code in (201, 507), answer.text
        return answer.status_code == 507 and ledger.absent(image.data)

    assert create_buckets("1K").returncode == 0
    try:
        until(full, 180, "the store is full")
        read = ledger.client.get(f"/v1/user/{name}", headers=member.headers)
        assert read.content == image.data
        # More than the store has room for in a buffer before it answers.
        assert ledger.try_upload(member, Images.noise(800, 800).data).status_code == 507
    finally:
        assert create_buckets("0").returncode == 0
    recovers()

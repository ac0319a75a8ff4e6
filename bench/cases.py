"""The cases: what is measured against what, and the goals."""

import base64
import concurrent.futures
import json
import os
import pathlib
import random
import struct
import subprocess
import time

import requests

from measure import Figure, Load, Sample, TOOLS, interleave, kibibytes, ratios, status
from support import s3, substitute
from support.client import bearer
from support.stack import docker
from support.tokens import Mint
from support.trace import Trace
from support.wait import until

KIB, MIB = 1 << 10, 1 << 20
SECONDS = 2
ROUNDS = int(os.environ.get("ROUNDS", "5"))
HOT_SIZE = 16 * KIB


def segment(code, data):
    return struct.pack(">BBH", 0xFF, code, len(data) + 2) + data


def jpeg(size):
    """A baseline JPEG of random entropy-coded data, of exactly this size."""
    head = (b"\xff\xd8" + segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
            + segment(0xC0, struct.pack(">BHHBBBB", 8, 1000, 1000, 1, 1, 0x11, 0))
            + segment(0xDA, b"\x01\x01\x00\x00\x3f\x00"))
    room = size - len(head) - 2
    data = random.randbytes(room).replace(b"\xff", b"\xff\0")[:room]
    if data.endswith(b"\xff"):
        data = data[:-1] + b"\0"
    return head + data + b"\xff\xd9"


def compact(members):
    """JSON as the workers write it; tokens are to be those of a login."""
    return json.dumps(members, separators=(",", ":"))


class Bench:
    """The stack, an account, and what the cases share."""

    def __init__(self, stack, folder):
        self.stack = stack
        self.folder = folder
        self.load = Load(stack, folder)
        self.gateway = f"http://{stack.address('gateway', 'public')}"
        self.store = f"http://{stack.address('storage', 'store')}:9000"
        self.session = requests.Session()
        self.session.trust_env = False
        credentials = {"login": f"bench.{random.getrandbits(64):x}", "password": "correct horse"}
        self.credentials = credentials
        self.account = self.session.post(f"{self.gateway}/v1/register",
                                         json=credentials, timeout=30).json()["id"]
        self.mint = Mint(stack.secret("jwt_keys"), 3600)
        self.root = {"S3_KEY": stack.secret("store_root_user"),
                     "S3_SECRET": stack.secret("store_root_password")}
        self.objects = s3.client(self.store, *self.root.values())
        self._hot = None

    def token(self):
        return self.mint.sign(compact(self.mint.claims(self.account, exp=int(time.time()) + 3500)),
                              compact(self.mint.header()))

    def upload(self, data):
        answer = self.session.post(f"{self.gateway}/v1/upload", data=data,
                                   headers=bearer(self.token()), timeout=60)
        assert answer.status_code == 201, answer.text
        return answer.json()["filename"]

    def upload_many(self, count, size):
        """Distinct small images; their names."""
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda _: self.upload(jpeg(size)), range(count)))

    def open_bucket(self):
        """A bucket of the store that anybody may read, for this bench alone."""
        policy = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": ["s3:GetObject"],
            "Resource": ["arn:aws:s3:::open/*"]}]}
        if "open" not in [b["Name"] for b in self.objects.list_buckets()["Buckets"]]:
            self.objects.create_bucket(Bucket="open")
        self.objects.put_bucket_policy(Bucket="open", Policy=json.dumps(policy))

    @property
    def hot(self):
        """The name of one image that the cache holds; a file and an open object of the same bytes."""
        if self._hot is None:
            data = jpeg(HOT_SIZE)
            self._hot = self.upload(data)
            self.open_bucket()
            self.objects.put_object(Bucket="open", Key="hot.jpg", Body=data)
            script = ("mkdir -p /run/cache/static && "
                      "base64 -d >/run/cache/static/hot.jpg")
            self.stack.exec("gateway", "sh", "-c", script, stdin=base64.encodebytes(data).decode())
        answer = self.session.get(f"{self.gateway}/v1/user/{self._hot}",
                                  headers=bearer(self.token()), timeout=20)
        assert answer.status_code == 200, answer.text
        return self._hot

    def body(self, size):
        path = self.folder / f"body-{size}"
        if not path.exists():
            path.write_bytes(jpeg(size))
        return path

    def idle(self, group):
        """Wait until a group's processes have done what they were asked."""
        def rests():
            before = self.load.cpu.read()[group]
            time.sleep(0.3)
            return self.load.cpu.read()[group] == before
        until(rests, 60, f"{group} is idle")


# ---- reads

def reads(bench):
    """Hot reads with one token, 1,000 tokens, no shared check, against file, no check, the store."""
    name, load = bench.hot, bench.load
    references = f"{bench.gateway}:8080"
    tokens = [bench.token() for _ in range(1000)]
    image = f"/v1/user/{name}"
    plans = {
        "a nothing (204)": (references, ["/nothing"]),
        "b static file": (references, ["/static/hot.jpg"]),
        "c cached, no token": (references, [f"/open/{name}"]),
        "d cached, one token": (bench.gateway, [f"{image}\t{tokens[0]}"]),
        "e cached, 1,000 tokens": (bench.gateway, [f"{image}\t{t}" for t in tokens]),
        "f cached, each checked": (references, [f"/unshared/{name}\t{t}" for t in tokens]),
        "h store, anonymous": (bench.store, ["/open/hot.jpg"]),
    }

    def subject(key, url, lines):
        path = load.file(f"reads-{key[0]}", lines)
        refused = bench.gateway + image if key[0] in "de" else None
        return lambda: load.wrk(url, path, SECONDS, refused=refused)

    samples = interleave(ROUNDS, {key: subject(key, *plan) for key, plan in plans.items()})
    a, b, c, d, e, f, h = samples.values()
    cpu, rate = Sample.cpu_of, lambda s: s.rate
    return samples, [
        Figure("reads", "d/b CPU: one token / static file", ratios(d, b, cpu), 1.25),
        Figure("reads", "d/b throughput", ratios(d, b, rate), 0.8, True),
        Figure("reads", "e/b CPU: 1,000 tokens / static file", ratios(e, b, cpu), 1.6),
        Figure("reads", "f/b CPU: each checked / static file", ratios(f, b, cpu)),
        Figure("reads", "c/b CPU: no token / static file", ratios(c, b, cpu)),
        Figure("reads", "d/h throughput: one token / store", ratios(d, h, rate), 6, True),
    ]


def cold(bench):
    """Every object for the first time, against the store's own answer."""
    count = 600
    url = f"{bench.gateway}/v1/user/"
    token = bench.token()
    names = iter(bench.upload_many(count * ROUNDS, HOT_SIZE))
    bench.hot  # pylint: disable=pointless-statement  # makes the open object
    direct = bench.load.file("cold-h", [f"{bench.store}/open/hot.jpg"])

    def subject():
        batch = [next(names) for _ in range(count)]
        path = bench.load.file("cold-g", [url + name for name in batch])
        return bench.load.load(path, "-c", 8, "-n", count, "-H", f"Authorization: Bearer {token}",
                               refused=url + batch[0])

    samples = interleave(ROUNDS, {
        "g cold, one token": subject,
        "h store, anonymous": lambda: bench.load.load(direct, "-c", 8, "-n", count)})
    g, h = samples.values()
    return samples, [Figure("cold", "g/h CPU: cold / store", ratios(g, h, Sample.cpu_of), 2.5),
                     Figure("cold", "g/h throughput", ratios(g, h, lambda s: s.rate))]


def crowd(bench):
    """24 first readers of one cold image at once: what each kind of lock costs the store and them."""
    readers, objects = 24, 8
    samples, figures = {}, []
    with Trace(bench.stack) as trace:
        for size in (HOT_SIZE, 8 * MIB):
            for lock in ("off", "50ms", "200ms", "5s"):
                names = [bench.upload(jpeg(size)) for _ in range(objects)]
                rounds = []
                for name in names:
                    urls = bench.load.file("crowd",
                                           [f"{bench.gateway}:8080/crowd-{lock}/{name}"])
                    rounds.append(bench.load.load(urls, "-c", readers, "-n", readers))
                what = f"{size_of(size)}, lock {lock}"
                samples[f"crowd {what}"] = rounds
                figures += [Figure("crowd", f"{what}: fetches by {readers} first readers",
                                   [len(trace.gets(name)) for name in names]),
                            Figure("crowd", f"{what}: median wait",
                                   [r.p50 for r in rounds], unit="ms")]
    return samples, figures


# ---- workers

def validate(bench):
    """The pool validate against the empty worker, both behind the same nginx."""
    references = f"{bench.gateway}:8080"
    tokens = [bench.token() for _ in range(1000)]

    def subject(path):
        lines = bench.load.file(f"validate{path[1:]}", [f"{path}\t{t}" for t in tokens])
        return lambda: bench.load.wrk(references, lines, SECONDS)

    refused = f"{references}/validate"
    samples = interleave(ROUNDS, {
        "validate": lambda: bench.load.wrk(references, bench.load.file(
            "validate", [f"/validate\t{t}" for t in tokens]), SECONDS, refused=refused),
        "empty worker": subject("/empty")})
    checked, empty = samples.values()
    pairs = zip(checked, empty, strict=True)
    return samples, [Figure("validate", "validate/empty CPU of the worker",
                            [a.cpu["validate"] / b.cpu["empty"] for a, b in pairs], 1.3),
                     Figure("validate", "validate/empty throughput",
                            ratios(checked, empty, lambda s: s.rate))]


def login_arguments(bench):
    body = bench.folder / "login.json"
    body.write_text(json.dumps(bench.credentials))
    urls = bench.load.file("login", [f"{bench.gateway}/v1/token"])
    return urls, ["-m", "POST", "-H", "Content-Type: application/json", "-d", body]


def login(bench):
    """A login's CPU in the pool accounts against one bare PBKDF2 call."""
    urls, arguments = login_arguments(bench)
    calls = 20
    rounds = bench.stack.setting("security", "PBKDF2_ROUNDS", "600000")

    def bare():
        done = subprocess.run([TOOLS / "pbkdf2", rounds, str(calls)], check=True,
                              capture_output=True, text=True)
        return float(done.stdout)

    bench.idle("accounts")
    samples = interleave(ROUNDS, {
        "login": lambda: bench.load.load(urls, *arguments, "-n", calls), "one PBKDF2 call": bare})
    logins, calls_of = samples["login"], samples.pop("one PBKDF2 call")
    return samples, [
        Figure("login", "login/PBKDF2 CPU of accounts",
               [a.cpu["accounts"] / b for a, b in zip(logins, calls_of, strict=True)], 1.02),
        Figure("login", "login/PBKDF2 CPU with nginx and database",
               [a.cpu_of("accounts", "nginx", "database") / b
                for a, b in zip(logins, calls_of, strict=True)])]


# ---- uploads

UPLOADS = {  # size, clients -> requests a round, least ratio
    (30 * KIB, 1): (400, None), (30 * KIB, 4): (800, 0.8),
    (4 * MIB, 1): (40, 0.75), (4 * MIB, 4): (60, 0.85),
    (64 * MIB, 1): (5, 0.65), (64 * MIB, 4): (8, None),
}

UNBUFFERED = {(4 * MIB, 1): (40, None), (64 * MIB, 1): (5, 0.85), (64 * MIB, 4): (8, None)}


def size_of(size):
    return f"{size // MIB} MiB" if size >= MIB else f"{size // KIB} KiB"


def against_put(bench, gateway, sizes, case):
    """Uploads of these sizes through a gateway, against a direct, signed PUT over keep-alive."""
    bench.open_bucket()
    all_samples, figures = {}, []
    for (size, clients), (count, goal) in sizes.items():
        what = f"{size_of(size)}, {clients} client{'s' if clients > 1 else ''}"
        common = ["-d", bench.body(size), "-c", clients, "-n", count]
        url = f"{gateway}/v1/upload"
        through = bench.load.file("upload", [url])
        direct = bench.load.file("put", [f"{bench.store}/open/put-{i}" for i in range(clients)])
        token = bench.token()
        samples = interleave(ROUNDS, {
            f"upload {what}": lambda: bench.load.load(
                through, "-m", "POST", "-H", f"Authorization: Bearer {token}", *common),
            f"PUT {what}": lambda: bench.load.load(
                direct, "-m", "PUT", "-s", "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", *common,
                env=os.environ | bench.root)})
        answer = bench.session.post(url, data=b"x", headers=bearer("x.y.z"), timeout=20)
        assert answer.status_code == 401
        upload, put = samples.values()
        all_samples |= samples
        figures.append(Figure(case, f"{what}: upload/PUT throughput",
                              ratios(upload, put, lambda s: s.rate), goal, True))
    return all_samples, figures


def uploads(bench):
    """Buffered by the gateway, as by default."""
    return against_put(bench, bench.gateway, UPLOADS, "uploads")


def unbuffered(bench):
    """Handed on as they come, which clients without a delay gain from most."""
    with substitute.gateway(bench.stack, UPLOAD_BUFFERING="off") as client:
        return against_put(bench, client.base_url, UNBUFFERED, "unbuffered")


def memory(bench):
    """The peak memory of an upload worker after images of 1 MiB and of 256 MiB."""
    docker("restart", bench.stack.containers["uploader"])
    bench.stack.wait_healthy("uploader")
    urls = bench.load.file("upload", [f"{bench.gateway}/v1/upload"])
    token = bench.token()

    def peak(size, count, clients):
        bench.load.load(urls, "-m", "POST", "-H", f"Authorization: Bearer {token}",
                        "-d", bench.body(size), "-n", count, "-c", clients)
        peaks = []
        for worker in bench.load.cpu.pids()["uploader"]:
            fields = status(worker)
            if fields["Name"] == "uploader":
                peaks.append(kibibytes(fields["VmHWM"]) / KIB)
        return max(peaks)

    small, large = peak(MIB, 64, 4), peak(256 * MIB, 4, 2)
    bench.body(256 * MIB).unlink()
    return {}, [Figure("memory", "256 MiB/1 MiB peak of an upload worker", [large / small], 1.1),
                Figure("memory", "peak of an upload worker", [large], 16, unit="MiB")]


# ---- latency

def latency(bench):
    """Reads at a fixed rate: static and hot in quiet, hot while logins flood the pool accounts."""
    rate, clients = 500, 8
    token = bench.token()
    files = {"b": bench.load.file("paced-b", [f"{bench.gateway}:8080/static/hot.jpg"]),
             "d": bench.load.file("paced-d", [f"{bench.gateway}/v1/user/{bench.hot}"])}
    refused = f"{bench.gateway}/v1/user/{bench.hot}"
    urls, login_options = login_arguments(bench)

    def paced(which):
        return bench.load.load(files[which], "-c", clients, "-r", rate, "-t", SECONDS,
                               "-H", f"Authorization: Bearer {token}", refused=refused)

    def flooded():
        words = [TOOLS / "load", *login_options, "-c", 64, "-t", 60, urls]
        before = bench.load.cpu.read()["accounts"]
        with subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL) as flood:
            until(lambda: bench.load.cpu.read()["accounts"] > before + 100_000, 20, "the flood")
            try:
                return paced("d")
            finally:
                flood.terminate()
                flood.wait()
                bench.idle("accounts")

    samples = interleave(2 * ROUNDS, {"b paced": lambda: paced("b"), "d paced": lambda: paced("d"),
                                      "d paced in a flood": flooded})
    b, d, flood = samples.values()
    p50, p99 = (lambda s: s.p50), (lambda s: s.p99)
    return samples, [
        Figure("latency", "d/b p99 in quiet", ratios(d, b, p99), 1.2),
        Figure("latency", "d/b p50 in quiet", ratios(d, b, p50)),
        Figure("latency", "d p99: login flood/quiet", ratios(flood, d, p99), 1.5),
        Figure("latency", "d p50: login flood/quiet", ratios(flood, d, p50))]


# ---- against the stack that imagegate replaces

def older(bench):
    """Validation, hot reads and uploads against Flask under gunicorn behind the same nginx."""
    name, load = bench.hot, bench.load
    references = f"{bench.gateway}:8080"
    tokens = [bench.token() for _ in range(1000)]
    image = f"/v1/user/{name}"

    def reading(url, path, users, refused):
        lines = load.file("older", [f"{path}\t{token}" for token in users])
        return load.wrk(url, lines, SECONDS, refused=url + path if refused else None)

    def uploading(url):
        return load.load(load.file("older-upload", [url]), "-m", "POST", "-d", bench.body(4 * MIB),
                         "-H", f"Authorization: Bearer {tokens[0]}", "-c", 4, "-n", 40)

    samples = interleave(ROUNDS, {
        "validate": lambda: reading(references, "/validate", tokens, True),
        "older validate": lambda: reading(references, "/older/validate", tokens, True),
        "hot read": lambda: reading(bench.gateway, image, tokens[:1], True),
        "older hot read": lambda: reading(references, "/older/images/hot.jpg", tokens[:1], True),
        "upload 4 MiB": lambda: uploading(f"{bench.gateway}/v1/upload"),
        "older upload 4 MiB": lambda: uploading(f"{references}/older/upload")})
    checks, older_checks, hot, older_hot, uploaded, older_uploaded = samples.values()
    rate, cpu = (lambda s: s.rate), load.cpu
    pools = ("validate", "accounts", "uploader", "signer", "gallery")
    return samples, [
        Figure("older", "validations: ours / older, throughput", ratios(checks, older_checks, rate),
               4, True),
        Figure("older", "protected hot reads: ours / older, throughput",
               ratios(hot, older_hot, rate), 10, True),
        Figure("older", "uploads of 4 MiB: ours / older, throughput",
               ratios(uploaded, older_uploaded, rate), 2, True),
        Figure("older", "memory with nginx: ours / older",
               [cpu.memory("nginx", *pools) / cpu.memory("nginx", "older")], 1 / 3)]


# ---- scale

FEW, MANY = 1_000, 100_000


def fill_accounts(bench, first, last):
    """Accounts number first to last; nobody can log in to them."""
    bench.stack.psql(f"""SELECT count(admin.account_create('scale.' || i,
        '$pbkdf2-sha256$600000$AAECAwQFBgcICQoLDA0ODw$' || repeat('A', 43)))
        FROM generate_series({first}, {last}) i""")


def fill_images(bench, first, last):
    """Images number first to last in the bucket, a hundred for each of other accounts."""
    digits = "0123456789abcdefghijklmnopqrstuv"

    def base32(number, length):
        return "".join(digits[number >> 5 * place & 31] for place in reversed(range(length)))

    urls = [f"{bench.store}/images/{base32(i // 100, 16)}/{base32(i, 30)}.jpg"
            for i in range(first, last + 1)]
    bench.load.load(bench.load.file("fill", urls), "-m", "PUT", "-s", "-c", 8, "-n", len(urls),
                    "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "-d", bench.body(KIB),
                    env=os.environ | bench.root)


def scale(bench):
    """Logins, validations, cold reads and listings among few and among many accounts and images."""
    count, rounds = 200, max(ROUNDS, 3)
    token = bench.token()
    own = iter(bench.upload_many(2 * count * rounds, KIB))
    bench.idle("accounts")
    logins, login_options = login_arguments(bench)
    bearing = ["-H", f"Authorization: Bearer {token}"]
    page = bench.load.file("page", [f"{bench.gateway}/v1/images?limit=100"])
    checks = bench.load.file("validate", [f"/validate\t{token}"])

    def cold_reads():
        urls = [f"{bench.gateway}/v1/user/{next(own)}" for _ in range(count)]
        return bench.load.load(bench.load.file("scale", urls), "-c", 8, "-n", count, *bearing)

    subjects = {"login": lambda: bench.load.load(logins, *login_options, "-n", 20),
                "validation": lambda: bench.load.wrk(f"{bench.gateway}:8080", checks, SECONDS),
                "cold read": cold_reads,
                "page of 100": lambda: bench.load.load(page, "-c", 1, "-n", 100, *bearing)}
    samples = {}
    for size, first in ((FEW, 1), (MANY, FEW + 1)):
        fill_accounts(bench, first, size)
        fill_images(bench, first, size)
        bench.idle("store")
        bench.idle("database")
        for name, taken in interleave(rounds, subjects).items():
            samples[f"{name}, {size:,}"] = taken

    def growth(name, measure):
        return ratios(samples[f"{name}, {MANY:,}"], samples[f"{name}, {FEW:,}"], measure)

    return samples, [
        *(Figure("scale", f"{name} CPU: {MANY:,} / {FEW:,}", growth(name, Sample.cpu_of), 1.2)
          for name in ("login", "validation", "cold read")),
        Figure("scale", f"page of 100, p50: {MANY:,} / {FEW:,}",
               growth("page of 100", lambda s: s.p50), 1.5)]


CASES = {case.__name__: case for case in
         (reads, cold, crowd, validate, login, uploads, unbuffered, memory, latency, older, scale)}

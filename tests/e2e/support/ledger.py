"""The ledger: everything that a run sent, and the rules (a)-(f) that must hold afterwards."""

import hashlib
import json
import re
import secrets
import time
from dataclasses import dataclass

from . import s3
from .client import bearer
from .images import Images
from .stack import POOLS, SERVICES
from .wait import until

NAME = re.compile(r"[0-9a-v]{16}-[0-9a-v]{30}\.(?:jpg|png|gif|webp|avif)")
TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{20,}")  # any JWT, ours or not

MORE_DESCRIPTORS = 3  # kept connections to the store or the database
MORE_MEMORY = 16 << 10  # KiB


@dataclass
class Account:
    login: str
    password: str
    id: str = ""
    token: str = ""
    may_log_in: bool = True  # the test disables it otherwise
    proven: bool = False  # has logged in

    @property
    def headers(self):
        return bearer(self.token)

    @property
    def credentials(self):
        return {"login": self.login, "password": self.password}


@dataclass(frozen=True)
class Stored:
    digest: str
    type: str


class Ledger:
    """Acts for the tests and writes down what it did."""

    def __init__(self, stack, client):
        self.stack = stack
        self.client = client
        self.images = {}  # name -> Stored, of each 201
        self.accounts = []  # of each 201
        self.complete = set()  # MD5 of each body that was sent whole
        self.passwords = set()
        self.logs_checked = "0"  # time up to which the logs were read
        self.foreign = set(s3.objects(self.store))  # what was there before
        self.reader = self.register()
        self.upload(self.reader, Images.noise())
        self.baseline = {pool: stack.workers(pool) for pool in POOLS}

    @property
    def store(self):
        """The store itself, as root."""
        url = f"http://{self.stack.address('storage', 'store')}:9000"
        return s3.client(url, self.stack.secret("store_root_user"),
                         self.stack.secret("store_root_password"))

    # -- accounts

    def register(self, login=None, password=None):
        """Register and log in."""
        account = Account(login or f"user.{secrets.token_hex(6)}",
                          password or f"pass {secrets.token_hex(12)}")
        answer = self.try_register(account)
        assert answer.status_code == 201, answer.text
        return self.login(account)

    def try_register(self, account, client=None):
        """One registration, whatever comes of it."""
        self.passwords.add(account.password)
        answer = (client or self.client).post("/v1/register", json=account.credentials)
        if answer.status_code == 201:
            account.id = answer.json()["id"]
            self.accounts.append(account)
        return answer

    def login(self, account):
        answer = self.try_login(account)
        assert answer.status_code == 200, answer.text
        account.token = answer.json()["access_token"]
        account.proven = True
        return account

    def try_login(self, account, path="/v1/token", headers=None):
        self.passwords.add(account.password)
        return self.client.post(path, json=account.credentials, headers=headers)

    # -- uploads

    def upload(self, account, image, path="/v1/upload"):
        """Upload an image that must be taken; return its public name."""
        answer = self.try_upload(account, image.data, path=path)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()["filename"]

    def try_upload(self, account, body, path="/v1/upload", headers=None, in_chunks=False):
        """One upload of a whole body, whatever comes of it."""
        headers = account.headers | (headers or {})
        self.sent(body)
        answer = self.client.post(path, data=_pieces(body) if in_chunks else body, headers=headers)
        self.answered(answer.status_code, answer.headers, answer.text, body)
        return answer

    def sent(self, body):
        """A whole body was sent."""
        self.complete.add(hashlib.md5(body).hexdigest())

    def answered(self, status, headers, text, body):
        """Write down the answer to an upload of body.  Rule (c): only a success names anything."""
        if status in (200, 201):
            document = json.loads(text)
            self.images[document["filename"]] = Stored(_digest(body), document["type"])
        else:
            assert not NAME.search(f"{headers}{text}"), f"{status} gave a name out"

    # -- the rules

    def verify(self):
        self.verify_images()
        self.verify_objects()
        self.verify_accounts()
        self.verify_workers()
        self.verify_logs()

    def verify_images(self):
        """(a) Each name that was given out leads to the same bytes and type."""
        for name, stored in self.images.items():
            answer = self.client.get(f"/v1/user/{name}", headers=self.reader.headers)
            assert answer.status_code == 200, (name, answer.text)
            assert _digest(answer.content) == stored.digest, name
            assert answer.headers["Content-Type"] == stored.type, name

    def verify_objects(self):
        """(b) The store holds nothing but whole bodies."""
        for key, etag in s3.objects(self.store).items():
            assert key in self.foreign or etag in self.complete, f"{key} is of no whole body"

    def absent(self, body):
        """Whether the store has no object of these bytes."""
        return hashlib.md5(body).hexdigest() not in s3.objects(self.store).values()

    def verify_accounts(self):
        """(d) Who has registered can log in."""
        for account in self.accounts:
            if account.may_log_in and not account.proven:
                self.login(account)

    def verify_workers(self):
        """(e) As many workers as at first, none with more descriptors or memory."""
        for pool, before in self.baseline.items():
            descriptors = max(p.descriptors for p in before) + MORE_DESCRIPTORS
            resident = max(p.resident for p in before) + MORE_MEMORY

            def settled():
                now = self.stack.workers(pool)
                return len(now) == len(before) and all(
                    p.descriptors <= descriptors and p.resident <= resident for p in now)

            until(settled, 20, f"{pool} is back at {before}")

    def verify_logs(self):
        """(f) No log shows a token, a password or a secret."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        for service in (*SERVICES, "migrate", "createbuckets"):
            log = self.stack.logs(service, self.logs_checked)
            assert not TOKEN.search(log), f"{service} logs a token"
            for word in self.passwords | self.stack.secrets:
                assert word not in log, f"{service} logs a secret"
        self.logs_checked = now


def _digest(data):
    return hashlib.sha256(data).hexdigest()


def _pieces(body, size=10_000):
    """The body as a generator, which makes the client send it in chunks."""
    for start in range(0, len(body), size):
        yield body[start:start + size]

"""
Row 36: people use the service while one fault after the other, in an order that SOAK_SEED decides, is
done to it for SOAK_SECONDS.  Whatever they are told must stay true; the ledger's rules (a)-(f) are
verified at the end, as after every scenario.
"""

import contextlib
import os
import random
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import requests
from support import s3
from support.client import Client, Wire, bearer, chunked, exchange, head
from support.images import Images
from support.ledger import Account
from support.stack import POOLS, SERVICES
from support.wait import until

SECONDS = int(os.environ.get("SOAK_SECONDS") or 40)
SEED = int(os.environ.get("SOAK_SEED") or 36)
PEOPLE = 3
PACE = 0.05  # seconds between what one of them does
RECOVERY = 120  # seconds until everything works again, at most: it may be a busy machine

# What a client may be told instead while a part is away or has too much to do.
NOT_NOW = {429, 503, 504}


class Person(threading.Thread):
    """Registers, logs in, uploads, reads, lists, deletes and logs out, over and over; believes what it is told."""

    def __init__(self, ledger, seed):
        super().__init__()
        self.ledger = ledger
        self.client = Client(ledger.client.base_url, patient=False)
        self.rng = random.Random(seed)
        self.account = None
        self.images = {}  # name -> bytes, of each 201 that was not deleted
        self.deleted = set()
        self.doubtful = []  # (account, name): nobody said whether it was deleted
        self.tried = dict.fromkeys(self.ACTIONS, 0)
        self.done = dict.fromkeys(self.ACTIONS, 0)
        self.enough = threading.Event()
        self.failure = None

    def run(self):
        try:
            while not self.enough.wait(PACE):
                self.act()
        except Exception as failure:  # pylint: disable=broad-exception-caught
            self.failure = failure  # the test raises it

    def act(self):
        """At first each action in turn, then any; before it what it needs."""
        new = [action for action in self.ACTIONS if not self.done[action]]
        action = new[0] if new else self.rng.choices([*self.ACTIONS], [*self.ACTIONS.values()])[0]
        if self.account is None:
            action = "register"
        elif not self.account.token:
            action = "log_in"
        elif action in ("read", "delete") and not self.images:
            action = "upload"
        self.tried[action] += 1
        if getattr(self, action)():
            self.done[action] += 1

    def ask(self, method, path, *expected, **options):
        """The answer, or None if it was none, or says that this is not possible now."""
        if self.account is not None:
            options = {"headers": self.account.headers} | options
        try:
            answer = self.client.request(method, path, **options)
        except requests.RequestException:
            return None
        if answer.status_code in NOT_NOW:
            return None
        assert answer.status_code in expected, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer

    def register(self):
        account = Account(f"soak.{secrets.token_hex(6)}", f"pass {secrets.token_hex(12)}")
        self.ledger.passwords.add(account.password)
        answer = self.ask("POST", "/v1/register", 201, json=account.credentials, headers={})
        if answer is None:
            return False
        account.id = answer.json()["id"]
        self.ledger.accounts.append(account)
        self.account, self.images = account, {}
        return True

    def log_in(self):
        answer = self.ask("POST", "/v1/token", 200, json=self.account.credentials, headers={})
        if answer is None:
            return False
        self.account.token = answer.json()["access_token"]
        return True

    def log_out(self):
        before = self.account.headers
        if self.ask("DELETE", "/v1/token", 204) is None:
            # It may still happen, even after the next login: nothing can be said of this account's tokens.
            self.account = None
            return False
        self.account.token = ""
        self.ask("GET", "/v1/user", 401, headers=before)
        return True

    def upload(self):
        side = self.rng.choice([8, 8, 60, 200, 600])
        data = Images.noise(side, side).data
        self.ledger.sent(data)
        answer = self.ask("POST", "/v1/upload", 201, data=data)
        if answer is None:
            return False
        self.ledger.answered(answer.status_code, answer.headers, answer.text, data)
        self.images[answer.json()["filename"]] = data
        return True

    def read(self):
        name = self.rng.choice([*self.images])
        answer = self.ask("GET", f"/v1/user/{name}", 200)
        if answer is None:
            return False
        assert answer.content == self.images[name], f"{name} has other bytes"
        return True

    def list(self):
        names, after = set(), ""
        while after is not None:
            answer = self.ask("GET", f"/v1/images?limit=100{after and f'&after={after}'}", 200)
            if answer is None:
                return False
            page = answer.json()
            names.update(entry["filename"] for entry in page["images"])
            after = page["next"]
        assert self.images.keys() <= names, "an image is missing in the listing"
        assert not self.deleted & names, "a deleted image is in the listing"
        return True

    def delete(self):
        name = self.rng.choice([*self.images])
        del self.images[name]
        self.ledger.images.pop(name)
        if self.ask("DELETE", f"/v1/user/{name}", 204) is None:
            self.doubtful.append((self.account, name))
            return False
        self.deleted.add(name)
        return True

    # How often each is done, in proportion.
    ACTIONS = {"register": 1, "log_in": 1, "upload": 10, "read": 10, "list": 3, "delete": 3, "log_out": 1}


FAULTS = []


def fault(function):
    """One of those that the soak may choose."""
    FAULTS.append(function)
    return function


class Faults:
    """What is done to the service.  Each undoes itself, and checks what it was told itself."""

    def __init__(self, stack, ledger, member, rng):
        self.stack = stack
        self.ledger = ledger
        self.member = member
        self.rng = rng
        self.url = stack.base_url

    def hold(self):
        """It lasts a moment, while others go on."""
        time.sleep(self.rng.uniform(0.2, 2))

    def head(self, *framing):
        return head("POST", "/v1/upload", *self.member.headers.items(), *framing)

    # -- rows 1 to 6: clients

    @fault
    def client_cut(self):
        data = Images.noise(100, 100).data
        with Wire(self.url) as wire:
            wire.send(self.head(("Content-Length", len(data))) + data[:self.rng.randrange(len(data))])
            wire.reset()

    @fault
    def half_close(self):
        data = Images.noise(100, 100).data
        sent = self.head(("Content-Length", len(data))) + data[:self.rng.randrange(len(data))]
        answer = exchange(self.url, sent, "POST", half_close=True, limit=60)
        assert answer is None or answer.status in {400} | NOT_NOW

    @fault
    def bad_chunk(self):
        tail = self.rng.choice([b"zz\r\nabc\r\n0\r\n\r\n", b"3\r\nabcdef\r\n0\r\n\r\n", b"5\r\nab", b"0\r\n"])
        sent = chunked(Images.noise(100, 100).data).removesuffix(b"0\r\n\r\n") + tail
        answer = exchange(self.url, self.head(("Transfer-Encoding", "chunked")) + sent, "POST", half_close=True, limit=60)
        assert answer is None or answer.status in {400, 413} | NOT_NOW

    @fault
    def wrong_length(self):
        data = Images.noise(100, 100).data
        off = self.rng.choice([-10, -1, 1, 10])
        if off < 0:
            self.ledger.sent(data[:off])  # complete for HTTP, a cut image
        answer = exchange(self.url, self.head(("Content-Length", len(data) + off)) + data, "POST", half_close=True, limit=60)
        assert answer is None or answer.status in {400} | NOT_NOW

    @fault
    def drip(self):
        data = Images.noise(100, 100).data
        with contextlib.ExitStack() as opened:
            wires = [opened.enter_context(Wire(self.url)) for _ in range(16)]
            for wire in wires:
                wire.send(self.head(("Content-Length", len(data))))
            for at in range(3):
                for wire in wires:
                    wire.send(data[at:at + 1])
                self.hold()

    @fault
    def slow_headers(self):
        with contextlib.ExitStack() as opened:
            for _ in range(50):
                opened.enter_context(Wire(self.url)).send(b"GET /status HTTP/1.1\r\nHost: a\r\nX-Slow: ")
            self.hold()

    # -- rows 7 to 9 and 19: pools

    @fault
    def worker_killed(self):
        pool = self.rng.choice(POOLS)
        self.stack.kill_workers(pool, [self.rng.choice(self.stack.workers(pool)).pid])

    @fault
    def all_workers_killed(self):
        self.stack.kill_workers(self.rng.choice(POOLS))

    @fault
    def pool_stopped(self):
        pool = self.rng.choice(POOLS)
        self.stack.stop(pool)
        self.hold()
        self.stack.start(pool)

    @fault
    def pool_hangs(self):
        self.hangs(self.rng.choice(POOLS))

    def hangs(self, service):
        self.stack.pause(service)
        try:
            self.hold()
        finally:
            self.stack.unpause(service)

    # -- rows 10, 11, 15 and 16: what is behind

    @fault
    def store_hangs(self):
        self.hangs("storage")

    @fault
    def store_restarted(self):
        self.stack.restart("storage")

    @fault
    def store_killed(self):
        self.stack.kill("storage")
        self.stack.start("storage")

    @fault
    def database_hangs(self):
        self.hangs("db")

    @fault
    def database_restarted(self):
        self.stack.restart("db")

    # -- rows 17, 18 and 20: crowds

    @fault
    def race(self):
        """Many register the same login."""
        account = Account(f"soak.{secrets.token_hex(6)}", f"pass {secrets.token_hex(12)}")

        def register(_):
            return self.ledger.try_register(account, Client(self.url, patient=False, limit=60)).status_code

        with ThreadPoolExecutor(10) as pool:
            statuses = [*pool.map(register, range(10))]
        assert set(statuses) <= {201, 409} | NOT_NOW and statuses.count(201) <= 1

    @fault
    def login_flood(self):
        client = Client(self.url, patient=False, limit=60)

        def login(number):
            return client.post("/v1/token", json={"login": f"flood.{number}", "password": "not the password"}).status_code

        with ThreadPoolExecutor(50) as pool:
            statuses = {*pool.map(login, range(150))}
        assert statuses <= {401} | NOT_NOW

    @fault
    def connection_burst(self):
        with contextlib.ExitStack() as opened:
            for _ in range(500):
                opened.enter_context(Wire(self.url, 60)).send(head("GET", "/v1/user", *bearer("x.y.z").items()))

    def schedule(self):
        """Faults without end: all of them in some order, and again in another."""
        while True:
            yield from self.rng.sample(FAULTS, len(FAULTS))


@contextlib.contextmanager
def people_about(ledger):
    """People who go about their business until the end of the block."""
    people = [Person(ledger, SEED + number) for number in range(PEOPLE)]
    for person in people:
        person.start()
    try:
        yield people
    finally:
        for person in people:
            person.enough.set()
        for person in people:
            person.join()
    check(people)


def check(people):
    """Nobody was told anything wrong."""
    for person in people:
        if person.failure:
            raise person.failure


def everybody_acts(people, actions):
    """Each of them does each of these once more."""
    before = [dict(person.done) for person in people]

    def acted():
        check(people)
        return all(person.done[action] > done[action] for person, done in zip(people, before) for action in actions)

    until(acted, RECOVERY, f"everybody does {', '.join(actions)}")


def check_healthy(stack):
    """Each service by its own check, as Docker runs it."""
    for service in SERVICES:
        words = stack.inspect(service)["Config"]["Healthcheck"]["Test"][1:]
        until(lambda: stack.exec(service, *words, check=False).returncode == 0, RECOVERY, f"{service} is healthy")


def check_deleted(ledger, people):
    """What is not known to be deleted can be; then the store has none of it."""
    for person in people:
        for account, name in person.doubtful:
            ledger.login(account)
            answer = ledger.client.delete(f"/v1/user/{name}", headers=account.headers)
            assert answer.status_code in (204, 404), answer.text
            person.deleted.add(name)
    keys = s3.objects(ledger.store)
    left = [name for person in people for name in person.deleted if name.replace("-", "/", 1) in keys]
    assert not left


class Counts:
    """What the service counts, against what the ledger and the people know."""

    STORED = 'imagegate_uploads_total{result="stored"'
    LOGINS = 'imagegate_logins_total{result="ok"}'
    DELETED = 'http_requests_total{app_name="uploader",method="DELETE",route="/v1/user/{filename}",status="204"}'

    def __init__(self, ledger):
        self.ledger = ledger
        self.before = self.scrape()
        self.names = set(ledger.images)
        self.bodies = len(ledger.complete)

    def scrape(self):
        lines = [line for line in self.ledger.client.get("/metrics").text.splitlines() if not line.startswith("#")]
        pairs = [line.rsplit(" ", 1) for line in lines]
        return {name: sum(float(value) for series, value in pairs if series.startswith(name))
                for name in (self.STORED, self.LOGINS, self.DELETED)}

    def check(self, people):
        """Each has grown by what somebody was told, and by no more than what somebody asked for."""

        def total(which, action):
            return sum(getattr(person, which)[action] for person in people)

        taken_away = sum(len(person.deleted) for person in people)
        told = {self.STORED: len(set(self.ledger.images) - self.names) + taken_away,
                self.LOGINS: total("done", "log_in"), self.DELETED: total("done", "delete")}
        asked = {self.STORED: len(self.ledger.complete) - self.bodies,
                 self.LOGINS: total("tried", "log_in"), self.DELETED: total("tried", "delete")}
        for name, value in self.scrape().items():
            assert told[name] <= value - self.before[name] <= asked[name], name


def test_soak(stack, ledger, member, recovers):
    print(f"SOAK_SEED={SEED} SOAK_SECONDS={SECONDS}")
    faults = Faults(stack, ledger, member, random.Random(SEED))
    counts = Counts(ledger)
    with people_about(ledger) as people:
        everybody_acts(people, Person.ACTIONS)
        end = time.monotonic() + SECONDS
        for happens in faults.schedule():
            if time.monotonic() > end:
                break
            print(f"{time.strftime('%X')} {happens.__name__}")
            happens(faults)
            recovers(RECOVERY)
            check(people)
        everybody_acts(people, ["upload", "read", "list"])
    check_healthy(stack)
    counts.check(people)
    check_deleted(ledger, people)

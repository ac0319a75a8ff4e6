"""
Row 5: bodies that drip in hold no worker, do not disturb others, end with their deadline, and are
bounded for each address.
"""

import contextlib
import time

import pytest
from support import substitute
from support.client import Client, Wire, head
from support.images import Images
from support.wait import until

DEADLINE = 4  # seconds for a body
PAUSE = 0.25  # seconds between two bytes


@pytest.fixture
def hurried(stack):
    """A client that takes 429 for an answer, and has little time to wait."""
    return Client(stack.base_url, patient=False, limit=5)


def begin(stack, member, length):
    """An upload that the gateway has let in, and which has sent no byte of its body yet."""
    wire = Wire(stack.base_url)
    wire.send(head("POST", "/v1/upload", *member.headers.items(), ("Content-Length", length),
                   ("Expect", "100-continue")))
    wire.receive(b"HTTP/1.1 100 Continue\r\n\r\n")
    return wire


def test_uploads_of_an_address_are_bounded(stack, ledger, member, stored, hurried):
    """As many as may be, each begun; the next is refused at once, until one of them ends."""
    name, image = stored
    bound = int(stack.setting("gateway", "UPLOADS_PER_ADDRESS", "64"))
    slow, late = Images.noise(30, 30), Images.noise()

    def taken():
        """Whether there was room for one more."""
        answer = hurried.post("/v1/upload", data=late.data, headers=member.headers)
        ledger.answered(answer.status_code, answer.headers, answer.text, late.data)
        assert answer.status_code in (201, 429)
        return answer.status_code == 201

    with contextlib.ExitStack() as opened:
        wires = [opened.enter_context(begin(stack, member, len(slow.data))) for _ in range(bound)]
        for wire in wires:
            wire.send(slow.data[:100])
        assert not taken()
        assert ledger.absent(late.data)
        assert hurried.get(f"/v1/user/{name}", headers=member.headers).content == image.data
        assert hurried.get("/v1/user", headers=member.headers).status_code == 200
        # Another address, the gateway's own loopback, has room: 400 for no body, which was asked for.
        elsewhere = stack.exec("gateway", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
                               "-m", "5", "-H", "@-", "-X", "POST", "http://127.0.0.1/v1/upload",
                               stdin=f"Authorization: {member.headers['Authorization']}\n")
        assert elsewhere.stdout == "400"
        wires.pop().reset()
        ledger.sent(late.data)
        until(taken, 20, "there is room for one")
    ledger.upload(member, Images.noise())
    assert ledger.absent(slow.data)


@pytest.fixture
def impatient(stack, ledger):
    """Uploaders with a short deadline for bodies; the real store."""
    with substitute.uploader(stack, 2, UPLOAD_TIMEOUT=f"{DEADLINE}s"):
        yield


def start(stack, member, data, sent):
    """A connection with an upload of which ${sent} bytes were sent."""
    wire = Wire(stack.base_url)
    wire.send(head("POST", "/v1/upload", *member.headers.items(), ("Content-Length", len(data))))
    wire.send(data[:sent])
    return wire


def test_slow_bodies(stack, client, ledger, member, impatient):
    """One byte at a time on more connections than there are workers; others are served meanwhile."""
    count = 4 * len(stack.workers("uploader"))
    slow = [Images.noise(30, 30) for _ in range(count)]
    with contextlib.ExitStack() as opened:
        wires = [opened.enter_context(start(stack, member, image.data, 100)) for image in slow]
        end = time.monotonic() + DEADLINE + PAUSE
        at = 100
        while time.monotonic() < end:
            for wire, image in zip(wires, slow):
                wire.send(image.data[at:at + 1])
            at += 1
            ledger.upload(member, Images.noise())
            time.sleep(PAUSE)  # that is what makes it a drip
        for wire, image in zip(wires, slow):
            wire.send(image.data[at:])
            ledger.sent(image.data)
        for wire, image in zip(wires, slow):
            answer = wire.answer("POST")
            assert answer.status == 408
            ledger.answered(answer.status, answer.headers, answer.body.decode(), image.data)
            assert ledger.absent(image.data)
    assert client.get("/livez").status_code == 200


def test_in_time(stack, ledger, member, impatient):
    """Slow, but not too slow."""
    image = Images.noise(30, 30)
    with start(stack, member, image.data, 100) as wire:
        ledger.upload(member, Images.noise())
        ledger.sent(image.data)
        wire.send(image.data[100:])
        answer = wire.answer("POST")
    assert answer.status == 201
    ledger.answered(answer.status, answer.headers, answer.body.decode(), image.data)

"""Row 5: bodies that drip in hold no worker, do not disturb others, and end with their deadline."""

import contextlib
import time

import pytest
from support import substitute
from support.client import Wire, head
from support.images import Images

DEADLINE = 2  # seconds for a body
PAUSE = 0.25  # seconds between two bytes


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

"""Row 4: Content-Length that lies or is none."""

import pytest
from support.client import Wire, exchange, head
from support.images import Images

pytestmark = pytest.mark.usefixtures("steady")


@pytest.mark.parametrize("path", ["/v1/upload", "/v1/token"])
@pytest.mark.parametrize("framing, refusals", [
    ([("Content-Length", "-1")], {400}),
    ([("Content-Length", "+5")], {400}),
    ([("Content-Length", "5x")], {400}),
    ([("Content-Length", "0x10")], {400}),
    ([("Content-Length", "")], {400}),
    ([("Content-Length", str(1 << 63))], {400, 413}),
    ([("Content-Length", str((1 << 63) - 1))], {400, 413}),
    ([("Content-Length", "9" * 40)], {400, 413}),
    ([("Content-Length", "5"), ("Content-Length", "5")], {400}),
    ([("Content-Length", "5"), ("Content-Length", "6")], {400}),
    ([("Content-Length", "5"), ("Transfer-Encoding", "chunked")], {400}),
    ([("Transfer-Encoding", "chunked"), ("Content-Length", "5")], {400}),
    ([("Transfer-Encoding", "gzip, chunked")], {400, 501}),
    ([("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")], {400}),
], ids=str)
def test_refused(stack, member, path, framing, refusals):
    data = head("POST", path, *member.headers.items(), *framing) + b"0\r\n\r\n"
    answer = exchange(stack.base_url, data, "POST")
    assert answer is None or answer.status in refusals


def test_too_short(stack, ledger, member):
    """The image is cut where the length says; the rest is another, nonsensical request."""
    image = Images.noise(30, 30)
    length = len(image.data) - 10
    ledger.sent(image.data[:length])
    data = head("POST", "/v1/upload", *member.headers.items(), ("Content-Length", length))
    with Wire(stack.base_url) as wire:
        wire.send(data + image.data)
        assert wire.answer("POST").status in (400, 415)
    assert ledger.absent(image.data[:length])
    assert ledger.absent(image.data)


def test_too_long(stack, ledger, member):
    image = Images.noise(30, 30)
    data = head("POST", "/v1/upload", *member.headers.items(),
                ("Content-Length", len(image.data) + 1)) + image.data
    answer = exchange(stack.base_url, data, "POST", half_close=True)
    assert answer is None or answer.status == 400
    assert ledger.absent(image.data)


def test_one_byte_more_than_the_image(ledger, member):
    """What follows an image's end is stored as it came or refused, never dropped."""
    image = Images.noise(30, 30)
    answer = ledger.try_upload(member, image.data + b"\0")
    assert answer.status_code in (201, 400)
    assert ledger.absent(image.data)

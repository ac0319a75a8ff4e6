"""Rows 1 and 2: bodies that end early or break their framing leave nothing behind."""

import pytest
from support.client import Wire, chunked, exchange, head
from support.images import Images

pytestmark = pytest.mark.usefixtures("steady")


@pytest.fixture(scope="module")
def image():
    """One image that is never sent whole: its object must not exist afterwards."""
    return Images.noise(150, 150)


@pytest.fixture(scope="module", autouse=True)
def not_stored(ledger, image):
    yield
    assert ledger.absent(image.data)


def upload_head(member, *framing):
    return head("POST", "/v1/upload", *member.headers.items(), *framing)


def points(length):
    return {"0": 0, "1": 1, "8192": 8192, "half": length // 2, "n-1": length - 1}


@pytest.mark.parametrize("point", points(0))
@pytest.mark.parametrize("end", ["finish", "reset"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_client_closes(stack, member, image, point, end, framing):
    sent = image.data[:points(len(image.data))[point]]
    if framing == "length":
        data = upload_head(member, ("Content-Length", len(image.data))) + sent
    else:
        data = upload_head(member, ("Transfer-Encoding", "chunked"))
        data += chunked(sent).removesuffix(b"0\r\n\r\n")
    with Wire(stack.base_url) as wire:
        wire.send(data)
        getattr(wire, end)()
        if end == "finish":
            answer = wire.answer("POST")
            assert answer is None or answer.status == 400


@pytest.mark.parametrize("tail", [
    b"zz\r\nabc\r\n0\r\n\r\n",  # no number
    b"-5\r\nabcde\r\n0\r\n\r\n",
    b"ffffffffffffffffff\r\nabc",  # beyond 64 bits
    b"3\r\nabcdef\r\n0\r\n\r\n",  # longer than it says
    b"3 abc\r\n0\r\n\r\n",
    b"\r\n\r\n",
    b"5\r\nab",  # cut within a chunk
    b"5",  # cut within a size
    b"0\r\n",  # cut before the end
], ids=repr)
def test_bad_chunks(stack, member, image, tail):
    data = upload_head(member, ("Transfer-Encoding", "chunked"))
    data += chunked(image.data[:20_000]).removesuffix(b"0\r\n\r\n") + tail
    answer = exchange(stack.base_url, data, "POST", half_close=True)
    assert answer is None or answer.status in (400, 413)


@pytest.mark.parametrize("cut", [1, 8000, -1])
def test_a_whole_body_that_is_a_cut_image(ledger, member, image, cut):
    """Complete for HTTP, not for PNG."""
    answer = ledger.try_upload(member, image.data[:cut])
    assert answer.status_code in (400, 415)
    assert ledger.absent(image.data[:cut])


def test_others_are_served(stack, ledger, member, image):
    """Many open, half-sent uploads hold no worker."""
    half = upload_head(member, ("Content-Length", len(image.data))) + image.data[:5000]
    wires = [Wire(stack.base_url) for _ in range(8)]
    for wire in wires:
        wire.send(half)
    assert ledger.upload(member, Images.noise())
    for wire in wires:
        wire.reset()

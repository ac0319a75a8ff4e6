"""Row 3: valid chunked bodies are taken, those over the limit are not."""

import pytest
from support.client import Wire, chunked, exchange, head
from support.images import Images
from support.stack import size

pytestmark = pytest.mark.usefixtures("steady")


def test_json_over_the_limit(stack):
    body = b'{"login":"nobody","password":"' + b"x" * 9000 + b'"}'
    for path in ("/v1/token", "/v1/register"):
        data = head("POST", path, ("Content-Type", "application/json"),
                    ("Transfer-Encoding", "chunked")) + chunked(body)
        assert exchange(stack.base_url, data, "POST").status == 413


def test_image_over_the_limit(stack, member):
    """The gateway stops reading at its limit; the client may find the connection closed."""
    limit = size(stack.setting("uploader", "MAX_UPLOAD", "64M"))
    piece = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    with Wire(stack.base_url) as wire:
        wire.send(head("POST", "/v1/upload", *member.headers.items(),
                       ("Transfer-Encoding", "chunked")))
        for _ in range((limit >> 20) + 1):
            wire.send(piece)
        wire.send(b"0\r\n\r\n")
        answer = wire.answer("POST")
    assert answer is None or answer.status == 413


@pytest.mark.parametrize("chunk", [1, 7, 4096, 1 << 20])
def test_chunks_of_any_size(stack, ledger, member, chunk):
    image = Images.noise(60, 60)
    data = head("POST", "/v1/upload", *member.headers.items(), ("Transfer-Encoding", "chunked"))
    ledger.sent(image.data)
    answer = exchange(stack.base_url, data + chunked(image.data, chunk), "POST")
    assert answer.status == 201
    ledger.answered(answer.status, answer.headers, answer.body.decode(), image.data)


def test_extensions_and_trailers_are_no_part_of_the_body(stack, ledger, member):
    image = Images.noise(20, 20)
    data = head("POST", "/v1/upload", *member.headers.items(), ("Transfer-Encoding", "chunked"))
    data += b"%x;name=value\r\n%s\r\n0\r\nX-Trailer: no\r\n\r\n" % (len(image.data), image.data)
    ledger.sent(image.data)
    answer = exchange(stack.base_url, data, "POST")
    assert answer.status == 201
    ledger.answered(answer.status, answer.headers, answer.body.decode(), image.data)

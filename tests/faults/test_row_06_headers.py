"""Row 6: slow, many and long headers."""

import pytest
from support.client import Wire, exchange, head

PATIENCE = 10  # seconds: less than slow headers may take

pytestmark = pytest.mark.usefixtures("steady")


@pytest.mark.parametrize("headers", [
    [(f"X-{i}", "v") for i in range(10_000)],
    [("X-Long", "v" * 40_000)],
    [("Cookie", "a=b; " * 8_000)],
    [("X" * 40_000, "v")],
], ids=["10,000", "40 KB", "cookie", "name"])
def test_refused_or_closed(stack, headers):
    answer = exchange(stack.base_url, head("GET", "/v1/user", *headers))
    assert answer is None or answer.status in (400, 431)


def test_slow_headers_hold_nobody_up(stack, client):
    wires = [Wire(stack.base_url) for _ in range(50)]
    for wire in wires:
        wire.send(b"GET /status HTTP/1.1\r\nHost: a\r\nX-Slow: ")
    assert client.get("/status", timeout=PATIENCE).status_code == 200
    assert client.get("/v1/user", timeout=PATIENCE).status_code == 401
    for wire in wires:
        wire.reset()


def test_null_bytes_and_bare_newlines(stack):
    for data in (b"GET /status HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
                 b"\0" * 100 + b"\r\n\r\n", b"GET /status\0 HTTP/1.1\r\nHost: a\r\n\r\n"):
        answer = exchange(stack.base_url, data)
        assert answer is None or answer.status == 400

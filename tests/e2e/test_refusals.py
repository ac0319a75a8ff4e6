"""What the gateway itself refuses: each with the problem document, in the order of the contract."""

import pytest
from support.client import bearer, exchange, head
from support.images import Images
from support.stack import size

UNKNOWN = ["/", "/v1", "/v1/", "/v2/user", "/v1/users", "/v1/user/", "/v1/register/", "/images",
           "/images/", "/favicon.ico", "/robots.txt", "/index.html", "/etc/passwd", "/.git/config",
           "/auth", "/validate", "/_auth", "/_validate", "/sign", "/_p/404", "/_p/500", "/_origin",
           "/internal/validate", "/authenticate", "/logout", "/v1/logout", "/remove", "/list",
           "/unsized", "/health", "/minio/health/live", "/images.json", "/status/"]


@pytest.fixture
def limit(stack):
    return size(stack.setting("uploader", "MAX_UPLOAD", "64M"))


@pytest.mark.parametrize("path", UNKNOWN)
def test_unknown_path(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", UNKNOWN)
def test_unknown_path_with_a_token(client, member, path):
    assert client.get(path, headers=member.headers).status_code == 404


@pytest.mark.parametrize("request_head, status", [
    (head("POST", "/nowhere", ("Content-Length", 1 << 40)), 404),
    (head("POST", "/", ("Content-Length", 1 << 40)), 404),
    (head("GET", "/v1/upload", ("Content-Length", 1 << 40)), 413),
    (head("PUT", "/v1/upload", ("Content-Length", 1 << 40)), 413),
    (head("POST", "/v1/upload", ("Content-Length", 1 << 40)), 413),
    (head("POST", "/upload", ("Content-Length", 1 << 40)), 413),
    (head("POST", "/v1/token", ("Content-Length", 8193)), 413),
    (head("POST", "/v1/register", ("Content-Length", 8193)), 413),
    (head("POST", "/token", ("Content-Length", 8193)), 413),
    (head("DELETE", "/v1/token", ("Content-Length", 8193)), 413),
    (head("PUT", "/v1/user/password", ("Content-Length", 8193)), 413),
    (head("POST", "/v1/token/renew", ("Content-Length", 8193)), 413),
    (head("PUT", "/v1/upload", ("Content-Length", 10)), 405),
    (head("POST", "/v1/user", ("Content-Length", 0)), 405),
    (head("GET", "/v1/upload"), 405),
    (head("POST", "/v1/upload", ("Content-Length", 10)), 401),
    (head("GET", "/v1/user"), 401),
    (head("POST", "/v1/token/renew"), 401),
    (head("DELETE", "/v1/token"), 401),
    (head("PUT", "/v1/user/password", ("Content-Length", 10)), 401),
], ids=lambda value: value.split(b" HTTP")[0].decode() if isinstance(value, bytes) else None)
def test_order_of_refusals(stack, request_head, status):
    """404, then 413 by Content-Length, then 405, then 401: all before any body."""
    method = request_head.split()[0].decode()
    assert exchange(stack.base_url, request_head, method).status == status


def test_the_image_limit_is_stated(stack, member, limit):
    """At the gateway, which leaves 64 KiB of room for a form around the image."""
    data = head("POST", "/v1/upload", *member.headers.items(),
                ("Content-Length", limit + (64 << 10) + 1))
    answer = exchange(stack.base_url, data, "POST")
    assert answer.status == 413
    assert any(text in answer.body.decode() for text in (str(limit), f"{limit >> 20} M"))


def test_json_of_exactly_the_limit(client):
    body = b'{"login":"nobody","password":"wrong password"}'.ljust(8192)
    headers = {"Content-Type": "application/json"}
    assert client.post("/v1/token", data=body, headers=headers).status_code == 401
    assert client.post("/v1/token", data=body + b" ", headers=headers).status_code == 413


@pytest.mark.parametrize("path", ["/v1/user/" + "a" * 10_000, "/" + "a" * 40_000])
def test_uri_too_long(stack, path):
    answer = exchange(stack.base_url, head("GET", path))
    assert answer.status == 414


@pytest.mark.parametrize("headers", [[("X-Big", "a" * 40_000)],
                                     [("Authorization", "Bearer " + "a" * 100_000)],
                                     [(f"X-{i}", "a" * 1000) for i in range(100)]])
def test_header_too_large(stack, headers):
    answer = exchange(stack.base_url, head("GET", "/status", *headers))
    assert answer.status == 431


def test_two_authorization_headers(stack, member):
    twice = [*member.headers.items()] * 2
    assert exchange(stack.base_url, head("GET", "/v1/user", *twice)).status == 400
    mixed = [*bearer("x").items(), *member.headers.items()]
    assert exchange(stack.base_url, head("GET", "/v1/user", *mixed)).status == 400


@pytest.mark.parametrize("data", [
    b"nonsense\r\n\r\n",
    b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /status HTTP/1.1\r\n\r\n",  # no Host
    b"GET /status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /status HTTP/1.1\r\nHost: a\r\nBad Name: b\r\n\r\n",
    b"get /status HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET status HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
], ids=lambda data: data.split(b"\r\n\r\n")[0].decode())
def test_bad_request(stack, data):
    assert exchange(stack.base_url, data).status == 400


@pytest.mark.parametrize("path", ["/status", "/nowhere", "/v1/user"])
def test_the_request_id_is_ours(client, path):
    """A client can neither choose nor forge the id that leads to the log."""
    ids = {client.get(path, headers={"X-Request-ID": "mine"}).headers["X-Request-ID"]
           for _ in range(2)}
    assert len(ids) == 2 and "mine" not in ids


def test_a_refused_body_is_not_stored(client, ledger):
    image = Images.noise()
    for method, path, status in [("POST", "/v1/upload", 401), ("PUT", "/v1/upload", 405),
                                 ("POST", "/nowhere", 404)]:
        assert client.request(method, path, data=image.data).status_code == status
    assert ledger.absent(image.data)


def test_status(client):
    answer = client.get("/status")
    assert answer.status_code == 200
    assert answer.json() == {"status": "OK"}
    assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes(client, path):
    assert client.get(path).status_code == 200
    assert client.head(path).status_code == 200

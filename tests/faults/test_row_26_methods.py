"""Row 26: every other method on each route."""

import pytest
from support.client import exchange, head

pytestmark = pytest.mark.usefixtures("steady")

IMAGE = "0123456789abcdef-vuci4ialvv0123456789abcdefghij.png"

ROUTES = {
    "/v1/register": ["POST"], "/register": ["POST"], "/v1/token": ["POST", "DELETE"],
    "/token": ["POST"], "/v1/token/renew": ["POST"], "/v1/upload": ["POST"], "/upload": ["POST"],
    "/v1/user": ["GET", "HEAD"], "/v1/user/password": ["PUT"],
    f"/v1/user/{IMAGE}": ["GET", "HEAD", "DELETE"], "/v1/images": ["GET", "HEAD"],
    f"/images/{IMAGE}": ["GET", "HEAD"], "/status": ["GET", "HEAD"], "/livez": ["GET", "HEAD"],
    "/readyz": ["GET", "HEAD"],
}
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "MKCOL",
           "COPY", "MOVE", "LOCK", "BREW"]


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("method", METHODS)
def test_405(stack, path, method):
    right = ROUTES[path]
    if method in right:
        return
    answer = exchange(stack.base_url, head(method, path, ("Content-Length", 0)), method)
    assert answer.status == 405
    assert answer.headers["Allow"] == ", ".join(right)


@pytest.mark.parametrize("target", ["example.com:443", "storage:9000"])
def test_connect(stack, target):
    answer = exchange(stack.base_url, head("CONNECT", target), "CONNECT")
    assert answer is None or answer.status in (400, 404, 405)


@pytest.mark.parametrize("method", ["GET\t", "G ET", "get", "G" * 10_000, "GET/", "\0GET"])
def test_no_method_at_all(stack, method):
    answer = exchange(stack.base_url, head(method, "/status"))
    assert answer is None or answer.status in (400, 405, 414)

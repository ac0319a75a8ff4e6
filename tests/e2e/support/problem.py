"""The rules that every answer of the gateway keeps, whoever makes it."""

import json
from http import HTTPStatus

MEMBERS = {"type", "title", "status", "detail", "request_id", "error"}

ERRORS = {
    400: "bad request",
    401: "unauthorized",
    403: "forbidden",
    404: "not found",
    405: "method not allowed",
    408: "request timeout",
    409: "conflict",
    411: "length required",
    413: "payload too large",
    414: "uri too long",
    415: "unsupported media type",
    416: "range not satisfiable",
    429: "too many requests",
    431: "header fields too large",
    500: "internal error",
    501: "not implemented",
    503: "unavailable",
    504: "timeout",
    505: "version not supported",
    507: "storage full",
}

# What else an error must carry.
COMPANIONS = {401: "WWW-Authenticate", 405: "Allow", 416: "Content-Range", 429: "Retry-After",
              503: "Retry-After"}


def check_rules(status, headers, body, method="GET"):
    """Assert what holds for every answer; headers is a mapping without regard to case."""
    assert headers.get("X-Request-ID"), f"{status} without X-Request-ID"
    assert not any(char.isdigit() for char in headers.get("Server", "")), "the version is shown"
    if status >= 400:
        check_problem(status, headers, body, method)


def check_problem(status, headers, body, method):
    assert status in ERRORS, f"unexpected status {status}: {body[:200]}"
    assert headers["Content-Type"] == "application/problem+json", (status, headers["Content-Type"])
    if status in COMPANIONS:
        assert headers.get(COMPANIONS[status]), f"{status} without {COMPANIONS[status]}"
    if status == 401:
        assert headers["WWW-Authenticate"].startswith('Bearer realm="imagegate"')
    if method == "HEAD":
        return
    document = json.loads(body)
    assert set(document) == MEMBERS, document
    assert document["type"] == "about:blank"
    assert document["title"] == HTTPStatus(status).phrase
    assert document["status"] == status
    assert document["error"] == ERRORS[status]
    assert document["request_id"] == headers["X-Request-ID"]
    assert " " in document["detail"].strip(), f"no sentence: {document['detail']!r}"

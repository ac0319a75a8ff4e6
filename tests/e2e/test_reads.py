"""Reads: whole, in part, conditional, cold and from the cache."""

import re

import pytest
from support.client import bearer
from support.images import Images

NOT_THERE = "0123456789abcdef-vuci4ialvv0123456789abcdefghij.png"

# Everything that an image's answer may carry: nothing of the store's shines through.
EXACTLY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": "inline",
    "Cache-Control": "private, no-cache",
    "Vary": "Authorization",
}
ALLOWED = {*EXACTLY, "Cross-Origin-Resource-Policy", "Server", "Date", "Connection",
           "Content-Type", "Content-Length", "Content-Range", "Accept-Ranges", "ETag",
           "Last-Modified", "X-Request-ID"}


def check_image_headers(answer):
    for name, value in EXACTLY.items():
        assert answer.headers.get(name) == value, name
    assert answer.headers["Cross-Origin-Resource-Policy"] in ("same-origin", "same-site",
                                                              "cross-origin")
    strangers = {name.lower() for name in answer.headers} - {name.lower() for name in ALLOWED}
    assert not strangers


@pytest.fixture
def read(client, member):
    """A function that sends one request for an image."""

    def send(name, method="GET", prefix="/v1/user/", **headers):
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return client.request(method, f"{prefix}{name}", headers=member.headers | named)

    return send


@pytest.mark.parametrize("prefix", ["/v1/user/", "/images/"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [{}, bearer("x.y.z")])
def test_needs_a_token(client, ledger, member, stored, prefix, method, headers):
    name, _ = stored
    path = f"{prefix}{name}"
    client.get(path, headers=member.headers)  # what the cache holds is no less protected
    answer = client.request(method, path, headers=headers)
    assert answer.status_code == 401
    assert ("invalid_token" in answer.headers["WWW-Authenticate"]) == bool(headers)


@pytest.mark.parametrize("prefix", ["/v1/user/", "/images/"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_unknown_name(read, prefix, method):
    assert read(NOT_THERE, method, prefix).status_code == 404


def test_other_extension(read, stored):
    name, _ = stored
    assert read(name.replace(".png", ".jpg")).status_code == 404


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("prefix", ["/v1/user/", "/images/"])
def test_whole(read, stored, prefix, warm):
    name, image = stored
    if warm:
        read(name)
    answer = read(name, prefix=prefix)
    assert answer.status_code == 200
    assert answer.content == image.data
    assert answer.headers["Content-Type"] == image.type
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Last-Modified"]
    assert re.fullmatch(r'"[^"]+"', answer.headers["ETag"])
    check_image_headers(answer)


@pytest.mark.parametrize("warm", [False, True])
def test_head(read, stored, warm):
    name, image = stored
    if warm:
        read(name)
    answer = read(name, "HEAD")
    assert answer.status_code == 200
    assert not answer.content
    assert int(answer.headers["Content-Length"]) == len(image.data)
    assert answer.headers["Content-Type"] == image.type
    check_image_headers(answer)
    assert read(name).content == image.data


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("asked, part", [("bytes=0-0", slice(0, 1)), ("bytes=10-19", slice(10, 20)),
                                         ("bytes=100-", slice(100, None)),
                                         ("bytes=-7", slice(-7, None))])
def test_range(read, stored, asked, part, warm):
    name, image = stored
    if warm:
        read(name)
    answer = read(name, Range=asked)
    assert answer.status_code == 206
    assert answer.content == image.data[part]
    first, last, whole = map(int, re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)",
                                               answer.headers["Content-Range"]).groups())
    assert image.data[first:last + 1] == answer.content
    assert whole == len(image.data)
    assert answer.headers["Accept-Ranges"] == "bytes"
    check_image_headers(answer)
    assert read(name).content == image.data, "a part does not become the whole in the cache"


@pytest.mark.parametrize("warm", [False, True])
def test_range_beyond_the_end(read, stored, warm):
    name, image = stored
    if warm:
        read(name)
    answer = read(name, Range="bytes=100000-")
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(image.data)}"


def test_unchanged_by_etag(read, stored):
    name, _ = stored
    whole = read(name)
    answer = read(name, If_None_Match=whole.headers["ETag"])
    assert answer.status_code == 304
    assert not answer.content
    assert answer.headers["ETag"] == whole.headers["ETag"]
    check_image_headers(answer)
    assert read(name, If_None_Match='"other"').status_code == 200


def test_unchanged_by_date(read, stored):
    name, _ = stored
    whole = read(name)
    answer = read(name, If_Modified_Since=whole.headers["Last-Modified"])
    assert answer.status_code == 304
    assert not answer.content
    later = "Fri, 01 Jan 2100 00:00:00 GMT"
    assert read(name, If_Modified_Since=later).status_code == 304
    earlier = "Thu, 01 Jan 2026 00:00:00 GMT"
    assert read(name, If_Modified_Since=earlier).status_code == 200


def test_range_if_unchanged(read, stored):
    name, image = stored
    whole = read(name).headers
    for condition in (whole["ETag"], whole["Last-Modified"]):
        part = read(name, Range="bytes=0-3", If_Range=condition)
        assert (part.status_code, part.content) == (206, image.data[:4])
        assert part.headers["Accept-Ranges"] == "bytes"
    other = read(name, Range="bytes=0-3", If_Range='"other"')
    assert other.content == image.data
    assert other.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("query", ["?acl", "?response-content-type=text/html", "?versionId=null",
                                   "?X-Amz-Algorithm=AWS4-HMAC-SHA256", "?partNumber=2"])
def test_the_query_never_reaches_the_store(read, stored, query):
    name, image = stored
    answer = read(f"{name}{query}")
    assert answer.status_code == 200
    assert answer.content == image.data
    assert answer.headers["Content-Type"] == image.type
    check_image_headers(answer)


def test_any_account_reads_what_it_can_name(client, account, stored):
    name, image = stored
    answer = client.get(f"/v1/user/{name}", headers=account.headers)
    assert answer.content == image.data


def test_large_range(read, ledger, member):
    image = Images.noise(600, 600)
    name = ledger.upload(member, image)
    assert read(name, Range="bytes=1000000-1000099").content == image.data[1000000:1000100]
    assert read(name).content == image.data

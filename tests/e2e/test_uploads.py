"""Uploads: every format comes back byte for byte."""

import json
import re

import pytest
from support.client import Wire, bearer, exchange, head
from support.images import Images
from support.ledger import NAME


def test_empty_body(ledger, member):
    assert ledger.try_upload(member, b"").status_code == 400


@pytest.mark.parametrize("body", [b"plain text", bytes(4096), b"%PDF-1.7\n", b"PK\3\4" + b"a" * 99])
def test_what_is_no_image(ledger, member, body):
    answer = ledger.try_upload(member, body, headers={"Content-Type": "image/png"})
    assert answer.status_code == 415
    assert ledger.absent(body)


@pytest.mark.parametrize("path", ["/v1/upload", "/upload"])
@pytest.mark.parametrize("headers", [{}, bearer("None"), bearer("x.y.z")])
def test_upload_needs_a_token(client, ledger, path, headers):
    image = Images.noise()
    answer = client.post(path, data=image.data, headers=headers)
    assert answer.status_code == 401
    assert ("invalid_token" in answer.headers["WWW-Authenticate"]) == bool(headers)
    assert ledger.absent(image.data)


def check_stored(client, account, answer, image):
    """Assert that the answer names the image and that the image is there."""
    document = answer.json()
    assert set(document) == {"filename", "type", "size", "width", "height"}
    name = document["filename"]
    assert NAME.fullmatch(name)
    assert name.startswith(f"{account.id}-") and name.endswith(f".{image.extension}")
    assert (document["type"], document["size"]) == (image.type, len(image.data))
    assert (document["width"], document["height"]) == (image.width, image.height)
    assert answer.headers["Location"] == f"/v1/user/{name}"
    read = client.get(f"/v1/user/{name}", headers=account.headers)
    assert read.status_code == 200
    assert read.content == image.data
    assert read.headers["Content-Type"] == image.type


@pytest.mark.parametrize("name", Images.names)
def test_every_format_comes_back(client, ledger, member, images, name):
    image = images[name]
    answer = ledger.try_upload(member, image.data)
    assert answer.status_code == 201, answer.text
    check_stored(client, member, answer, image)


@pytest.mark.parametrize("media_type", ["image/jpeg", "application/octet-stream", "text/html"])
def test_the_bytes_decide_the_type(client, ledger, member, media_type):
    image = Images.noise()
    answer = ledger.try_upload(member, image.data, headers={"Content-Type": media_type})
    assert answer.status_code == 201
    check_stored(client, member, answer, image)


def test_chunked(client, ledger, member):
    image = Images.noise(200, 200)
    answer = ledger.try_upload(member, image.data, in_chunks=True)
    assert answer.status_code == 201
    check_stored(client, member, answer, image)


def test_large(client, ledger, member):
    """More than any buffer on the way."""
    image = Images.noise(1500, 1500)
    answer = ledger.try_upload(member, image.data)
    assert answer.status_code == 201
    check_stored(client, member, answer, image)


def test_same_bytes_twice_are_two_images(ledger, member):
    image = Images.noise()
    assert ledger.upload(member, image) != ledger.upload(member, image)


def test_older_upload(client, ledger, member):
    image = Images.noise()
    answer = ledger.try_upload(member, image.data, path="/upload")
    assert answer.status_code == 200
    name = answer.json()["filename"]
    read = client.get(f"/images/{name}", headers=member.headers)
    assert read.status_code == 200
    assert read.content == image.data
    assert read.headers["Content-Type"] == image.type


def test_expect_100_continue(stack, ledger, member):
    image = Images.noise()
    with Wire(stack.base_url) as wire:
        wire.send(head("POST", "/v1/upload", *member.headers.items(), ("Expect", "100-continue"),
                       ("Content-Length", len(image.data))))
        assert re.match(rb"HTTP/1.1 100 ", wire.receive(b"\r\n\r\n"))
        wire.send(image.data)
        ledger.sent(image.data)
        answer = wire.answer("POST")
    assert answer.status == 201
    ledger.answered(answer.status, answer.headers, answer.body.decode(), image.data)


def test_scheme_in_any_case(client, member, stored):
    name, _ = stored
    for scheme in ("bearer", "BEARER", "Bearer  "):
        headers = {"Authorization": f"{scheme} {member.token}"}
        assert client.get(f"/v1/user/{name}", headers=headers).status_code == 200


def test_http_1_0(stack, ledger, member):
    """The oldest clients: no Host, no keep-alive."""
    image = Images.noise()
    ledger.sent(image.data)
    request = (f"POST /v1/upload HTTP/1.0\r\nAuthorization: Bearer {member.token}\r\n"
               f"Content-Length: {len(image.data)}\r\n\r\n").encode() + image.data
    answer = exchange(stack.base_url, request, "POST")
    assert answer.status == 201
    assert json.loads(answer.body)["size"] == len(image.data)
    ledger.answered(answer.status, answer.headers, answer.body.decode(), image.data)

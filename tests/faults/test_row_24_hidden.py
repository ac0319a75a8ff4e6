"""Row 24: a FastCGI request hidden in a body is never taken for one, however the answer comes."""

import struct

import pytest
from support import s3
from support.images import Images

VICTIM = "0123456789abcdef"
BEGIN, PARAMS, STDIN = 1, 4, 5
FORM = b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n'

pytestmark = pytest.mark.usefixtures("steady")


def record(kind, data=b""):
    padding = -len(data) % 8
    return struct.pack(">BBHHBx", 1, kind, 1, len(data), padding) + data + bytes(padding)


def pair(name, value):
    return struct.pack(">BB", len(name), len(value)) + name.encode() + value.encode()


def hidden_request(image):
    """The records of an upload of a small image into somebody else's account."""
    params = {"REQUEST_METHOD": "POST", "ROUTE": "upload", "REQUEST_ID": "hidden",
              "CONTENT_LENGTH": str(len(image.data)), "CONTENT_TYPE": "image/png",
              "REMOTE_ADDR": "192.0.2.1", "REQUEST_TIME": "0.001", "ACCOUNT_ID": VICTIM}
    return (record(BEGIN, struct.pack(">HB5x", 1, 0))
            + record(PARAMS, b"".join(pair(*item) for item in params.items())) + record(PARAMS)
            + record(STDIN, image.data) + record(STDIN))


# How a body begins that is answered before all of it was read.
EARLY = {
    "415": (b"<!DOCTYPE html><html>", None, 415),
    "400 image": (b"GIF89a\1\0\1\0\0\0\0\x99", None, 400),
    "413 pixels": (b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0", None, 413),
    "400 boundary": (b"", "multipart/form-data", 400),
    "400 form": (b"--b\r\nno header\r\n", "multipart/form-data; boundary=b", 400),
    "415 form": (FORM + b"<!DOCTYPE html><html>", "multipart/form-data; boundary=b", 415),
    "400 image in a form": (FORM + b"GIF89a\1\0\1\0\0\0\0\x99", "multipart/form-data; boundary=b",
                            400),
}


@pytest.mark.parametrize("shift", range(8))
@pytest.mark.parametrize("kind", EARLY)
def test_upload(client, ledger, member, kind, shift):
    """At each of the eight alignments of a record, and many times over, past all buffers."""
    start, content_type, status = EARLY[kind]
    image = Images.noise()
    request = hidden_request(image)
    fill = -len(start) % 8 + shift
    body = start + b" " * fill + request * (200_000 // len(request))
    headers = member.headers | ({"Content-Type": content_type} if content_type else {})
    answer = client.post("/v1/upload", data=body, headers=headers)
    assert answer.status_code == status, answer.text
    check_harmless(ledger, member, image)


@pytest.mark.parametrize("shift", range(8))
@pytest.mark.parametrize("path", ["/v1/token", "/v1/register"])
def test_accounts(client, ledger, member, path, shift):
    image = Images.noise()
    body = b" " * shift + hidden_request(image) * 5
    answer = client.post(path, data=body[:8192], headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    answer = client.post(path, data=body[:8192], headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    check_harmless(ledger, member, image)


def check_harmless(ledger, member, image):
    """Assert that no worker has stored the image, or anything for the victim."""
    ledger.upload(member, Images.noise())
    assert ledger.absent(image.data)
    assert not [key for key in s3.objects(ledger.store) if key.startswith(VICTIM)]


def test_nothing_came_to_a_worker(stack):
    for pool in ("uploader", "security"):
        assert '"request_id":"hidden"' not in stack.logs(pool)

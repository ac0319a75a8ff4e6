"""
UPLOAD_BUFFERING=off: a gateway that hands uploads on as they come, and a pool of one worker with a
short deadline behind it.  Each test ends with an upload that needs this worker.
"""

import contextlib
import select

import pytest
from support import substitute
from support.client import Wire, bearer, chunked, exchange, head
from support.images import Images
from support.stack import size

DEADLINE = 5  # seconds for a body
PAUSE = 0.25  # seconds between two bytes of one that is too slow
PER_ADDRESS = 8  # uploads at a time


@pytest.fixture(scope="module")
def direct(stack, ledger):
    """A client of that gateway."""
    with (substitute.uploader(stack, UPLOAD_TIMEOUT=f"{DEADLINE}s"),
          substitute.gateway(stack, UPLOAD_BUFFERING="off", UPLOADS_PER_ADDRESS=PER_ADDRESS) as client):
        yield client
    ledger.verify_objects()


@pytest.fixture(autouse=True)
def the_worker_is_free(direct, ledger, member):
    yield
    assert upload(direct, ledger, member, Images.noise().data).status_code == 201


@pytest.fixture(scope="module")
def image(ledger):
    """One image that is never sent whole: its object must not exist afterwards."""
    image = Images.noise(400, 400)
    yield image
    assert ledger.absent(image.data)


def upload(direct, ledger, member, data):
    ledger.sent(data)
    answer = direct.post("/v1/upload", data=data, headers=member.headers)
    ledger.answered(answer.status_code, answer.headers, answer.text, data)
    return answer


def check_comes_back(direct, member, answer, image):
    assert answer.status_code == 201, answer.text
    document = answer.json()
    assert (document["type"], document["size"]) == (image.type, len(image.data))
    read = direct.get(answer.headers["Location"], headers=member.headers)
    assert (read.status_code, read.headers["Content-Type"]) == (200, image.type)
    assert read.content == image.data


def upload_head(member, *framing):
    return head("POST", "/v1/upload", *member.headers.items(), *framing)


# -- what is refused before the body

CHUNKED = ("Transfer-Encoding", "chunked")


def test_without_a_length(direct, ledger, member):
    image = Images.noise()
    for path in ("/v1/upload", "/upload"):
        answer = exchange(direct.base_url, head("POST", path, *member.headers.items(), CHUNKED) + chunked(image.data), "POST")
        assert answer.status == 411
    assert ledger.absent(image.data)


def test_without_a_body(direct, member):
    assert exchange(direct.base_url, upload_head(member), "POST").status == 400


@pytest.mark.parametrize("method, path, framing, status", [
    ("POST", "/nowhere", CHUNKED, 404),
    ("POST", "/unsized", CHUNKED, 404),
    ("GET", "/v1/upload", ("Content-Length", 1 << 40), 413),
    ("POST", "/upload", ("Content-Length", 1 << 40), 413),
    ("PUT", "/v1/upload", CHUNKED, 405),
    ("PUT", "/v1/upload", ("Content-Length", 10), 405),
    ("POST", "/v1/upload", CHUNKED, 401),
    ("POST", "/v1/upload", ("Content-Length", 10), 401),
], ids=str)
def test_order_of_refusals(direct, method, path, framing, status):
    """As with buffering; 411 comes after all of them."""
    answer = exchange(direct.base_url, head(method, path, *bearer("x.y.z").items(), framing), method)
    assert answer.status == status


@pytest.mark.parametrize("token, framing, status", [
    ("x.y.z", ("Content-Length", 1000), b"401"), (None, CHUNKED, b"411"), (None, ("Content-Length", 1 << 40), b"413"),
], ids=str)
def test_a_refused_body_is_not_asked_for(direct, member, token, framing, status):
    headers = bearer(token) if token else member.headers
    with Wire(direct.base_url) as wire:
        wire.send(head("POST", "/v1/upload", *headers.items(), framing, ("Expect", "100-continue")))
        assert wire.receive(b" ") + wire.receive(b" ") == b"HTTP/1.1 " + status + b" "


def test_a_refused_body_is_not_stored(direct, ledger):
    image = Images.noise()
    assert direct.post("/v1/upload", data=image.data, headers=bearer("x.y.z")).status_code == 401
    assert ledger.absent(image.data)


def test_too_many_at_a_time(direct, member, image):
    """Each with a half of its body; whoever comes then gets 429, with or without a length."""
    with contextlib.ExitStack() as opened:
        for _ in range(PER_ADDRESS):
            wire = opened.enter_context(Wire(direct.base_url))
            wire.send(upload_head(member, ("Content-Length", len(image.data)), ("Expect", "100-continue")))
            wire.receive(b"HTTP/1.1 100 Continue\r\n\r\n")
        for framing in (CHUNKED, ("Content-Length", 10)):
            answer = exchange(direct.base_url, head("POST", "/v1/upload", *bearer("x.y.z").items(), framing), "POST")
            assert answer.status == 429


def test_over_the_limit(stack, direct, member):
    """By a byte, which the worker sees; the gateway has room for a form.  None of the body is waited for."""
    limit = size(stack.setting("uploader", "MAX_UPLOAD", "64M"))
    answer = exchange(direct.base_url, upload_head(member, ("Content-Length", limit + 1)), "POST")
    assert answer.status == 413
    assert f"at most {limit} bytes" in answer.body.decode()


# -- what is taken

@pytest.mark.parametrize("name", Images.names)
def test_every_format_comes_back(direct, ledger, member, images, name):
    check_comes_back(direct, member, upload(direct, ledger, member, images[name].data), images[name])


def test_large(direct, ledger, member):
    """More than any buffer on the way."""
    image = Images.noise(1500, 1500)
    check_comes_back(direct, member, upload(direct, ledger, member, image.data), image)


def test_form(direct, ledger, member):
    image = Images.noise(300, 300)
    ledger.sent(image.data)
    answer = direct.post("/v1/upload", headers=member.headers, data={"title": "\r\n--"}, files={"file": ("x.png", image.data)})
    ledger.answered(answer.status_code, answer.headers, answer.text, image.data)
    check_comes_back(direct, member, answer, image)


def test_form_that_ends_otherwise(direct, ledger, member):
    """There is no second look at what was not kept."""
    image = Images.noise(300, 300)
    ledger.sent(image.data)
    body = b"--b\r\nContent-Disposition: form-data; name=f; filename=x.png\r\n\r\n" + image.data + b"\r\n--b--"
    answer = direct.post("/v1/upload", data=body,
                         headers=member.headers | {"Content-Type": "multipart/form-data; boundary=b"})
    assert answer.status_code == 400
    assert "closing boundary and one CRLF" in answer.json()["detail"]
    assert ledger.absent(image.data)


def test_no_image(direct, ledger, member):
    data = b"no image" * 100_000
    assert upload(direct, ledger, member, data).status_code == 415
    assert ledger.absent(data)


def test_in_time(direct, ledger, member):
    """In pieces, with something else between them."""
    image = Images.noise(300, 300)
    ledger.sent(image.data)
    with Wire(direct.base_url, 60) as wire:
        wire.send(upload_head(member, ("Content-Length", len(image.data))))
        for start in range(0, len(image.data), 50_000):
            assert direct.get("/livez").status_code == 200
            wire.send(image.data[start:start + 50_000])
        answer = wire.answer("POST")
    assert answer.status == 201
    ledger.answered(answer.status, answer.headers, answer.body.decode(), image.data)


# -- what ends early or never

@pytest.mark.parametrize("end", ["finish", "reset"])
@pytest.mark.parametrize("point", ["0", "1", "8192", "half", "n-1"])
def test_client_closes(direct, member, image, point, end):
    length = len(image.data)
    sent = {"0": 0, "1": 1, "8192": 8192, "half": length // 2, "n-1": length - 1}[point]
    with Wire(direct.base_url) as wire:
        wire.send(upload_head(member, ("Content-Length", length)) + image.data[:sent])
        getattr(wire, end)()
        if end == "finish":
            answer = wire.answer("POST")
            assert answer is None or answer.status == 400


@pytest.mark.parametrize("sent", [0, 100, 300_000])
def test_silent_body(direct, member, image, sent):
    with Wire(direct.base_url, 60) as wire:
        wire.send(upload_head(member, ("Content-Length", len(image.data))) + image.data[:sent])
        assert wire.answer("POST").status == 408


def test_dripping_body(direct, member, image):
    with Wire(direct.base_url, 60) as wire:
        wire.send(upload_head(member, ("Content-Length", len(image.data))) + image.data[:100_000])
        for at in range(100_000, 100_000 + int(10 * DEADLINE / PAUSE)):
            if select.select([wire.socket], [], [], PAUSE)[0]:
                break
            wire.send(image.data[at:at + 1])
        assert wire.answer("POST").status == 408

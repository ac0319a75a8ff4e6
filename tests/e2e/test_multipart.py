"""Uploads as multipart/form-data: exactly one file, as the last part."""

import json
import re
import subprocess

import pytest
from support import s3
from support.client import chunked, exchange, head
from support.images import Images
from support.stack import size
from support.wait import until

FILE = b'Content-Disposition: form-data; name="file"; filename="x.png"\r\n'
FIELD = b'Content-Disposition: form-data; name="title"\r\n\r\nA title\r\n'
END = b"\r\n--b--\r\n"
TYPE = "multipart/form-data; boundary=b"


def check_answer(ledger, client, member, image, answer, status=201):
    """Write the answer down; assert that it is a success and that the image comes back."""
    ledger.answered(answer.status_code, answer.headers, answer.text, image.data)
    assert answer.status_code == status, answer.text
    document = answer.json()
    assert (document["type"], document["size"]) == (image.type, len(image.data))
    assert (document["width"], document["height"]) == (image.width, image.height)
    read = client.get(f"/v1/user/{document['filename']}", headers=member.headers)
    assert (read.status_code, read.headers["Content-Type"]) == (200, image.type)
    assert read.content == image.data


def of_length(length):
    """An image of exactly so many bytes, at least some megabytes; zeros behind a PNG's end are allowed."""
    image = Images.noise(4000, int(length * 0.9993 - 2000) // 12001)
    assert 0 <= length - len(image.data) <= 65536
    return Images.padded(image, length)


def post_body(client, ledger, member, body, image, content_type=TYPE, path="/v1/upload"):
    ledger.sent(image.data)
    return client.post(path, data=body, headers=member.headers | {"Content-Type": content_type})


REFUSED = {
    "no form": (b"%s", "ends before its closing boundary"),
    "no file": (b"--b\r\n" + FIELD + b"--b--\r\n%.0s", "no file"),
    "a file without a file name": (b"--b\r\nContent-Disposition: form-data; name=f\r\n\r\n%s" + END,
                                   "no file"),
    "no headers": (b"--b\r\n\r\n%s" + END, "no Content-Disposition"),
    "an attachment": (b"--b\r\nContent-Disposition: attachment; filename=f\r\n\r\n%s" + END,
                      "not form-data"),
    "an encoded file": (b"--b\r\n" + FILE + b"Content-Transfer-Encoding: base64\r\n\r\n%s" + END,
                        "Content-Transfer-Encoding"),
    "a multipart in it": (b"--b\r\n" + FILE + b"Content-Type: multipart/mixed\r\n\r\n%s" + END,
                          "multipart itself"),
    "a folded header": (b"--b\r\n" + FILE + b" x: y\r\n\r\n%s" + END, "line that is none"),
    "a long header": (b"--b\r\nX: " + b"x" * 2048 + b"\r\n" + FILE + b"\r\n%s" + END, "2048 bytes"),
    "many headers": (b"--b\r\n" + b"X: y\r\n" * 16 + FILE + b"\r\n%s" + END, "16 header lines"),
    "a long preamble": (b"x" * 65536 + b"\r\n--b\r\n" + FILE + b"\r\n%s" + END, "64 KiB"),
    "an empty file": (b"--b\r\n" + FILE + b"\r\n" + END + b"%.0s", "empty"),
    "a second file": (b"--b\r\n" + FILE + b"\r\n%s\r\n--b\r\n" + FILE + b"\r\nmore" + END,
                      "goes on behind its file"),
    "a field behind the file": (b"--b\r\n" + FILE + b"\r\n%s\r\n--b\r\n" + FIELD + b"--b--\r\n",
                                "goes on behind its file"),
    "a long epilogue": (b"--b\r\n" + FILE + b"\r\n%s" + END + b"x" * 65536, "64 KiB"),
    "no closing boundary": (b"--b\r\n" + FILE + b"\r\n%s", "ends before its closing boundary"),
    "a boundary that goes on": (b"--b\r\n" + FILE + b"\r\n%s\r\n--b--x", "ends before its closing boundary"),
    "another boundary": (b"--b\r\n" + FILE + b"\r\n%s\r\n--c--\r\n", "ends before its closing boundary"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(client, ledger, member, kind):
    form, says = REFUSED[kind]
    image = Images.noise(40, 40)
    answer = post_body(client, ledger, member, form % image.data, image)
    assert answer.status_code == 400
    assert says in answer.json()["detail"]
    assert ledger.absent(image.data)


@pytest.mark.parametrize("content_type", [
    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=a/b",
    f"multipart/form-data; boundary={'b' * 71}", "multipart/form-data; boundary=b; boundary=b",
])
def test_bad_boundary(client, ledger, member, content_type):
    image = Images.noise()
    body = b"--b\r\n" + FILE + b"\r\n" + image.data + END
    answer = post_body(client, ledger, member, body, image, content_type)
    assert answer.status_code == 400
    assert ledger.absent(image.data)


def test_form_without_a_token(client, ledger):
    image = Images.noise()
    answer = client.post("/v1/upload", files={"file": ("x.png", image.data)})
    assert answer.status_code == 401
    assert ledger.absent(image.data)


def test_no_image_in_it(client, ledger, member):
    answer = client.post("/v1/upload", headers=member.headers,
                         files={"file": ("x.png", b"<html></html>", "image/png")})
    assert answer.status_code == 415
    assert "text/html" in answer.json()["detail"]


@pytest.mark.parametrize("name", Images.names)
def test_every_format(client, ledger, member, images, name):
    """As python3-requests sends it."""
    image = images[name]
    ledger.sent(image.data)
    answer = client.post("/v1/upload", headers=member.headers, data={"title": "x", "tag": "\r\n--"},
                         files={"file": (f"Grüße.{image.extension}", image.data, image.type)})
    check_answer(ledger, client, member, image, answer)


def test_older_route(client, ledger, member):
    image = Images.noise(40, 40)
    ledger.sent(image.data)
    answer = client.post("/upload", headers=member.headers, files={"file": ("x.png", image.data)})
    check_answer(ledger, client, member, image, answer, 200)


@pytest.mark.parametrize("fields", [[], ["-F", "title=A title", "-F", "note=<-;type=text/plain"]])
def test_curl(stack, client, ledger, member, tmp_path, fields):
    image = Images.noise(200, 200)
    path = tmp_path / 'a "quoted" name; with=signs.png'
    path.write_bytes(image.data)
    (tmp_path / "headers").write_text(f"Authorization: Bearer {member.token}\n")
    quoted = str(path).replace("\\", "\\\\").replace('"', '\\"')
    ledger.sent(image.data)
    done = subprocess.run(
        ["curl", "-sS", "-H", f"@{tmp_path / 'headers'}", *fields, "-F", f'file=@"{quoted}"',
         f"{stack.base_url}/v1/upload"], input=b"a note", capture_output=True, timeout=30, check=True)
    document = json.loads(done.stdout)
    assert "filename" in document, document
    ledger.answered(201, {}, done.stdout.decode(), image.data)
    read = client.get(f"/v1/user/{document['filename']}", headers=member.headers)
    assert read.content == image.data


@pytest.mark.parametrize("boundary", [
    "----WebKitFormBoundary7MA4YWxkTrZu0gW",  # Chromium and Safari
    "----geckoformboundary8c79e61efa53dc5d",  # Firefox
    "---------------------------9051914041544843365972754266",  # and its earlier releases
])
def test_browsers(client, ledger, member, boundary):
    """As browsers write them, with a hidden field before the file."""
    image = Images.noise(40, 40)
    body = (f"--{boundary}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nGrüße\r\n"
            f"--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; "
            f"filename=\"Grüße %22a%22.png\"\r\nContent-Type: image/png\r\n\r\n").encode()
    body += image.data + f"\r\n--{boundary}--\r\n".encode()
    answer = post_body(client, ledger, member, body, image,
                       f"multipart/form-data; boundary={boundary}")
    check_answer(ledger, client, member, image, answer)


@pytest.mark.parametrize("step", [1, 7, 4096, 1 << 20])
def test_chunked_transfer(stack, ledger, member, step):
    """Boundaries are split wherever the chunks are."""
    image = Images.noise(40, 40)
    body = b"--b\r\n" + FIELD + b"--b\r\n" + FILE + b"\r\n" + image.data + END
    ledger.sent(image.data)
    answer = exchange(stack.base_url, head(
        "POST", "/v1/upload", *member.headers.items(), ("Content-Type", TYPE),
        ("Transfer-Encoding", "chunked")) + chunked(body, step), "POST")
    assert answer.status == 201
    assert json.loads(answer.body)["size"] == len(image.data)
    ledger.answered(answer.status, answer.headers, answer.body.decode(), image.data)


# -- ends that RFC 2046 allows, and by which the length of the file is not known at first

OTHER_ENDS = {
    "nothing": b"\r\n--b--",  # undici, the fetch of Node 18 to 22
    "padding": b"\r\n--b-- \t ",
    "padding and CRLF": b"\r\n--b-- \r\n",
    "an epilogue of one byte": END + b"x",
    "an epilogue of two": END + b"\r\n",
    "a longer epilogue": END + b"and an epilogue\r\n--b\r\n" * 100,
    "a long epilogue": END + b"x" * 60000,
}
SIDES = {"in memory": 40, "in the spool": 700}  # of an image of less and of more than UPLOAD_BUFFER


def form_of(image, end, before=b""):
    return before + b"--b\r\n" + FILE + b"\r\n" + image.data + end


def objects(ledger, member):
    """How many images of hers the store holds."""
    return sum(key.startswith(f"{member.id}/") for key in s3.objects(ledger.store))


@pytest.mark.parametrize("end", OTHER_ENDS)
@pytest.mark.parametrize("where", SIDES)
def test_other_ends(client, ledger, member, where, end):
    image = Images.noise(SIDES[where], SIDES[where])
    before = objects(ledger, member)
    answer = post_body(client, ledger, member, form_of(image, OTHER_ENDS[end]), image)
    check_answer(ledger, client, member, image, answer)
    assert "X-File-Length" not in answer.headers
    assert objects(ledger, member) == before + 1


@pytest.mark.parametrize("where", SIDES)
def test_other_end_behind_more(client, ledger, member, where):
    """The older route, with a preamble and a field."""
    image = Images.noise(SIDES[where], SIDES[where])
    body = form_of(image, b"\r\n--b--", b"A preamble.\r\n--b \t\r\n" + FIELD)
    answer = post_body(client, ledger, member, body, image, path="/upload")
    check_answer(ledger, client, member, image, answer, 200)


def test_other_end_of_20_mebibytes(client, ledger, member):
    image = of_length(20 << 20)
    answer = post_body(client, ledger, member, form_of(image, b"\r\n--b--"), image)
    check_answer(ledger, client, member, image, answer)


def test_other_end_in_chunks(stack, ledger, member):
    image = Images.noise(40, 40)
    ledger.sent(image.data)
    answer = exchange(stack.base_url, head(
        "POST", "/v1/upload", *member.headers.items(), ("Content-Type", TYPE),
        ("Transfer-Encoding", "chunked")) + chunked(form_of(image, b"\r\n--b--"), 7), "POST")
    assert answer.status == 201
    ledger.answered(answer.status, answer.headers, answer.body.decode(), image.data)


def test_nobody_tells_the_length(client, ledger, member):
    """Not by a header of the names that gateway and worker have for it."""
    image = Images.noise(40, 40)
    forged = {"File-Length": "10", "X-File-Length": "10", "Repeatable": "1", "FILE_LENGTH": "10"}
    ledger.sent(image.data)
    for end in END, b"\r\n--b--":
        answer = client.post("/v1/upload", data=form_of(image, end),
                             headers=member.headers | forged | {"Content-Type": TYPE})
        check_answer(ledger, client, member, image, answer)


def test_other_end_of_no_image(client, ledger, member):
    """What is wrong is said, also when it needs two looks."""
    image = Images.noise(40, 40)
    data = image.data[:-1]
    ledger.sent(data)
    answer = client.post("/v1/upload", data=b"--b\r\n" + FILE + b"\r\n" + data + b"\r\n--b--",
                         headers=member.headers | {"Content-Type": TYPE})
    assert answer.status_code == 400
    assert "before the image is complete" in answer.json()["detail"]
    assert ledger.absent(data)


def test_twice_is_one_upload(stack, client, ledger, account):
    """In what is counted, and in the gateway's log, whose line tells of both attempts."""
    image = Images.noise(40, 40)

    def counts():
        text = client.get("/metrics").text
        return {name: float(value) for name, value in re.findall(
            r'^((?:imagegate_uploads_total|imagegate_upload_bytes_total|http_requests_total\{app_name="uploader",method="POST").*) (\S+)$',
            text, re.M)}

    before = counts()
    answer = post_body(client, ledger, account, form_of(image, b"\r\n--b--"), image)
    check_answer(ledger, client, account, image, answer)

    def changes():
        now = counts()
        return sorted(value - before[name] for name, value in now.items() if value != before[name])

    until(lambda: changes() == [1, 1, len(image.data)], 10, "one upload is counted")

    def lines():
        log = [json.loads(line) for line in stack.logs("gateway").splitlines() if answer.headers["X-Request-ID"] in line]
        return log if log else None

    logged = until(lines, 10, "the gateway's line")
    assert [(line["status"], line["upstream_status"]) for line in logged] == [("201", "599 : 201")]


@pytest.fixture(scope="module")
def largest(stack):
    """An image of exactly MAX_UPLOAD bytes."""
    return of_length(size(stack.setting("uploader", "MAX_UPLOAD", "64M")))


def test_largest_with_another_end(client, ledger, member, largest):
    """With an epilogue that makes it look too large at first."""
    answer = post_body(client, ledger, member, form_of(largest, END + b"x" * 1000), largest)
    check_answer(ledger, client, member, largest, answer)


def test_largest(client, ledger, member, largest):
    ledger.sent(largest.data)
    answer = client.post("/v1/upload", headers=member.headers,
                         files={"file": ("x.png", largest.data)})
    check_answer(ledger, client, member, largest, answer)


@pytest.mark.parametrize("form", [False, True])
def test_over_the_limit(client, ledger, member, largest, form):
    """One byte too many: the limit counts the image, in a form as in a body of its own."""
    data = largest.data + b"\0"
    ledger.sent(data)
    body = {"files": {"file": ("x.png", data)}} if form else {"data": data}
    answer = client.post("/v1/upload", headers=member.headers, **body)
    assert answer.status_code == 413
    assert f"at most {len(largest.data)} bytes" in answer.json()["detail"]
    assert ledger.absent(data)

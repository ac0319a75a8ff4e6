"""Row 23: headers that try to be somebody else, or somewhere else."""

import pytest
from support.client import bearer, exchange, head
from support.images import Images

pytestmark = pytest.mark.usefixtures("steady")

SOMEBODY = "0123456789abcdef"

NAMES = ["ACCOUNT_ID", "Account-Id", "account_id", "X-Account-Id", "X_ACCOUNT_ID", "AccountId",
         "Http-Account-Id", "HTTP_ACCOUNT_ID", "Remote-User", "X-Remote-User", "X-User", "X-Sub",
         "OBJECT", "ROUTE", "Request-Id", "Script-Name"]

ELSEWHERE = {"Proxy": "http://127.0.0.1:1", "X-Forwarded-For": "127.0.0.1",
             "X-Forwarded-Host": "storage:9000", "X-Forwarded-Proto": "https",
             "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1", "X-Original-URL": "/status",
             "X-Rewrite-URL": "/status", "X-Accel-Redirect": "/authenticate",
             "X-HTTP-Method-Override": "DELETE", "X-Accel-Expires": "3600",
             "X-Store-Authorization": "x", "X-Amz-Date": "20260101T000000Z",
             "X-Minio-Extract": "true", "Range-Unit": "x", "Accept-Encoding": "gzip"}

FORGED = {name: SOMEBODY for name in NAMES} | ELSEWHERE


@pytest.mark.parametrize("token", [None, "x.y.z"])
def test_nobody_stays_nobody(client, stored, token):
    name, _ = stored
    headers = FORGED | (bearer(token) if token else {})
    for path in ("/v1/user", f"/v1/user/{name}", f"/images/{name}"):
        assert client.get(path, headers=headers).status_code == 401
    assert client.post("/v1/upload", data=Images.noise().data, headers=headers).status_code == 401


def test_somebody_stays_himself(client, ledger, member):
    image = Images.noise()
    answer = ledger.try_upload(member, image.data, headers=FORGED)
    assert answer.status_code == 201
    name = answer.json()["filename"]
    assert name.startswith(f"{member.id}-")
    user = client.get("/v1/user", headers=FORGED | member.headers)
    assert user.json()["id"] == member.id
    read = client.get(f"/v1/user/{name}", headers=FORGED | member.headers)
    assert read.status_code == 200 and read.content == image.data


def test_each_name_twice(stack, ledger, member):
    """As raw bytes, in the order that parsers disagree on."""
    image = Images.noise()
    forged = [(name, SOMEBODY) for name in NAMES]
    data = head("POST", "/v1/upload", *forged, *member.headers.items(), *forged,
                ("Content-Length", len(image.data))) + image.data
    ledger.sent(image.data)
    answer = exchange(stack.base_url, data, "POST")
    assert answer.status == 201
    ledger.answered(answer.status, answer.headers, answer.body.decode(), image.data)
    assert f'"{member.id}-'.encode() in answer.body


@pytest.mark.parametrize("host", ["origin", "public", "ready", "s3", "storage:9000", "localhost",
                                  "127.0.0.1", "a.b:80"])
def test_host_chooses_nothing(stack, host):
    assert exchange(stack.base_url, head("GET", "/v1/user", host=host)).status == 401
    assert exchange(stack.base_url, head("GET", "/images/x", host=host)).status == 404


def test_absolute_form(stack, member, stored):
    """A request line with a whole URI, as for a proxy."""
    name, image = stored
    answer = exchange(stack.base_url, head("GET", f"http://storage:9000/v1/user/{name}",
                                           *member.headers.items()))
    assert answer.status in (200, 400) and (answer.status == 400 or answer.body == image.data)
    assert exchange(stack.base_url, head("GET", "http://storage:9000/images/")).status in (400, 404)

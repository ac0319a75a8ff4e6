"""The logs: one id in all parts, found as docs/logs.md says, and nothing that has no place there."""

import json
import re
import secrets
import subprocess

import pytest
from support import substitute
from support.client import bearer, exchange, head
from support.images import Images
from support.ledger import Account
from support.stack import POOLS, TREE
from support.trace import Trace
from support.wait import until

OWN = re.compile(r"[0-9a-f]{32}")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def follow(request_id):
    """All lines of a request, by the command of docs/logs.md as it stands there."""
    command = re.search(r"```sh\n(ID=.*?)```", (TREE / "docs/logs.md").read_text(), re.S)[1]
    command = re.sub(r"^ID=.*", f"ID={request_id}", command)
    done = subprocess.run(["sh", "-c", command], cwd=TREE, capture_output=True, text=True, timeout=300, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def followed(request_id, *apps):
    """The lines of a request, when there are some of these programs."""

    def complete():
        lines = follow(request_id)
        return lines if set(apps) <= {line["app"] for line in lines} else None

    return until(complete, 60, f"lines of {apps}")


def one_each(lines, *apps):
    """Exactly these programs have a line of the finished request."""
    finished = [line["app"] for line in lines if line["app"] == "gateway" or line["message"] == "request"]
    return sorted(finished) == sorted(apps)


def fresh(mint, account):
    """A token that no cache knows."""
    return bearer(mint.token(account.id))


def test_one_id_in_all_parts(client, ledger, account, mint):
    name = ledger.upload(account, Images.noise())
    body = Images.noise().data
    ledger.sent(body)
    upload = client.post("/v1/upload", data=body, headers=fresh(mint, account))
    ledger.answered(upload.status_code, upload.headers, upload.text, body)
    answers = {
        ("accounts",): ledger.try_login(account),
        ("validate", "accounts"): client.get("/v1/user", headers=fresh(mint, account)),
        ("validate", "uploader"): upload,
        ("validate", "signer"): client.get(f"/v1/user/{name}", headers=fresh(mint, account)),
        ("validate", "gallery"): client.get("/v1/images", headers=fresh(mint, account)),
        ("validate",): client.get(f"/v1/user/{name}", headers=fresh(mint, account)),
    }
    for apps, answer in answers.items():
        assert answer.status_code in (200, 201), answer.text
        request_id = answer.headers["X-Request-ID"]
        lines = followed(request_id, "gateway", *apps)
        assert one_each(lines, "gateway", *apps), lines
        assert {line["trace_id"] for line in lines} == {request_id}
        assert [line["time"][:19] for line in lines] == sorted(line["time"][:19] for line in lines)


def test_an_error_has_the_id_too(client):
    answer = client.post("/v1/token", json={"login": "nobody.at.all", "password": "wrong password"})
    assert answer.status_code == 401
    lines = followed(answer.json()["request_id"], "gateway", "accounts")
    assert one_each(lines, "gateway", "accounts")
    assert {line["status"] for line in lines} == {"401", 401}


def test_a_clients_own_is_only_logged_beside(client, member):
    mine = f"mine-{secrets.token_hex(8)}"
    answer = client.get("/v1/user", headers=member.headers | {"X-Request-ID": mine, "traceparent": TRACEPARENT})
    request_id = answer.headers["X-Request-ID"]
    assert OWN.fullmatch(request_id)
    lines = followed(request_id, "gateway", "accounts")
    assert [line["client_request_id"] for line in lines if line["app"] == "gateway"] == [mine]
    assert {line["trace_id"] for line in lines} == {request_id}
    assert follow(mine) == []


@pytest.fixture(scope="module")
def behind_a_proxy(stack):
    """A client of a gateway to which everybody is a proxy that it trusts."""
    with substitute.gateway(stack, TRUSTED_PROXIES="0.0.0.0/0") as client:
        yield client


def test_a_proxys_goes_through_to_the_store(stack, ledger, account, behind_a_proxy):
    proxys = {"X-Request-ID": f"proxy.{secrets.token_hex(8)}", "traceparent": TRACEPARENT}
    headers = account.headers | proxys
    body = Images.noise().data
    with Trace(stack) as trace:
        ledger.sent(body)
        upload = behind_a_proxy.post("/v1/upload", data=body, headers=headers)
        assert upload.status_code == 201, upload.text
        image = upload.headers["Location"]
        answers = [upload, behind_a_proxy.get(image, headers=headers), behind_a_proxy.get("/v1/images", headers=headers),
                   behind_a_proxy.delete(image, headers=headers)]
        asked = trace.headers(proxys["X-Request-ID"])
    assert [answer.status_code for answer in answers] == [201, 200, 200, 204]
    assert {answer.headers["X-Request-ID"] for answer in answers} == {proxys["X-Request-ID"]}
    assert {"s3.PutObject", "s3.GetObject", "s3.ListObjectsV2", "s3.DeleteObject"} <= {operation for operation, _ in asked}
    for operation, sent in asked:
        assert re.fullmatch(f"00-{TRACE}-(?!00f067aa0ba902b7)[0-9a-f]{{16}}-01", sent.get("Traceparent", "")), operation
    # The other gateway is none of compose's.
    lines = followed(proxys["X-Request-ID"], "validate", "uploader", "signer", "gallery")
    assert {line["trace_id"] for line in lines} == {TRACE}


@pytest.mark.parametrize("request_id, traceparent", [
    ("x" * 129, f"{TRACEPARENT}-01"), ("a\"b", TRACEPARENT.upper()), ("", ""), ("a b", f"00-{'0' * 32}-00f067aa0ba902b7-01")])
def test_a_proxys_that_make_no_sense_are_not_taken(behind_a_proxy, request_id, traceparent):
    answer = behind_a_proxy.get("/v1/user", headers={"X-Request-ID": request_id, "traceparent": traceparent})
    assert answer.status_code == 401
    assert OWN.fullmatch(answer.headers["X-Request-ID"])
    lines = followed(answer.headers["X-Request-ID"], "validate")
    assert {line["trace_id"] for line in lines} == {answer.headers["X-Request-ID"]}


def test_no_secret_is_logged(stack, client, ledger, account):
    word = secrets.token_hex(12)
    stranger = Account(f"stranger.{secrets.token_hex(4)}", f"password {word}")
    header = {"X-Secret": word, "Cookie": word, "Referer": word, "User-Agent": word}
    answers = [
        ledger.try_login(stranger),
        ledger.try_upload(account, b"GIF89a" + word.encode() * 50),
        ledger.try_upload(account, Images.noise().data, headers=header),
        client.put("/v1/user/password", json={"password": word, "new_password": f"new {word}"}, headers=account.headers),
        client.get(f"/v1/images?after={word}&limit={word}", headers=account.headers),
        client.get(f"/v1/user?access_token={word}", headers=bearer(f"eyJ{word}.eyJ{word}.{word}")),
        *(exchange(stack.base_url, data) for data in (
            head("GET", "/status", ("Authorization", word), ("Authorization", word)),
            head("POST", "/v1/token", ("Content-Type", "application/json"), ("Content-Length", 34)) + f'{{"login":"{word}'.encode(),
            f"GET /status HTTP/1.1\r\nHost: a\r\n{word} {word}\r\n\r\n".encode()))]

    def logged():
        log = stack.logs("gateway")
        return all(answer.headers["X-Request-ID"] in log for answer in answers)

    until(logged, 30, "the gateway has logged all of it")
    for service in stack.containers:
        assert word not in stack.logs(service), service
    ledger.verify_logs()


def test_each_line_of_a_program_is_json(stack):
    for service in (*POOLS, "gateway"):
        # Those of multiwatch and of nginx itself are words.
        lines = [line for line in stack.logs(service).splitlines()[-1000:] if line.startswith("{")]
        assert lines, service
        for line in lines:
            assert {"time", "level", "app"} <= json.loads(line).keys(), line


def test_a_flood_cannot_fill_the_disk(stack):
    for service in stack.containers:
        config = stack.inspect(service)["HostConfig"]["LogConfig"]
        assert config["Type"] == "json-file"
        assert config["Config"] == {"max-size": "10m", "max-file": "3"}, service

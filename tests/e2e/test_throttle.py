"""Guessing passwords: bounded for a login and an address together, and for nobody else."""

import json
import secrets
import time

import pytest
from support import substitute
from support.client import Client
from support.stack import seconds
from support.wait import until

NEEDED = 60  # seconds that a test may take


@pytest.fixture(scope="module")
def guesser(stack):
    """Takes 429 for an answer."""
    return Client(stack.base_url, patient=False)


@pytest.fixture(scope="module")
def failures(stack):
    return int(stack.setting("security", "LOGIN_FAILURES", "10"))


@pytest.fixture(scope="module")
def window(stack):
    return seconds(stack.setting("security", "LOGIN_WINDOW", "5m"))


@pytest.fixture(autouse=True)
def within_a_window(window):
    """Windows begin at multiples of their length: none ends, and forgets, in a test."""
    until(lambda: time.time() % window < window - NEEDED, NEEDED + 1, "another window begins")


def guess(client, login, path="/v1/token"):
    return client.post(path, json={"login": login, "password": "not the password"})


def use_up(client, login, failures):
    """Guess as often as one may; return the answer to the next guess."""
    for _ in range(failures):
        assert guess(client, login).status_code == 401
    answer = guess(client, login)
    assert answer.status_code == 429
    return answer


def test_guessing_has_an_end(guesser, ledger, account, failures, window):
    known = use_up(guesser, account.login, failures)
    unknown = use_up(guesser, f"nobody.{secrets.token_hex(4)}", failures)
    for answer in (known, unknown):
        assert 1 <= int(answer.headers["Retry-After"]) <= window
        assert "this login from this address" in answer.json()["detail"]
    assert known.json() | {"request_id": ""} == unknown.json() | {"request_id": ""}
    assert set(known.headers) == set(unknown.headers)
    # Not even with the right password, in another case, or by the older route.
    right = guesser.post("/v1/token", json=account.credentials)
    assert right.status_code == 429
    assert guess(guesser, account.login.upper()).status_code == 429
    assert guess(guesser, account.login, "/token").status_code == 429


def test_a_stranger_locks_nobody_out(stack, guesser, account, member, ledger, failures):
    use_up(guesser, account.login, failures)
    # Others from here, and the same one from elsewhere: the gateway's own loopback.
    ledger.login(member)
    done = stack.exec("gateway", "curl", "-s", "-w", "%{http_code}", "-o", "/dev/null", "-d", "@-",
                      "-H", "Content-Type: application/json", "http://127.0.0.1/v1/token",
                      stdin=json.dumps(account.credentials))
    assert done.stdout == "200"
    assert guesser.post("/v1/token", json=account.credentials).status_code == 429


def test_a_forged_address_is_no_way_round(guesser, account, failures):
    use_up(guesser, account.login, failures)
    for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Remote-Addr", "PASSED-AT"):
        answer = guesser.post("/v1/token", json=account.credentials, headers={header: "192.0.2.1"})
        assert answer.status_code == 429


def test_behind_a_trusted_proxy(stack, account, failures):
    """The addresses are those that the proxy tells: who guesses keeps only himself out."""
    host = stack.network("store")["IPAM"]["Config"][0]["Gateway"]
    with substitute.gateway(stack, TRUSTED_PROXIES=host) as behind:
        client = Client(behind.base_url, patient=False)

        def log_in(address, password=account.password):
            return client.post("/v1/token", json=account.credentials | {"password": password},
                               headers={"X-Forwarded-For": address}).status_code

        assert {log_in("203.0.113.1", "not the password") for _ in range(failures)} == {401}
        assert log_in("203.0.113.1") == 429
        # What the proxy's client says of itself counts for nothing.
        assert log_in("203.0.113.9, 203.0.113.1") == 429
        assert log_in("203.0.113.2") == 200
        assert log_in("203.0.113.1") == 429
        # Of IPv6 64 bits are an address.
        assert {log_in("2001:db8::1", "not the password") for _ in range(failures)} == {401}
        assert log_in("2001:db8::2") == 429
        assert log_in("2001:db8:0:1::1") == 200


def test_the_count_outlives_the_workers(stack, guesser, account, failures, recovers):
    use_up(guesser, account.login, failures)
    stack.kill_workers("security")
    recovers()
    assert guess(guesser, account.login).status_code == 429


def test_a_right_password_forgets(guesser, ledger, account, failures):
    for _ in range(2):
        for _ in range(failures - 1):
            assert guess(guesser, account.login).status_code == 401
        ledger.login(account)


def test_registering_and_bad_requests_do_not_count(guesser, ledger, account, failures):
    for _ in range(failures + 1):
        taken = guesser.post("/v1/register", json=account.credentials)
        assert taken.status_code == 409
        malformed = guesser.post("/v1/token", json={"login": account.login})
        assert malformed.status_code == 400
    ledger.login(account)

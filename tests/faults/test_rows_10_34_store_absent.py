"""Rows 10 and 34: a store that is down, is absent when the gateway starts, or moves."""

import pytest
import requests
from support.images import Images
from support.stack import docker
from support.wait import until


@pytest.fixture
def without_store(stack, recovers):
    stack.stop("storage")
    yield
    stack.start("storage")
    recovers()


def check_degraded(client, ledger, member, cold):
    """Assert that what needs the store says 503, and the rest goes on."""
    refused = Images.noise()
    answer = ledger.try_upload(member, refused.data)
    assert answer.status_code == 503
    assert client.get(f"/v1/user/{cold}", headers=member.headers).status_code == 503
    assert client.get(f"/v1/user/{cold}").status_code == 401
    assert client.get("/v1/user", headers=member.headers).status_code == 200
    assert client.get("/livez").status_code == 200
    until(lambda: client.get("/readyz").status_code == 503, 10, "/readyz sees it")


def test_down(client, ledger, member, stored, without_store):
    cold, _ = stored
    check_degraded(client, ledger, member, cold)


def test_absent_when_the_gateway_starts(stack, client, ledger, member, stored, without_store):
    cold, _ = stored
    stack.restart("gateway")

    def alive():
        try:
            return client.get("/livez").status_code == 200
        except requests.ConnectionError:
            return False

    until(alive, 20, "the gateway is up without the store")
    check_degraded(client, ledger, member, cold)


def test_moved(stack, client, member, stored, recovers):
    """The store comes back with another address."""
    cold, image = stored
    network, store = f"{stack.project}_store", stack.containers["storage"]
    before = stack.address("storage", "store")
    docker("network", "disconnect", network, store)
    squatter = docker("run", "--detach", "--rm", "--network", network, "--entrypoint", "sleep",
                      stack.inspect("storage")["Config"]["Image"], "300").stdout.strip()
    try:
        docker("network", "connect", "--alias", "storage", network, store)
        assert stack.address("storage", "store") != before
        recovers(limit=90)
        assert client.get(f"/v1/user/{cold}", headers=member.headers).content == image.data
    finally:
        docker("kill", squatter)

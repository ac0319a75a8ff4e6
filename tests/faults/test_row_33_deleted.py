"""Row 33: an image that was removed never comes back, whatever happens to the store afterwards."""

import contextlib

import pytest
from support.images import Images
from support.wait import until


@pytest.fixture
def removed(client, ledger, account):
    """The path of an image that was hot in the cache and then removed by its owner."""
    image = Images.noise(40, 40)
    name = ledger.upload(account, image)
    path = f"/v1/user/{name}"
    for _ in range(20):
        assert client.get(path, headers=account.headers).content == image.data
    assert client.delete(path, headers=account.headers).status_code == 204
    ledger.images.pop(name)
    return path, image


@pytest.fixture(params=["stopped", "hanging", "killed"])
def without_store(request, stack, recovers):
    """A context manager that takes the store away and waits for it to be back."""

    @contextlib.contextmanager
    def take_away():
        away, back = {"stopped": (stack.stop, stack.start), "hanging": (stack.pause, stack.unpause),
                      "killed": (stack.kill, stack.start)}[request.param]
        away("storage")
        try:
            yield
        finally:
            back("storage")
            recovers(120)

    return take_away


@pytest.mark.parametrize("asked_before", [False, True])
def test_store_down_afterwards(client, account, removed, without_store, asked_before):
    """
    Neither at once nor when the gateway's memory of the 404 has ended: 404 while that lasts, then
    503, never the image.
    """
    path, image = removed
    if asked_before:
        assert client.get(path, headers=account.headers).status_code == 404
    seen = set()

    def gone():
        for form in (path, path.replace("/v1/user/", "/images/")):
            answer = client.get(form, headers=account.headers)
            assert answer.status_code in (404, 503, 504)
            assert image.data[:64] not in answer.content
            seen.add(answer.status_code)
        return seen & {503, 504}

    with without_store():
        until(gone, 60, "the gateway asks the store")


def test_nothing_of_it_is_left(stack, client, ledger, account, removed, recovers):
    """Neither in the store nor in the gateway's files."""
    path, image = removed
    assert ledger.absent(image.data)
    key = path.removeprefix("/v1/user/").replace("-", "/", 1)
    found = stack.shell("gateway", f"grep -rl -e '{key}' /run/cache || true").stdout
    assert not found
    assert client.get(path, headers=account.headers).status_code == 404
    stack.restart("gateway")
    recovers()
    assert client.get(path, headers=account.headers).status_code == 404

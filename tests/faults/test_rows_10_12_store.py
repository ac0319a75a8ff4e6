"""Rows 10 to 12: a store that goes away, is slow, or answers nonsense, played by a scripted peer."""

import pytest
import requests
from support import substitute
from support.images import Images
from support.wait import until

TIMEOUT = 2  # seconds that the store may take, and one more for each begun MiB
# Behaviours of support/peer.py and what clients are told.
SLOW = {"late", "slow-reader", "hang"}
GOES_AWAY = {"reset-at-once", "reset-midway", "close-midway", "no-answer", "half-status",
             "half-headers"}
LIES = {"no-etag", "bad-etag", "error-in-200", "garbage", "garbage-xml", "endless-header"}
REFUSES = {"forbidden": 503, "internal": 503, "unavailable": 503, "exists": 503, "redirect": 503,
           "full": 507}
# The whole image had come: a real store would have committed it.
TOOK_IT_ALL = {"no-answer", "late", "half-status", "half-headers"}

# (behaviour, width and height in pixels, whether the connection has served before)
CASES = [(behaviour, pixels, kept) for behaviour in sorted(GOES_AWAY | LIES | set(REFUSES))
         for pixels in (8, 300) for kept in (False, True)]
CASES += [(behaviour, 300, True) for behaviour in sorted(SLOW | {"early-good"})]


class Peer:
    """Tells the peer what to do."""

    def __init__(self, address, trailer):
        self.trailer = trailer  # whether bodies come with a checksum trailer
        self.url = f"http://{address}:9001"
        self.session = requests.Session()
        self.session.trust_env = False

    def listens(self):
        try:
            return self.session.post(f"{self.url}/good", timeout=5).status_code == 204
        except requests.ConnectionError:
            return False

    def behave(self, behaviour):
        assert self.session.post(f"{self.url}/{behaviour}", timeout=5).status_code == 204

    def seen(self):
        return self.session.get(self.url, timeout=5).json()


@pytest.fixture(scope="module", params=["on", "off"], ids=["trailer", "signed"])
def peer(stack, request):
    """The uploads go to the peer, through the gateway, by a pool of one worker."""
    with substitute.peer(stack) as address:
        peer = Peer(address, request.param == "on")
        until(peer.listens, 20, "the peer listens")
        with substitute.uploader(stack, STORE_URL=f"http://{address}:9000",
                                 STORE_TIMEOUT=f"{TIMEOUT}s", STORE_TRUSTED=request.param):
            yield peer


def upload(client, member, image):
    """Not with the ledger, which would look for the image in the real store."""
    limit = TIMEOUT + 10  # seconds, on a machine that has other things to do
    return client.post("/v1/upload", data=image.data, headers=member.headers, timeout=limit)


def check_works(client, member, peer):
    """Assert that the one worker is free, and that nothing of what was is left in it."""
    peer.behave("good")
    for image in (Images.noise(), Images.noise(300, 300)):
        answer = upload(client, member, image)
        assert answer.status_code == 201, answer.text
        assert answer.json()["size"] == len(image.data)
        assert peer.seen().pop() == [len(image.data), True]


def prepare(client, member, peer, kept):
    """Leave the worker with a connection to the peer, or without one."""
    if kept:
        check_works(client, member, peer)
    else:
        peer.behave("close-midway")
        assert upload(client, member, Images.noise()).status_code == 503


@pytest.mark.parametrize("behaviour, pixels, kept", CASES)
def test_never_201(client, ledger, member, peer, behaviour, pixels, kept):
    prepare(client, member, peer, kept)
    peer.behave(behaviour)
    image = Images.noise(pixels, pixels)
    answer = upload(client, member, image)
    assert answer.status_code == REFUSES.get(behaviour, 503), answer.text
    ledger.answered(answer.status_code, answer.headers, answer.text, image.data)
    if behaviour in TOOK_IT_ALL:
        assert [len(image.data), True] in peer.seen()
    check_works(client, member, peer)


@pytest.mark.parametrize("behaviour", ["no-checksum", "bad-checksum", "early-good"])
def test_checksum(client, member, peer, behaviour):
    """
    Answers that only the missing checksum gives away, for a body of one chunk fits into the
    connection's buffers.  With signed chunks nothing tells: the store has to be believed.
    """
    peer.behave(behaviour)
    answer = upload(client, member, Images.noise())
    assert answer.status_code == (503 if peer.trailer else 201)
    check_works(client, member, peer)


# All that nginx can keep from a reader: 304 is for its cache, and 499 the one status that it takes no error_page for.
REFUSALS = [status for status in range(300, 600) if status not in (304, 499)]


def test_no_refusal_shows_to_a_reader(stack, member):
    """Whatever the store answers for an image that is not in the cache."""
    with (substitute.peer(stack) as address, substitute.gateway(stack, STORE_HOST=f"{address}:9000") as gateway):
        peer = Peer(address, True)
        until(peer.listens, 20, "the peer listens")
        for status in REFUSALS:
            peer.behave(status)
            # A name of its own: a 404 is kept for a second.
            answer = gateway.get(f"/v1/user/{member.id}-{status:030}.png", headers=member.headers)
            assert answer.status_code == {404: 404, 504: 504}.get(status, 503), f"the store answered {status}"
            assert "words" not in f"{answer.headers}{answer.text}", f"the store answered {status}"

"""Steady use of the whole service while something is done to it: every answer counts."""

import contextlib
import threading

from .client import Client, bearer
from .images import Images
from .wait import until

PACE = 0.25  # seconds between two requests of a kind: what is lost shows, and no machine is starved


class Use(threading.Thread):
    """Sends a request again and again until it is told to stop; keeps the statuses of all answers."""

    def __init__(self, stack, request):
        super().__init__()
        self.client = Client(stack.base_url)
        self.send = request
        self.statuses = []
        self.enough = threading.Event()

    def run(self):
        while not self.enough.wait(PACE):
            try:
                self.statuses.append(self.send(self.client).status_code)
            except OSError as error:
                self.statuses.append(repr(error))


@contextlib.contextmanager
def used(stack, *requests):
    """Each of these functions of a client, which send one request, is in use during the block; all answers are 200."""
    uses = [Use(stack, request) for request in requests]
    for use in uses:
        use.start()
    try:
        until(lambda: all(use.statuses for use in uses), 20, "the service is used")
        yield
        # Also after the last thing that was done.
        counts = [len(use.statuses) for use in uses]
        until(lambda: all(len(use.statuses) > n + 1 for use, n in zip(uses, counts)), 20, "the service is still used")
    finally:
        for use in uses:
            use.enough.set()
        for use in uses:
            use.join()
    assert [set(use.statuses) for use in uses] == [{200}] * len(uses)


def every_pool(ledger, account, name):
    """Requests that need each pool; only their last answer is a 200.  ${name} is an image."""
    path = f"/v1/user/{name}"

    def log_in(client):
        answer = client.post("/v1/token", json=account.credentials)
        if answer.status_code != 200:
            return answer
        # No cache knows this token.
        return client.get(path, headers=bearer(answer.json()["access_token"]))

    def upload(client):
        body = Images.noise().data
        ledger.sent(body)
        answer = client.post("/v1/upload", data=body, headers=account.headers)
        ledger.answered(answer.status_code, answer.headers, answer.text, body)
        if answer.status_code != 201:
            return answer
        # No cache knows this image.
        return client.get(answer.headers["Location"], headers=account.headers)

    def remove(client):
        body = Images.noise().data
        ledger.sent(body)
        stored = client.post("/v1/upload", data=body, headers=account.headers)
        if stored.status_code != 201:
            return stored
        answer = client.delete(stored.headers["Location"], headers=account.headers)
        return client.get(path, headers=account.headers) if answer.status_code == 204 else answer

    return [log_in, upload, remove,
            lambda client: client.get(path, headers=account.headers),
            lambda client: client.get("/v1/user", headers=account.headers),
            lambda client: client.get("/v1/images", headers=account.headers),
            lambda client: client.post("/v1/token/renew", headers=account.headers),
            lambda client: client.get("/metrics")]

"""What the gateway's caches had: each request counts once, and whoever counts holds nobody up."""

import re
import time
from collections import Counter

import pytest
from support.images import Images
from support.stack import docker
from support.wait import until

FOLDER = "/run/imagegate/caches"
SERIES = re.compile(r'imagegate_cache_results_total\{cache="(\w+)",result="(\w+)"\} (\d+)')
VALIDATED = re.compile(r'imagegate_validations_total\{result="ok"\} (\d+)')
HELD_BACK = 1  # seconds that the gateway may keep a line; see log.conf
READS = 20


@pytest.fixture
def counted(client):
    """A function that returns the counts, once all is counted that has happened so far."""
    def look():
        text = client.get("/metrics").text
        counts = Counter({(cache, result): int(n) for cache, result, n in SERIES.findall(text)})
        counts["validated"] = int(VALIDATED.search(text)[1])
        return counts

    def settled():
        seen, since = None, 0

        def rests():
            nonlocal seen, since
            now = look()
            if now != seen:
                seen, since = now, time.monotonic()
            return time.monotonic() - since > 2 * HELD_BACK

        until(rests, 30, "nothing more comes")
        return seen

    return settled


class Reads:
    """Reads of an image that the cache has."""

    def __init__(self, client, headers, name, counted):
        self.client = client
        self.headers = headers
        self.path = f"/v1/user/{name}"
        self.counted = counted

    def read(self):
        assert self.client.get(self.path, headers=self.headers).status_code == 200

    def count_once(self, during=lambda: None):
        """So many of them, and nothing else, with something done halfway."""
        self.read()
        before = self.counted()
        for i in range(READS):
            if i == READS // 2:
                during()
            self.read()
        grown = self.counted() - before
        asked = grown["auth", "miss"] + grown["auth", "expired"]
        assert asked == grown["validated"]
        assert asked + grown["auth", "hit"] == READS
        assert grown["image", "hit"] == sum(n for key, n in grown.items() if key[0] == "image") == READS


@pytest.fixture
def reads(client, account, stored, counted):
    return Reads(client, account.headers, stored[0], counted)


def test_a_miss_a_hit_and_a_refusal(ledger, client, account, counted):
    image = Images.noise()
    before = counted()
    name = ledger.upload(account, image)
    for headers in (account.headers, account.headers, {}):
        client.get(f"/v1/user/{name}", headers=headers)
    client.get("/readyz")
    grown = counted() - before
    assert (grown["image", "miss"], grown["image", "hit"]) == (1, 1)
    assert sum(grown["auth", result] for result in ("hit", "miss", "expired")) == 4
    # The one without a token is asked for as well.
    assert grown["auth", "miss"] + grown["auth", "expired"] == grown["validated"] + 1


def test_every_read(reads):
    reads.count_once()


@pytest.mark.parametrize("service", ["metrics", "gateway"])
def test_a_restart_counts_nothing_twice(stack, reads, counted, service):
    reads.read()
    before = counted()
    stack.restart(service)
    stack.wait_healthy(service)
    assert counted() == before
    reads.count_once()


def test_a_killed_worker_counts_nothing_twice(stack, reads):
    reads.count_once(during=lambda: stack.kill_workers("metrics"))


def test_who_is_frozen_catches_up(stack, reads):
    reads.read()
    before = reads.counted()
    stack.pause("metrics")
    for _ in range(READS):
        reads.read()
    stack.unpause("metrics")
    assert (reads.counted() - before)["image", "hit"] == READS


def used(stack):
    """The share of the tmpfs that is in use, in percent."""
    return int(stack.shell("gateway", f"df --output=pcent {FOLDER} | tail -n 1").stdout.strip(" %\n"))


def test_a_full_tmpfs_holds_nobody_up(stack, reads):
    """Nobody counts, and there is no room for more lines; then somebody counts, also without being asked."""
    stack.pause("metrics")
    try:
        filled = stack.shell("gateway", f"yes x | head -c 32M >>{FOLDER}/results", check=False)
        assert "No space left" in filled.stderr
        for _ in range(READS):
            reads.read()
        assert used(stack) == 100
    finally:
        stack.unpause("metrics")
    until(lambda: used(stack) < 2, 30, "there is room again")
    reads.count_once()


def test_only_letters_are_in_the_file(stack, client, reads):
    """Nothing of a client's."""
    stack.pause("metrics")
    try:
        for value in ("Bearer x", 'h"\\h', "Bearer hh\tmm"):
            client.get("/v1/user?hh%0Amm", headers={"Authorization": value, "User-Agent": value})
        reads.read()
        lines = until(lambda: stack.shell("gateway", f"tr -d '\\000' <{FOLDER}/results").stdout, 10, "lines are there")
    finally:
        stack.unpause("metrics")
    assert not re.sub(r"[-hmerb]{2}\n", "", lines)


def test_metrics_may_write_and_not_replace(stack):
    """Nor may it make a name: a pipe, say, in which the gateway would get stuck at its start."""
    modes = stack.shell("metrics", f"cd {FOLDER} && stat -c '%a %u %g' . results counted").stdout.splitlines()
    assert modes == ["2750 2000 2007", "660 2000 2007", "660 2000 2007"]
    for command in (f"touch {FOLDER}/x", f"rm -f {FOLDER}/results", f"mv {FOLDER}/results {FOLDER}/x", f"mkfifo {FOLDER}/x"):
        assert stack.shell("metrics", command, check=False).returncode != 0, command
    for service in ("security", "uploader", "uploader-gallery"):
        assert FOLDER not in [mount["Destination"] for mount in stack.inspect(service)["Mounts"]]
    volume = f"{stack.project}_cache-results"
    done = docker("run", "--rm", "--network", "none", "--user", "2001:2001", "--volume", f"{volume}:/x", "--entrypoint", "ls",
                  stack.inspect("security")["Config"]["Image"], "/x", check=False)
    assert done.returncode != 0

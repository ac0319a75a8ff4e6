"""Waiting for events: every wait has a limit."""

import time

INTERVAL = 0.05  # seconds between two looks
LOOK = 0.1  # seconds that a look counts for at most
STRETCH = 10  # times the limit: nothing takes longer than that


def until(probe, limit, what):
    """
    Call probe() until it returns something true, and return that; fail after limit seconds.

    These are seconds of a machine that has nothing else to do: on a busy one each look takes longer, as does what is
    waited for, and counts no more.
    """
    start = last = time.monotonic()
    counted = 0
    while not (value := probe()):
        assert counted < limit and last - start < STRETCH * limit, f"{what}: did not happen within {limit} s"
        time.sleep(INTERVAL)
        now = time.monotonic()
        counted += min(now - last, LOOK)
        last = now
    return value

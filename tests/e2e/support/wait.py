"""Waiting for events: every wait has a limit."""

import time

INTERVAL = 0.05  # seconds between two looks


def until(probe, limit, what):
    """Call probe() until it returns something true, and return that; fail after limit seconds."""
    end = time.monotonic() + limit
    while not (value := probe()):
        assert time.monotonic() < end, f"{what}: did not happen within {limit} s"
        time.sleep(INTERVAL)
    return value

"""How many workers a pool has: a number is taken as it is, `auto` follows the container's cores and memory."""

import os

import pytest
from support.stack import docker


@pytest.fixture(scope="module")
def workers(stack):
    """A function that asks pool-workers in a container with these limits."""
    image = stack.inspect("security")["Config"]["Image"]

    def ask(program, count, *limits):
        return docker("run", "--rm", "--network", "none", *limits, image, "pool-workers", program, count, check=False)

    return ask


@pytest.mark.parametrize("count", ["", "0", "-1", "01", "1000", "two", "AUTO", "1 2"])
def test_no_number(workers, count):
    done = workers("accounts", count)
    assert done.returncode == 78 and done.stdout == ""
    assert f'must be auto or from 1 to 999, not "{count}"' in done.stderr


@pytest.mark.parametrize("count", ["1", "7", "999"])
def test_a_number(workers, count):
    assert workers("uploader", count, "--cpus", "1", "--memory", "32m").stdout == f"{count}\n"


@pytest.mark.parametrize("program, count", [("accounts", 1), ("validate", 1), ("signer", 1), ("uploader", 4), ("gallery", 2)])
@pytest.mark.parametrize("limit", [("--cpus", "0.5"), ("--cpuset-cpus", "0")])
def test_one_core(workers, program, count, limit):
    assert workers(program, "auto", *limit).stdout == f"{count}\n"


@pytest.mark.parametrize("program, count", [("accounts", 1), ("validate", 1), ("uploader", 2), ("gallery", 1)])
def test_as_fits_into_the_memory(workers, program, count):
    memory = "32m" if program == "uploader" else "8m"
    assert workers(program, "auto", "--memory", memory).stdout == f"{count}\n"


def test_all_cores(workers):
    cores = len(os.sched_getaffinity(0))
    assert workers("accounts", "auto").stdout == f"{cores}\n"
    assert workers("uploader", "auto").stdout == f"{max(4, 2 * cores)}\n"

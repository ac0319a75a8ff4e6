"""Containers that stand in for a service for a while: with other settings, or another store."""

import contextlib
import os
import pathlib

from .stack import docker
from .wait import until

TOOLCHAIN = os.environ["TOOLCHAIN"]  # the image that these tests run in


@contextlib.contextmanager
def container(*argv):
    """A container, as `docker run` takes it, until the end of the block; yields its id."""
    ident = docker("run", "--detach", "--rm", *argv).stdout.strip()
    try:
        yield ident
    finally:
        docker("rm", "--force", ident, check=False)


def address(ident):
    """The address of a container that is on one network."""
    template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    return docker("inspect", "--format", template, ident).stdout.strip()


def settings(config, changes):
    """The options for an environment, changed."""
    pairs = dict(entry.split("=", 1) for entry in config["Env"]) | changes
    return [word for name, value in pairs.items() for word in ("--env", f"{name}={value}")]


@contextlib.contextmanager
def uploader(stack, workers=1, **changes):
    """
    A pool of uploaders with other settings, which takes over the socket that the gateway uses.  At
    the end the service takes it back.  Yields the container's id.
    """
    service = stack.inspect("uploader")
    program = [*service["Config"]["Cmd"][:-1], str(workers)]
    socket = program[2]

    def inode(ident):
        return docker("exec", ident, "stat", "-c", "%i", socket, check=False).stdout

    def takes_over(ident, before):
        """Wait until there is another socket than the one before, and somebody behind it."""
        until(lambda: inode(ident) not in ("", before), 20, "the pool has the socket")
        until(lambda: docker("exec", ident, "pool-healthy", socket, check=False).returncode == 0,
              20, "the pool answers")

    before = inode(service["Id"])
    private = [word for at in (service["HostConfig"]["Tmpfs"] or {}).items() for word in ("--tmpfs", ":".join(at))]
    with container(*private, "--volumes-from", service["Id"], "--network", f"{stack.project}_store",
                   "--user", service["Config"]["User"], "--read-only", "--cap-drop", "ALL",
                   *settings(service["Config"], changes), service["Image"], *program) as ident:
        try:
            takes_over(ident, before)
            yield ident
        finally:
            before = inode(service["Id"])
            docker("restart", service["Id"])
            takes_over(service["Id"], before)


@contextlib.contextmanager
def peer(stack):
    """A store that does as it is told: the container's address, for STORE_URL and for Peer."""
    program = pathlib.Path(__file__).with_name("peer.py").read_text()
    with container("--network", f"{stack.project}_store", "--user", "65534:65534", "--read-only",
                   TOOLCHAIN, "python3", "-c", program) as ident:
        yield address(ident)

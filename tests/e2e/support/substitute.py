"""Containers that stand in for a service for a while: with other settings, or another store."""

import contextlib
import os
import pathlib

import pytest
import requests

from .client import Client
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


def like(stack, service, own=None, program=None, **changes):
    """
    The words for `docker run` of a container like that of a service, on the network of the store:
    with the same image, user, secrets and volumes, but a tmpfs of its own at each path of ${own}
    (path -> options), other settings, and perhaps another program.
    """
    made = stack.inspect(service)
    config, host = made["Config"], made["HostConfig"]
    own = (host.get("Tmpfs") or {}) | (own or {})
    words = ["--network", f"{stack.project}_store", "--user", config["User"], "--read-only", "--cap-drop", "ALL"]
    for path, options in own.items():
        words += ["--tmpfs", f"{path}:{options}"]
    for mount in made["Mounts"]:
        if mount["Destination"] not in own:
            source = mount.get("Name") or mount["Source"]
            words += ["--volume", f"{source}:{mount['Destination']}:{'rw' if mount['RW'] else 'ro'}"]
    for name, value in (host.get("Sysctls") or {}).items():
        words += ["--sysctl", f"{name}={value}"]
    for name, value in (dict(entry.split("=", 1) for entry in config["Env"]) | changes).items():
        words += ["--env", f"{name}={value}"]
    return [*words, config["Image"], *(program or config["Cmd"] or [])]


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
    with container(*like(stack, "uploader", program=program, **changes)) as ident:
        try:
            takes_over(ident, before)
            yield ident
        finally:
            before = inode(service["Id"])
            docker("restart", service["Id"])
            takes_over(service["Id"], before)


@contextlib.contextmanager
def gateway(stack, spool="64m", **changes):
    """
    A gateway beside the other, on the same pools and store, with a purge socket, a cache and a spool
    (as large as ${spool}) of its own.  Yields a client for it.
    """
    private = "uid=2000,gid=2000,mode=0700"
    own = {"/run/imagegate/purge": private, "/run/cache": private,
           "/var/spool/gateway": f"size={spool},{private}"}
    with container(*like(stack, "gateway", own, **changes)) as ident:
        client = Client(f"http://{address(ident)}")
        until(lambda: docker("exec", ident, "curl", "-fsS", "http://127.0.0.1/livez", check=False).returncode == 0,
              20, "the other gateway is up")
        yield client


@contextlib.contextmanager
def peer(stack):
    """A store that does as it is told: the container's address, for STORE_URL and for Peer."""
    program = pathlib.Path(__file__).with_name("peer.py").read_text()
    with container("--network", f"{stack.project}_store", "--user", "65534:65534", "--read-only",
                   TOOLCHAIN, "python3", "-c", program) as ident:
        yield address(ident)


@contextlib.contextmanager
def remade_gateway(stack, *others, **changes):
    """The stack's gateway and these others, made anew by compose with other settings; at the end they are as before."""

    def replace():
        done = stack.script("compose", "up", "-d", "--no-deps", "gateway", *others)
        assert done.returncode == 0, done.stderr
        stack.forget()
        until(lives, 120, "the gateway is back")

    def lives():
        try:
            return requests.get(f"{stack.base_url}/livez", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in changes.items():
                patch.setenv(name, value)
            replace()
            yield
    finally:
        replace()

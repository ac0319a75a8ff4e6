"""The running compose stack, looked at and handled with the docker client."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

from .wait import until

TREE = pathlib.Path(__file__).parents[3]
POOLS = ("security", "security-validate", "uploader", "uploader-signer",
         "uploader-gallery")
ONE_SHOTS = ("migrate", "createbuckets")
BY_TLS = {"imagegate_certificate_not_after_seconds"}  # metrics that are there where TLS is on only: test_tls.py
SERVICES = ("gateway", *POOLS, "security-revocations", "metrics", "storage", "db")  # those that stay up

# One line a process: pid, parent, descriptors, resident KiB, program file.
PROCESSES = """
for d in /proc/[0-9]*; do
    program=$(readlink "$d/exe") || continue
    parent=0 resident=0
    while read -r key value _; do
        case $key in PPid:) parent=$value ;; VmRSS:) resident=$value ;; esac
    done <"$d/status" || continue
    set -- "$d"/fd/*
    echo "${d#/proc/} $parent $# $resident $program"
done 2>/dev/null
"""


@dataclass
class Process:
    pid: int
    parent: int
    descriptors: int
    resident: int  # KiB
    program: str


def mark():
    """The option that gives a container the stack's name: what a cut run left is found by it."""
    return "--label", f"imagegate.tests={os.environ['PROJECT']}"


def docker(*argv, check=True, stdin="", limit=120):
    """Run the docker client; return the finished process with its output as text."""
    if argv[0] == "run":
        argv = ("run", *mark(), *argv[1:])
    done = subprocess.run(["docker", *argv], input=stdin, capture_output=True, text=True,
                          errors="replace", timeout=limit, check=False)
    assert not check or done.returncode == 0, f"docker {' '.join(argv)}: {done.stderr}"
    return done


class Stack:
    """The containers of one compose project.  Services are named as in the compose file."""

    def __init__(self, environ=os.environ):
        self.environ = environ
        self.project = environ["PROJECT"]
        self.base_url = environ["BASE_URL"].rstrip("/")
        self.s3_url = environ["S3_URL"].rstrip("/")
        self.secrets_dir = pathlib.Path(environ["SECRETS_DIR"])

    @cached_property
    def containers(self):
        """Service -> container id.  One container a service, which stays the same until forget()."""
        label = "com.docker.compose"
        listing = docker("ps", "--all", "--no-trunc",
                         "--filter", f"label={label}.project={self.project}",
                         "--format", f'{{{{.Label "{label}.service"}}}} {{{{.ID}}}}').stdout
        return dict(line.split() for line in listing.splitlines())

    def forget(self):
        """Look again: containers or secrets were replaced."""
        for name in ("containers", "secrets"):
            self.__dict__.pop(name, None)

    def inspect(self, service):
        return json.loads(docker("inspect", self.containers[service]).stdout)[0]

    def network(self, name):
        return json.loads(docker("network", "inspect", f"{self.project}_{name}").stdout)[0]

    def address(self, service, network):
        """The address of a service on an inside network, which the host itself can reach."""
        networks = self.inspect(service)["NetworkSettings"]["Networks"]
        return networks[f"{self.project}_{network}"]["IPAddress"]

    def setting(self, service, name, fallback):
        """An environment variable of a container."""
        pairs = (entry.partition("=") for entry in self.inspect(service)["Config"]["Env"])
        return {key: value for key, _, value in pairs}.get(name, fallback)

    # -- secrets

    def secret(self, name):
        return (self.secrets_dir / name).read_text().strip()

    @cached_property
    def secrets(self):
        """Every word of every secret file that must stay one."""
        words = set()
        for path in filter(pathlib.Path.is_file, self.secrets_dir.iterdir()):
            lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
            words.update(line.split()[-1] for line in lines if line.strip())
        return words

    # -- inside a container

    def exec(self, service, *argv, check=True, stdin="", user=None):
        options = ["--user", user] if user else []
        return docker("exec", "--interactive", *options, self.containers[service], *argv,
                      check=check, stdin=stdin)

    def shell(self, service, script, check=True):
        return self.exec(service, "sh", "-c", script, check=check)

    def processes(self, service):
        lines = self.shell(service, PROCESSES).stdout.splitlines()
        fields = (line.split(maxsplit=4) for line in lines)
        return [Process(*map(int, field[:4]), field[4]) for field in fields]

    def workers(self, pool):
        """The worker processes of a pool: the children of multiwatch."""
        processes = self.processes(pool)
        parents = {p.pid for p in processes if p.program.endswith("/multiwatch")}
        return [p for p in processes if p.parent in parents]

    def pids(self):
        """The workers of all pools, to see later whether one has died."""
        return {pool: sorted(p.pid for p in self.workers(pool)) for pool in POOLS}

    def kill_workers(self, pool, pids=None):
        pids = pids or [worker.pid for worker in self.workers(pool)]
        self.shell(pool, f"kill -KILL {' '.join(map(str, pids))}", check=False)

    def psql(self, sql, role="admin", check=True):
        """Run SQL as an operator does: psql in the database's container.  Rows as lists of text."""
        done = self.exec("db", "psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1",
                         "-U", role, "-d", "imagegate", check=check, stdin=sql)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def script(self, *argv, stdin=""):
        """Run a program of scripts/ as an operator does; the finished process, whatever its end."""
        return subprocess.run([TREE / "scripts" / argv[0], *argv[1:]], input=stdin, cwd=TREE, env=self.environ,
                              capture_output=True, text=True, timeout=300, check=False)

    @contextlib.contextmanager
    def script_until(self, words, *argv):
        """A program of scripts/ that has said these words and goes on; cut at the end of the block."""
        with subprocess.Popen([TREE / "scripts" / argv[0], *argv[1:]], cwd=TREE, env=self.environ, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              start_new_session=True) as running:
            try:
                said = ""
                while words not in said:
                    line = running.stdout.readline()
                    assert line, f"it ended, and said: {said}"
                    said += line
                yield running
            finally:
                if running.poll() is None:
                    os.killpg(running.pid, signal.SIGTERM)

    # -- a container's life

    def stop(self, service):
        docker("stop", self.containers[service])

    def start(self, service):
        docker("start", self.containers[service])

    def restart(self, *services):
        """Restart services at the same time."""
        with ThreadPoolExecutor(len(services)) as pool:
            list(pool.map(lambda service: docker("restart", self.containers[service]), services))

    def kill(self, service):
        docker("kill", "--signal", "KILL", self.containers[service])

    def pause(self, service):
        """A busy container is not always frozen at the first attempt."""
        until(lambda: docker("pause", self.containers[service], check=False).returncode == 0
              or self.inspect(service)["State"]["Paused"], 30, f"{service} is paused")

    def unpause(self, service):
        docker("unpause", self.containers[service])

    def wait_healthy(self, service, limit=60):
        """Wait until the container's own health check says so; without one this fails."""
        until(lambda: self.inspect(service)["State"]["Health"]["Status"] == "healthy", limit,
              f"{service} is healthy")

    def logs(self, service, since="0"):
        done = docker("logs", "--since", since, self.containers[service])
        return done.stdout + done.stderr


def free_port():
    """A port of 127.0.0.1 that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def seconds(duration):
    """`90s`, `10m`, `1h`, `500ms` as seconds."""
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h|d)", duration).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}[unit]


def size(text):
    """`64M` as bytes."""
    number, unit = re.fullmatch(r"(\d+)([KMG]?)", text).groups()
    return int(number) << {"": 0, "K": 10, "M": 20, "G": 30}[unit]

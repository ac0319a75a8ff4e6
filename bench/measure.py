"""The stack under load: CPU time of its process groups, rounds, samples and ratios."""

import json
import pathlib
import statistics
import subprocess
import threading
from dataclasses import dataclass, field

import requests

TICK = 10_000  # microseconds: the unit of /proc/<pid>/stat, 1/100 s on every Linux

# Service of the compose file -> group of processes.
SERVICES = {"gateway": "nginx", "security-validate": "validate", "security": "accounts",
            "uploader": "uploader", "uploader-signer": "signer", "uploader-gallery": "gallery",
            "storage": "store", "db": "database", "empty": "empty",
            "older-security": "older", "older-uploader": "older"}
GROUPS = tuple(dict.fromkeys(SERVICES.values()))

TOOLS = pathlib.Path("build/bench/bin")


def ticks(pid):
    """The CPU time of a process and of its children that have ended."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))


def status(pid):
    """What the kernel says of a process: proc(5), name -> text."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {name: value.strip() for name, _, value in
            (line.partition(":") for line in text.splitlines())}


def kibibytes(value):
    """`1234 kB` as a number."""
    return int(value.split()[0])


class Cpu:
    """CPU time of the stack's containers; needs the host's process namespace."""

    def __init__(self, stack):
        self.groups = {stack.containers[service]: group for service, group in SERVICES.items()}

    def pids(self):
        """Group -> its processes, by the container id in their control group."""
        found = {group: [] for group in GROUPS}
        for path in pathlib.Path("/proc").glob("[0-9]*/cgroup"):
            try:
                text = path.read_text()
            except OSError:
                continue
            for container, group in self.groups.items():
                if container in text:
                    found[group].append(int(path.parent.name))
        return found

    def read(self):
        """Group -> microseconds so far."""
        return {group: TICK * sum(self._ticks(pid) for pid in pids)
                for group, pids in self.pids().items()}

    def memory(self, *groups):
        """MiB that these groups' processes have for themselves: anonymous pages."""
        pids = self.pids()
        return sum(kibibytes(status(pid)["RssAnon"])
                   for group in groups for pid in pids[group]) / 1024

    @staticmethod
    def _ticks(pid):
        try:
            return ticks(pid)
        except OSError:
            return 0


@dataclass
class Sample:
    """What one round of one subject gave."""

    requests: int
    failed: int
    seconds: float
    bytes: int
    p50: float  # milliseconds
    p99: float
    cpu: dict = field(default_factory=dict)  # group -> microseconds a request

    @property
    def rate(self):
        return self.requests / self.seconds

    def cpu_of(self, *groups):
        return sum(self.cpu[group] for group in groups or GROUPS)


class Load:
    """Runs the load generators and takes the CPU time beside them."""

    def __init__(self, stack, folder):
        self.cpu = Cpu(stack)
        self.folder = folder

    def file(self, name, lines):
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def run(self, command, env=None, refused=None, failures=False):
        """
        Run a generator that ends with a line of JSON.  Nothing but 2xx may come back, unless failures
        are expected; meanwhile the address refused, if there is one, must answer a bad token with 401.
        """
        before = self.cpu.read()
        with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                              env=env) as process:
            watch = threading.Thread(target=self._check_refused, args=(refused,))
            self.trouble = None
            watch.start()
            output = process.stdout.read()
            watch.join()
        assert process.returncode == 0, f"{command}: {output}"
        assert self.trouble is None, self.trouble
        after = self.cpu.read()
        document = json.loads(output[output.rindex("{"):])
        document.pop("mean", None)
        sample = Sample(**document)
        assert failures or sample.failed == 0, f"{command}: {sample.failed} without a 2xx"
        sample.cpu = {group: (after[group] - before[group]) / sample.requests for group in GROUPS}
        return sample

    def _check_refused(self, url):
        if url is None:
            return
        try:
            answer = requests.get(url, headers={"Authorization": "Bearer x.y.z"}, timeout=20)
        except requests.RequestException as problem:
            self.trouble = f"bad token: {problem}"
            return
        if answer.status_code != 401:
            self.trouble = f"a bad token got {answer.status_code}"

    def wrk(self, url, requests_file, seconds, clients=16, **options):
        return self.run(["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--latency",
                         "-s", "bench/turns.lua", url, "--", requests_file], **options)

    def load(self, urls_file, *arguments, **options):
        return self.run([TOOLS / "load", *arguments, urls_file], **options)


def interleave(rounds, subjects):
    """Run each subject once a round, in turn.  Name -> samples, one a round."""
    samples = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, subject in subjects.items():
            samples[name].append(subject())
    return samples


@dataclass
class Figure:
    """Subject over reference, one ratio a round."""

    case: str
    what: str
    ratios: list
    goal: float | None = None
    at_least: bool = False  # the goal is a minimum, not a maximum
    unit: str = ""  # for a plain figure that is no ratio

    @property
    def median(self):
        return statistics.median(self.ratios)

    @property
    def met(self):
        if self.goal is None:
            return None
        return self.median >= self.goal if self.at_least else self.median <= self.goal


def ratios(subject, reference, measure):
    return [measure(a) / measure(b) for a, b in zip(subject, reference, strict=True)]

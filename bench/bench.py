"""Runs the cases, prints the table, draws the picture, keeps the results.  See README.md here."""

import datetime
import json
import os
import pathlib
import platform
import sys
import tempfile

sys.path.insert(0, "tests/e2e")

# pylint: disable=wrong-import-position
from cases import CASES, ROUNDS, SECONDS, Bench  # noqa: E402
from report import picture, table  # noqa: E402
from support.stack import Stack  # noqa: E402

RESULTS = pathlib.Path("bench/results")


def machine(stack):
    """Where and with what this was measured."""
    cpus = [line.partition(":")[2].strip()
            for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")]
    said = {"nginx": ("gateway", "nginx -v 2>&1"), "store": ("storage", "minio --version"),
            "database": ("db", "ls /usr/lib/postgresql")}
    versions = {name: stack.shell(service, script).stdout.splitlines()[0]
                for name, (service, script) in said.items()}
    return {"date": datetime.date.today().isoformat(), "commit": os.environ["COMMIT"],
            "cores": len(cpus), "cpu": cpus[0], "kernel": platform.release(),
            "rounds": ROUNDS, "seconds": SECONDS, **versions}


def stored(samples):
    """The samples as plain data."""
    return {name: [vars(sample) for sample in rounds] for name, rounds in samples.items()}


def main():
    chosen = sys.argv[1:] or list(CASES)
    unknown = [name for name in chosen if name not in CASES]
    if unknown:
        sys.exit(f"bench: no case {unknown[0]}; there are {', '.join(CASES)}")
    stack = Stack()
    samples, figures = {}, []
    about = machine(stack)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(stack, pathlib.Path(folder))
        for name in chosen:
            print(f"bench: {name}: {CASES[name].__doc__}", file=sys.stderr, flush=True)
            new_samples, new_figures = CASES[name](bench)
            samples |= new_samples
            figures += new_figures
    text = table(about, samples, figures)
    print(text)
    if len(chosen) < len(CASES):
        return
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.txt").write_text(text)
    (RESULTS / "latest.svg").write_text(picture(about, samples, figures))
    document = {"about": about, "figures": [vars(figure) for figure in figures],
                "samples": stored(samples)}
    (RESULTS / "latest.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()

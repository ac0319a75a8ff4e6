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
from report import Part, picture, table  # noqa: E402
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


class Results:
    """What is kept in bench/results: for each case its latest figures, with where they come from."""

    path = RESULTS / "latest.json"

    def __init__(self):
        self.cases = json.loads(self.path.read_text()) if self.path.exists() else {}

    def keep(self, name, about, samples, figures):
        """Replace one case's part; the table and the picture are of all parts."""
        self.cases[name] = {
            "about": about, "figures": [vars(figure) for figure in figures],
            "samples": {what: [vars(sample) for sample in rounds]
                        for what, rounds in samples.items()}}
        self.cases = {name: self.cases[name] for name in CASES if name in self.cases}
        RESULTS.mkdir(exist_ok=True)
        self.path.write_text(json.dumps(self.cases, indent=1) + "\n")
        (RESULTS / "latest.txt").write_text(table(self.parts(self.cases)))
        (RESULTS / "latest.svg").write_text(picture(self.parts(self.cases)))

    def parts(self, names):
        return [Part.of(self.cases[name]) for name in names]


def main():
    chosen = sys.argv[1:] or list(CASES)
    unknown = [name for name in chosen if name not in CASES]
    if unknown:
        sys.exit(f"bench: no case {unknown[0]}; there are {', '.join(CASES)}")
    stack = Stack()
    about, results = machine(stack), Results()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(stack, pathlib.Path(folder))
        for name in chosen:
            print(f"bench: {name}: {CASES[name].__doc__}", file=sys.stderr, flush=True)
            results.keep(name, about, *CASES[name](bench))
    print(table(results.parts(chosen)))


if __name__ == "__main__":
    main()

"""A second stack beside the tests' own, of the same images: empty, with secrets of its own but the token keys."""

import contextlib
import json
import os
import pathlib
import shutil

import requests

from .client import Client
from .stack import TREE, Stack, docker, free_port
from .wait import until

UP_WITHIN = 90  # seconds


class Second(Stack):
    """Its containers begin with the name of the first one's project: tests/stacks removes what a cut run leaves."""

    def __init__(self, stack):
        name = f"{stack.project}-second"
        self.folder = TREE / "build/stacks" / name
        self.file = self.folder.with_suffix(".env")
        ports = {"HTTP_PORT": free_port(), "S3_PORT": free_port()}
        self.settings = {"COMPOSE_PROJECT_NAME": name, "SECRETS_DIR": str(self.folder)} | ports
        super().__init__(dict(os.environ) | {
            "ENV_FILE": str(self.file), "PROJECT": name, "SECRETS_DIR": str(self.folder),
            "BASE_URL": f"http://127.0.0.1:{ports['HTTP_PORT']}", "S3_URL": f"http://127.0.0.1:{ports['S3_PORT']}"})
        self.client = Client(self.base_url)

    def compose(self, *argv):
        done = self.script("compose", *argv)
        assert done.returncode == 0, done.stderr
        return done

    def up(self, jwt_keys):
        first = dict(line.split("=", 1) for line in pathlib.Path(os.environ["ENV_FILE"]).read_text().splitlines())
        self.file.write_text("".join(f"{name}={value}\n" for name, value in (first | self.settings).items()))
        self.remove()
        self.folder.mkdir()
        keys = self.folder / "jwt_keys"
        keys.write_text(jwt_keys)
        keys.chmod(0o444)
        assert self.script("secrets", str(self.folder)).returncode == 0
        self.start()

    def start(self):
        services = self.compose("config", "--services").stdout.split()
        # At once: whoever needs another tries again until it is there.
        self.compose("up", "-d", "--no-deps", *(name for name in services if name != "metrics"))
        self.forget()
        for name in ("migrate", "createbuckets"):
            until(lambda name=name: self.has_ended_well(name), UP_WITHIN, f"{name} has done its work")
        self.wait_ready()

    def has_ended_well(self, service):
        state = json.loads(docker("inspect", "--format", "{{json .State}}", self.containers[service]).stdout)
        return state["Status"] == "exited" and state["ExitCode"] == 0

    def wait_ready(self):
        def ready():
            try:
                return self.client.get("/readyz").status_code == 200
            except requests.ConnectionError:
                return False

        until(ready, UP_WITHIN, "the second stack is ready")

    def remove(self):
        self.script("compose", "down", "--volumes", "--remove-orphans", "--timeout", "1")
        shutil.rmtree(self.folder, ignore_errors=True)

    def down(self):
        self.remove()
        self.file.unlink(missing_ok=True)


@contextlib.contextmanager
def second(stack):
    """It runs until the end of the block."""
    another = Second(stack)
    try:
        another.up((stack.secrets_dir / "jwt_keys").read_text())
        yield another
    finally:
        another.down()

"""What the store is asked, as the store itself tells it: mc admin trace."""

import json
import os
import subprocess
import threading

from . import s3
from .stack import mark
from .wait import until

MARK = "trace-mark"


class Trace:
    """A context: from its beginning to its end every request to the store is noted."""

    def __init__(self, stack):
        self.stack = stack
        self.calls = []  # (operation, path, status, bytes sent with the headers, headers of the request)
        self.marks = 0

    def __enter__(self):
        root = (self.stack.secret("store_root_user"), self.stack.secret("store_root_password"))
        url = f"http://{self.stack.address('storage', 'store')}:9000"
        self.store = s3.client(url, *root)
        image = self.stack.inspect("createbuckets")["Config"]["Image"]
        self.process = subprocess.Popen(
            ["docker", "run", *mark(), "--rm", "--init", "--network", f"{self.stack.project}_store",
             "--env", "MC_HOST_store", "--tmpfs", "/tmp:mode=1777", "--entrypoint", "mc", image,
             "--config-dir", "/tmp/mc", "--json", "admin", "trace", "--verbose", "--call", "s3", "store"],
            env=os.environ | {"MC_HOST_store": f"http://{root[0]}:{root[1]}@storage:9000"},
            stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._collect, daemon=True).start()
        self._settle()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)

    def gets(self, name):
        """Status and bytes, those of the headers too, of each GET of an image so far."""
        self._settle()
        path = "/images/" + name.replace("-", "/", 1)
        return [call[2:4] for call in self.calls if call[:2] == ("s3.GetObject", path)]

    def headers(self, request_id):
        """Operation and headers of each request so far that carried this id."""
        self._settle()
        return [(call[0], call[4]) for call in self.calls if call[4].get("X-Request-Id") == request_id]

    def _collect(self):
        text = ""
        for line in self.process.stdout:
            text += line
            if line == "}\n":  # the only line that closes a whole object
                call = json.loads(text)
                text = ""
                self.calls.append((call["api"], call["path"], call["response"].get("statusCode", 0),
                                   call["callStats"]["tx"], call["request"].get("headers", {})))

    def _settle(self):
        """Ask for something until it shows, so that everything before it has shown."""
        self.marks += 1
        bucket = f"{MARK}-{self.marks}"

        def shown():
            try:
                self.store.head_bucket(Bucket=bucket)
            except self.store.exceptions.ClientError:
                pass
            return any(bucket in call[1] for call in self.calls)

        until(shown, 30, "the trace runs")

"""HTTP clients: a well-behaved one, and one that writes what it likes on a socket."""

import http.client
import socket
import struct
import urllib.parse

import requests

from .problem import check_rules
from .wait import until


class Client(requests.Session):
    """
    A session with the gateway that takes paths and checks the rules of every answer.  What a rate
    limit refuses is sent again, unless the client is made to be impatient.  ${limit} is how many
    seconds an answer may take.
    """

    def __init__(self, base_url, patient=True, limit=30):
        super().__init__()
        self.base_url = base_url
        self.limit = limit
        self.patient = patient
        self.trust_env = False  # no proxy, no .netrc

    def request(self, method, url, **options):
        options = {"timeout": self.limit, "allow_redirects": False} | options

        def attempt():
            answer = super(Client, self).request(method, self.base_url + url, **options)
            check_rules(answer.status_code, answer.headers, answer.content, method)
            return None if self.patient and answer.status_code == 429 else [answer]

        return until(attempt, 30, "the rate limit lets a request pass")[0]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


class Answer:
    """One answer read from a socket."""

    def __init__(self, response, method):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()
        check_rules(self.status, self.headers, self.body, method)


class Wire:
    """One TCP connection to the gateway, for requests that no library would send."""

    def __init__(self, url, limit=15):
        parts = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port or 80), timeout=limit)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Send; the peer may refuse to listen any further, which the answer will explain."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def finish(self):
        """Half-close: nothing more will be sent."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Close at once, with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def receive(self, end):
        """Read up to and with the bytes end, one by one."""
        data = b""
        while not data.endswith(end):
            byte = self.socket.recv(1)
            assert byte, f"closed after {data!r}"
            data += byte
        return data

    def answer(self, method="GET"):
        """The next final answer, or None if the connection was closed without any."""
        response = http.client.HTTPResponse(self.socket, method=method)
        try:
            response.begin()
            return Answer(response, method)
        except (http.client.RemoteDisconnected, ConnectionResetError):
            return None


def head(method, target, *headers, host="gateway.test"):
    """The bytes of a request's head; headers are (name, value) pairs."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def exchange(url, data, method="GET", half_close=False, limit=15):
    """Send bytes on a new connection; return the answer or None."""
    with Wire(url, limit) as wire:
        wire.send(data)
        if half_close:
            wire.finish()
        return wire.answer(method)


def chunked(body, chunk=8192):
    """The body in chunked transfer coding."""
    pieces = (body[i:i + chunk] for i in range(0, len(body), chunk))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"

"""
An S3 store for one PutObject or GetObject after the other, which does as it is told.  It keeps nothing.

Port 9000 is the store.  Port 9001 takes `POST /<behaviour>`, which holds until the next, and answers
`GET /` with what came since then: a list of [bytes of the object, whether the body was whole].
The program needs nothing but Python, so that it can be handed to an interpreter as a text.
"""

import contextlib
import http.server
import json
import re
import socket
import socketserver
import struct
import threading

ETAG = 'ETag: "00000000000000000000000000000000"\r\n'
ERROR = "<?xml version=\"1.0\"?><Error><Code>{}</Code></Error>"


def answer(status, headers="", body=""):
    return (f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(body)}\r\n\r\n{body}").encode()


# What is answered to a whole body; {sum} becomes the header of the right checksum.
ANSWERS = {
    "good": answer(200, ETAG + "{sum}"),
    "forbidden": answer(403, body=ERROR.format("AccessDenied")),
    "internal": answer(500, body=ERROR.format("InternalError")),
    "unavailable": answer(503, body=ERROR.format("SlowDown")),
    "full": answer(507, body=ERROR.format("XMinioStorageFull")),
    "exists": answer(412, body=ERROR.format("PreconditionFailed")),
    "redirect": answer(307, "Location: http://192.0.2.1/\r\n"),
    "no-etag": answer(200, "{sum}"),
    "bad-etag": answer(200, "ETag: nonsense\r\n{sum}"),
    "no-checksum": answer(200, ETAG),
    "bad-checksum": answer(200, ETAG + "x-amz-checksum-crc32c: AAAAAA==\r\n"),
    "error-in-200": answer(200, body=ERROR.format("InternalError")),
    "garbage": b"\x00\xff garbage, not HTTP\r\n\r\n",
    "garbage-xml": answer(500, body="<<<Code>" + "<" * 5000),
    "endless-header": b"HTTP/1.1 200 X\r\nX: " + b"x" * 1000000,
    "half-status": b"HTTP/1.1 2",
    "half-headers": b"HTTP/1.1 200 OK\r\nETag: \"0000",
    "no-answer": b"",
}
STATUSES = range(200, 600)  # each of these is a behaviour, too: this status with words and headers of a store
# Those that need no body, or do not take it as fast as it comes.
OTHERS = {"early-good", "reset-at-once", "reset-midway", "close-midway", "slow-reader", "hang",
          "late"}  # the last one says "good" when it is too late


class State:
    behaviour = "good"
    seen = []
    changed = threading.Event()  # set when the behaviour ends: nobody holds on to a connection


def body_of(stream, length):
    """Read the next bytes of the body, as many as there are up to length."""
    data = b""
    while len(data) < length:
        piece = stream.read1(length - len(data))
        if not piece:
            break
        data += piece
    return data


def object_length(body):
    """The bytes of payload in an aws-chunked body."""
    length = at = 0
    while match := re.compile(rb"([0-9a-f]+)[^\r]*\r\n").match(body, at):
        size = int(match[1], 16)
        length += size
        at = match.end() + size + 2
        if size == 0:
            break
    return length


class Store(socketserver.StreamRequestHandler):
    def handle(self):
        with contextlib.suppress(ConnectionError):
            while head := self.head():
                if not self.serve(head):
                    break

    def head(self):
        lines = []
        while (line := self.rfile.readline(65536)) not in (b"\r\n", b""):
            lines.append(line.decode())
        return "".join(lines)

    def serve(self, head):
        """Answer one request; return whether the connection lives on."""
        behaviour, changed = State.behaviour, State.changed
        if behaviour.isdigit():
            self.wfile.write(answer(behaviour, "X-Store: words\r\n", "words of the store"))
            return False
        length = int(re.search(r"(?im)^content-length: *(\d+)", head)[1])
        if behaviour == "early-good":
            self.wfile.write(answer(200, ETAG))
            return False
        if behaviour == "reset-at-once":
            return self.reset()
        if behaviour == "hang":
            return changed.wait() and False
        if re.search(r"(?im)^expect:", head):
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if behaviour == "slow-reader":
            return self.slow(changed)
        if behaviour.endswith("-midway"):
            body_of(self.rfile, length // 2)
            return self.reset() if behaviour.startswith("reset") else False
        body = body_of(self.rfile, length)
        State.seen.append([object_length(body), len(body) == length])
        return self.say(behaviour, body, changed)

    def say(self, behaviour, body, changed):
        if behaviour == "late":
            changed.wait()
            behaviour = "good"
        checksum = re.search(rb"x-amz-checksum-crc32c:[^\r]*\r\n", body[-200:])
        self.wfile.write(ANSWERS[behaviour].replace(b"{sum}", checksum[0] if checksum else b""))
        return behaviour == "good"

    def slow(self, changed):
        """1 KB a second."""
        while not changed.wait(1) and self.rfile.read1(1024):
            pass
        return False

    def reset(self):
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.request.close()
        return False


class Control(http.server.BaseHTTPRequestHandler):
    def do_POST(self):  # pylint: disable=invalid-name
        behaviour = self.path[1:]
        known = behaviour in ANSWERS or behaviour in OTHERS or behaviour in map(str, STATUSES)
        if known:
            State.behaviour, State.seen = behaviour, []
            State.changed.set()
            State.changed = threading.Event()
        self.send_response(204 if known else 404)
        self.end_headers()

    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(State.seen).encode())

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    threading.Thread(target=Server(("", 9001), Control).serve_forever).start()
    Server(("", 9000), Store).serve_forever()

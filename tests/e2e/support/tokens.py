"""Tokens made by hand, with the stack's own key, good and evil."""

import base64
import hashlib
import hmac
import json
import secrets
import time

ABSENT = object()


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Mint:
    """Signs with the first key of the setting JWT_KEYS."""

    def __init__(self, jwt_keys, lifetime):
        lines = [line for line in jwt_keys.splitlines() if line and not line.startswith("#")]
        self.kid, key = lines[0].split()
        self.key = decode(key)
        self.lifetime = lifetime

    def claims(self, subject, **changes):
        """Good claims, changed; ABSENT leaves one out."""
        now = int(time.time())
        claims = {"iss": "imagegate", "aud": "imagegate", "sub": subject, "iat": now,
                  "exp": now + 600, "jti": secrets.token_hex(16), "gen": 0, "auth_time": now}
        claims.update(changes)
        return {name: value for name, value in claims.items() if value is not ABSENT}

    def header(self, **changes):
        header = {"alg": "HS256", "kid": self.kid, "typ": "JWT"} | changes
        return {name: value for name, value in header.items() if value is not ABSENT}

    def sign(self, claims, header=None, key=None, digest=hashlib.sha256):
        """A token of claims and header, each an object or the text of one."""
        signed = ".".join(encode(self._text(part)) for part in (header or self.header(), claims))
        key = self.key if key is None else key
        return f"{signed}.{encode(hmac.digest(key, signed.encode(), digest))}"

    def token(self, subject, **changes):
        return self.sign(self.claims(subject, **changes))

    @staticmethod
    def _text(part):
        if isinstance(part, bytes):
            return part
        return part.encode() if isinstance(part, str) else json.dumps(part).encode()

"""Row 21: tokens that must not open anything."""

import base64
import hashlib
import http.client
import json
import string
import time
import urllib.parse

import pytest
from support.client import bearer, exchange, head
from support.images import Images
from support.tokens import ABSENT, encode

pytestmark = pytest.mark.usefixtures("steady")

ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


def now():
    return int(time.time())


def rejoin(token, **parts):
    """The token with some of its three parts replaced by text."""
    names = ("header", "claims", "signature")
    return ".".join(parts.get(name, part) for name, part in zip(names, token.split(".")))


# Name -> function of (mint, account id) that makes the token.
EVIL = {
    "the word None": lambda m, i: "None",
    "nothing": lambda m, i: "",
    "dots": lambda m, i: "..",
    "one part": lambda m, i: m.token(i).split(".")[0],
    "two parts": lambda m, i: m.token(i).rpartition(".")[0],
    "four parts": lambda m, i: m.token(i) + ".AAAA",
    "empty signature": lambda m, i: rejoin(m.token(i), signature=""),
    "empty header": lambda m, i: rejoin(m.token(i), header=""),
    "empty claims": lambda m, i: rejoin(m.token(i), claims=""),
    "half a signature": lambda m, i: m.token(i)[:-21],
    "signature of another token": lambda m, i: rejoin(
        m.token(i), signature=m.token(i).rpartition(".")[2]),
    "padding": lambda m, i: m.token(i) + "=",
    "spaces": lambda m, i: m.token(i).replace(".", " ."),
    "comma": lambda m, i: m.token(i) + ",",
    # algorithms
    "alg none": lambda m, i: m.sign(m.claims(i), m.header(alg="none")).rpartition(".")[0] + ".",
    "alg None": lambda m, i: m.sign(m.claims(i), m.header(alg="None")).rpartition(".")[0] + ".",
    "alg none, signed": lambda m, i: m.sign(m.claims(i), m.header(alg="none")),
    "alg HS384": lambda m, i: m.sign(m.claims(i), m.header(alg="HS384"), digest=hashlib.sha384),
    "alg HS512": lambda m, i: m.sign(m.claims(i), m.header(alg="HS512"), digest=hashlib.sha512),
    "alg HS512 of SHA-256": lambda m, i: m.sign(m.claims(i), m.header(alg="HS512")),
    "alg hs256": lambda m, i: m.sign(m.claims(i), m.header(alg="hs256")),
    "alg RS256": lambda m, i: m.sign(m.claims(i), m.header(alg="RS256")),
    "alg a number": lambda m, i: m.sign(m.claims(i), m.header(alg=256)),
    "alg absent": lambda m, i: m.sign(m.claims(i), m.header(alg=ABSENT)),
    "alg twice": lambda m, i: m.sign(
        m.claims(i), '{"alg":"none","alg":"HS256","kid":"%s","typ":"JWT"}' % m.kid),
    "header no object": lambda m, i: m.sign(m.claims(i), '["HS256"]'),
    # keys
    "another key": lambda m, i: m.sign(m.claims(i), key=b"k" * 32),
    "no key": lambda m, i: m.sign(m.claims(i), key=b""),
    "the key's text": lambda m, i: m.sign(m.claims(i), key=encode(m.key).encode()),
    "kid absent": lambda m, i: m.sign(m.claims(i), m.header(kid=ABSENT)),
    "kid unknown": lambda m, i: m.sign(m.claims(i), m.header(kid="unknown")),
    "kid longer": lambda m, i: m.sign(m.claims(i), m.header(kid=m.kid + "x")),
    "kid shorter": lambda m, i: m.sign(m.claims(i), m.header(kid=m.kid[:-1])),
    "kid empty": lambda m, i: m.sign(m.claims(i), m.header(kid="")),
    "kid a number": lambda m, i: m.sign(m.claims(i), m.header(kid=1)),
    "kid with NUL": lambda m, i: m.sign(m.claims(i), m.header(kid=m.kid + "\0")),
    "kid a path": lambda m, i: m.sign(m.claims(i), m.header(kid="/dev/null"), key=b""),
    "kid twice": lambda m, i: m.sign(
        m.claims(i), '{"alg":"HS256","kid":"x","kid":"%s","typ":"JWT"}' % m.kid),
    "older stack": lambda m, i: m.sign({"sub": i}, {"alg": "HS256", "typ": "JWT"}, key=b"secret"),
    "older stack's key": lambda m, i: m.sign(m.claims(i), key=b"secret"),
    # times
    "expired": lambda m, i: m.token(i, exp=now() - 1),
    "expires now": lambda m, i: m.token(i, exp=now(), iat=now() - 9, auth_time=now() - 9),
    "from the future": lambda m, i: m.token(i, iat=now() + 60),
    "not yet": lambda m, i: m.token(i, nbf=now() + 60),
    "lives too long": lambda m, i: m.token(i, exp=now() + m.lifetime + 1),
    "lived too long": lambda m, i: m.token(i, iat=now() - m.lifetime, auth_time=now() - m.lifetime),
    "auth_time after iat": lambda m, i: m.token(i, auth_time=now() + 60),
    "ends before it begins": lambda m, i: m.token(i, exp=now() + 2, iat=now() + 4),
    # who
    "other issuer": lambda m, i: m.token(i, iss="other"),
    "longer issuer": lambda m, i: m.token(i, iss="imagegate\0"),
    "other audience": lambda m, i: m.token(i, aud="other"),
    "list of audiences": lambda m, i: m.token(i, aud=["imagegate"]),
    "subject too short": lambda m, i: m.token(i[:-1]),
    "subject too long": lambda m, i: m.token(i + "0"),
    "subject in capitals": lambda m, i: m.token("ABCDEFGHIJKLMNOP"),
    "subject a path": lambda m, i: m.token("../../../etc/pas"),
    "subject with a newline": lambda m, i: m.token(i[:-1] + "\n"),
    "subject a number": lambda m, i: m.token(1234567890123456),
    "generation negative": lambda m, i: m.token(i, gen=-1),
    # JSON
    "exp twice": lambda m, i: m.sign(json.dumps(m.claims(i))[:-1] + ', "exp": %d}' % (now() + 60)),
    "sub twice": lambda m, i: m.sign('{"sub": "x", ' + json.dumps(m.claims(i))[1:]),
    "claims no object": lambda m, i: m.sign([m.claims(i)]),
    "claims no JSON": lambda m, i: m.sign("claims"),
    "claims cut": lambda m, i: m.sign(json.dumps(m.claims(i))[:-1]),
    "claims and more": lambda m, i: m.sign(json.dumps(m.claims(i)) + "{}"),
    "claims bad UTF-8": lambda m, i: m.sign(json.dumps(m.claims(i, more="?")).encode()
                                            .replace(b"?", b"\xff")),
    "claims in standard base64": lambda m, i: rejoin(m.token(i), claims=base64.b64encode(
        json.dumps(m.claims(i)).encode()).decode()),
    "deep": lambda m, i: m.sign('{"a":' + "[" * 1000 + "]" * 1000 + "}"),
    "too large": lambda m, i: m.token(i, more="x" * 4000),
}

NUMBERS = ("exp", "iat", "gen", "auth_time")
TEXTS = ("iss", "aud", "sub", "jti")
NO_NUMBER = {"absent": ABSENT, "null": None, "true": True, "text": "9999999999", "empty": "",
             "float": 1e9 + 0.5, "whole float": 1e9, "huge": 1 << 64, "negative": -1, "list": [1],
             "object": {}}
NO_TEXT = {"absent": ABSENT, "null": None, "true": True, "number": 1, "empty": "", "list": ["x"],
           "object": {}}

for claim, values in [(c, NO_NUMBER) for c in NUMBERS] + [(c, NO_TEXT) for c in TEXTS]:
    for kind, evil in values.items():
        EVIL[f"{claim} {kind}"] = lambda m, i, c=claim, v=evil: (
            m.sign({k: w for k, w in (m.claims(i) | {c: v}).items() if w is not ABSENT}))


@pytest.fixture(scope="module")
def target(ledger, member):
    """The path of an image."""
    return f"/v1/user/{ledger.upload(member, Images.noise())}"


@pytest.mark.parametrize("name", EVIL)
def test_evil(client, mint, member, target, name):
    headers = bearer(EVIL[name](mint, member.id))
    body = Images.noise().data
    for method, path, data in [("GET", target, None), ("HEAD", target, None),
                               ("GET", "/v1/user", None), ("POST", "/v1/upload", body)]:
        answer = client.request(method, path, headers=headers, data=data)
        assert answer.status_code == 401, (method, path)
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("scheme", ["Basic", "Token", "JWT", "Bearer:", "XBearer", "Bearer\tx"])
def test_other_schemes(client, member, target, scheme):
    for path in (target, "/v1/user"):
        headers = {"Authorization": f"{scheme} {member.token}"}
        assert client.get(path, headers=headers).status_code == 401


@pytest.mark.parametrize("where", ["query", "cookie", "bare", "other header"])
def test_other_places(client, member, target, where):
    query = f"?access_token={member.token}" if where == "query" else ""
    headers = {"cookie": {"Cookie": f"token={member.token}; access_token={member.token}"},
               "bare": {"Authorization": member.token},
               "other header": {"X-Authorization": f"Bearer {member.token}"}}.get(where, {})
    for path in (target, "/v1/user"):
        assert client.get(path + query, headers=headers).status_code == 401


def test_beyond_the_header_limit(stack, member, target):
    for path in (target, "/v1/user"):
        data = head("GET", path, ("Authorization", "Bearer " + member.token + "A" * 100_000))
        assert exchange(stack.base_url, data).status == 431


def test_two_headers(stack, member, target):
    for path in (target, "/v1/user", "/v1/upload"):
        data = head("GET", path, *[*member.headers.items()] * 2)
        assert exchange(stack.base_url, data).status in (400, 405)


def test_every_bit_flipped(stack, mint, member, target):
    """Each bit of each base64url character, the unused ones of the last character included."""
    token = mint.token(member.id)
    parts = urllib.parse.urlsplit(stack.base_url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=15)
    passed = []
    for place, char in enumerate(token):
        for bit in range(6 if char in ALPHABET else 0):
            flipped = ALPHABET[ALPHABET.index(char) ^ (1 << bit)]
            evil = token[:place] + flipped + token[place + 1:]
            connection.request("HEAD", target, headers=bearer(evil))
            answer = connection.getresponse()
            answer.read()
            if answer.status != 401:
                passed.append((place, bit, answer.status))
    connection.close()
    assert not passed


def test_ends_on_time(client, mint, member, target):
    """A cached yes never outlives the token: what is asked after its last second is refused."""
    end = now() + 4
    headers = bearer(mint.token(member.id, exp=end))
    seen = []
    while not seen or seen[-1][0] < end:
        seen.append((time.time(), client.get(target, headers=headers).status_code))
    assert seen[0][1] == 200 and seen[-1][1] == 401


def test_good_ones_pass(client, mint, member, target):
    """So that the refusals above mean something."""
    for token in (mint.token(member.id), mint.token(member.id, more="an unknown claim", number=1),
                  mint.token(member.id, exp=now() + mint.lifetime - 1)):
        for path in (target, "/v1/user"):
            assert client.get(path, headers=bearer(token)).status_code == 200

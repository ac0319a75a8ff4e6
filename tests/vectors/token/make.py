#!/usr/bin/env python3
"""Makes the files `accepted` and `refused` beside it, with PyJWT where PyJWT makes such tokens at all.

The tests read the files and do not run this.  A line is `<now> <name or reason> ... <token>`; see the
head of each file.
"""

import base64
import hashlib
import hmac
import json
import pathlib

import jwt

HERE = pathlib.Path(__file__).parent
K1 = bytes(range(32))
K2 = hashlib.sha256(b"the key of the month before").digest()
OTHER = hashlib.sha256(b"a key of somebody else").digest()
IAT = 1767225600
NOW = IAT + 60
CLAIMS = {
    "iss": "imagegate",
    "aud": "imagegate",
    "sub": "0123456789abcdef",
    "iat": IAT,
    "exp": IAT + 3600,
    "jti": "0" * 31 + "1",
    "gen": 0,
    "auth_time": IAT,
}
HEADER = {"alg": "HS256", "kid": "k1", "typ": "JWT"}


def b64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def text(value):
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    return json.dumps(value, separators=(",", ":")).encode()


def raw(header, payload, key=K1, digest=hashlib.sha256):
    """Signs whatever it is given: dictionaries, or texts as they stand."""
    signed = b64(text(header)) + "." + b64(text(payload))
    return signed + "." + b64(hmac.new(key, signed.encode(), digest).digest())


def claims(**changes):
    return {k: v for k, v in {**CLAIMS, **changes}.items() if v is not ...}


def header(**changes):
    return {k: v for k, v in {**HEADER, **changes}.items() if v is not ...}


def body(old, new):
    """The claims as text, with one replacement."""
    whole = text(CLAIMS).decode()
    assert old in whole
    return whole.replace(old, new)


def pyjwt(payload, key=K1, alg="HS256", kid="k1"):
    return jwt.encode(payload, key, algorithm=alg, headers={"kid": kid})


VECTOR = pyjwt(CLAIMS)

accepted = [
    (NOW, "published", VECTOR),
    (IAT, "first-second", VECTOR),
    (IAT - 5, "clock-ahead-by-5", VECTOR),
    (IAT + 3599, "last-second", VECTOR),
    (NOW, "older-key", pyjwt(CLAIMS, key=K2, kid="k2.old")),
    (NOW, "no-typ", raw(header(typ=...), CLAIMS)),
    (NOW, "unknown-header", raw(header(cty="x"), CLAIMS)),
    (NOW, "other-order", raw(dict(reversed(HEADER.items())), dict(reversed(CLAIMS.items())))),
    (NOW, "spaces", raw(json.dumps(HEADER, indent=2), json.dumps(CLAIMS, indent=2))),
    (NOW, "escapes", raw(HEADER, body('"imagegate","aud"', '"\\u0069magegate","aud"'))),
    (NOW, "unknown-claims", raw(HEADER, claims(name="x", n=-1, f=1.5, t=True, z=None))),
    (NOW, "auth-time-long-ago", raw(HEADER, claims(auth_time=0))),
    (NOW, "largest-generation", raw(HEADER, claims(gen=2**63 - 1))),
]

refused = []


def refuse(reason, name, token, now=NOW):
    refused.append((now, reason, name, token))


signed, signature = VECTOR.rsplit(".", 1)
h, p = signed.split(".")

refuse("malformed", "None", "None")
for dots in range(1, 6):
    refuse("malformed", f"dots-{dots}", "." * dots)
refuse("malformed", "one-part", h)
refuse("malformed", "two-parts", signed)
refuse("malformed", "empty-signature", signed + ".")
refuse("malformed", "four-parts", VECTOR + ".")
refuse("malformed", "five-parts", VECTOR + "." + h + "." + p)
refuse("malformed", "signature-padded", VECTOR + "=")
refuse("malformed", "signature-with-unused-bits", VECTOR[:-1] + "Z")
refuse("malformed", "signature-of-31-bytes", signed + "." + b64(bytes(31)))
refuse("malformed", "signature-of-33-bytes", signed + "." + b64(bytes(33)))
refuse("malformed", "signature-cut", VECTOR[:-1])
refuse("malformed", "signature-of-RS256-size", raw(header(alg="RS256"), CLAIMS) + "A" * 300)
refuse("malformed", "HS384", pyjwt(CLAIMS, alg="HS384"))
refuse("malformed", "HS512", pyjwt(CLAIMS, alg="HS512"))
refuse("malformed", "none-unsigned", jwt.encode(CLAIMS, None, algorithm="none", headers={"kid": "k1"}))
refuse("header", "header-padded", b64(text(HEADER)) + "=" + "." + p + "." + signature)
refuse("header", "header-of-plus", "++++." + p + "." + signature)
refuse("header", "header-empty", "." + p + "." + signature)
refuse("header", "unsigned-parts-empty", ".." + signature)
refuse("header", "header-no-json", raw("x", CLAIMS))
refuse("header", "header-array", raw("[]", CLAIMS))
refuse("header", "header-string", raw('"HS256"', CLAIMS))
refuse("header", "header-trailing", raw(text(HEADER) + b"{}", CLAIMS))
refuse("header", "header-nul", raw(text(HEADER) + b"\0", CLAIMS))
refuse("header", "header-nul-after-number",
       raw(b'{"alg":"HS256","kid":"k1","n":1\0,"typ":"JWT"}', CLAIMS))
refuse("header", "header-bom", raw(b"\xef\xbb\xbf" + text(HEADER), CLAIMS))
refuse("header", "header-not-utf8", raw(b'{"alg":"HS256","kid":"k1","typ":"\xff"}', CLAIMS))
refuse("header", "header-deep", raw("[" * 1000, CLAIMS))
refuse("header", "header-empty-object", raw({}, CLAIMS))
refuse("header", "jwk-inside", raw(header(jwk={"kty": "oct"}), CLAIMS))
refuse("header", "x5c-inside", raw(header(x5c=["A"]), CLAIMS))
refuse("header", "no-alg", raw(header(alg=...), CLAIMS))
refuse("header", "alg-twice", raw('{"alg":"HS256","alg":"HS256","kid":"k1","typ":"JWT"}', CLAIMS))
for alg in "none", "None", "hs256", "Hs256", "HS256 ", "HS384", "HS512", "RS256", "ES256", "", 256, None, True:
    refuse("header", f"alg-{alg!r}".replace(" ", "_"), raw(header(alg=alg), CLAIMS))
refuse("header", "no-kid", raw(header(kid=...), CLAIMS))
refuse("header", "kid-number", raw(header(kid=1), CLAIMS))
refuse("header", "kid-null", raw(header(kid=None), CLAIMS))
refuse("header", "kid-twice", raw('{"alg":"HS256","kid":"k2.old","kid":"k1","typ":"JWT"}', CLAIMS))
for kid in "", "k", "K1", "k11", "k1 ", "../k1", "k" * 1000:
    refuse("key", f"kid-{kid[:8]!r}".replace(" ", "_"), raw(header(kid=kid), CLAIMS))
refuse("header", "kid-nul", raw('{"alg":"HS256","kid":"k1\\u0000","typ":"JWT"}', CLAIMS))
for typ in "jwt", "JOSE", "at+jwt", "", 1, None, True, 1.5:
    refuse("header", f"typ-{typ!r}", raw(header(typ=typ), CLAIMS))
for crit in ["exp"], [], {}, "exp", 1, None, True, 1.5:
    refuse("header", f"crit-{crit!r}".replace(" ", "_"), raw(header(crit=crit), CLAIMS))
# Our own header to the byte at both ends, and something in between.
refuse("header", "crit-within", raw('{"alg":"HS256","kid":"k1","crit":["exp"],"typ":"JWT"}', CLAIMS))
refuse("header", "alg-within", raw('{"alg":"HS256","kid":"k1","alg":"none","typ":"JWT"}', CLAIMS))
# The older stack's: signed with the word `secret`, only sub, no kid.
refuse("header", "older-stack", jwt.encode({"sub": "user"}, "secret", algorithm="HS256"))
refuse("signature", "older-stack-with-kid", pyjwt({"sub": "user"}, key=b"secret"))
refuse("signature", "foreign-key", pyjwt(CLAIMS, key=OTHER))
refuse("signature", "empty-key", raw(HEADER, CLAIMS, key=b""))
refuse("signature", "kid-of-another-key", pyjwt(CLAIMS, kid="k2.old"))
refuse("signature", "signature-of-zeros", signed + "." + b64(bytes(32)))
refuse("signature", "signature-of-another", signed + "." + pyjwt(claims(gen=1)).rsplit(".", 1)[1])
refuse("signature", "payload-swapped", h + "." + b64(text(claims(sub="vvvvvvvvvvvvvvvv"))) + "." + signature)
refuse("signature", "payload-padded", h + "." + p + "=." + signature)
refuse("signature", "payload-empty-unsigned", h + ".." + signature)

refuse("claims", "payload-empty", raw(HEADER, ""))
refuse("claims", "payload-padded-and-signed", "")
signed_padded = h + "." + p + "="
refused[-1] = refused[-1][:3] + (
    signed_padded + "." + b64(hmac.new(K1, signed_padded.encode(), hashlib.sha256).digest()),)
for name, payload in {
    "no-json": "x", "array": "[]", "string": '"sub"', "number": "1", "null": "null", "empty-object": "{}",
    "trailing": text(CLAIMS) + b"x", "nul": text(CLAIMS) + b"\0", "nul-after-number": text(CLAIMS)[:-1] + b"\0}", "cut": text(CLAIMS)[:-1],
    "not-utf8": body("imagegate", "image").encode() + b"\xff", "deep": '{"a":' * 400,
    "nested-array": claims(roles=[]), "nested-object": claims(roles={}),
    "many-members": claims(**{f"m{i}": i for i in range(9)}),
    "nan": body('"gen":0', '"gen":NaN'), "leading-zero": body('"gen":0', '"gen":00'),
    "hexadecimal": body('"gen":0', '"gen":0x0'), "plus": body('"gen":0', '"gen":+0'),
}.items():
    refuse("claims", f"payload-{name}", raw(HEADER, payload))
for name, value in CLAIMS.items():
    refuse("claims", f"no-{name}", pyjwt(claims(**{name: ...})))
    member = text({name: value}).decode()[1:-1]
    refuse("claims", f"{name}-twice", raw(HEADER, body(member, f"{member},{member}")))
    refuse("claims", f"{name}-in-capitals", raw(HEADER, body(f'"{name}"', f'"{name.upper()}"')))
    for kind, wrong in {"null": None, "true": True, "array": [value], "object": {"a": value}}.items():
        refuse("claims", f"{name}-{kind}", raw(HEADER, claims(**{name: wrong})))
    if isinstance(value, str):
        for kind, wrong in {
            "number": 1, "empty": "", "longer": value + "0", "shorter": value[:-1], "space": value + " ",
            "capitals": value.upper() if value.upper() != value else "A" * len(value),
            "umlaut": "ä" + value[1:],
        }.items():
            refuse("claims", f"{name}-{kind}", raw(HEADER, claims(**{name: wrong})))
        refuse("claims", f"{name}-nul", raw(HEADER, body(f'"{name}":"{value}"', f'"{name}":"{value}\\u0000"')))
    else:
        number = f'"{name}":{value}'
        for kind, wrong in {
            "text": f'"{value}"', "float": f"{value}.0", "exponent": f"{value}e0", "negative": "-1",
            "int64-min": str(-(2**63)), "beyond-int64": str(2**63), "huge": "9" * 400, "empty-text": '""',
        }.items():
            refuse("claims", f"{name}-{kind}", raw(HEADER, body(number, f'"{name}":{wrong}')))
refuse("claims", "sub-beyond-alphabet", raw(HEADER, claims(sub="0123456789abcdew")))
refuse("claims", "sub-hyphen", raw(HEADER, claims(sub="0123456789abcde-")))
refuse("claims", "jti-beyond-alphabet", raw(HEADER, claims(jti="0" * 31 + "g")))
refuse("claims", "life-too-long", raw(HEADER, claims(exp=IAT + 3601)))
refuse("claims", "life-endless", raw(HEADER, claims(exp=2**63 - 1)))
refuse("claims", "life-empty", raw(HEADER, claims(exp=IAT)))
refuse("claims", "life-backwards", raw(HEADER, claims(iat=IAT + 7200)))
refuse("claims", "auth-time-after-iat", raw(HEADER, claims(auth_time=IAT + 1)))
refuse("claims", "auth-time-endless", raw(HEADER, claims(auth_time=2**63 - 1)))
for name, nbf in [("nbf-later", NOW + 60), ("nbf-float", IAT + 0.5), ("nbf-null", None)]:
    refuse("claims", name, raw(HEADER, claims(nbf=nbf)))
refuse("early", "early-by-6", VECTOR, IAT - 6)
refuse("early", "early-by-all", VECTOR, 0)
refuse("early", "iat-endless", raw(HEADER, claims(iat=2**63 - 2, exp=2**63 - 1)))
refuse("expired", "expired-now", VECTOR, IAT + 3600)
refuse("expired", "expired-before", VECTOR, IAT + 3601)
refuse("expired", "expired-long-ago", raw(HEADER, claims(iat=1, exp=2, auth_time=0)))
refuse("expired", "expired-at-the-end-of-time", VECTOR, 2**63 - 1)


def write(name, head, rows):
    lines = [" ".join(str(field) for field in row) for row in rows]
    names = [row[-2] for row in rows]
    assert len(set(names)) == len(names), [n for n in names if names.count(n) > 1]
    (HERE / name).write_text("\n".join([head, *lines]) + "\n", encoding="ascii")


write("accepted", "# <now> <name> <token>; keys in `keys`; made by make.py", accepted)
write("refused", "# <now> <reason> <name> <token>; keys in `keys`; made by make.py", refused)
(HERE / "keys").write_text(
    "# the keys of these vectors; the first one signs\n"
    f"k1 {b64(K1)}\nk2.old {b64(K2)}\n", encoding="ascii")

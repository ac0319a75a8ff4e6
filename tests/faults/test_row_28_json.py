"""Row 28: JSON that is none, or is hostile."""

import json

import pytest

pytestmark = pytest.mark.usefixtures("steady")

HEADERS = {"Content-Type": "application/json"}

BODIES = {
    "empty": b"",
    "space": b"   ",
    "no JSON": b"login=a&password=b",
    "cut": b'{"login":"somebody","password":"long en',
    "more than one": b'{"login":"somebody","password":"long enough"}{}',
    "trailing comma": b'{"login":"somebody","password":"long enough",}',
    "comment": b'{"login":"somebody",/**/"password":"long enough"}',
    "single quotes": b"{'login':'somebody','password':'long enough'}",
    "array": b'["somebody","long enough"]',
    "string": b'"somebody"',
    "null": b"null",
    "number": b"1e999",
    "deep arrays": b"[" * 4000 + b"]" * 4000,
    "deep objects": b'{"a":' * 1000 + b"1" + b"}" * 1000,
    "unclosed deep": b"[" * 8000,
    "login twice": b'{"login":"somebody","login":"nobody","password":"long enough"}',
    "password twice": b'{"login":"somebody","password":"a","password":"long enough"}',
    "login null": b'{"login":null,"password":"long enough"}',
    "login number": b'{"login":12345,"password":"long enough"}',
    "login float": b'{"login":1e308,"password":"long enough"}',
    "login true": b'{"login":true,"password":"long enough"}',
    "login list": b'{"login":["somebody"],"password":"long enough"}',
    "login object": b'{"login":{"a":"b"},"password":"long enough"}',
    "password number": b'{"login":"somebody","password":12345678901}',
    "password list": b'{"login":"somebody","password":["long enough"]}',
    "password object": b'{"login":"somebody","password":{"$ne":""}}',
    "NUL in the login": b'{"login":"some\\u0000body","password":"long enough"}',
    "NUL in the password": b'{"login":"somebody","password":"long\\u0000enough"}',
    "NUL as it is": b'{"login":"somebody","password":"long\0enough"}',
    "bad UTF-8": b'{"login":"somebody","password":"long \xff enough"}',
    "overlong UTF-8": b'{"login":"somebody","password":"long \xc0\xaf enough"}',
    "surrogate": b'{"login":"somebody","password":"long \xed\xa0\x80 enough"}',
    "half a surrogate pair": b'{"login":"somebody","password":"long \\ud800 enough"}',
    "UTF-16": '{"login":"somebody","password":"long enough"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"login":"somebody","password":"long enough"}',
    "huge number": b'{"login":"somebody","password":' + b"9" * 1000 + b"}",
    "many members": json.dumps({f"m{i}": i for i in range(500)}).encode(),
    "SQL": b'{"login":"\' or 1=1; drop table accounts; --","password":"long enough"}',
    "SQL dollars": b'{"login":"$$;select 1;--","password":"long enough"}',
    "path": b'{"login":"../../etc/passwd","password":"long enough"}',
    "markup": b'{"login":"<script>","password":"long enough"}',
    "header": b'{"login":"a\\r\\nX-Injected: 1","password":"long enough"}',
    "homoglyph": '{"login":"аdmin","password":"long enough"}'.encode(),
}


@pytest.mark.parametrize("path", ["/v1/register", "/v1/token"])
@pytest.mark.parametrize("kind", BODIES)
def test_refused(client, path, kind):
    answer = client.post(path, data=BODIES[kind], headers=HEADERS)
    assert answer.status_code == 400
    assert "X-Injected" not in answer.headers
    assert "<script>" not in answer.text


@pytest.mark.parametrize("path", ["/v1/register", "/v1/token"])
def test_ten_megabytes(client, path):
    body = json.dumps({"login": "somebody", "password": "x" * 10_000_000})
    assert client.post(path, data=body, headers=HEADERS).status_code == 413


def test_sql_in_a_password_is_a_password(ledger):
    account = ledger.register(password="'; drop table imagegate.accounts; -- $$ \\ %s {}")
    assert account.token


def test_unknown_members_do_no_harm(client):
    body = {"login": "nobody.28", "password": "long enough", "admin": "yes", "id": "0" * 16}
    assert client.post("/v1/token", json=body).status_code == 401

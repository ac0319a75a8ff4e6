"""Row 29: port 9000, the filtered way to the store."""

import hashlib
import http.client
import time
import urllib.parse

import boto3
import botocore.config
import botocore.exceptions
import pytest
from support import s3
from support.images import Images


@pytest.fixture(scope="module")
def send(stack):
    """A function that sends one request as it is and returns status and body."""
    parts = urllib.parse.urlsplit(stack.s3_url)

    def request(method, target, headers=None, body=None):
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=15)
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        assert answer.headers["X-Request-ID"]
        data = answer.read()
        connection.close()
        return answer.status, data

    return request


@pytest.fixture(scope="module")
def key(ledger, member):
    """The key of an object that is there."""
    return ledger.upload(member, Images.noise()).replace("-", "/", 1)


@pytest.fixture(scope="module", autouse=True)
def nothing_comes_or_goes(ledger, key):
    """Whatever is tried here, the bucket stays as it is."""
    before = s3.objects(ledger.store)
    yield
    assert s3.objects(ledger.store) == before


def pair(stack, right):
    return stack.secret(f"store_{right}_key"), stack.secret(f"store_{right}_secret")


def forged(access_key, payload, signature="0" * 64):
    """Headers that name a real key, without its secret."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={access_key}/{stamp[:8]}/us-east-1/s3/"
                             "aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
                             f"Signature={signature}",
            "X-Amz-Date": stamp, "X-Amz-Content-Sha256": payload}


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-For": "127.0.0.1"},
                                     {"X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"}])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
def test_anonymous(send, key, method, headers):
    for target in ("/", "/images", "/images/", "/images?list-type=2", f"/images/{key}",
                   f"/images/{key}?acl", "/images/new", "/other", "/other/key"):
        status, _ = send(method, target, headers, b"x" if method == "PUT" else None)
        assert status in (400, 403, 404, 405), target


@pytest.mark.parametrize("payload", ["STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                                     "streaming-unsigned-payload-trailer", "UNSIGNED-PAYLOAD",
                                     "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "",
                                     "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"])
@pytest.mark.parametrize("method, target", [("PUT", "/images/new"), ("GET", "/images/{key}"),
                                            ("GET", "/images?list-type=2")])
def test_a_key_name_without_its_secret(stack, send, key, payload, method, target):
    for right in ("put", "get", "gallery"):
        headers = forged(pair(stack, right)[0], payload)
        headers |= {"X-Amz-Decoded-Content-Length": "4", "X-Amz-Trailer": "x-amz-checksum-crc32c",
                    "Content-Encoding": "aws-chunked"} if method == "PUT" else {}
        chunks = b"4\r\nevil\r\n0\r\nx-amz-checksum-crc32c:AAAAAA==\r\n\r\n"
        body = chunks if method == "PUT" else None
        assert send(method, target.format(key=key), headers, body)[0] in (400, 403, 405)


def test_snowball(stack, send):
    headers = forged(pair(stack, "put")[0], hashlib.sha256(b"evil").hexdigest())
    headers["X-Amz-Meta-Snowball-Auto-Extract"] = "true"
    assert send("PUT", "/images/new.tar", headers, b"evil")[0] in (400, 403, 405)


@pytest.mark.parametrize("signature", ["s3v4", "s3"])
@pytest.mark.parametrize("right, operation", [("get", "get_object"), ("put", "put_object"),
                                              ("gallery", "delete_object")])
def test_presigned(stack, send, key, signature, right, operation):
    """Credentials in the query, genuine ones too."""
    client = s3.client(stack.s3_url, *pair(stack, right), signature)
    url = client.generate_presigned_url(operation, {"Bucket": "images", "Key": key}, 60)
    parts = urllib.parse.urlsplit(url)
    method = operation.partition("_")[0].upper()
    assert send(method, f"{parts.path}?{parts.query}", {}, b"x")[0] in (400, 403, 405)
    encoded = parts.query.replace("X-Amz", "X%2DAmz").replace("Signature", "Signatur%65")
    assert send(method, f"{parts.path}?{encoded}", {}, b"x")[0] in (400, 403, 405)


def test_old_signature(stack, send, key):
    access_key, _ = pair(stack, "get")
    for value in (f"AWS {access_key}:AAAA", f"Basic {access_key}", f"Bearer {access_key}"):
        assert send("GET", f"/images/{key}", {"Authorization": value})[0] in (400, 403)


def test_form(stack, send):
    """A browser's POST carries its credentials in fields."""
    client = s3.client(stack.s3_url, *pair(stack, "put"))
    form = client.generate_presigned_post("images", "new")
    lines = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
             for name, value in (form["fields"] | {"file": "evil"}).items()]
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert send("POST", "/images", headers, "".join(lines) + "--b--\r\n")[0] in (400, 403, 405)


@pytest.mark.parametrize("target", [
    "/minio/admin/v3/info", "/minio/admin/v3/list-users", "/minio/health/live", "/minio/",
    "/minio/health/cluster", "/minio/v2/metrics/cluster", "/minio/prometheus/metrics",
    "/minio/webrpc", "/minio/kms/v1/status", "/?Action=AssumeRole&Version=2011-06-15",
    "/images/../minio/admin/v3/info", "/images/%2e%2e/minio/health/live", "//minio/health/live",
    "/images/..%2fminio/health/live", "/images/./../minio/health/live", "/%6dinio/health/live",
    "/images//../minio/health/live", "/images%2f..%2fminio/health/live",
    "/images/../other/key", "/images2/key", "/imagesx", "/.minio.sys/config",
])
def test_nothing_but_the_bucket(stack, send, target):
    empty = hashlib.sha256(b"").hexdigest()
    root = forged(stack.secret("store_root_user"), empty)
    for method in ("GET", "POST"):
        for headers in ({}, root):
            assert send(method, target, headers)[0] in (400, 403, 404, 405)


@pytest.mark.parametrize("right, operation, more", [
    ("put", "put_object", {"Body": b"evil"}), ("gallery", "delete_object", {}),
    ("put", "create_multipart_upload", {}),
])
def test_writes_are_off(stack, key, right, operation, more):
    """With a genuine signature: port 9000 reads, unless the operator says otherwise."""
    client = s3.client(stack.s3_url, *pair(stack, right))
    with pytest.raises(botocore.exceptions.ClientError):
        getattr(client, operation)(Bucket="images", Key=key, **more)


def test_a_wrong_secret(stack, key):
    client = s3.client(stack.s3_url, pair(stack, "get")[0], "wrong" * 8)
    with pytest.raises(botocore.exceptions.ClientError) as refusal:
        client.get_object(Bucket="images", Key=key)
    assert refusal.value.response["Error"]["Code"] == "SignatureDoesNotMatch"


def test_assume_role(stack):
    access_key, secret = pair(stack, "get")
    sts = boto3.client("sts", endpoint_url=stack.s3_url, region_name="us-east-1",
                       aws_access_key_id=access_key, aws_secret_access_key=secret,
                       config=botocore.config.Config(proxies={},
                                                     retries={"total_max_attempts": 1}))
    with pytest.raises((botocore.exceptions.ClientError, botocore.parsers.ResponseParserError)):
        sts.assume_role(RoleArn="arn:aws:iam::000000000000:role/x", RoleSessionName="xx")


def test_a_signed_read_passes(stack, ledger, key):
    """So that the refusals above mean something."""
    client = s3.client(stack.s3_url, *pair(stack, "get"))
    body = client.get_object(Bucket="images", Key=key)["Body"].read()
    assert hashlib.sha256(body).hexdigest() == ledger.images[key.replace("/", "-", 1)].digest
    assert client.head_object(Bucket="images", Key=key)["ContentLength"] == len(body)


def test_a_signed_listing_passes(stack, key):
    client = s3.client(stack.s3_url, *pair(stack, "gallery"))
    assert key in s3.objects(client)

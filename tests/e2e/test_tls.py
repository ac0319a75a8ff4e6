"""The gateway by docker-compose.tls.yml, with certificates made for the test."""

import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
from types import SimpleNamespace

import pytest
from requests.structures import CaseInsensitiveDict
from support import substitute
from support.client import exchange, head
from support.images import Images
from support.ledger import Account
from support.problem import check_rules
from support.stack import TREE, free_port
from support.wait import until

HOST = "gateway.test"
HSTS = "Strict-Transport-Security"


def make_pair(folder, name, days=2):
    """A self-signed certificate for HOST, and its key: two files."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc",
                    "-days", str(days), "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


class Gateway:
    """What speaks TLS: requests by curl, and bare connections."""

    def __init__(self, stack, port, files):
        self.stack = stack
        self.port = port
        self.files = files  # where the gateway has its certificate and key from

    def install(self, certificate, key):
        return self.stack.script("certificate", *map(str, (certificate, key, *self.files)))

    def connect(self, certificate=None, **options):
        """A connection whose other side is checked with the certificate, if one is given."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if certificate:
            context.load_verify_locations(certificate)
        else:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        # Old versions are to be refused by the gateway, not by this side.
        context.set_ciphers(options.pop("ciphers", "ALL:@SECLEVEL=0"))
        session = options.pop("session", None)
        for name, value in options.items():
            setattr(context, name, value)
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=15)
        return context.wrap_socket(plain, server_hostname=HOST, session=session)

    def served(self):
        """The certificate that it uses, as PEM."""
        with self.connect() as wire:
            return ssl.DER_cert_to_PEM_cert(wire.getpeercert(binary_form=True))

    def curl(self, version, method, path, *options, token=None, body=b""):
        """One request; the answer keeps the rules."""
        token = ["--header", f"Authorization: Bearer {token}"] if token else []
        done = subprocess.run(
            ["curl", "--disable", "--noproxy", "*", "--silent", "--show-error", f"--http{version}", "--max-time", "30",
             "--cacert", self.files[0], "--resolve", f"{HOST}:{self.port}:127.0.0.1", "--request", method,
             "--write-out", "%{stderr}%{http_code} %{http_version} %{header_json}", *token, *options,
             f"https://{HOST}:{self.port}{path}"], input=body, capture_output=True, check=True)
        status, spoken, headers = done.stderr.decode().split(" ", 2)
        headers = CaseInsensitiveDict({name: ", ".join(values) for name, values in json.loads(headers).items()})
        check_rules(int(status), headers, done.stdout, method)
        assert spoken == version
        assert headers[HSTS] == "max-age=63072000"
        return SimpleNamespace(status=int(status), headers=headers, body=done.stdout)


@pytest.fixture(scope="module")
def tls(stack, ledger, tmp_path_factory):
    """The test stack's gateway with the override, for this module; the ledger's account is made before."""
    port, files = free_port(), [stack.secrets_dir / name for name in ("tls_certificate", "tls_key")]
    gateway = Gateway(stack, port, files)
    done = gateway.install(*make_pair(tmp_path_factory.mktemp("pair"), "first"))
    assert done.returncode == 0, done.stderr
    with substitute.remade_gateway(stack, "metrics", COMPOSE_FILE="docker-compose.yml:docker-compose.tls.yml", HTTPS_PORT=str(port),
                            HTTPS_BIND="127.0.0.1", TLS_CERTIFICATE_FILE=str(files[0]), TLS_KEY_FILE=str(files[1])):
        yield gateway
        ledger.verify_logs()
    for file in files:
        file.unlink()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_older_versions_are_refused(tls, version):
    with pytest.raises(ssl.SSLError, match="(?i)protocol.version"):
        tls.connect(minimum_version=version, maximum_version=version)


@pytest.mark.parametrize("ciphers", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "aNULL"])
def test_weak_ciphers_are_refused(tls, ciphers):
    with pytest.raises(ssl.SSLError, match="(?i)handshake.failure"):
        tls.connect(ciphers=f"{ciphers}:@SECLEVEL=0", maximum_version=ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions(tls, version):
    with tls.connect(tls.files[0], minimum_version=version, maximum_version=version) as wire:
        assert wire.version() == version.name.replace("_", ".")


def test_sessions_are_resumed_without_tickets(tls):
    with tls.connect(maximum_version=ssl.TLSVersion.TLSv1_2) as wire:
        session, context = wire.session, wire.context
    assert session.id and not session.has_ticket
    plain = socket.create_connection(("127.0.0.1", tls.port), timeout=15)
    with context.wrap_socket(plain, server_hostname=HOST, session=session) as wire:
        assert wire.session_reused


@pytest.mark.parametrize("path", ["/", "/v1/user", "/v1/token?a=b", "/readyz", "/v1/upload", "//evil.test", "/%0d%0aX:%20y"])
def test_port_80_only_redirects(stack, tls, member, path):
    body = b"x" * 10_000
    headers = [*member.headers.items(), ("Content-Length", len(body))]
    for method in ("GET", "POST", "PUT", "DELETE"):
        answer = exchange(stack.base_url, head(method, path, *headers, host=f"{HOST}:80") + body, method)
        assert (answer.status, answer.headers["Location"]) == (308, f"https://{HOST}:{tls.port}{path}")
        assert HSTS not in answer.headers


@pytest.mark.usefixtures("tls")
def test_port_80_does_not_know_where_to(stack):
    assert exchange(stack.base_url, b"GET /status HTTP/1.0\r\n\r\n").status == 400


@pytest.mark.usefixtures("tls")
def test_port_80_lives(client):
    answer = client.get("/livez")
    assert answer.json() == {"status": "OK"} and HSTS not in answer.headers
    refused = client.post("/livez")
    assert refused.status_code == 405 and HSTS not in refused.headers


def test_plain_http_on_the_tls_port(tls, member):
    answer = exchange(f"http://127.0.0.1:{tls.port}", head("GET", "/v1/user", *member.headers.items()))
    assert answer.status == 400


@pytest.mark.parametrize("version", ["1.1", "2"])
def test_problems(tls, member, version):
    def status(method, path, *options, **more):
        return tls.curl(version, method, path, *options, **more).status

    length = ("--data-binary", "@-", "--header", "Content-Type: application/json")
    chunked = ("--upload-file", "-", "--header", "Content-Type: application/json")
    assert status("GET", "/nothing") == 404
    assert status("GET", "/v1/user") == 401
    assert status("GET", "/v1/user", "--header", "Authorization: Bearer x", token=member.token) == 400
    assert status("POST", "/v1/token", *length, body=b"{") == 400
    assert status("POST", "/v1/token", *length, body=b" " * 8193) == 413
    assert status("POST", "/v1/token", *chunked, body=b" " * 8193) == 413
    assert status("POST", "/v1/upload", *chunked, body=Images.noise().data) == 401
    refused = tls.curl(version, "PUT", "/v1/token")
    assert (refused.status, refused.headers["Allow"]) == (405, "POST, DELETE")


def test_no_header_without_end(tls):
    """HTTP/2 has no 431: the connection ends.  Others go on."""
    for header in ("X-Long: " + "~" * 40_000, "X" * 40_000 + ": v"):
        with pytest.raises(subprocess.CalledProcessError):
            tls.curl("2", "GET", "/status", "--header", header)
    assert tls.curl("2", "GET", "/status").status == 200


@pytest.mark.parametrize("version", ["1.1", "2"])
def test_journey(tls, ledger, version):
    def call(*arguments, **more):
        return tls.curl(version, *arguments, **more)

    account, image = Account(f"tls.{version}", f"pass over tls {version}"), Images.noise()
    document = ("--data-binary", "@-", "--header", "Content-Type: application/json")
    credentials = json.dumps(account.credentials).encode()
    ledger.passwords.add(account.password)
    assert call("POST", "/v1/register", *document, body=credentials).status == 201
    account.token = json.loads(call("POST", "/v1/token", *document, body=credentials).body)["access_token"]

    ledger.sent(image.data)
    for way in ("--data-binary", "@-"), ("--upload-file", "-"):  # with a length, and without
        stored = call("POST", "/v1/upload", *way, token=account.token, body=image.data)
        assert stored.status == 201
        name, path = json.loads(stored.body)["filename"], stored.headers["Location"]
        for _ in range(2):  # from the store, and from the cache
            read = call("GET", path, token=account.token)
            assert (read.status, read.body, read.headers["Content-Type"]) == (200, image.data, image.type)
        assert call("GET", path, "--range", "1-9", token=account.token).body == image.data[1:10]
        same = ("--header", f"If-None-Match: {read.headers['ETag']}")
        assert call("GET", path, *same, token=account.token).status == 304
        listed = json.loads(call("GET", "/v1/images", token=account.token).body)["images"]
        assert [entry["filename"] for entry in listed] == [name]
        assert call("DELETE", path, token=account.token).status == 204
        gone = call("GET", path, token=account.token)
        assert gone.status == 404
    assert call("DELETE", "/v1/token", token=account.token).status == 204
    assert call("GET", "/v1/user", token=account.token).status == 401


def test_another_pair_that_does_not_fit(tls, tmp_path):
    before = [file.read_bytes() for file in tls.files]
    served = tls.served()
    (certificate, key), (_, another) = make_pair(tmp_path, "one"), make_pair(tmp_path, "other")
    for pair in ((certificate, another), (key, certificate), (certificate, tmp_path / "absent")):
        done = tls.install(*pair)
        assert done.returncode == 1 and "certificate:" in done.stderr
        assert [file.read_bytes() for file in tls.files] == before
    assert tls.served() == served


def test_a_change_that_is_cut(tls, tmp_path):
    """Nothing stays of a pair that the gateway has not taken."""
    certificate, key = make_pair(tmp_path, "cut")
    before = [file.read_bytes() for file in tls.files]
    with subprocess.Popen([TREE / "scripts/certificate", certificate, key, *tls.files], env=tls.stack.environ,
                          start_new_session=True) as running:
        until(lambda: tls.files[1].read_bytes() == key.read_bytes(), 20, "the new key is there")
        os.killpg(running.pid, signal.SIGTERM)
    assert running.returncode == 130
    assert [file.read_bytes() for file in tls.files] == before


def test_a_renewed_certificate(tls, ledger, member, tmp_path):
    """It is used at once, and an upload that has begun before comes to its end."""
    certificate, key = make_pair(tmp_path, "renewed")
    image = Images.noise(100, 100)
    half = len(image.data) // 2
    headers = [*member.headers.items(), ("Content-Length", len(image.data)), ("Connection", "close")]
    with tls.connect(tls.files[0]) as wire:
        ledger.sent(image.data)
        wire.sendall(head("POST", "/v1/upload", *headers, host=HOST) + image.data[:half])
        done = tls.install(certificate, key)
        assert done.returncode == 0, done.stderr
        until(lambda: tls.served() == certificate.read_text(), 20, "the certificate is used")
        wire.sendall(image.data[half:])
        answer = http.client.HTTPResponse(wire, method="POST")
        answer.begin()
        text = answer.read().decode()
    assert answer.status == 201, text
    ledger.answered(answer.status, answer.headers, text, image.data)
    read = tls.curl("2", "GET", answer.headers["Location"], token=member.token)
    assert read.body == image.data


def test_its_end_is_told(stack, tls, tmp_path):
    """Of the one that is used, also when it has been renewed; by who does not have the key."""
    def told():
        text = stack.exec("gateway", "curl", "-s", "http://127.0.0.1:9101/metrics").stdout
        return re.findall(r"^imagegate_certificate_not_after_seconds (\d+)$", text, re.M)

    for name, days in (("renewed", 90), ("older", 3)):
        done = tls.install(*make_pair(tmp_path, name, days))
        assert done.returncode == 0, done.stderr
        end = subprocess.run(["openssl", "x509", "-noout", "-enddate", "-in", tls.files[0]], check=True, capture_output=True,
                             text=True).stdout.strip().removeprefix("notAfter=")
        assert told() == [str(ssl.cert_time_to_seconds(end))]
    assert stack.shell("metrics", "ls /run/secrets").stdout.split() == ["tls_certificate"]


def test_the_files_are_closed(stack, tls):
    assert [file.stat().st_mode & 0o777 for file in tls.files] == [0o444, 0o444]
    assert stack.secrets_dir.stat().st_mode & 0o777 == 0o700
    mounts = {mount["Destination"]: mount["RW"] for mount in stack.inspect("gateway")["Mounts"]}
    assert mounts["/run/secrets/tls_key"] is False
    for service in ("security", "uploader", "storage"):
        assert "tls_key" not in stack.shell(service, "ls /run/secrets").stdout
    assert stack.shell("gateway", "ls /run/secrets").stdout.split() == ["tls_certificate", "tls_key"]


def test_an_open_folder_is_refused(tls, tmp_path):
    certificate, key = make_pair(tmp_path, "open")
    tmp_path.chmod(0o755)
    done = tls.stack.script("certificate", *map(str, (certificate, key, tmp_path / "to", tmp_path / "to.key")))
    assert done.returncode == 1 and "chmod 700" in done.stderr
    assert not (tmp_path / "to.key").exists()

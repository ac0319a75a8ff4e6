"""What the pools count: who sees it, and that it is what happened."""

import re
import subprocess

import pytest
from support.images import Images
from support.stack import BY_TLS, POOLS, TREE
from support.tokens import encode
from support.wait import until

PUBLIC = "http://gateway/metrics"
INSIDE = "http://gateway:9101/metrics"
PROGRAM = {"security": "accounts", "security-validate": "validate", "uploader": "uploader",
           "uploader-signer": "signer", "uploader-gallery": "gallery",
           "security-revocations": "revocations"}


@pytest.fixture(scope="module")
def scrape(client):
    """A function that returns all series: `name{labels}` -> value."""
    def series():
        answer = client.get("/metrics")
        assert answer.status_code == 200, answer.text
        lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
        found = {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}
        assert len(found) == len(lines), "a series stands there twice"
        return found

    return series


@pytest.fixture
def grown(scrape):
    """A function that tells by how much a series has grown since the test began."""
    before = scrape()
    return lambda name: scrape().get(name, 0) - before.get(name, 0)


def requests(app, method, route, status):
    return (f'http_requests_total{{app_name="{app}",method="{method}",route="{route}",'
            f'status="{status}"}}')


def status_of(stack, url, *options):
    """The status for a client in the container of the store."""
    return stack.exec("storage", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *options,
                      url).stdout


# -- who sees it

@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
@pytest.mark.parametrize("value", ["127.0.0.1", "::1", "0"])
def test_what_a_proxy_passes_on_is_refused(client, header, value):
    """It comes from the host as well."""
    assert client.get("/metrics", headers={header: value}).status_code == 403


def test_other_addresses_are_refused(stack):
    assert status_of(stack, PUBLIC) == "403"
    assert status_of(stack, PUBLIC, "-H", "X-Forwarded-For: 127.0.0.1") == "403"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_methods(client, method):
    answer = client.request(method, "/metrics")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_the_host_and_the_inside_see_it(stack, client):
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert client.head("/metrics").status_code == 200
    assert status_of(stack, INSIDE) == "200"
    assert status_of(stack, INSIDE, "-X", "POST") == "405"
    assert status_of(stack, "http://gateway:9101/") == "404"


@pytest.mark.parametrize("service", PROGRAM)
def test_only_the_owner_writes(stack, service):
    folder = f"/run/imagegate-metrics/{PROGRAM[service]}"
    modes = stack.shell("metrics", f"stat -c '%a %g' {folder} {folder}/*").stdout.split("\n")
    assert modes[:2] == ["2750 2007", "640 2007"]
    for command in (f"touch {folder}/x", f"rm -f {folder}/*", f": >>$(echo {folder}/*)"):
        assert stack.shell("metrics", command, check=False).returncode != 0, command
    assert stack.shell("gateway", "ls /run/imagegate-metrics", check=False).returncode != 0
    seen = stack.shell(service, "ls /run/imagegate-metrics").stdout
    assert re.fullmatch(r"counters-[0-9a-f]{16}\n", seen)


# -- its form

def test_promtool(client):
    done = subprocess.run(["promtool", "check", "metrics"], input=client.get("/metrics").text,
                          capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_document_names_each(client):
    shown = set(re.findall(r"^# TYPE (\w+) ", client.get("/metrics").text, re.M))
    named = set(re.findall(r"^\| `(\w+)` ", (TREE / "docs" / "metrics.md").read_text(), re.M))
    assert named - shown == BY_TLS
    assert shown <= named


# -- that it is what happened

def test_logins(ledger, account, grown):
    assert ledger.try_login(account).status_code == 200
    wrong = type(account)(account.login, "another password")
    assert ledger.try_login(wrong).status_code == 401
    assert ledger.client.post("/v1/token", data="{").status_code in (400, 415)
    assert grown('imagegate_logins_total{result="ok"}') == 1
    assert grown('imagegate_logins_total{result="refused"}') == 1
    assert grown('imagegate_logins_total{result="malformed"}') == 1
    assert grown(requests("security", "POST", "/v1/token", 200)) == 1
    assert grown(requests("security", "POST", "/v1/token", 401)) == 1
    assert grown("imagegate_pbkdf2_seconds_count") == 2
    assert grown('imagegate_database_seconds_count{operation="login"}') == 2


def test_uploads(ledger, account, grown):
    images = [Images.noise() for _ in range(3)]
    for image in images:
        ledger.upload(account, image)
    assert ledger.try_upload(account, b"no image at all").status_code == 415
    extension = {"jpg": "jpeg"}.get(images[0].extension, images[0].extension)
    assert grown(f'imagegate_uploads_total{{result="stored",type="{extension}"}}') == 3
    assert grown('imagegate_uploads_total{result="media_type",type="none"}') == 1
    assert grown("imagegate_upload_bytes_total") == sum(len(image.data) for image in images)
    assert grown(requests("uploader", "POST", "/v1/upload", 201)) == 3
    assert grown(requests("uploader", "POST", "/v1/upload", 415)) == 1
    assert grown('imagegate_store_seconds_count{operation="put"}') == 3


def test_validations(client, mint, member, grown):
    """Refusals are never cached, so each is counted."""
    tokens = {"expired": mint.token(member.id, iat=1, exp=2, auth_time=1), "claims": mint.token(member.id, aud="other"),
              "signature": mint.sign(mint.claims(member.id), key=b"k" * 32), "malformed": "x.y",
              "key": mint.sign(mint.claims(member.id), header=mint.header(kid="unknown"))}
    for token in tokens.values():
        answer = client.get("/v1/images", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
    assert client.get("/v1/images").status_code == 401
    for result in ("absent", *tokens):
        assert grown(f'imagegate_validations_total{{result="{result}"}}') == 1, result
    assert client.get("/v1/images", headers={"Authorization": f"Bearer {mint.token(member.id)}"}).status_code == 200
    assert grown('imagegate_validations_total{result="ok"}') == 1
    assert grown(requests("security", "GET", "/auth", 401)) == 6
    assert grown(requests("security", "GET", "/auth", 204)) == 1


def test_a_killed_worker_takes_nothing_along(stack, ledger, account, scrape, grown, recovers):
    ledger.upload(account, Images.noise())
    before = scrape()
    stack.kill_workers("uploader")
    workers = before['imagegate_workers{pool="uploader"}']
    until(lambda: scrape()['imagegate_workers{pool="uploader"}'] == workers, 30,
          "the workers are back")
    after = scrape()
    lost = [name for name in before
            if re.match(r"(http|imagegate)_\w+_(total|count|bucket)\b", name) and after.get(name, 0) < before[name]]
    assert not lost
    assert grown('imagegate_worker_restarts_total{pool="uploader"}') == workers
    recovers()
    assert scrape()['imagegate_workers_busy{pool="uploader"}'] == 0


def test_every_pool_is_up(stack, scrape):
    series = scrape()
    for service, program in PROGRAM.items():
        assert series[f'imagegate_pool_up{{pool="{program}"}}'] == 1
        if service in POOLS:
            assert series[f'imagegate_workers{{pool="{program}"}}'] == len(stack.workers(service))
    assert series["imagegate_revocations_age_seconds"] < 5
    assert series["imagegate_revocations"] >= 0


def test_no_client_makes_a_series(client, member, scrape):
    known = set(re.findall(r"(/[\w/{}]+|other)\"", (TREE / "lib" / "metrics.h").read_text()))
    for path in ("/v1/user/%s", "/%s", "/v1/token/%s", "/images/%s"):
        for name in ("%22%7D%20", encode(b"x" * 40), "%5C%0A", "route"):
            for method in ("GET", "DELETE", "BREW"):
                client.request(method, path % name, headers=member.headers)
    for method in ("BREW", "A'", "OPTIONS"):
        for path in ("/v1/register", "/v1/token", "/v1/upload"):
            client.request(method, path)
    labels = [dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', name)) for name in scrape()]
    assert {label["route"] for label in labels if "route" in label} <= known
    assert {label["method"] for label in labels if "method" in label} <= {
        "GET", "POST", "PUT", "DELETE", "other"}
    assert len(labels) < 2000

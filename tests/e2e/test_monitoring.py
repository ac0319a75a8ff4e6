"""The profile `monitoring` beside the test stack: every rule is asked of the live Prometheus while the service is used."""

import json
import math
import re
import time
import urllib.parse

import pytest
import requests
import yaml
from support.images import Images
from support.ledger import TOKEN, Account
from support.stack import BY_TLS, TREE, docker, free_port
from support.substitute import TOOLCHAIN, container
from support.wait import until

USERS = {"prometheus": 2201, "nginx-exporter": 2202, "postgres-exporter": 2203}
SECRETS = {"prometheus": {"store_monitoring_key", "store_monitoring_secret"}, "nginx-exporter": set(),
           "postgres-exporter": {"db_monitoring_password"}}
NETWORKS = {"prometheus": {"prometheus", "monitoring", "store"}, "nginx-exporter": {"monitoring"},
            "postgres-exporter": {"monitoring", "users"}}
JOBS = {"imagegate", "nginx", "postgresql", "minio", "prometheus"}
LIMIT = 120  # seconds for what takes a few scrapes
ALERTMANAGER = "alertmanager.test:9093"
ROUNDS = 20  # of use and a scrape, where three do


def rules(name):
    document = yaml.safe_load((TREE / "monitoring" / name).read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


RECORDED, ALERTS = rules("rules.yml"), rules("alerts.yml")


class Prometheus:
    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path, **options):
        return self.session.get(self.url + path, timeout=30, **options)

    def data(self, path, **parameters):
        answer = self.get(f"/api/v1/{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def query(self, expression):
        """The values of an expression that is a vector."""
        data = self.data("query", query=expression)
        assert data["resultType"] == "vector"
        return [float(sample["value"][1]) for sample in data["result"]]

    def found(self, expression):
        """Its values, of which there are some; a scrape that takes too long leaves a gap."""
        return until(lambda: self.query(expression), LIMIT, f"{expression} has a value")

    def ready(self):
        try:
            return self.get("/-/ready").status_code == 200
        except requests.ConnectionError:
            return False

    def targets(self):
        """Job -> its health."""
        active = self.data("targets", state="active")["activeTargets"]
        return {target["labels"]["job"]: target["health"] for target in active}

    def scraped(self):
        """When the pools' metrics were looked at last."""
        return max(self.query("timestamp(imagegate_build_info)"), default=0)


# What it gets, a line of its log each: the path and the body.
RECEIVER = """
import http.server

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        print(self.path, self.rfile.read(int(self.headers["Content-Length"])).decode(), flush=True)
        self.send_response(200)
        self.end_headers()

http.server.HTTPServer(("", 9093), Receiver).serve_forever()
"""


@pytest.fixture(scope="module")
def sent(stack):
    """A function that returns all alerts that Prometheus has sent to its Alertmanager, which is there for that."""
    with container("--network", f"{stack.project}_monitoring", "--network-alias", ALERTMANAGER.split(":", maxsplit=1)[0],
                   "--user", "65534:65534", "--read-only", TOOLCHAIN, "python3", "-c", RECEIVER) as ident:
        def alerts():
            lines = [line.split(" ", 1) for line in docker("logs", ident).stdout.splitlines()]
            assert {path for path, _ in lines} <= {"/api/v2/alerts"}
            return [alert for _, body in lines for alert in json.loads(body)]

        yield alerts


@pytest.fixture(scope="module")
def prometheus(stack, sent):  # pylint: disable=unused-argument
    port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"PROFILE": "monitoring", "PROMETHEUS_PORT": str(port), "PROMETHEUS_INTERVAL": "5s",
                            "ALERTMANAGER": ALERTMANAGER}.items():
            patch.setenv(name, value)
        try:
            done = stack.script("compose", "up", "-d", "--no-deps", *USERS)
            assert done.returncode == 0, done.stderr
            stack.forget()
            prometheus = Prometheus(port)
            until(prometheus.ready, LIMIT, "Prometheus is ready")
            yield prometheus
        finally:
            stack.script("compose", "rm", "--stop", "--force", *USERS)
            docker("volume", "rm", f"{stack.project}_prometheus", check=False)
            docker("network", "rm", f"{stack.project}_prometheus", check=False)
            stack.forget()


every_service = pytest.mark.parametrize("service", USERS)
pytestmark = pytest.mark.usefixtures("prometheus")


# -- what it must not do

@pytest.mark.parametrize("path", ["/-/reload", "/-/quit", "/api/v1/admin/tsdb/snapshot", "/api/v1/admin/tsdb/delete_series",
                                  "/api/v1/admin/tsdb/clean_tombstones", "/api/v1/write"])
def test_nothing_is_changed_from_outside(prometheus, path):
    answer = prometheus.session.post(prometheus.url + path, params={"match[]": "up"}, timeout=30)
    assert not answer.ok and re.search("not enabled|disabled|needs to be enabled", answer.text), answer.text
    assert prometheus.ready()


def test_no_page_of_another_origin_reads_it(prometheus):
    answer = prometheus.get("/api/v1/query", params={"query": "up"}, headers={"Origin": "https://evil.test"})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_the_store_shows_metrics_by_the_token_only(stack):
    def status(*options):
        url = "http://storage:9000/minio/v2/metrics/cluster"
        return stack.exec("prometheus", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *options, url).stdout

    token = stack.shell("prometheus", "cat /run/prometheus/token").stdout
    header, claims, signature = token.split(".")
    other = signature[:10] + ("A" if signature[10] != "A" else "B") + signature[11:]
    assert status() == "403"
    assert status("-H", f"Authorization: Bearer {header}.{claims}.{other}") == "403"
    assert status("-H", f"Authorization: Bearer {token}") == "200"


@pytest.mark.parametrize("settings", [
    {"PROMETHEUS_INTERVAL": "1m", "PROMETHEUS_RETENTION": "long", "PROMETHEUS_SIZE": "2", "STORE_HOST": "http://storage",
     "ALERTMANAGER": "alerts|x"},
    {"STORE_MONITORING_KEY": "", "STORE_MONITORING_SECRET_FILE": "/nowhere"},
    {"STORE_MONITORING_SECRET": "s" * 129}])
def test_bad_settings_are_refused(stack, settings):
    words = {"STORE_MONITORING_KEY": "k" * 20} | settings
    if "STORE_MONITORING_SECRET_FILE" not in words:
        words = {"STORE_MONITORING_SECRET": "s" * 40} | words
    made = stack.inspect("prometheus")["Config"]
    options = [word for pair in words.items() for word in ("--env", "=".join(pair))]
    done = docker("run", "--rm", "--network", "none", "--read-only", *options, made["Image"], *made["Cmd"], check=False)
    assert done.returncode == 78
    assert [name for name in settings if name not in done.stderr] == []
    assert "s" * 40 not in done.stderr


# -- how it is confined

@every_service
def test_confined(stack, service):
    made = stack.inspect(service)
    host = made["HostConfig"]
    assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["CapAdd"] and not host["Privileged"]
    assert set(host["SecurityOpt"]) & {"no-new-privileges", "no-new-privileges:true"}
    assert host["Memory"] > 0 and host["PidsLimit"] > 0
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert made["Config"]["User"] == f"{USERS[service]}:{USERS[service]}"
    assert set(made["NetworkSettings"]["Networks"]) == {f"{stack.project}_{name}" for name in NETWORKS[service]}
    ports = [binding["HostIp"] for bindings in (host["PortBindings"] or {}).values() for binding in bindings]
    assert ports == (["127.0.0.1"] if service == "prometheus" else [])
    for mount in made["Mounts"]:
        assert mount["Type"] == "volume" or mount["Destination"].startswith("/run/secrets/") and not mount["RW"]


@every_service
def test_no_secret_in_sight(stack, service):
    """In its container, its processes or its log there is none but its own, and that in files."""
    assert set(stack.shell(service, "ls /run/secrets 2>/dev/null || true").stdout.split()) == SECRETS[service]
    seen = json.dumps(stack.inspect(service)) + docker("top", stack.containers[service]).stdout + stack.logs(service)
    seen += stack.shell(service, "cat /proc/[0-9]*/environ", check=False).stdout
    assert not TOKEN.search(seen)
    for word in stack.secrets:
        assert word not in seen


# -- what it sees

def metrics(expression):
    """The names of metrics in an expression."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\b(by|without|on|ignoring) *\([^)]*\)', " ", expression)
    return set(re.findall(r"\b[a-z_][\w:]*\b(?! *\()", bare)) - {"and", "or", "unless", "bool"}


def use(ledger):
    """Something of everything that is counted."""
    account = ledger.register()
    assert ledger.try_login(Account(account.login, "another password")).status_code == 401
    name = ledger.upload(account, Images.noise())
    assert ledger.client.get(f"/v1/user/{name}", headers=account.headers).status_code == 200
    assert ledger.client.get("/v1/images", headers=account.headers).status_code == 200
    assert ledger.client.get("/v1/images").status_code == 401


@pytest.fixture(scope="module")
def seen(prometheus, ledger):
    """Everything has been looked at while it was used, until each recorded series has a value."""
    until(lambda: prometheus.targets() == dict.fromkeys(JOBS, "up"), LIMIT, "all targets are up")
    for _ in range(ROUNDS):
        before = prometheus.scraped()
        use(ledger)
        until(lambda since=before: prometheus.scraped() > since, LIMIT, "another scrape")
        missing = {rule["record"] for rule in RECORDED if not prometheus.query(rule["record"])}
        if not missing:
            return
    assert not missing


@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize("rule", RECORDED, ids=lambda rule: rule["record"])
def test_each_recorded_number_is_there(prometheus, rule):
    for expression in (rule["expr"], rule["record"]):
        assert all(map(math.isfinite, prometheus.found(expression)))


@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_each_alert_looks_at_what_is_there(prometheus, alert):
    prometheus.query(alert["expr"])
    names = metrics(alert["expr"])
    assert names and names - BY_TLS <= set(prometheus.data("label/__name__/values"))
    assert set(re.findall(r'job!?[=~]+"([\w|]+)"', alert["expr"])) <= JOBS | {"imagegate|minio"}


@pytest.mark.usefixtures("seen")
def test_it_judges_by_these_rules(prometheus):
    found = [rule for group in prometheus.data("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in found} == {rule.get("record") or rule["alert"] for rule in (*RECORDED, *ALERTS)}
    assert not [rule["lastError"] for rule in found if "lastError" in rule]


@pytest.mark.usefixtures("seen")
def test_the_page_draws_what_is_there(prometheus):
    """Each link of the page leads to a graph of series that are there."""
    text = (TREE / "docs" / "monitoring.md").read_text()
    links = re.findall(r"\(http://127\.0\.0\.1:9090(/classic/graph\?[^)]+)\)", text)
    assert len(links) >= 8
    for link in links:
        assert 'id="graph_container"' in prometheus.get(link).text
        shown = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)
        expressions = [value for name, (value,) in shown.items() if name.endswith(".expr")]
        assert expressions and all(map(prometheus.found, expressions)), link


@pytest.mark.usefixtures("seen")
def test_an_alert_is_raised_and_ends(stack, prometheus):
    def raised():
        return [alert["labels"]["job"] for alert in prometheus.data("alerts")["alerts"]
                if alert["labels"]["alertname"] == "MonitoringTargetDown"]

    stack.stop("nginx-exporter")
    until(lambda: raised() == ["nginx"], LIMIT, "the alert is pending")
    stack.start("nginx-exporter")
    until(lambda: not raised(), LIMIT, "the alert has ended")


@pytest.mark.usefixtures("seen")
def test_an_alert_is_sent(stack, sent, recovers):
    """One that fires at once: workers die again and again."""
    before = len(stack.workers("uploader-signer"))
    for _ in range(4):
        stack.kill_workers("uploader-signer")
        until(lambda: len(stack.workers("uploader-signer")) == before, 30, "the workers are back")
    alert = until(lambda: [alert for alert in sent() if alert["labels"]["alertname"] == "WorkersRestart"], LIMIT, "it is sent")[0]
    assert alert["labels"] == {"alertname": "WorkersRestart", "pool": "signer", "severity": "warning"}
    assert alert["annotations"]["summary"].startswith("Workers of signer have died")
    recovers()


@pytest.mark.usefixtures("seen", "rotated")
@pytest.mark.parametrize("profile", ["monitoring", ""])
@pytest.mark.parametrize("what", ["key", "store-keys", "db-passwords"])
def test_it_goes_on_after_a_rotation(stack, prometheus, monkeypatch, what, profile):
    """Whether or not who rotates thinks of the profile."""
    monkeypatch.setenv("PROFILE", profile)
    done = stack.script(f"rotate-{what}", str(stack.secrets_dir))
    assert done.returncode == 0, done.stdout + done.stderr
    stack.forget()
    assert set(USERS) <= set(stack.containers)
    ended = time.time()
    until(prometheus.ready, LIMIT, "Prometheus is ready")
    for expression, count in (("up", len(JOBS)), ("pg_up", 1), ("imagegate_pool_up", 6)):
        fresh = f"timestamp({expression}) > {ended} and {expression} == 1"
        until(lambda query=fresh, n=count: len(prometheus.query(query)) == n, LIMIT, f"{expression} is 1 again")

"""How the containers are confined: read off the running ones with docker inspect."""

import json
import urllib.parse

import pytest
from support.stack import ONE_SHOTS, SERVICES, docker
from support.wait import until

USERS = {"gateway": 2000, "security": 2001, "security-validate": 2002, "security-revocations": 2003,
         "uploader": 2004, "uploader-signer": 2005, "uploader-gallery": 2006,
         "metrics": 2007, "storage": 2101,
         "createbuckets": 2102, "migrate": 2103, "db": 2104}

NETWORKS = {"public": {"gateway"}, "monitoring": {"gateway"},
            "store": {"gateway", "uploader", "uploader-gallery", "storage", "createbuckets"},
            "users": {"security", "security-revocations", "migrate", "db"}}

SECRETS = {"gateway": set(), "security": {"jwt_keys", "db_accounts_password"},
           "security-validate": {"jwt_keys"}, "security-revocations": {"db_revocations_password"},
           "uploader": {"store_put_key", "store_put_secret"},
           "uploader-signer": {"store_get_key", "store_get_secret"},
           "uploader-gallery": {"store_gallery_key", "store_gallery_secret"},
           "metrics": set(), "db": {"db_owner_password"},
           "storage": {"store_root_user", "store_root_password"}}

every_service = pytest.mark.parametrize("service", [*SERVICES, *ONE_SHOTS])
lasting_service = pytest.mark.parametrize("service", SERVICES)


def test_these_services_and_no_other(stack):
    assert set(stack.containers) == {*SERVICES, *ONE_SHOTS}


@every_service
def test_confined(stack, service):
    host = stack.inspect(service)["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"] and not host["CapAdd"]
    assert not host["Privileged"] and not host["Devices"]
    assert set(host["SecurityOpt"]) & {"no-new-privileges", "no-new-privileges:true"}
    assert host["Memory"] > 0
    assert (host["PidsLimit"] or 0) > 0
    assert host["PidMode"] != "host" and host["IpcMode"] != "host" and not host["UsernsMode"]


@every_service
def test_user(stack, service):
    user = stack.inspect(service)["Config"]["User"]
    assert user == f"{USERS[service]}:{USERS[service]}"


@lasting_service
def test_stays_up(stack, service):
    assert stack.inspect(service)["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    stack.wait_healthy(service)


@pytest.mark.parametrize("service", ONE_SHOTS)
def test_has_done_its_work(stack, service):
    state = stack.inspect(service)["State"]
    assert (state["Status"], state["ExitCode"]) == ("exited", 0)


@lasting_service
def test_runs_without_capabilities(stack, service):
    """Every process, as the kernel sees it; that of a health check has not given up everything when Docker begins with it."""

    def confined():
        status = stack.shell(service, "cat /proc/[0-9]*/status").stdout
        fields = [line.split() for line in status.splitlines()]
        users = {word for field in fields if field[0] == "Uid:" for word in field[1:]}
        capabilities = {field[1] for field in fields if field[0] in ("CapPrm:", "CapEff:", "CapBnd:")}
        privileges = {field[1] for field in fields if field[0] == "NoNewPrivs:"}
        return (users, capabilities, privileges) == ({str(USERS[service])}, {"0" * 16}, {"1"})

    until(confined, 3, f"{service} runs as its user, with no capability and no way to one")


def test_only_the_gateway_publishes_ports(stack):
    http, s3 = (str(urllib.parse.urlsplit(url).port) for url in (stack.base_url, stack.s3_url))
    for service in (*SERVICES, *ONE_SHOTS):
        bindings = stack.inspect(service)["HostConfig"]["PortBindings"] or {}
        if service != "gateway":
            assert not bindings, service
            continue
        assert set(bindings) == {"80/tcp", "9000/tcp"}
        assert [binding["HostPort"] for binding in bindings["80/tcp"]] == [http]
        assert bindings["9000/tcp"] == [{"HostIp": "127.0.0.1", "HostPort": s3}]


@every_service
def test_networks(stack, service):
    found = stack.inspect(service)["NetworkSettings"]["Networks"]
    wanted = {f"{stack.project}_{name}" for name, members in NETWORKS.items() if service in members}
    assert set(found) == (wanted or {"none"})


@pytest.mark.parametrize("name", ["store", "users"])
def test_inside_networks(stack, name):
    assert stack.network(name)["Internal"]


@every_service
def test_no_secret_in_sight(stack, service):
    """Neither in the container's environment, command or labels, nor in those of its processes."""
    inspected = json.dumps(stack.inspect(service))
    commands = docker("top", stack.containers[service], check=False).stdout
    if service in SERVICES:
        commands += stack.shell(service, "cat /proc/[0-9]*/environ", check=False).stdout
    for word in stack.secrets:
        assert word not in inspected
        assert word not in commands


@pytest.mark.parametrize("service", SECRETS)
def test_only_its_own_secrets(stack, service):
    script = "ls /run/secrets 2>/dev/null || true"
    assert set(stack.shell(service, script).stdout.split()) == SECRETS[service]


@every_service
def test_mounts(stack, service):
    """Named volumes, tmpfs and single secret files: no folder of the host, no docker socket."""
    for mount in stack.inspect(service)["Mounts"]:
        if mount["Type"] == "bind":
            assert mount["Destination"].startswith("/run/secrets/") and not mount["RW"]
        else:
            assert mount["Type"] in ("volume", "tmpfs")


@lasting_service
def test_root_is_read_only(stack, service):
    script = "touch /probe /etc/probe /usr/local/bin/probe /home/probe 2>/dev/null"
    assert stack.shell(service, script, check=False).returncode != 0
    assert stack.shell(service, "ls /probe /etc/probe", check=False).returncode != 0


def test_networks_are_apart(stack):
    """From a container, a service of a network that it is not in cannot be reached."""
    script = "timeout .7 bash -c 'exec 3<>/dev/tcp/{}/{}'"
    db = stack.address("db", "users")
    storage = stack.address("storage", "store")
    for service, address, port in [("uploader", db, 5432), ("uploader-gallery", db, 5432),
                                   ("gateway", db, 5432), ("security", storage, 9000), ("storage", db, 5432)]:
        done = stack.shell(service, script.format(address, port), check=False)
        assert done.returncode != 0, (service, address)

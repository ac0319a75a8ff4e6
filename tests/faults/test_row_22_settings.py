"""Row 22: a program with an unusable configuration refuses to start and names all problems."""

import pytest
from support.stack import docker

KEY = "k1 " + "A" * 43  # 32 bytes
GOOD = {
    "accounts": {"DB_PASSWORD": "hunter2hunter2", "JWT_KEYS": KEY},
    "validate": {"JWT_KEYS": KEY},
    "revocations": {"DB_PASSWORD": "hunter2hunter2"},
    "uploader": {"STORE_ACCESS_KEY": "A" * 20, "STORE_SECRET_KEY": "s" * 40},
    "signer": {"STORE_ACCESS_KEY": "A" * 20, "STORE_SECRET_KEY": "s" * 40},
    "gallery": {"STORE_ACCESS_KEY": "A" * 20, "STORE_SECRET_KEY": "s" * 40},
}
SERVICE = {"accounts": "security", "validate": "security", "revocations": "security",
           "uploader": "uploader", "signer": "uploader", "gallery": "uploader"}

# Settings that are each wrong; the program must name every one of them.
BAD = {
    "accounts": {"DB_PORT": "70000", "DB_TIMEOUT": "3", "JWT_LIFETIME": "25h",
                 "PBKDF2_ROUNDS": "10", "PASSWORD_MIN": "0", "REGISTRATION": "on",
                 "LOG_LEVEL": "9", "DB_NAME": "", "LOGIN_FAILURES": "0", "LOGIN_WINDOW": "1s",
                 "LOGIN_TABLE": "", "ACCOUNTS_WAIT": "1m"},
    "validate": {"JWT_LIFETIME": "-1h", "JWT_ISSUER": "", "LOG_LEVEL": "debug"},
    "revocations": {"REVOCATIONS_POLL": "1h", "DB_PORT": "0", "DB_TIMEOUT": "soon"},
    "uploader": {"STORE_URL": "ftp://storage", "MAX_UPLOAD": "64MB", "MAX_PIXELS": "many",
                 "STORE_TIMEOUT": "0s", "STORE_BUCKET": "Images?", "UPLOAD_TIMEOUT": "10",
                 "UPLOAD_DAILY_BYTES": "1T", "UPLOAD_DAILY_TABLE": "", "DISK_FREE": "1%"},
    "signer": {"STORE_HOST": "http://storage/", "STORE_BUCKET": "x"},
    "gallery": {"STORE_URL": "storage:9000", "STORE_BUCKET": "x", "STORE_TIMEOUT": "11s",
                "PURGE_SOCKET": "purge.sock"},
}

BAD_KEYS = {
    "short": "k1 " + "A" * 42,
    "the older stack's": "secret",
    "empty": "",
    "no kid": "A" * 43,
    "no base64url": "k1 " + "+" * 43,
    "padded": KEY + "=",
    "kid of bad characters": "k/1 " + "A" * 43,
    "kid too long": "k" * 33 + " " + "A" * 43,
    "kid twice": f"{KEY}\n{KEY}",
    "only a comment": "# no key",
    "second one short": f"{KEY}\nk2 AAAA",
}


def environment(settings):
    """The options that give a container these settings."""
    return [word for name, value in settings.items() for word in ("--env", f"{name}={value}")]


@pytest.fixture(scope="module")
def run(stack):
    """A function that runs a program of an image with these settings and nothing else."""
    started = {}

    def container(service):
        """Idle, with no network, from the service's image."""
        if service not in started:
            image = stack.inspect(service)["Config"]["Image"]
            started[service] = docker("run", "--detach", "--rm", "--network", "none",
                                      "--entrypoint", "sleep", image, "300").stdout.strip()
        return started[service]

    def start(program, settings):
        done = docker("exec", *environment(settings), container(SERVICE[program]), "timeout", "2", program,
                      check=False)
        return done.returncode, done.stdout + done.stderr

    yield start
    for identity in started.values():
        docker("kill", identity)


@pytest.mark.parametrize("program", GOOD)
def test_nothing_set(run, program):
    """Each secret is required: there is no default."""
    status, said = run(program, {})
    assert status == 78
    for name in GOOD[program]:
        assert name in said


@pytest.mark.parametrize("program", GOOD)
def test_all_problems_are_named(run, program):
    status, said = run(program, GOOD[program] | BAD[program])
    assert status == 78
    missing = [name for name in BAD[program] if name not in said]
    assert not missing, said
    for secret in GOOD[program].values():
        assert secret not in said


@pytest.mark.parametrize("program", GOOD)
def test_value_and_file(run, program):
    name = next(iter(GOOD[program]))
    status, said = run(program, GOOD[program] | {f"{name}_FILE": "/etc/hostname"})
    assert status == 78 and name in said


@pytest.mark.parametrize("program", GOOD)
def test_file_that_is_not_there(run, program):
    settings = {f"{name}_FILE": "/nowhere" for name in GOOD[program]}
    status, said = run(program, settings)
    assert status == 78
    for name in GOOD[program]:
        assert name in said


def test_a_day_has_room_for_an_upload(run):
    settings = {"MAX_UPLOAD": "2M", "UPLOAD_DAILY_BYTES": "1M"}
    status, said = run("uploader", GOOD["uploader"] | settings)
    assert status == 78
    assert "UPLOAD_DAILY_BYTES" in said


@pytest.mark.parametrize("program", ["accounts", "validate"])
@pytest.mark.parametrize("kind", BAD_KEYS)
def test_bad_keys(run, program, kind):
    status, said = run(program, GOOD[program] | {"JWT_KEYS": BAD_KEYS[kind]})
    assert status == 78
    assert "JWT_KEYS" in said
    assert "A" * 20 not in said, "the key is shown"


@pytest.mark.parametrize("program", GOOD)
def test_good_settings_pass(run, program):
    """So that the refusals above mean something.  No socket: 1, not 78; revocations stays up."""
    assert run(program, GOOD[program])[0] in (1, 124)


def test_whole_container_refuses(stack):
    """The pool's own starter gives the program's verdict to Docker."""
    image = stack.inspect("security-validate")["Config"]["Image"]
    done = docker("run", "--rm", "--network", "none", "--env", "JWT_KEYS=k1 short", image,
                  "pool", "validate", "/tmp/validate.sock", "none", check=False)
    assert done.returncode == 78
    said = done.stdout + done.stderr
    assert "JWT_KEYS" in said and '"none"' in said


@pytest.mark.parametrize("service, settings", [
    ("gateway", {"MAX_UPLOAD": "64MB", "LOGIN_RATE": "fast"}),
    ("db", {}),
    ("storage", {}),
])
def test_other_containers_refuse(stack, service, settings):
    """With bad settings, or without the secrets that they need."""
    image = stack.inspect(service)["Config"]["Image"]
    done = docker("run", "--rm", "--network", "none", *environment(settings), image, check=False,
                  limit=20)
    assert done.returncode == 78
    for name in settings:
        assert name in done.stdout + done.stderr

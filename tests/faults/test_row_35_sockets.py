"""Row 35: a pool's socket belongs to that pool and to the gateway."""

import pytest
from support.stack import ONE_SHOTS, SERVICES, docker

# Pool -> its folder, its socket's name and its user.
SOCKETS = {"security": ("accounts", 2001), "security-validate": ("validate", 2002),
           "uploader": ("uploader", 2004), "uploader-signer": ("signer", 2005),
           "uploader-gallery": ("gallery", 2006), "metrics": ("metrics", 2007)}
# What else is shared: the revocation table, the gateway's purge listener, and what its caches had.
TABLE = "revocations"
PURGE = "purge"
CACHES = "caches"
GATEWAY = 2000

every_pool = pytest.mark.parametrize("pool", SOCKETS)


def mounts(stack, folder):
    """Service -> whether it may write, of all that have the folder's volume."""
    return {service: mount["RW"] for service in (*SERVICES, *ONE_SHOTS)
            for mount in stack.inspect(service)["Mounts"]
            if mount["Destination"] == f"/run/imagegate/{folder}"}


@every_pool
def test_who_has_the_folder(stack, pool):
    folder, _ = SOCKETS[pool]
    assert mounts(stack, folder) == {pool: True, "gateway": False}


def test_who_has_the_table(stack):
    assert mounts(stack, TABLE) == {"security-revocations": True, "security-validate": False}
    denied = stack.shell("security-validate", f"touch /run/imagegate/{TABLE}/table", check=False)
    assert denied.returncode != 0


@every_pool
def test_what_a_pool_sees(stack, pool):
    folder, _ = SOCKETS[pool]
    seen = set(stack.shell(pool, "ls -A /run/imagegate").stdout.split())
    more = {"security-validate": {TABLE}, "uploader-gallery": {PURGE}, "metrics": {CACHES}}
    assert seen == {folder} | more.get(pool, set())


@every_pool
def test_modes(stack, pool):
    folder, user = SOCKETS[pool]
    path = f"/run/imagegate/{folder}"
    modes = stack.shell(pool, f"stat -c '%a %u %g' {path} {path}/{folder}.sock").stdout.split("\n")
    assert modes[:2] == [f"2750 {user} {GATEWAY}", f"660 {user} {GATEWAY}"]


@every_pool
def test_gateway_cannot_replace_it(stack, pool):
    path = "/run/imagegate/{0}/{0}.sock".format(SOCKETS[pool][0])
    for command in (f"rm -f {path}", f"mv {path} {path}.old", f"touch {path}.new",
                    f"chmod 666 {path}"):
        assert stack.shell("gateway", command, check=False).returncode != 0, command
    assert stack.shell("gateway", f"test -S {path}").returncode == 0


@every_pool
def test_another_user_cannot_use_it(stack, pool):
    """Not even with the volume at hand, which no other pool has."""
    folder, owner = SOCKETS[pool]
    stranger = next(user for _, user in SOCKETS.values() if user != owner)
    volume = f"{stack.project}_{folder}-socket"
    script = (f"ls /x || REQUEST_METHOD=GET ROUTE=health cgi-fcgi -bind -connect /x/{folder}.sock"
              " || touch /x/new || rm -f /x/*.sock")
    done = docker("run", "--rm", "--network", "none", "--user", f"{stranger}:{stranger}",
                  "--volume", f"{volume}:/x", "--entrypoint", "sh",
                  stack.inspect(pool)["Config"]["Image"], "-c", script, check=False)
    assert "204" not in done.stdout
    assert stack.shell(pool, f"test -S /run/imagegate/{folder}/{folder}.sock").returncode == 0


@every_pool
def test_a_neighbour_cannot_connect(stack, pool):
    """From the inside of every other pool, where the path does not lead anywhere."""
    folder, _ = SOCKETS[pool]
    path = f"/run/imagegate/{folder}/{folder}.sock"
    for other in SOCKETS:
        if other != pool:
            script = f"REQUEST_METHOD=GET ROUTE=health cgi-fcgi -bind -connect {path}"
            done = stack.shell(other, script, check=False)
            assert "204" not in done.stdout
            assert stack.shell(other, f"test -e {path}", check=False).returncode != 0


def test_who_has_the_purge_listener(stack):
    """The other way round: the gateway listens, the gallery connects and cannot replace it."""
    assert mounts(stack, PURGE) == {"gateway": True, "uploader-gallery": False}
    folder = f"/run/imagegate/{PURGE}"
    modes = stack.shell("gateway", f"stat -c '%a %u %g' {folder}").stdout
    assert modes == f"2750 {GATEWAY} {SOCKETS['uploader-gallery'][1]}\n"
    for command in (f"rm -f {folder}/purge.sock", f"mv {folder}/purge.sock {folder}/x",
                    f"touch {folder}/x"):
        assert stack.shell("uploader-gallery", command, check=False).returncode != 0, command


@pytest.mark.parametrize("user", sorted({owner for _, owner in SOCKETS.values()} | {65534}))
def test_only_the_gallery_can_purge(stack, user):
    """Even with the volume at hand; the path is no name, so the listener's own answer is a 400."""
    done = docker("run", "--rm", "--network", "none", "--user", f"{user}:{user}", "--volume",
                  f"{stack.project}_{PURGE}-socket:/x:ro", "--entrypoint", "curl",
                  stack.inspect("gateway")["Config"]["Image"], "-s", "-o", "/dev/null", "-w",
                  "%{http_code}", "--unix-socket", "/x/purge.sock", "http://purge/x", check=False)
    assert done.stdout == ("400" if user == SOCKETS["uploader-gallery"][1] else "000")

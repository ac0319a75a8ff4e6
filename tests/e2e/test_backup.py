"""Backup and restore: all of a stack in use comes back in an empty one, and nothing but a whole backup is taken for one."""

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import signal
import subprocess
from types import SimpleNamespace

import pytest
from support import s3
from support.client import bearer
from support.images import MEDIA_TYPES, Images
from support.ledger import Account
from support.second import Second, second
from support.stack import TREE
from support.use import every_pool, used
from support.wait import until

NAMES = ("jpeg-progressive.jpg", "png-alpha.png", "gif-animated.gif", "webp-lossy.webp", "avif.avif")
# More than a part of a multipart upload, whose entity tag would be another.
LARGE = 2400
ROWS = "select id, login, password_hash, generation, disabled from imagegate.accounts order by id"
SCHEMA = ("pg_dump", "-U", "postgres", "--schema-only", "-N", "pg_catalog", "imagegate")


def run(stack, *argv, fails=None):
    """Run a program of scripts/; what it said.  If it is to fail, its error is one line with these words."""
    done = stack.script(*argv)
    if fails is None:
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
    assert done.returncode == 1, done.stdout + done.stderr
    assert fails in done.stderr and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def key(name):
    return name.replace("-", "/", 1)


def store_of(stack):
    url = f"http://{stack.address('storage', 'store')}:9000"
    return s3.client(url, stack.secret("store_root_user"), stack.secret("store_root_password"))


def access_keys(stack):
    """The keys that root has made for programs."""
    root = f"http://{stack.secret('store_root_user')}:{stack.secret('store_root_password')}@storage:9000"
    image = stack.inspect("createbuckets")["Config"]["Image"]
    done = subprocess.run(
        ["docker", "run", "--rm", "--network", f"{stack.project}_store", "--env", "MC_HOST_store", "--tmpfs", "/tmp:mode=1777",
         "--entrypoint", "mc", image, "--json", "admin", "accesskey", "ls", "store/", "--all", "--svcacc-only"],
        env=os.environ | {"MC_HOST_store": root}, capture_output=True, text=True, check=True)
    return re.findall(r'"accessKey":\s*"(\w+)"', done.stdout)


@pytest.fixture(scope="module")
def place(stack):
    """A folder for backups that Docker sees, too."""
    folder = TREE / "build/stacks" / f"{stack.project}-backups"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def people(ledger, images):
    """An owner of images, somebody who has logged out, somebody who is disabled; and tokens, live and dead."""
    owner, leaver, closed = ledger.register(), ledger.register(), ledger.register()
    kept = {ledger.upload(owner, image): image for image in [*map(images.__getitem__, NAMES), Images.noise(LARGE, LARGE)]}
    gone = ledger.upload(owner, Images.noise())
    assert ledger.client.delete(f"/v1/user/{gone}", headers=owner.headers).status_code == 204
    ledger.images.pop(gone)
    left = ledger.upload(leaver, Images.noise())
    dead = leaver.headers
    assert ledger.client.delete("/v1/token", headers=dead).status_code == 204
    closed.may_log_in = False
    run(ledger.stack, "user", "disable", closed.login)
    return SimpleNamespace(owner=owner, leaver=leaver, closed=closed, kept=kept, gone=gone, left=left, dead=dead)


@pytest.fixture(scope="module")
def backup(stack, ledger, people, place):
    """A backup that was made while everybody went on; and what the store had before and after."""
    user = ledger.register()
    name = ledger.upload(user, Images.noise())
    folder = place / "whole"
    with used(stack, *every_pool(ledger, user, name)):
        known = set(ledger.images)
        before = s3.objects(ledger.store)
        said = run(stack, "backup", str(folder))
        after = s3.objects(ledger.store)
    assert str(folder) in said
    assert people.left in known
    return SimpleNamespace(folder=folder, before=before, after=after, known=known, accounts=stack.psql(ROWS, role="postgres"))


@pytest.fixture(scope="module")
def other(stack):
    with second(stack) as another:
        yield another


def is_empty(stack):
    return not s3.objects(store_of(stack)) and stack.psql("select count(*) from accounts") == [["0"]]


# -- the backup

def test_no_second_backup_of_a_name(stack, place):
    folder = place / "taken"
    folder.mkdir()
    run(stack, "backup", str(folder), fails="is there already")
    assert not list(folder.iterdir())


def test_no_backup_beside_another(stack, place):
    folder = place / "busy.unfinished"
    folder.mkdir()
    run(stack, "backup", str(place / "busy"), fails="another run was cut or is under way")
    assert folder.is_dir() and not (place / "busy").exists()


def test_no_backup_into_a_colon(stack, place):
    run(stack, "backup", str(place / "a:b"), fails="colon")


def test_no_backup_of_a_stack_that_does_not_run(stack, place):
    absent = Second(stack)
    absent.file.write_text(f"COMPOSE_PROJECT_NAME={absent.project}\n")
    run(absent, "backup", str(place / "absent"), fails="db does not run")
    absent.file.unlink()
    assert not list(place.glob("absent*"))


def test_backup(stack, ledger, backup):
    folder = backup.folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not list(folder.parent.glob("whole.*"))
    assert {path.name for path in folder.iterdir()} == {"about", "database.dump", "images", "listing", "manifest"}
    subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "manifest"], cwd=folder, check=True)
    files = {f"{path.parent.name}/{path.name}": hashlib.md5(path.read_bytes()).hexdigest()
             for path in (folder / "images").glob("*/*")}
    assert files == dict(line.split() for line in (folder / "listing").read_text().splitlines())
    assert f"images {len(files)}\n" in (folder / "about").read_text()
    lasting = {name: tag for name, tag in backup.before.items() if name in backup.after}
    assert {key(name) for name in backup.known} & backup.after.keys() <= lasting.keys()
    assert lasting.items() <= files.items()
    assert set(files.values()) <= ledger.complete | set(backup.before.values())
    assert not access_keys(stack)


def test_no_secret_is_in_the_backup(stack, backup):
    dump = (backup.folder / "database.dump").read_bytes()
    done = subprocess.run(["docker", "exec", "-i", stack.containers["db"], "pg_restore", "-f", "-"], input=dump,
                          capture_output=True, check=True)
    assert b"COPY imagegate.accounts" in done.stdout
    for word in stack.secrets:
        assert word.encode() not in done.stdout


# -- what is refused.  Nothing runs that could be changed.

def copy(backup, folder):
    return shutil.copytree(backup.folder, folder, copy_function=os.link)


def change(path, data):
    """Another file of this name; the backup itself has the old one."""
    path.unlink()
    path.write_bytes(data)


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    change(path, data)


def image_of(folder):
    return next((folder / "images").glob("*/*"))


def shorten(path):
    change(path, b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def forget_an_image(folder):
    """From the folder and the manifest, but not from the listing."""
    path = image_of(folder)
    name = str(path.relative_to(folder)).encode()
    manifest = (folder / "manifest").read_bytes().splitlines(keepends=True)
    change(folder / "manifest", b"".join(line for line in manifest if name not in line))
    path.unlink()


DAMAGE = {
    "a bit of an image": (lambda folder: flip(image_of(folder)), "is damaged"),
    "a bit of the accounts": (lambda folder: flip(folder / "database.dump"), "is damaged"),
    "a bit of the manifest": (lambda folder: change(folder / "manifest", b"x" + (folder / "manifest").read_bytes()[1:]), "is damaged"),
    "an image less": (lambda folder: image_of(folder).unlink(), "files are not those of its manifest"),
    "an image more": (lambda folder: image_of(folder).with_name("x").touch(), "files are not those of its manifest"),
    "an image and its line less": (forget_an_image, "files are not those of its listing"),
    "no accounts": (lambda folder: (folder / "database.dump").unlink(), "files are not those of its manifest"),
    "a cut manifest": (lambda folder: shorten(folder / "manifest"), "files are not those of its manifest"),
    "no manifest": (lambda folder: (folder / "manifest").unlink(), "it has no manifest"),
    "nothing": (shutil.rmtree, "there is no folder"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_backup(other, backup, place, damage):
    harm, words = DAMAGE[damage]
    folder = copy(backup, place / "damaged")
    try:
        harm(folder)
        run(other, "restore", str(folder), fails=words)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert is_empty(other)


def test_no_name_of_a_backup(other):
    run(other, "restore", "", fails="FROM=")


def test_no_restore_into_a_used_stack(stack, backup, ledger):
    before = s3.objects(ledger.store), stack.psql(ROWS, role="postgres")
    run(stack, "restore", str(backup.folder), fails="the stack is not empty: it has accounts")
    assert (s3.objects(ledger.store), stack.psql(ROWS, role="postgres")) == before


def test_no_restore_of_a_newer_version(other, backup):
    """That is, of one with a migration that this stack does not know."""
    last = "number = (select max(number) from imagegate.migrations)"
    (row,) = other.psql(f"delete from imagegate.migrations where {last} returning number, name, checksum", role="postgres")
    run(other, "restore", str(backup.folder), fails=f"does not know its migration {row[1]}")
    other.psql("insert into imagegate.migrations values ({}, '{}', '{}')".format(*row), role="postgres")
    assert is_empty(other)


def test_no_restore_over_an_image(other, backup):
    store = store_of(other)
    foreign = f"{'v' * 16}/{'v' * 30}.png"
    store.put_object(Bucket="images", Key=foreign, Body=b"x")
    run(other, "restore", str(backup.folder), fails=f"an image that is not of this backup, {foreign}")
    assert list(s3.objects(store)) == [foreign]
    store.delete_object(Bucket="images", Key=foreign)
    assert is_empty(other)


# -- runs that are cut

def cut(stack, words, *argv):
    """Cut a program when it has said these words.  The store does not answer until then: it cannot have come further."""
    with contextlib.ExitStack() as waiting:
        stack.pause("storage")
        waiting.callback(stack.unpause, "storage")
        with stack.script_until(words, *argv) as running:
            os.killpg(running.pid, signal.SIGTERM)
            waiting.close()
    assert running.returncode != 0


def test_a_cut_backup(other, place):
    cut(other, "copying the images", "backup", str(place / "cut"))
    assert not (place / "cut").exists()


def test_a_cut_restore(other, backup):
    """Before the accounts there are some of the images; test_restore goes on from here."""
    cut(other, "putting the images", "restore", str(backup.folder))
    path = image_of(backup.folder)
    store_of(other).put_object(Bucket="images", Key=f"{path.parent.name}/{path.name}", Body=path.read_bytes(),
                               ContentType=MEDIA_TYPES[path.suffix[1:]])
    assert other.psql("select count(*) from accounts") == [["0"]]


# -- the restored stack

@pytest.fixture(scope="module")
def restored(other, backup):
    run(other, "restore", str(backup.folder))
    return other


def test_restore(restored, backup):
    listing = dict(line.split() for line in (backup.folder / "listing").read_text().splitlines())
    assert s3.objects(store_of(restored)) == listing
    assert restored.psql(ROWS, role="postgres") == backup.accounts
    assert not access_keys(restored)


def test_the_schema_is_the_same(stack, restored):
    """With owners, privileges and comments."""
    texts = [re.sub(r"(?m)^\\(un)?restrict .*$", "", one.exec("db", *SCHEMA).stdout) for one in (stack, restored)]
    assert texts[0] == texts[1]
    assert "GRANT" in texts[0]


def test_every_byte(stack, client, restored, people):
    """The owner's token is good there, too, because the keys were carried over."""
    headers = people.owner.headers
    for name, image in people.kept.items():
        answers = [each.get(f"/v1/user/{name}", headers=headers) for each in (client, restored.client)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert [answer.content == image.data for answer in answers] == [True, True]
        for header in ("Content-Type", "Content-Length", "ETag", "Cache-Control", "Accept-Ranges"):
            assert answers[0].headers[header] == answers[1].headers[header]
        again = restored.client.get(f"/v1/user/{name}", headers=headers | {"If-None-Match": answers[0].headers["ETag"]})
        assert again.status_code == 304
        objects = [store_of(each).head_object(Bucket="images", Key=key(name)) for each in (stack, restored)]
        for field in ("ContentType", "ContentLength", "ETag", "Metadata"):
            assert objects[0][field] == objects[1][field], name
    assert restored.client.get(f"/v1/user/{people.gone}", headers=headers).status_code == 404


def test_every_page(client, restored, people):
    after = ""
    while after is not None:
        pages = [each.get(f"/v1/images?limit=4{after and '&after=' + after}", headers=people.owner.headers).json()
                 for each in (client, restored.client)]
        assert pages[0] == pages[1] and pages[0]["images"]
        after = pages[0]["next"]


def test_every_login(restored, people):
    def log_in(account, password=None):
        return restored.client.post("/v1/token", json=account.credentials | ({"password": password} if password else {}))

    for account in (people.owner, people.leaver):
        answer = log_in(account)
        assert answer.status_code == 200
        headers = bearer(answer.json()["access_token"])
        assert restored.client.get("/v1/user", headers=headers).json()["id"] == account.id
        assert restored.client.get(f"/v1/user/{people.left}", headers=headers).status_code == 200
        assert log_in(account, "not the password").status_code == 401
    assert log_in(people.closed).status_code == 401
    assert log_in(Account("nobody.of.this.name", "some password")).status_code == 401


def test_dead_tokens_stay_dead(restored, people):
    for headers in (people.dead, people.closed.headers):
        for path in ("/v1/user", f"/v1/user/{people.left}"):
            until(lambda path=path, headers=headers: restored.client.get(path, headers=headers).status_code == 401, 10, "it is dead")


def test_the_audit(stack, restored, people):
    """It has come, and goes on with what was done since; the restore itself made no account."""
    rows = [one.psql(f"select at, action, login, address, actor from audit where account = '{people.closed.id}' "
                     "and action <> 'login failed' order by at") for one in (stack, restored)]
    assert rows[0] == rows[1] and rows[0]
    (count,) = restored.psql("select count(*) from audit where at > now() - interval '1 day' and action = 'login failed' "
                             f"and account = '{people.closed.id}'")
    assert count == ["1"]


def test_it_takes_new_accounts_and_images(restored):
    account, image = Account(f"new.{secrets.token_hex(6)}", f"pass {secrets.token_hex(8)}"), Images.noise()
    assert restored.client.post("/v1/register", json=account.credentials).status_code == 201
    token = restored.client.post("/v1/token", json=account.credentials).json()["access_token"]
    stored = restored.client.post("/v1/upload", headers=bearer(token), data=image.data)
    assert stored.status_code == 201
    assert restored.client.get(stored.headers["Location"], headers=bearer(token)).content == image.data


def test_no_second_restore(restored, backup):
    before = restored.psql(ROWS, role="postgres")
    run(restored, "restore", str(backup.folder), fails="the stack is not empty: it has accounts")
    assert restored.psql(ROWS, role="postgres") == before


def test_no_backup_without_an_image(restored, people, place):
    """The store lists it, and has lost its bytes."""
    (lost,) = [key(name) for name, image in people.kept.items() if image.width == LARGE]
    restored.shell("storage", f"truncate -s 1000 /data/images/{lost}/*/part.1")
    assert f"1 of the images cannot be copied, such as {lost}" in run(restored, "backup", str(place / "short"), fails=lost)
    assert not list(place.glob("short*"))


# -- a backup of an older version, into the same stack, emptied

OLDER = 5  # its migrations


def older_database(other, account, password_hash):
    """A dump of what the first migrations make, with one account, in a database of its own."""
    files = sorted((TREE / "sql/migrations").glob("*.sql"))[:OLDER]
    statements = ["set role imagegate_owner; set search_path = ''; create schema imagegate; create table imagegate.migrations "
                  "(number integer primary key, name text, checksum text, applied_at timestamptz not null default now());"]
    for number, file in enumerate(files, 1):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        statements += [file.read_text(), f"insert into imagegate.migrations values ({number}, '{file.stem}', '{digest}');"]
    statements.append(f"select admin.account_create('{account.login}', '{password_hash}');")
    user = ("-U", "postgres")
    other.exec("db", "createdb", *user, "-O", "imagegate_owner", "older")
    other.exec("db", "psql", "-Xq", "-v", "ON_ERROR_STOP=1", *user, "older", stdin="\n".join(statements))
    return subprocess.run(["docker", "exec", other.containers["db"], "pg_dump", *user, "-Fc", "-N", "pg_catalog", "older"],
                          capture_output=True, check=True).stdout


def test_restore_of_an_older_version(restored, place, people, backup):
    (password_hash,) = [row[2] for row in backup.accounts if row[0] == people.owner.id]
    account = Account("older", people.owner.password)
    files = {"about": b"imagegate 0.0.9\n", "database.dump": older_database(restored, account, password_hash), "listing": b""}
    folder = place / "older"
    (folder / "images").mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / "manifest").write_text("".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()))
    store = store_of(restored)
    for entry in s3.objects(store):
        store.delete_object(Bucket="images", Key=entry)
    restored.psql("truncate imagegate.accounts, imagegate.revocations, imagegate.audit", role="postgres")

    run(restored, "restore", str(folder))
    assert restored.psql("select login from accounts") == [["older"]]
    numbers = [[str(int(file.name[:4]))] for file in sorted((TREE / "sql/migrations").glob("*.sql"))]
    assert restored.psql("select number from imagegate.migrations order by number", role="postgres") == numbers
    assert restored.client.post("/v1/token", json=account.credentials).status_code == 200
    assert restored.psql("select action from audit") == [["login"]]

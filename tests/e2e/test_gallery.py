"""One's own images: listing them page by page, and removing them."""

import datetime
import hashlib
import re
import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import s3
from support.client import Client, bearer, exchange, head
from support.images import Images
from support.wait import until

ELSEWHERE = "0123456789abcdef-vuci4ialvv0123456789abcdefghij.png"  # of nobody here
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
ALPHABET = "0123456789abcdefghijklmnopqrstuv"


def created(name):
    """When a name was made, as a listing says it."""
    number = 0
    for digit in name[17:27]:
        number = number * 32 + ALPHABET.index(digit)
    moment = EPOCH + datetime.timedelta(milliseconds=2**50 - 1 - number)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@pytest.fixture
def page(request, client):
    """A function that gets one page, of the test's own account if it does not say whose."""

    def get(query="", status=200, headers=None):
        if headers is None:
            headers = request.getfixturevalue("account").headers
        answer = client.get(f"/v1/images{query}", headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    return get


@pytest.fixture
def remove(client, ledger, account):
    """A function that removes an image of the test's own account."""

    def delete(name, status=204, headers=account.headers, prefix="/v1/user/"):
        answer = client.delete(f"{prefix}{name}", headers=headers)
        assert answer.status_code == status, answer.text
        if status == 204:
            assert not answer.content
            ledger.images.pop(name, None)
        return answer

    return delete


@pytest.fixture
def many(stack, ledger, account):
    """The names of 250 images, put past the uploader with its key: the listing cannot tell."""
    url = f"http://{stack.address('storage', 'store')}:9000"
    store = s3.client(url, stack.secret("store_put_key"), stack.secret("store_put_secret"))
    image = Images.noise()
    ledger.sent(image.data)
    start = 2**50 - 1 - int(time.time() * 1000)
    names = []
    for i in range(250):
        digits = "".join(ALPHABET[(start + i) >> shift & 31] for shift in range(45, -1, -5))
        random = "".join(secrets.choice(ALPHABET) for _ in range(20))
        names.append(f"{account.id}-{digits}{random}.png")

    def put(name):
        store.put_object(Bucket="images", Key=name.replace("-", "/", 1), Body=image.data,
                         ContentType=image.type)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, reversed(names)))
    return names, len(image.data)


# -- listing: refusals first

@pytest.mark.parametrize("headers", [{}, bearer("x.y.z")])
def test_list_needs_a_token(page, headers):
    page(status=401, headers=headers)


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "ten", "1000", "99999999999999999999",
                                   "1%00", "1%0d%0aX:y", "+1", "0x1"])
def test_bad_limit(page, member, limit):
    assert "limit" in page(f"?limit={limit}", 400, member.headers)["detail"]


@pytest.mark.parametrize("after", [ELSEWHERE, "x", "{own}x", "{own}%00", "{key}", "../{own}",
                                   "{own}%0d%0aX:y", "{upper}", "{id}-", "%2e%2e", "A" * 3000])
def test_bad_after(page, member, stored, after):
    """Another's name too: nobody walks through the images of others."""
    own, _ = stored
    words = {"own": own, "key": own.replace("-", "/"), "upper": own.upper(), "id": member.id}
    answer = page(f"?after={after.format(**words)}", 400, member.headers)
    assert "after" in answer["detail"]


@pytest.mark.parametrize("query", [
    "?prefix=", "?x=y&z", "?list-type=1&delimiter=/", "?limit&after", "?limit=&after=",
    "?LIMIT_=1", "?start-after=~", "?ACCOUNT_ID=0123456789abcdef&account=x",
])
def test_other_arguments_change_nothing(page, ledger, account, query):
    own = ledger.upload(account, Images.noise())
    assert [image["filename"] for image in page(query)["images"]] == [own]


def test_whose_images_is_not_the_clients_to_say(client, ledger, account, member):
    """Headers that look like the identity that the gateway gives to the worker."""
    own = ledger.upload(account, Images.noise())
    forged = {"ACCOUNT_ID": member.id, "X-Account-Id": member.id, "Account-Id": member.id,
              "LIMIT": "0", "AFTER": ELSEWHERE}
    listed = client.get("/v1/images", headers=account.headers | forged).json()
    assert [image["filename"] for image in listed["images"]] == [own]


def test_listings_are_limited(stack, account):
    """At the gateway, by address: 429 with the wait."""
    rate = int(stack.setting("gateway", "LIST_RATE", "10"))
    burst = int(stack.setting("gateway", "LIST_BURST", "100"))
    hasty = Client(stack.base_url, patient=False)
    statuses = set()
    for _ in range(burst + 60 * rate):
        answer = hasty.get("/v1/images?limit=1", headers=account.headers)
        statuses.add(answer.status_code)
        if answer.status_code == 429:
            break
    assert statuses == {200, 429}


def test_none(page):
    assert page() == {"images": [], "next": None}


def test_what_a_listing_says(client, ledger, account, images):
    kinds = ["jpeg-baseline.jpg", "gif-still.gif", "webp-lossy.webp", "avif.avif"]
    names = {ledger.upload(account, images[kind]): images[kind] for kind in kinds}
    answer = client.get("/v1/images", headers=account.headers)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    listed = answer.json()
    assert listed["next"] is None
    assert [image["filename"] for image in listed["images"]] == sorted(names)
    for image in listed["images"]:
        assert set(image) == {"filename", "size", "created_at"}
        assert image["size"] == len(names[image["filename"]].data)
        assert image["created_at"] == created(image["filename"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", image["created_at"])


def test_newest_first(page, ledger, account):
    names = [ledger.upload(account, Images.noise()) for _ in range(5)]
    times = [image["created_at"] for image in page()["images"]]
    assert times == sorted(times, reverse=True)
    assert page("?limit=1")["images"][0]["filename"] == names[-1]


def test_head(client, account):
    answer = client.head("/v1/images", headers=account.headers)
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) > 0


@pytest.mark.parametrize("limit, pages", [(None, 3), (100, 3), (99, 3), (50, 5), (249, 0)])
def test_paging(page, many, limit, pages):
    names, size = many
    query = "?" if limit is None else f"?limit={limit}"
    if not pages:
        page(query, 400)
        return
    listed, after, count = [], None, 0
    while after or not count:
        answer = page(query + (f"&after={after}" if after else ""))
        assert len(answer["images"]) <= (limit or 100)
        listed += answer["images"]
        after = answer["next"]
        assert after is None or after == listed[-1]["filename"]
        count += 1
    assert count == pages
    assert [image["filename"] for image in listed] == names
    assert {image["size"] for image in listed} == {size}


def test_after_a_name_that_is_gone(page, ledger, account, remove):
    """A page goes on from where it was, whether or not its last image was removed meanwhile."""
    names = sorted(ledger.upload(account, Images.noise()) for _ in range(3))
    remove(names[1])
    listed = page(f"?after={names[1]}")["images"]
    assert [image["filename"] for image in listed] == [names[2]]


# -- removing: refusals first

@pytest.mark.parametrize("headers", [{}, bearer("x.y.z")])
def test_remove_needs_a_token(ledger, account, remove, headers):
    name = ledger.upload(account, Images.noise())
    remove(name, 401, headers)


def test_another_ones(client, ledger, account, stored, remove):
    """Not theirs, whether or not it is there; and it stays."""
    name, image = stored
    remove(name, 403)
    remove(ELSEWHERE, 403)
    assert client.get(f"/v1/user/{name}", headers=account.headers).content == image.data
    assert not ledger.absent(image.data)


def test_unknown(account, remove):
    remove(f"{account.id}-vuci4ialvv0123456789abcdefghij.png", 404)


def test_other_extension(client, ledger, account, remove):
    image = Images.noise()
    name = ledger.upload(account, image)
    remove(name.replace(".png", ".jpg"), 404)
    assert client.get(f"/v1/user/{name}", headers=account.headers).content == image.data


@pytest.mark.parametrize("evil", ["{n}x", "{n}%00", "{n}/", "{n}%0d%0a", "{o}%2f{r}", "{o}/{r}",
                                    "../user/x{n}", "{n};", "{N}", "{o}-*", "{o}-", ""])
def test_no_other_name_is_removed(stack, ledger, member, stored, evil):
    name, image = stored
    owner, _, rest = name.partition("-")
    target = "/v1/user/" + evil.format(n=name, o=owner, r=rest, N=name.upper())
    answer = exchange(stack.base_url, head("DELETE", target, *member.headers.items()), "DELETE")
    assert answer.status in (400, 404)
    assert not ledger.absent(image.data)


@pytest.mark.parametrize("query", ["?versionId=x", "?acl", "?uploads", "?X-Amz-Signature=x"])
def test_queries_change_nothing(stack, ledger, member, stored, query):
    name, _ = stored
    data = head("DELETE", f"/v1/user/{name}{query}", *member.headers.items())
    assert exchange(stack.base_url, data, "DELETE").status == 204
    ledger.images.pop(name)


def test_methods(stack, account, stored):
    """The older form only reads; a body or another method does not remove anything."""
    name, _ = stored
    for path, allowed in ((f"/images/{name}", "GET, HEAD"),
                          (f"/v1/user/{name}", "GET, HEAD, DELETE"), ("/v1/images", "GET, HEAD")):
        for method in {"DELETE", "POST", "PUT", "PATCH"} - set(allowed.split(", ")):
            answer = exchange(stack.base_url, head(method, path, *account.headers.items()), method)
            assert answer.status == 405
            assert answer.headers["Allow"] == allowed


def test_removed_at_once_though_hot(client, ledger, account, page, remove):
    """Every connection has just had it from the cache, and none has it any more."""
    image = Images.noise(40, 40)
    name = ledger.upload(account, image)
    paths = [f"/v1/user/{name}", f"/images/{name}"] * 8

    def read(path):
        answer = client.get(path, headers=account.headers)
        return answer.status_code, answer.content == image.data

    with ThreadPoolExecutor(8) as pool:
        for _ in range(4):
            assert set(pool.map(read, paths)) == {(200, True)}
        remove(name)
        assert set(pool.map(read, paths)) == {(404, False)}
    assert page()["images"] == []
    assert ledger.absent(image.data)
    conditional = {"If-None-Match": f'"{hashlib.md5(image.data).hexdigest()}"', "Range": "bytes=0-9"}
    answer = client.get(paths[0], headers=account.headers | conditional)
    assert answer.status_code == 404
    remove(name, 404)


def test_removed_while_it_is_read(client, ledger, account, remove):
    """Readers get the whole image or a 404, and after the 204 only that."""
    image = Images.noise(100, 100)
    name = ledger.upload(account, image)
    path = f"/v1/user/{name}"
    assert client.get(path, headers=account.headers).status_code == 200  # no fill is in flight
    removed = []

    def read(_):
        late = bool(removed)
        answer = client.get(path, headers=account.headers)
        assert answer.status_code == 404 or (not late and answer.content == image.data)

    with ThreadPoolExecutor(5) as pool:
        reads = [pool.submit(read, i) for i in range(200)]
        remove(name)
        removed.append(True)
        for done in reads:
            done.result()


def test_removed_right_after_a_restart(stack, client, ledger, account, remove, recovers):
    """The gateway has not yet read what its cache on disk holds."""
    image = Images.noise()
    name = ledger.upload(account, image)
    path = f"/v1/user/{name}"
    assert client.get(path, headers=account.headers).content == image.data
    stack.restart("gateway")
    recovers()
    holding = f"grep -rla -e '{name.replace('-', '/', 1)}' /run/cache/images || true"
    assert stack.shell("gateway", holding).stdout
    remove(name)
    assert not stack.shell("gateway", holding).stdout
    assert client.get(path, headers=account.headers).status_code == 404


def test_ten_at_once(ledger, account, client):
    """One of them removed it; the others came too late, or at the same time."""
    name = ledger.upload(account, Images.noise())
    with ThreadPoolExecutor(10) as pool:
        answers = pool.map(lambda _: client.delete(f"/v1/user/{name}", headers=account.headers),
                           range(10))
        statuses = {answer.status_code for answer in answers}
    ledger.images.pop(name)
    assert 204 in statuses and statuses <= {204, 404}


def test_the_rest_stays(client, ledger, account, page, remove):
    images = [Images.noise() for _ in range(3)]
    names = [ledger.upload(account, image) for image in images]
    remove(names[1])
    listed = {image["filename"] for image in page()["images"]}
    assert listed == {names[0], names[2]}
    for name, image in ((names[0], images[0]), (names[2], images[2])):
        assert client.get(f"/v1/user/{name}", headers=account.headers).content == image.data


def test_the_log_tells_who(stack, ledger, account, remove):
    name = ledger.upload(account, Images.noise())
    request_id = remove(name).headers["X-Request-ID"]
    log = until(lambda: [line for line in stack.logs("uploader-gallery").splitlines()
                         if request_id in line and name in line], 5, "the log tells")
    assert "removed by its owner" in log[0]


# -- when a part is missing

def test_store_down(stack, client, ledger, account, page, remove, recovers):
    image = Images.noise()
    name = ledger.upload(account, image)
    stack.stop("storage")
    try:
        page(status=503)
        remove(name, 503)
    finally:
        stack.start("storage")
    recovers()
    assert client.get(f"/v1/user/{name}", headers=account.headers).content == image.data
    remove(name)


def test_purge_fails(stack, client, ledger, account, remove, recovers):
    """The store has forgotten it, the gateway was not to be asked: 503, and the rest is made up."""
    image = Images.noise()
    name = ledger.upload(account, image)
    path = f"/v1/user/{name}"
    assert client.get(path, headers=account.headers).status_code == 200
    socket = "/run/imagegate/purge/purge.sock"
    stack.shell("gateway", f"mv {socket} {socket}.away")
    try:
        remove(name, 503)
        assert ledger.absent(image.data)
        ledger.images.pop(name)
        remove(name, 503)
    finally:
        stack.shell("gateway", f"mv {socket}.away {socket}")
    remove(name, 404)
    assert client.get(path, headers=account.headers).status_code == 404
    recovers()


@pytest.mark.parametrize("away, back", [("stop", "start"), ("pause", "unpause")])
def test_pool_gone(stack, client, ledger, account, stored, page, recovers, away, back):
    """Reads and uploads go on without it, and /readyz names it to insiders."""
    name, image = stored
    own = ledger.upload(account, Images.noise())
    getattr(stack, away)("uploader-gallery")
    try:
        assert client.get(f"/v1/user/{name}", headers=account.headers).content == image.data
        ledger.upload(account, Images.noise())
        until(lambda: client.get("/readyz").status_code == 503, 10, "/readyz sees it")
        answer = stack.shell("gateway", "curl -s http://127.0.0.1/readyz").stdout
        assert "gallery" in answer
        if away == "stop":
            page(status=503)
            assert client.delete(f"/v1/user/{own}", headers=account.headers).status_code == 503
    finally:
        getattr(stack, back)("uploader-gallery")
    recovers()


# -- operators

def take_down(stack, *names):
    return stack.exec("uploader-gallery", "image-rm", *names, check=False)


@pytest.mark.parametrize("name", ["", "x", "../x", "{n}x", "{n} {n}", "{n}\n", "{n};id"])
def test_take_down_refuses(stack, ledger, stored, name):
    own, image = stored
    done = take_down(stack, name.format(n=own))
    assert done.returncode == 64
    assert "no name of an image" in done.stderr
    assert not ledger.absent(image.data)


def test_take_down(stack, client, ledger, account, member, stored):
    """Anyone's image, cached or not; once more does no harm."""
    name, image = stored
    path = f"/v1/user/{name}"
    assert client.get(path, headers=account.headers).content == image.data
    done = take_down(stack, name)
    ledger.images.pop(name)
    assert (done.returncode, name in done.stdout) == (0, True), done.stderr
    assert client.get(path, headers=member.headers).status_code == 404
    assert ledger.absent(image.data)
    assert take_down(stack, name).returncode == 0
    log = until(lambda: [line for line in stack.logs("uploader-gallery").splitlines()
                         if name in line], 5, "the log tells")
    assert "taken down by an operator" in log[0] and '"warn"' in log[0]


def test_take_down_while_the_store_is_down(stack, client, ledger, account, stored, recovers):
    name, image = stored
    stack.stop("storage")
    try:
        done = take_down(stack, name)
        assert done.returncode == 1
        assert "NOT gone" in done.stderr
    finally:
        stack.start("storage")
    recovers()
    assert client.get(f"/v1/user/{name}", headers=account.headers).content == image.data
    assert take_down(stack, name).returncode == 0
    ledger.images.pop(name)

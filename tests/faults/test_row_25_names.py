"""Row 25: names that try to be more than a name."""

import pytest
from support.client import exchange, head

pytestmark = pytest.mark.usefixtures("steady")

# {n} is a good name, {o} its owner, {r} the rest.
NAMES = [
    "%2e%2e", "%2e%2e%2f{n}", "..%2f{n}", "../{n}", "{n}/..", "{n}/", "{n}/x", "{o}/{r}",
    "{o}%2f{r}", "{o}%2d{r}%2f..", "%00", "{n}%00", "{n}%00.png", "{n}%0d%0a", "{n}%0a", "{n}%0d",
    "{n}%0d%0aX-Injected:%20yes", "{n}%20", "{n}%3f", "{n}%3facl", "{n}%23", "{n};", "{n};a=b",
    "{n}%3b", "{n}.", "{n}.png", "{n}%2epng", "{n}~", "{n}%", "{n}%2", "{n}%zz", "%ff%fe{n}",
    "{N}", "{n}é", "a{n}", "{n}a", "other/{n}", "..%2fother%2f{n}", "..%5c{n}", "images%2f{n}",
    "{o}-{r}-{r}", "{o}--{r}", "{o}-", "-{r}", "*", "{o}-*", "{o}-%2a", "{o}", "w{n}", "",
    "{n}" * 400, "A" * 10_000, "%2e" * 3000,
]


def names(name):
    owner, _, rest = name.partition("-")
    for pattern in NAMES:
        yield pattern.format(n=name, o=owner, r=rest, N=name.upper())


@pytest.mark.parametrize("prefix", ["/v1/user/", "/images/"])
def test_no_other_name(stack, member, stored, prefix):
    name, image = stored
    for evil in names(name):
        target = prefix + evil.encode().decode("latin-1")
        answer = exchange(stack.base_url, head("GET", target, *member.headers.items()))
        assert answer.status in (400, 404, 414), evil
        assert image.data not in answer.body
        assert "X-Injected" not in answer.headers


@pytest.mark.parametrize("name", ["..%2f..%2fminio", "0123456789abcdef-..%2f"])
def test_no_way_round_the_token(stack, name):
    for prefix in ("/v1/user/", "/images/"):
        assert exchange(stack.base_url, head("GET", prefix + name)).status in (400, 401, 404)


@pytest.mark.parametrize("target", ["/v1//user/{n}", "//v1/user/{n}", "/v1/./user/{n}",
                                    "/x/../v1/user/{n}", "/v1/user/%30{r}", "/V1/user/{n}"])
def test_other_spellings_of_the_path_need_the_token_too(stack, stored, target):
    name, _ = stored
    path = target.format(n=name, r=name[1:])
    assert exchange(stack.base_url, head("GET", path)).status in (400, 401, 404)


@pytest.mark.parametrize("query", ["?acl", "?response-content-type=text/html", "?versions",
                                   "?uploads", "?X-Amz-Signature=x", "?a=%0d%0a", "??", "?" * 100])
def test_queries_change_nothing(stack, member, stored, query):
    name, image = stored
    answer = exchange(stack.base_url, head("GET", f"/v1/user/{name}{query}",
                                           *member.headers.items()))
    assert answer.status == 200
    assert answer.body == image.data
    assert answer.headers["Content-Type"] == image.type

"""The fixtures, as a plugin that both folders' conftest.py register: one ledger a run."""

import os

import pytest
import requests

from .client import Client
from .images import Images
from .ledger import Ledger
from .stack import TREE, Stack, seconds
from .tokens import Mint
from .wait import until


def pytest_configure(config):
    # botocore's, which is not ours to change.
    config.addinivalue_line("filterwarnings", "ignore:datetime.datetime.utcnow:DeprecationWarning")
    use_stack(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def use_stack(number):
    """Each worker of pytest-xdist has the stack of its number, which tests/stacks has made."""
    file = TREE / "build/stacks" / f"{number}.env"
    settings = dict(line.split("=", 1) for line in file.read_text().splitlines())
    os.environ |= {"ENV_FILE": str(file), "PROJECT": settings["COMPOSE_PROJECT_NAME"],
                   "BASE_URL": f"http://127.0.0.1:{settings['HTTP_PORT']}",
                   "S3_URL": f"http://127.0.0.1:{settings['S3_PORT']}",
                   "SECRETS_DIR": str(TREE / settings["SECRETS_DIR"])}


@pytest.fixture(scope="session")
def stack():
    """The compose stack, ready."""
    stack = Stack()
    client = Client(stack.base_url)

    def ready():
        try:
            return client.get("/readyz").status_code == 200
        except requests.ConnectionError:
            return False

    until(ready, 60, "the stack is ready")
    return stack


@pytest.fixture(scope="session")
def client(stack):
    return Client(stack.base_url)


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    return Images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
def ledger(stack, client):
    """Acts and keeps account; all rules are verified once more at the end of the run."""
    ledger = Ledger(stack, client)
    yield ledger
    ledger.verify()


@pytest.fixture(scope="session")
def member(ledger):
    """An account that the whole run shares: a login costs a tenth of a second."""
    return ledger.reader


@pytest.fixture
def account(ledger):
    """An account of the test's own."""
    return ledger.register()


@pytest.fixture(scope="session")
def mint(stack):
    lifetime = stack.setting("security-validate", "JWT_LIFETIME", "1h")
    return Mint(stack.secret("jwt_keys"), seconds(lifetime))


@pytest.fixture
def rotated(stack, ledger, mint):
    """After a rotation of the token keys the rest of the run uses the key that is the first one then."""
    yield
    stack.forget()
    mint.__init__(stack.secret("jwt_keys"), mint.lifetime)
    ledger.login(ledger.reader)


@pytest.fixture
def stored(ledger, member):
    """The public name and the image of a fresh upload, which no cache knows yet."""
    image = Images.noise()
    return ledger.upload(member, image), image


@pytest.fixture(scope="module")
def steady(stack):
    """No worker dies of what the module sends."""
    before = stack.pids()
    yield
    assert stack.pids() == before, "a worker has died"


@pytest.fixture
def recovers(stack, ledger, member):
    """A function that waits until everything works again, with no hand of ours."""

    def works():
        try:
            return everything()
        except requests.ConnectionError:
            return False

    def everything():
        upload = ledger.try_upload(member, Images.noise().data)
        if upload.status_code != 201:
            return False
        read = ledger.client.get(upload.headers["Location"], headers=member.headers)
        user = ledger.client.get("/v1/user", headers=member.headers)
        ready = ledger.client.get("/readyz")
        return {read.status_code, user.status_code, ready.status_code} == {200}

    return lambda limit=60: until(works, limit, "the stack works again")

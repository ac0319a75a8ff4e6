"""The fixtures of tests/e2e, and the ledger's rules after every scenario."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e"))
pytest.register_assert_rewrite("support")

from support import fixtures  # noqa: E402  pylint: disable=wrong-import-position


def pytest_configure(config):
    if not config.pluginmanager.is_registered(fixtures):
        config.pluginmanager.register(fixtures)


@pytest.fixture(scope="module", autouse=True)
def rules_hold(ledger):
    """A file is a scenario: afterwards rules (a)-(f) of the ledger hold."""
    yield
    ledger.verify()

"""Registers the fixtures that this folder shares with tests/faults."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
pytest.register_assert_rewrite("support")

from support import fixtures  # noqa: E402  pylint: disable=wrong-import-position


def pytest_configure(config):
    if not config.pluginmanager.is_registered(fixtures):
        config.pluginmanager.register(fixtures)

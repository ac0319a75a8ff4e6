"""The compose file of the whole, with everything that the override files beside it add."""

import pathlib

import yaml

FILES = [pathlib.Path("docker-compose.yml"), *sorted(pathlib.Path().glob("docker-compose.*.yml"))]


def text():
    return "".join(path.read_text(encoding="utf-8") for path in FILES)


def merged():
    """As compose merges them: mappings by key, lists one after the other."""
    def add(into, what):
        for key, value in what.items():
            if isinstance(value, dict) and isinstance(into.get(key), dict):
                add(into[key], value)
            elif isinstance(value, list):
                into[key] = [*into.get(key, []), *value]
            else:
                into[key] = value
        return into

    whole = {}
    for path in FILES:
        add(whole, yaml.safe_load(path.read_text(encoding="utf-8")))
    return whole

"""The keys of every ``--json`` output are public: programs read them, so no rename of a field may change them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from tests.helpers.day import midnight
from tests.helpers.run_cli import run

UNTIL = midnight()
KEYS = json.loads((Path(__file__).parents[1] / "contract" / "public_names.json").read_text())["json_keys"]
IDENTIFIER = re.compile(r"(?:conv_|agent_|tool_)?[A-Za-z0-9]{20,}$|\d{4}-\d\d-\d\d")
"""Keys that are ids or dates of the data."""

Home = tuple[Path, dict[str, str], str]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A folder with a synced home, the settings of its API, and the id of a conversation."""
    world = World(conversations=200, days=8, until=UNTIL)
    folder = tmp_path_factory.mktemp("json")
    with running(create_app(world, clock=lambda: UNTIL)) as url:
        settings = {"ELEVENLABS_API_KEY": "demo", "ELEVENLABS_BASE_URL": url}
        assert run(folder, "sync", **settings).code == 0
        conversation_id = next(row["conversation_id"] for row in world.details(UNTIL) if row["status"] == "done")
        yield folder, settings, conversation_id


def key_paths(value: Any, path: str = "") -> Iterator[str]:
    """Path of every key below a value: ``.runs[].outcome``; ids and dates of the data are ``{}``."""
    if isinstance(value, dict):
        for key, item in value.items():
            below = f"{path}.{'{}' if IDENTIFIER.match(key) else key}"
            yield below
            yield from key_paths(item, below)
    elif isinstance(value, list):
        for item in value:
            yield from key_paths(item, f"{path}[]")


@pytest.mark.parametrize("command", KEYS)
def test_every_key_is_still_there(command: str, home: Home) -> None:
    folder, settings, conversation_id = home
    words = command.replace("feedback like", f"feedback {conversation_id} like").split()
    ended = run(folder, *words, "--json", **settings)
    assert sorted(set(key_paths(ended.data))) == KEYS[command]

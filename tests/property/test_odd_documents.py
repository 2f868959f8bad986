"""Whatever the documents contain, the warehouse builds and every check passes: nonsense affects only its own value."""

from __future__ import annotations

import copy
import random
from datetime import UTC, datetime

import pytest

from pipelines.emulator.generator.world import World
from pipelines.transform.refresh_lake import refresh_lake
from tests.helpers.landed_files import snapshot_of
from warehouse.build.runner import build
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage import lake, landing
from warehouse.storage.home import Home

pytestmark = pytest.mark.whole_build

UNTIL = datetime(2026, 11, 20, tzinfo=UTC)
NONSENSE = [
    None,
    True,
    False,
    0,
    -1,
    -5,
    3.7,
    1e15,
    1e18,
    2**52,
    2**70,
    "",
    "x",
    "12",
    "NaN",
    [],
    {},
    [None, 1],
    {"a": 1},
]
NEEDED = {("conversation_id",), ("agent_id",), ("metadata",), ("metadata", "start_time_unix_secs")}


def places(value, path=()):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def spoilt(document, dice):
    """The document with some values replaced or left out."""
    document = copy.deepcopy(document)
    for _ in range(dice.randint(1, 12)):
        *way, last = dice.choice([place for place in places(document) if place not in NEEDED])
        holder = document
        for step in way:
            holder = holder[step]
        if isinstance(holder, dict) and dice.random() < 0.2:
            del holder[last]
        else:
            holder[last] = copy.deepcopy(dice.choice(NONSENSE))
    return document


@pytest.mark.parametrize("seed", range(2))
def test_a_warehouse_of_spoilt_documents_is_complete_and_passes_every_check(seed, tmp_path):
    dice = random.Random(seed)
    documents = [
        spoilt(document, dice) for document in World(seed=seed, conversations=150, days=4, until=UNTIL).details(UNTIL)
    ]
    home = Home(tmp_path / "home").open()
    landing.land_documents(home, [snapshot_of(document, UNTIL, status="done") for document in documents])
    assert refresh_lake(home, reread_days=(1,)).errors == {}
    built = build(home)
    assert [str(result) for result in built.failed] == []
    assert built.is_swapped
    ids = {document["conversation_id"] for document in documents}
    assert set(lake.read(home, CONVERSATIONS)["conversation_id"]) == ids

"""Whatever the API answers for some items, the run ends, each of them is named, and every other item is exact."""

from __future__ import annotations

import asyncio
import copy
import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.api.client import ApiClient
from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from tests.helpers.recording_app import assert_equals
from tests.helpers.spoiling_app import Answer, SpoilingApp, vendor
from warehouse.schema.operations import QUARANTINE, SYNC_RUNS
from warehouse.schema.reference_data import LLM_PRICES, TOOLS
from warehouse.storage import lake

pytestmark = [pytest.mark.usefixtures("few_models"), pytest.mark.whole_build]

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
WORLD = World(seed=4, conversations=40, days=2, until=UNTIL)

STATUSES = (300, 301, 304, 307, 400, 401, 402, 403, 405, 409, 410, 415, 422, 451, 500, 501, 502, 503, 504, 520, 599)
CODES = ("invalid_api_key", "missing_permissions", "quota_exceeded", "needs_authorization", "a_new_word")
BODIES = (b"", b"null", b"[]", b"5", b'"text"', b"{}", b'{"conversation_id": "', b"<html>", b"\xff\xfe", b"[" * 20_000)
NO_START = (None, "soon", [], {}, -1, -1e300, 1e300, 1_790_000_000_000, "\ud800")
NO_DURATION = (1e300, -1e300, 1e15, -1e15, 10**400, float("nan"), float("inf"))
NO_ROW = (None, 5, "text", [], {}, {"conversation_id": None}, {"conversation_id": 17}, {"conversation_id": "\ud800"})


def wrong_answer(dice: random.Random, document: dict[str, object]) -> Answer:
    """An answer that cannot be landed."""
    metadata = copy.deepcopy(document["metadata"])
    match dice.randrange(5):
        case 0:
            location = ((b"location", b"https://login.example/"),) if dice.random() < 0.5 else ()
            return Answer(dice.choice(STATUSES), dice.choice(BODIES), location)
        case 1:
            return vendor(dice.choice(STATUSES), dice.choice(CODES))
        case 2:
            return Answer(200, dice.choice(BODIES))
        case 3:
            return Answer(200, document | {"metadata": metadata | {"start_time_unix_secs": dice.choice(NO_START)}})
        case _:
            other = [{"conversation_id": "conv_of_another"}, {"agent_id": "\ud800"}, {"status": "\ud800"}]
            late = [{"metadata": metadata | {"call_duration_secs": secs}} for secs in NO_DURATION]
            year = {"metadata": metadata | {"start_time_unix_secs": 253_402_300_000, "call_duration_secs": 1e6}}
            return Answer(200, document | dice.choice([*other, *late, year]))


def wrong_prices(dice: random.Random) -> Answer:
    """An answer without prices; a 404 says that the agent was deleted, which is no error."""
    if dice.random() < 0.5:
        return vendor(dice.choice(STATUSES), dice.choice(CODES))
    return Answer(200, dice.choice(BODIES))


def wrong_row(dice: random.Random, row: dict[str, object]) -> dict[str, object]:
    """The list row with a field that cannot be used."""
    name, values = dice.choice(
        [("start_time_unix_secs", NO_START), ("status", (None, [], {"a": 1})), ("agent_id", ("\ud800",))]
    )
    return row | {name: dice.choice(values)}


@pytest.mark.parametrize("seed", range(6))
def test_wrong_answers_cost_only_themselves(seed, tmp_path):
    dice = random.Random(seed)
    documents = {document["conversation_id"]: document for document in WORLD.details(UNTIL)}
    agents = sorted({document["agent_id"] for document in documents.values()})
    names = list(documents)
    bad = dice.sample(names, dice.randint(1, 12))
    bad_rows = dice.sample(names, dice.randint(0, 4))
    answers = {name: wrong_answer(dice, documents[name]) for name in bad}
    no_rows = dice.sample(NO_ROW, dice.randint(0, 3))
    changes = {name: dice.randrange(2**32) for name in bad_rows}

    def spoil(rows):
        rows = [
            wrong_row(random.Random(changes[row["conversation_id"]]), row) if row["conversation_id"] in changes else row
            for row in rows
        ]
        return [*no_rows, *rows]

    no_tools = dice.sample([None, 5, "text", {}, {"id": 7}], dice.randint(0, 2))
    bad_agents = dice.sample(agents[1:], dice.randint(0, 2))
    prices = {agent: wrong_prices(dice) for agent in bad_agents}
    api = SpoilingApp(
        create_app(WORLD, clock=lambda: UNTIL), answers, prices, rows=spoil, tools=lambda tools: [*no_tools, *tools]
    )
    slept = [0.0]

    async def at_once(secs):
        slept[0] += secs
        await asyncio.sleep(0)

    def connect(settings):
        return ApiClient(settings.base_url, settings.key(), sleep=at_once, monotonic=lambda: slept[0])

    settings = Settings(home=tmp_path / "home", api_key="demo", reread_days=())
    with running(api) as url:
        here = Context(
            settings.model_copy(update={"base_url": url}), clock=lambda: UNTIL + timedelta(hours=1), connect=connect
        )
        result = sync.sync(here, run_id="run")

    drawn = json.dumps({name: [answer.status, str(answer.body)[:200]] for name, answer in answers.items()}, indent=1)
    quarantined = set(lake.read(here.home, QUARANTINE)["conversation_id"])
    nameless = {name for name in quarantined if name.startswith(("list_row_", "tool_"))}
    assert quarantined - nameless == {*bad, *bad_rows, *bad_agents}, drawn
    assert len(nameless) == len(no_rows) + len(no_tools)
    assert (lake.read(here.home, TOOLS).height, result.warnings) == (14, ())
    assert {*agents[1:]} - {*lake.read(here.home, LLM_PRICES)["agent_id"]} == {*bad_agents}
    assert [name for name in quarantined if not any(name in problem for problem in result.problems)] == []
    assert lake.read(here.home, SYNC_RUNS)["n_quarantined"].to_list() == [len(quarantined)]
    assert_equals(here, [document for name, document in documents.items() if name not in bad])

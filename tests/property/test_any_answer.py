"""Whatever the API answers for some items, the run ends, each of them is named, and every other item is exact."""

from __future__ import annotations

import copy
import json
import random
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings, Workspace
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from tests.helpers.editing_app import Answer, vendor
from tests.helpers.fake_api import Time
from tests.helpers.recording_app import assert_equals
from tests.helpers.spoiling_app import SpoilingApp
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import QUARANTINE, SYNC_RUNS
from warehouse.schema.reference_data import LLM_PRICES, TOOLS
from warehouse.storage import lake

pytestmark = [pytest.mark.usefixtures("few_models"), pytest.mark.whole_build]

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)

STATUSES = (300, 301, 304, 307, 400, 401, 402, 403, 405, 409, 410, 415, 422, 451, 500, 501, 502, 503, 504, 520, 599)
CODES = ("invalid_api_key", "missing_permissions", "quota_exceeded", "needs_authorization", "a_new_word")
BODIES = (b"", b"null", b"[]", b"5", b'"text"', b"{}", b'{"conversation_id": "', b"<html>", b"\xff\xfe", b"[" * 20_000)
NO_START = (None, "soon", [], {}, 0, -1, -1e300, 1e300, 1_790_000_000_000, "\ud800")
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
            year = {"metadata": metadata | {"start_time_unix_secs": 253_402_300_000, "call_duration_secs": 1e6}}
            return Answer(200, document | dice.choice([*other, year]))


def wrong_prices(dice: random.Random) -> Answer:
    """An answer without prices; a 404 says that the agent was deleted, which is not an error."""
    if dice.random() < 0.5:
        return vendor(dice.choice(STATUSES), dice.choice(CODES))
    return Answer(200, dice.choice(BODIES))


def wrong_row(dice: random.Random, row: dict[str, object]) -> dict[str, object]:
    """The list row with a field that cannot be used."""
    name, values = dice.choice([("start_time_unix_secs", NO_START), ("status", (None, [], {"a": 1}))])
    return row | {name: dice.choice(values)}


class Spoilt:
    """The API of a workspace that spoils what the dice choose."""

    def __init__(self, seed: int) -> None:
        dice, world = random.Random(seed), World(seed=seed, conversations=40, days=2, until=UNTIL)
        self.documents = {document["conversation_id"]: document for document in world.details(UNTIL)}
        self.agents = sorted({document["agent_id"] for document in self.documents.values()})
        names = list(self.documents)
        self.bad = dice.sample(names, dice.randint(1, 12))
        self.bad_rows = dice.sample(names, dice.randint(0, 4))
        self.answers = {name: wrong_answer(dice, self.documents[name]) for name in self.bad}
        self.no_rows = dice.sample(NO_ROW, dice.randint(0, 3))
        changes = {name: dice.randrange(2**32) for name in self.bad_rows}

        def spoil(rows):
            rows = [
                wrong_row(random.Random(changes[row["conversation_id"]]), row)
                if row["conversation_id"] in changes
                else row
                for row in rows
            ]
            return [*self.no_rows, *rows]

        self.no_tools = dice.sample([None, 5, "text", {}, {"id": 7}], dice.randint(0, 2))
        self.bad_agents = dice.sample(self.agents[1:], dice.randint(0, 2))
        prices = {agent: wrong_prices(dice) for agent in self.bad_agents}
        self.app = SpoilingApp(
            create_app(world, clock=lambda: UNTIL),
            details=self.answers,
            prices=prices,
            rows=spoil,
            tools=lambda tools: [*self.no_tools, *tools],
        )

    def drawn(self) -> str:
        """What it answers, for a failure."""
        answers = {name: [answer.status, str(answer.body)[:200]] for name, answer in self.answers.items()}
        return json.dumps(answers, indent=1)


def test_wrong_answers_cost_only_themselves(tmp_path, monkeypatch):
    """Six APIs, each of a workspace of its own; one sync copies all."""
    monkeypatch.setenv("ELEVENLABS_API_KEY", "demo")
    apis = {f"seed_{seed}": Spoilt(seed) for seed in range(6)}

    with ExitStack() as servers:
        workspaces = {
            name: Workspace(key_variable="ELEVENLABS_API_KEY", base_url=servers.enter_context(running(api.app)))
            for name, api in apis.items()
        }
        here = Context(
            Settings(home=tmp_path / "home", reread_days=(), workspaces=workspaces),
            clock=lambda: UNTIL + timedelta(hours=1),
            connect=lambda settings: Time().connect(settings),
        )
        result = sync.sync(here, run_id="run")

    assert result.warnings == ()
    for name, api in apis.items():
        home, bad = here.home.for_workspace(name), api.bad
        quarantined = set(lake.read(home, QUARANTINE)["conversation_id"])
        nameless = {item for item in quarantined if item.startswith(("list_row_", "tool_"))}
        assert quarantined - nameless == {*bad, *api.bad_rows, *api.bad_agents}, api.drawn()
        assert len(nameless) == len(api.no_rows) + len(api.no_tools)
        assert lake.read(home, TOOLS).height == 14
        assert {*api.agents[1:]} - {*lake.read(home, LLM_PRICES)["agent_id"]} == {*api.bad_agents}
        assert [item for item in quarantined if not any(item in problem for problem in result.problems)] == []
        assert lake.read(home, SYNC_RUNS)["n_quarantined"].to_list() == [len(quarantined)]
        assert set(lake.read(home, CONVERSATIONS)["conversation_id"]) == api.documents.keys() - bad
    rest = [document for api in apis.values() for name, document in api.documents.items() if name not in api.bad]
    assert_equals(SimpleNamespace(home=here.home.all_workspaces), rest)

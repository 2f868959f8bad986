"""Texts and ids that no column, path or file can hold cost no other item, and no text is lost for half a character."""

from __future__ import annotations

import pytest

from pipelines.emulator.data.agents import AGENTS
from pipelines.usecases.account_data import AgentsCopy, BatchesCopy, TagsCopy
from tests.helpers.account_night import rows
from warehouse.schema.account_data import AGENT_BRANCHES, AGENT_CONFIGS, AGENT_VERSIONS, BATCH_CALLS, TAG_DEFINITIONS

FIRST = AGENTS[0]
AGENT = f"/v1/convai/agents/{FIRST.agent_id}"
CUT, REPAIRED = "Desk \ud83d", "Desk \ufffd"


def edit_entries(key, **changes):
    return lambda page: page | {key: [entry | changes for entry in page[key]]}


def test_half_a_character_is_replaced_as_in_conversations(emulated, api):
    context = emulated()
    BatchesCopy(context).fetch_and_land()
    batch_id = rows(context, BATCH_CALLS)[0]["batch_call_id"]
    version_id = FIRST.versions[0].version_id
    rename = {"name": CUT}
    api.edits |= {
        AGENT: lambda agent: agent | rename,
        f"{AGENT}/branches": edit_entries("results", name=CUT),
        f"{AGENT}/versions/{version_id}": lambda version: version | {"version_description": CUT},
        "/v1/convai/batch-calling/workspace": edit_entries("batch_calls", last_updated_at_unix=1),
        f"/v1/convai/batch-calling/{batch_id}": lambda batch: batch | rename,
        "/v1/convai/tags": edit_entries("conversation_tags", title=CUT),
    }
    errors = [copy(context).fetch_and_land().errors for copy in (AgentsCopy, BatchesCopy, TagsCopy)]
    assert errors == [{}, {}, {}]
    of_agent = {"agent_id": FIRST.agent_id}
    assert {row["agent_name"] for row in rows(context, AGENT_CONFIGS, **of_agent)} == {REPAIRED}
    assert {row["branch_name"] for row in rows(context, AGENT_BRANCHES, **of_agent)} == {REPAIRED}
    (version,) = rows(context, AGENT_VERSIONS, version_id=version_id)
    assert version["description"] == REPAIRED
    (batch,) = rows(context, BATCH_CALLS, batch_call_id=batch_id)
    assert batch["name"] == REPAIRED
    assert {row["title"] for row in rows(context, TAG_DEFINITIONS)} == {REPAIRED}


@pytest.mark.parametrize("version_id", ["v\ud83d", "v" * 100_000, "..", 5, ["v"], True])
def test_a_version_whose_id_is_none_is_not_requested(emulated, api, version_id):
    api.edits[AGENT] = lambda agent: agent | {"version_id": version_id}
    context = emulated()
    assert AgentsCopy(context).fetch_and_land().errors == {}
    assert {row["agent_id"] for row in rows(context, AGENT_CONFIGS)} == {agent.agent_id for agent in AGENTS}

"""Batches of calls from the emulator: who was never called, and what a failure costs."""

from __future__ import annotations

import json
import re
from datetime import timedelta

from pipelines.emulator.data.agents import AGENTS
from pipelines.usecases.account_data import AgentsCopy, BatchesCopy
from pipelines.usecases.items_copy import ItemsResult
from tests.helpers.account_night import quarantined, rows
from tests.helpers.disk_contents import contents
from tests.helpers.editing_app import vendor
from warehouse.schema.account_data import AGENT_BRANCHES, AGENT_CONFIGS, BATCH_CALLS


def test_batches_count_those_who_were_never_called(emulated, world, clock, api):
    context = emulated()
    result = BatchesCopy(context).fetch_and_land()
    truth = {}
    for blueprint, _, batch in world.billed(clock()):
        if batch:
            truth.setdefault(batch["batch_call_id"], []).append(blueprint.conversation_id)
    assert result == ItemsResult(len(truth), {})
    for row in rows(context, BATCH_CALLS):
        n_never_called = 2 + int(row["batch_call_id"][-8:]) % 3
        n_called = len(truth[row["batch_call_id"]])
        assert (row["n_recipients"], row["n_never_called"]) == (n_called + n_never_called, n_never_called)
        assert row["n_calls_dispatched"] == n_called
        assert row["extra"] is None
    assert b"+1555" not in contents(context.home.root)
    assert b"conv_" not in contents(context.home.root)

    api.requests.clear()
    clock.now += timedelta(days=1)
    BatchesCopy(context).fetch_and_land()
    fetched = {path.rsplit("/", 1)[1] for path in api.requests if "workspace" not in path}
    assert fetched == {row["batch_call_id"] for row in rows(context, BATCH_CALLS, status="in_progress")}


def test_a_recipient_that_cannot_be_read_costs_no_other(emulated, api):
    context = emulated()
    BatchesCopy(context).fetch_and_land()
    batch, *_ = rows(context, BATCH_CALLS, status="in_progress")
    statuses = json.loads(batch["recipients_by_status"])
    api.edits[f"/v1/convai/batch-calling/{batch['batch_call_id']}"] = lambda document: (
        document | {"recipients": [None, *document["recipients"], "+15550100", {"status": 7, "conversation_id": "c1"}]}
    )
    assert BatchesCopy(context).fetch_and_land().errors == {}
    (row,) = rows(context, BATCH_CALLS, batch_call_id=batch["batch_call_id"])
    assert json.loads(row["recipients_by_status"]) == statuses | {"unknown": 3}
    assert (row["n_recipients"], row["n_never_called"]) == (batch["n_recipients"] + 3, batch["n_never_called"])


def test_the_end_of_a_stage_is_reported_once(emulated):
    """Stages run side by side, and the end of one that is reported again would be a line of its own."""
    context = emulated()
    ends = []
    for copy in (AgentsCopy, BatchesCopy):
        copy(context, lambda stage, done, total: ends.append(stage) if done == total else None).fetch_and_land()
    assert ends == ["agents", "batches"]


def test_a_batch_that_fails_or_is_gone(emulated, api, clock):
    context = emulated()
    BatchesCopy(context).fetch_and_land()
    first, *others = sorted(row["batch_call_id"] for row in rows(context, BATCH_CALLS))
    last = others[-1]
    clock.now += timedelta(days=1)
    api.edits[f"/v1/convai/batch-calling/{last}"] = vendor(422)
    api.edits["/v1/convai/batch-calling/workspace"] = lambda page: (
        page | {"batch_calls": [batch for batch in page["batch_calls"] if batch["id"] != first]}
    )
    assert list(BatchesCopy(context).fetch_and_land().errors) == [last]
    assert quarantined(context) == {last: "batch_unavailable"}
    gone = {row["batch_call_id"]: row["is_gone"] for row in rows(context, BATCH_CALLS)}
    assert gone == {first: True} | dict.fromkeys(others, False)


def test_entries_of_lists_without_an_id_are_quarantined_until_they_are_gone(emulated, api, clock):
    context = emulated()
    entries = {
        "/v1/convai/agents": ("agents", "agent_"),
        "/v1/convai/batch-calling/workspace": ("batch_calls", "batch_"),
    }
    agent_id = AGENTS[0].agent_id
    entries[f"/v1/convai/agents/{agent_id}/branches"] = ("results", f"{agent_id}/branches/branch_")
    for path, (key, _) in entries.items():
        api.edits[path] = lambda page, key=key: page | {key: [None, *page[key], {"name": "a secret"}]}
    errors = AgentsCopy(context).fetch_and_land().errors | BatchesCopy(context).fetch_and_land().errors
    for prefix in ("agent_", f"{agent_id}/branches/branch_", "batch_"):
        assert sum(re.fullmatch(f"{prefix}[0-9a-f]{{12}}", name) is not None for name in errors) == 2
    reasons = {name: "batch_unavailable" if name.startswith("batch_") else "agent_unavailable" for name in errors}
    assert quarantined(context) == reasons
    assert len(errors) == 6
    assert len(rows(context, BATCH_CALLS)) > 0
    assert b"a secret" not in contents(context.home.root)

    api.edits.clear()
    clock.now += timedelta(days=1)
    assert AgentsCopy(context).fetch_and_land().errors == BatchesCopy(context).fetch_and_land().errors == {}
    assert quarantined(context) == {}


def test_an_entry_that_is_listed_without_its_id_is_not_gone(emulated, api, clock):
    context = emulated()
    tables = (AGENT_CONFIGS, AGENT_BRANCHES, BATCH_CALLS)
    AgentsCopy(context).fetch_and_land()
    BatchesCopy(context).fetch_and_land()
    branch, batch = rows(context, AGENT_BRANCHES)[0], rows(context, BATCH_CALLS)[0]
    agent_id = next(agent.agent_id for agent in AGENTS if agent.agent_id != branch["agent_id"])
    n_branches = len(rows(context, AGENT_BRANCHES, agent_id=agent_id))
    lists = {
        "/v1/convai/agents": ("agents", "agent_id", agent_id),
        f"/v1/convai/agents/{branch['agent_id']}/branches": ("results", "id", branch["branch_id"]),
        "/v1/convai/batch-calling/workspace": ("batch_calls", "id", batch["batch_call_id"]),
    }

    def n_errors_and_gone(replacement):
        for path, (key, id_key, item_id) in lists.items():
            api.edits[path] = lambda page, key=key, id_key=id_key, item_id=item_id: (
                page | {key: [new for row in page[key] for new in ([row] if row[id_key] != item_id else replacement)]}
            )
        clock.now += timedelta(days=1)
        errors = AgentsCopy(context).fetch_and_land().errors | BatchesCopy(context).fetch_and_land().errors
        return len(errors), [sum(row["last_seen_at"] < clock.now for row in rows(context, table)) for table in tables]

    assert n_errors_and_gone([{"name": "without its id"}]) == (3, [0, 0, 0])
    assert n_errors_and_gone([]) == (0, [1, 1 + n_branches, 1])

"""Batches of calls from the emulator: who was never called, and what a failure costs."""

from __future__ import annotations

from datetime import timedelta

from pipelines.usecases.account_data import AgentsCopy, BatchesCopy, ItemsResult
from tests.helpers.account_night import quarantined, rows
from tests.helpers.disk_contents import contents
from tests.helpers.editing_app import vendor
from warehouse.schema.account_data import BATCH_CALLS


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

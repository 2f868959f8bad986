"""Runs that fail: the error is one line, and the current warehouse stays unchanged."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from dagster import AssetKey
from dagster._serdes import serialize_value

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.serve import running
from pipelines.errors import ForeignWorkspaceError, RemovalsError
from pipelines.extract.deletion_policy import apply_policy
from pipelines.usecases import sync
from pipelines.webhook.batch_writer import BatchWriter
from pipelines.webhook.events import read_event
from tests.helpers.emulated_dagster import LAST, Emulated
from warehouse.schema.conversations import CONVERSATION_CHECKS
from warehouse.schema.registry import BY_NAME
from warehouse.serve.query import query
from warehouse.storage import lake, landing, lock

pytestmark = pytest.mark.usefixtures("few_models")


def materialized_schemas(ran):
    """Schemas of the assets that a run materialized."""
    return {event.asset_key.path[0] for event in ran.result.get_asset_materialization_events()}


def failed_checks(ran):
    return {name for name, check in ran.checks.items() if not check.passed}


def repeat_a_turn(home, **changes):
    """Insert a row of the last day into lake.turns a second time, with changes if there are any.

    As a fault of ours would: the record of the day's files has it, so that no run takes it for damage.
    """
    rows = lake.read(home, BY_NAME["turns"]).filter(start_date=LAST)
    again = rows.head(1).with_columns(**{name: pl.lit(value) for name, value in changes.items()})
    lake.overwrite_partition(home, BY_NAME["turns"], LAST, pl.concat([rows, again]))
    checks = lake.read(home, CONVERSATION_CHECKS).filter(start_date=LAST)
    counts = lake.read_counts(home.file(home.partition(CONVERSATION_CHECKS, LAST)))
    ids = checks["conversation_id"].to_list()
    lake.upsert_partition(home, CONVERSATION_CHECKS, LAST, checks, ids, counts=counts | {"turns": rows.height + 1})


def test_a_failed_check_of_the_models_blocks_the_swap(run, copied):
    before = copied.home.warehouse.read_bytes()
    repeat_a_turn(copied.home, conversation_id="conv_of_nobody", message="What somebody said.")
    ran = run(copied)
    name, check_name = "marts_fct_turns_references_conversation_id", "marts.fct_turns: constraints"
    assert failed_checks(ran) == {check_name}
    metadata = ran.checks[check_name].metadata
    assert (metadata["n_failing"].value, metadata["failing_columns"].value) == (1, "conversation_id")
    assert "conversation_id not in" in metadata["failing_rows"].value
    assert ran.checks[check_name].description.endswith("in marts.fct_conversations.conversation_id. Failing rows: 1.")
    (error,) = ran.failures
    assert error.startswith(f"{name} failed in marts.fct_turns: Every conversation_id is in marts.fct_conversations")
    assert error.endswith("Failing rows: 1.")
    assert materialized_schemas(ran) == {"landing", "lake"}
    assert copied.home.warehouse.read_bytes() == before
    assert (ran.run_record["outcome"], ran.run_record["error"]) == ("incomplete", error)
    log = "".join(serialize_value(entry) for entry in ran.instance.all_logs(ran.result.run_id))
    assert name in log
    assert "conv_of_nobody" not in log
    assert "What somebody said." not in log


def test_a_failed_check_of_the_lake_keeps_the_models_from_being_built(run, copied):
    before = copied.home.warehouse.read_bytes()
    repeat_a_turn(copied.home)
    ran = run(copied)
    assert failed_checks(ran) == {"lake.turns: constraints"}
    assert ran.checks["lake.turns: constraints"].metadata["failing_columns"].value == "conversation_id, turn_index"
    assert ran.failures == [
        "lake_turns_unique failed in lake.turns: One row per conversation_id, turn_index. Failing rows: 1."
    ]
    assert materialized_schemas(ran) == {"landing", "lake"}
    assert copied.home.warehouse.read_bytes() == before
    assert (ran.run_record["outcome"], ran.run_record["error"]) == ("incomplete", ran.failures[0])


def test_an_unreadable_conversation_fails_the_run_and_all_others_are_loaded(run, emulated, tmp_path):
    invalid_id = emulated.details()[0]["conversation_id"]
    emulated.invalid_id = invalid_id
    try:
        ran = run(emulated.app_context(tmp_path / "home"), "backfill", days=(LAST, LAST))
    finally:
        emulated.invalid_id = None
    assert failed_checks(ran) == {"every_wanted_call_is_read", "nothing_in_quarantine"}
    assert not ran.result.success
    assert ran.failures[0] == "Conversations that could not be fetched: 1."
    assert ran.run_record["outcome"] == "incomplete"
    assert ran.run_record["n_fetched"] == ran.run_record["n_listed"] - 1
    assert ran.metadata("marts.fct_conversations")["dagster/row_count"] == ran.run_record["n_fetched"]
    # the freshness policy of this asset would take the run for a complete one
    assert ran.instance.get_latest_materialization_event(AssetKey(["metrics", "sync_health"])) is None


def test_a_second_writer_fails_with_the_name_of_the_first_and_leaves_no_run_record(run, copied, emulated):
    with lock.write_lock(copied.home, what="erase", now=emulated.now):
        ran = run(copied)
    (error,) = ran.failures
    assert error.startswith(f"Another run is writing to {copied.home.root}: erase, process ")
    assert error.endswith("Wait until it ends, then run again.")
    assert not lake.read(copied.home, BY_NAME["sync_runs"])["run_id"].is_in([ran.result.run_id]).any()


def test_a_refused_key_is_one_line_and_a_failed_run_record(run, emulated, tmp_path):
    app_context = emulated.app_context(tmp_path / "home", key="sk_another_key")
    ran = run(app_context)
    (error,) = ran.failures
    assert "sk_another_key" not in "".join(serialize_value(entry) for entry in ran.instance.all_logs(ran.result.run_id))
    assert (ran.run_record["outcome"], ran.run_record["error"]) == ("failed", error)
    assert ran.instance.get_latest_materialization_event(AssetKey(["landing", "listings"])) is None


def test_a_backfill_without_days_says_what_to_give(run, emulated, tmp_path):
    ran = run(emulated.app_context(tmp_path / "home"), "backfill", days=None)
    assert ran.failures == [
        (
            "The job backfill needs days: choose partitions on its page, or use `convohouse sync --since --until`. "
            "The job nightly needs none."
        )
    ]


def test_an_empty_window_is_refused(run, emulated, tmp_path):
    config = {"since": "2025-12-24"}
    ran = run(emulated.app_context(tmp_path / "home"), "backfill", config={"landing__listings": {"config": config}})
    assert ran.failures[0].startswith("The window is empty")


def test_a_run_that_would_remove_too_much_fails_with_the_text_of_the_command(run, copied, emulated):
    latest = landing.latest_snapshots(copied.home).filter(status="done").head(12)
    for _ in range(2):
        emulated.now += timedelta(days=1)
        gone = latest.select("conversation_id", "start_date", "start_time_at", "agent_id", kind=pl.lit("gone"))
        landing.land_documents(copied.home, gone.with_columns(fetched_at=emulated.now).to_dicts())
    turns = lake.read(copied.home, BY_NAME["turns"])
    ran = run(copied, assets=("lake.turns",))
    with pytest.raises(RemovalsError) as caught:
        apply_policy(copied.home, copied.settings, emulated.now)
    assert ran.failures == [str(caught.value)]
    assert (ran.run_record["outcome"], ran.run_record["error"]) == ("failed", str(caught.value))
    assert lake.read(copied.home, BY_NAME["turns"]).equals(turns)
    assert not landing.snapshots(copied.home)["is_redacted"].any()


def test_a_run_against_another_workspace_fails_before_anything_of_it_lands(run, copied, emulated):
    until = datetime(2025, 11, 21, tzinfo=UTC)
    other = Emulated(World(seed=99, conversations=60, days=4, until=until), now=emulated.now)
    snapshots, listings = landing.snapshots(copied.home), landing.listings(copied.home)
    with running(other) as other.url:
        ran = run(other.app_context(copied.home.root))
        with pytest.raises(ForeignWorkspaceError) as caught:
            sync.sync(other.app_context(copied.home.root), run_id="2")
    assert ran.failures == [str(caught.value)]
    assert (ran.run_record["outcome"], ran.run_record["error"]) == ("failed", str(caught.value))
    assert landing.snapshots(copied.home).sort(pl.all()).equals(snapshots.sort(pl.all()))
    assert landing.listings(copied.home) == listings


def test_what_landed_before_an_outage_is_in_the_warehouse(run, copied, emulated):
    copied_ids = set(lake.read(copied.home, BY_NAME["conversations"])["conversation_id"])
    emulated.now += timedelta(hours=6)
    document = next(document for document in emulated.details() if document["conversation_id"] not in copied_ids)
    event = {"type": "post_call_transcription", "event_timestamp": emulated.now.timestamp(), "data": document}
    webhook = read_event(json.dumps(event).encode(), emulated.now, None)
    asyncio.run(BatchWriter(copied.home).land(webhook.conversation_id, webhook.rows))
    emulated.is_down = True
    try:
        ran = run(copied)
    finally:
        emulated.is_down = False
    assert ran.run_record["outcome"] == "failed"
    assert "answered 503" in ran.failures[0]
    in_mart = query(copied.home, "select conversation_id from marts.fct_conversations")["conversation_id"]
    assert webhook.conversation_id in set(in_mart)

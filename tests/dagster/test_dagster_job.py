"""The jobs in this process: what they materialize, their metadata, and their run records."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
import polars as pl
import pytest
from dagster._serdes import serialize_value

from pipelines.clock import utc_now
from pipelines.orchestration.build_defs import build_defs
from pipelines.orchestration.prune import delete_runs, report_stored_days
from tests.helpers.emulated_dagster import FIRST, KEY, LAST, check_name, started_at
from tests.independent import row_counts
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.registry import BY_NAME, DOCUMENT_TABLES
from warehouse.serve.query import query
from warehouse.storage import lake, landing

DAYS = {(FIRST + timedelta(days=n)).isoformat() for n in range((LAST - FIRST).days + 1)}
LANDED = ("landing.listings", "landing.documents")
COUNTS = ("n_listed", "n_new", "n_open", "n_changed", "n_due", "n_fetched", "n_landed", "n_flattened", "n_quarantined")


def rows_of(home) -> dict[str, int]:
    return {table.name: lake.read(home, table).height for table in DOCUMENT_TABLES}


def run_record_of(ran) -> dict[str, object]:
    return {name: ran.run_record[name] for name in (*COUNTS, "outcome", "error")}


def test_the_nightly_run_copies_what_the_api_has(first, emulated):
    truth = row_counts.rows(emulated.details())
    assert first.failures == []
    assert first.result.success
    assert rows_of(first.app_context.home) == dict.fromkeys(rows_of(first.app_context.home), 0) | truth
    assert (
        query(first.app_context.home, "select count(*) as n from marts.fct_conversations").item()
        == truth["conversations"]
    )


def test_every_check_is_logged_and_passed(first):
    names = {check_name(key) for key in first.result.job_def.asset_layer.asset_graph.asset_check_keys}
    assert {name: check.passed for name, check in first.checks.items()} == dict.fromkeys(names, True)
    assert len(names) < 150


def test_the_run_record_has_dagsters_run_id(first, emulated):
    n_calls = len(emulated.details())
    new = dict.fromkeys(("n_listed", "n_new", "n_fetched", "n_landed", "n_flattened"), n_calls)
    assert run_record_of(first) == dict.fromkeys(COUNTS, 0) | new | {"outcome": "complete", "error": None}


def test_the_warehouse_says_how_fresh_it_is_of_the_run_that_built_it(first):
    listed_at = query(first.app_context.home, "select distinct last_full_listing_at from metrics.sync_health").item()
    assert listed_at == first.run_record["last_full_listing_at"] == first.run_record["started_at"]


def test_the_first_nightly_run_copies_all_of_history(first):
    assert (first.run_record["since_at"], first.run_record["until_at"]) == (None, first.run_record["started_at"])


def test_assets_say_how_much_there_is_of_them(first):
    n_calls = first.run_record["n_listed"]
    assert first.metadata("landing.listings")["n_listed"] == n_calls
    assert first.metadata("landing.documents")["n_landed"] == n_calls
    assert first.metadata("lake.conversations")["dagster/row_count"] == n_calls
    assert first.metadata("marts.fct_conversations")["dagster/row_count"] == n_calls


def test_each_day_says_how_much_there_is_of_it(first):
    records = first.instance.fetch_materializations(dg.AssetKey(["lake", "turns"]), limit=100).records
    counts = {record.partition_key: record.asset_materialization.metadata for record in records}
    truth = dict(lake.read(first.app_context.home, BY_NAME["turns"]).group_by("start_date").len().rows())
    assert {day: metadata["dagster/partition_row_count"].value for day, metadata in counts.items()} == {
        day.isoformat(): n for day, n in truth.items()
    }
    assert all(metadata["n_bytes"].value > 0 for metadata in counts.values())


def definition_metadata(ran, name):
    """The metadata of an asset as it is declared after the run, not on each event."""
    graph = build_defs(app_context=ran.app_context).resolve_asset_graph()
    return graph.get(dg.AssetKey(name.split("."))).metadata


def test_models_show_their_columns_with_types_and_texts(first):
    schema = definition_metadata(first, "marts.fct_turns")["dagster/column_schema"]
    columns = {column.name: (column.type, column.description, column.constraints.nullable) for column in schema.columns}
    assert columns["turn_index"] == ("BIGINT", "Position of the transcript entry, from 0.", False)
    assert columns["wait_secs"][0] == "DOUBLE"
    assert columns["wait_secs"][1].endswith("[seconds]")


def test_models_show_where_their_columns_come_from(first):
    lineage = definition_metadata(first, "staging.stg_turns")["dagster/column_lineage"].deps_by_column
    assert lineage["message"] == [dg.TableColumnDep(dg.AssetKey(["lake", "turns"]), "message")]


def test_the_key_is_nowhere_in_dagsters_log(first):
    entries = [serialize_value(entry) for entry in first.instance.all_logs(first.result.run_id)]
    assert len(entries) > len(DAYS) * len(DOCUMENT_TABLES)
    run_record = serialize_value(first.instance.get_run_by_id(first.result.run_id))
    assert [text for text in (*entries, run_record) if KEY in text] == []


@pytest.mark.usefixtures("few_models")
def test_what_was_reused_is_not_logged_again_and_old_runs_can_be_deleted(run, copied, emulated):
    assert run(copied, "webhooks").failures == []
    ran = run(copied, "webhooks")
    assert ran.failures == []
    keys = {"/".join(event.asset_key.path) for event in ran.result.get_asset_materialization_events()}
    # what reads the runs is built after each, and the tables that are made of the data of a build are written in each
    made_in_each_build = {"seeds/agent_names", "seeds/metric_headers", "seeds/workspaces"}
    assert {key for key in keys if not key.startswith("lake/")} == {"intermediate/int_whole_days", *made_in_each_build}
    models = [name for name, check in ran.checks.items() if check.asset_key.path[0] != "lake"]
    assert models == ["nothing_is_unusual"]

    days = {day.isoformat() for day in lake.days(copied.home, BY_NAME["turns"])}
    assert delete_runs(ran.instance, utc_now() - timedelta(days=1)) == 0
    assert delete_runs(ran.instance, utc_now() + timedelta(days=1)) == 1
    assert ran.materialized_days("lake.turns") == set()
    assert report_stored_days(ran.instance, copied.home, days) > len(days)
    assert ran.materialized_days("lake.turns") == ran.materialized_days("landing.documents") == days
    assert report_stored_days(ran.instance, copied.home, days) == 0


@pytest.mark.usefixtures("few_models")
def test_the_next_run_reads_only_what_is_open_or_new(run, first, copied, emulated):
    before = emulated.details()
    open_ids = {document["conversation_id"] for document in before if document["status"] not in ("done", "failed")}
    emulated.now += timedelta(minutes=40)
    after = emulated.details()
    second = run(copied)
    assert second.failures == []
    record = run_record_of(second)
    assert record["outcome"] == "complete"
    assert (record["n_new"], record["n_open"]) == (len(after) - len(before), len(open_ids))
    assert open_ids
    assert record["n_fetched"] == sum(record[f"n_{reason}"] for reason in ("new", "open", "changed", "due"))
    assert record["n_fetched"] < len(before) / 2
    assert rows_of(copied.home) == dict.fromkeys(rows_of(copied.home), 0) | row_counts.rows(after)


def test_a_backfill_copies_its_days_and_no_others(run, emulated, tmp_path):
    days = (FIRST, FIRST + timedelta(days=1))
    ran = run(emulated.app_context(tmp_path / "home"), "backfill", days=days, assets=(*LANDED, "lake.turns"))
    assert ran.failures == []
    within = [document for document in emulated.details() if started_at(document).date() in days]
    assert rows_of(ran.app_context.home) == dict.fromkeys(rows_of(ran.app_context.home), 0) | row_counts.rows(within)
    for name in (*LANDED, "lake.turns"):
        assert ran.materialized_days(name) == {day.isoformat() for day in days}


def test_a_backfill_can_be_limited_to_an_agent_and_a_time(run, emulated, tmp_path):
    agent = emulated.details()[0]["agent_id"]
    config = {"agent_id": agent, "since": "2025-11-18T12:00:00+00:00"}
    ran = run(
        emulated.app_context(tmp_path / "home"),
        "backfill",
        config={"landing__listings": {"config": config}},
        assets=(*LANDED, "lake.conversations"),
    )
    assert ran.failures == []
    noon = started_at({"metadata": {"start_time_unix_secs": 1_763_467_200}})
    expected = {d["conversation_id"] for d in emulated.details() if d["agent_id"] == agent and started_at(d) >= noon}
    assert set(lake.read(ran.app_context.home, CONVERSATIONS)["conversation_id"]) == expected
    assert (ran.run_record["agent_id"], ran.run_record["since_at"], ran.run_record["outcome"]) == (
        agent,
        noon,
        "complete",
    )


def test_a_run_that_touches_other_days_logs_them(run, copied, emulated):
    """Conversations are due a day after their end: they started on other days than the run's."""
    emulated.now += timedelta(hours=30)
    ran = run(copied, days=(LAST + timedelta(days=1),) * 2, assets=(*LANDED, "lake.turns"))
    assert ran.failures == []
    refetched = landing.snapshots(copied.home).filter(pl.col("fetched_at") >= emulated.now)["start_date"].unique()
    expected = {day.isoformat() for day in refetched} | {(LAST + timedelta(days=1)).isoformat()}
    assert len(expected) > 1
    assert ran.materialized_days("landing.documents") == ran.materialized_days("lake.turns") == expected


@pytest.mark.usefixtures("few_models")
def test_a_single_step_starts_and_ends_a_run_record(run, copied):
    ran = run(copied, "backfill", assets=("marts.fct_turns", "metrics.agent_daily"))
    assert ran.failures == []
    keys = {event.asset_key.to_user_string() for event in ran.result.get_asset_materialization_events()}
    assert keys == {"marts/fct_turns", "metrics/agent_daily"}
    assert run_record_of(ran) == dict.fromkeys(COUNTS, 0) | {"outcome": "complete", "error": None}


def test_a_listing_alone_is_an_incomplete_run(run, copied):
    ran = run(copied, "backfill", assets=("landing.listings",))
    assert ran.failures == []
    assert ran.run_record["outcome"] == "incomplete"


def test_sync_health_is_materialized_only_by_a_run_that_lists_all_agents_up_to_now(run, first, copied, emulated):
    """Its freshness policy counts from there; that of an incomplete run is in test_dagster_failures."""
    assert is_health_materialized(first)
    emulated.now += timedelta(minutes=40)
    ran = run(copied, "backfill", assets=("metrics.sync_health",))
    assert ran.failures == []
    assert (ran.run_record["outcome"], is_health_materialized(ran)) == ("complete", False)


def is_health_materialized(ran):
    key = dg.AssetKey(["metrics", "sync_health"])
    return key in {event.asset_key for event in ran.result.get_asset_materialization_events()}

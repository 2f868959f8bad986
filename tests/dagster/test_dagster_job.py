"""The jobs in this process: what they make, what they say of it, and that they account for it."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
import polars as pl
from dagster._serdes import serialize_value

from tests.helpers.emulated_dagster import FIRST, KEY, LAST, started_at
from tests.independent import row_counts
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.registry import BY_NAME, DOCUMENT_TABLES
from warehouse.serve.query import query
from warehouse.storage import lake, landing

DAYS = {(FIRST + timedelta(days=n)).isoformat() for n in range((LAST - FIRST).days + 1)}
LANDED = ("landing.listings", "landing.documents")
ACCOUNT = ("n_listed", "n_new", "n_open", "n_changed", "n_due", "n_fetched", "n_landed", "n_flattened", "n_quarantined")


def rows_of(home) -> dict[str, int]:
    return {table.name: lake.read(home, table).height for table in DOCUMENT_TABLES}


def account_of(ran) -> dict[str, object]:
    return {name: ran.account[name] for name in (*ACCOUNT, "outcome", "error")}


def test_the_nightly_run_makes_what_the_api_holds(first, emulated):
    truth = row_counts.rows(emulated.details())
    assert first.failures == []
    assert first.result.success
    assert rows_of(first.workspace_context.home) == dict.fromkeys(rows_of(first.workspace_context.home), 0) | truth
    assert (
        query(first.workspace_context.home, "select count(*) as n from marts.fct_conversations").item()
        == truth["conversations"]
    )


def test_every_check_is_logged_and_passed(first):
    keys = {key.name for key in first.result.job_def.asset_layer.asset_graph.asset_check_keys}
    assert {name: each.passed for name, each in first.checks.items()} == dict.fromkeys(keys, True)


def test_the_run_is_accounted_for_under_dagsters_id(first, emulated):
    n_calls = len(emulated.details())
    new = dict.fromkeys(("n_listed", "n_new", "n_fetched", "n_landed", "n_flattened"), n_calls)
    assert account_of(first) == dict.fromkeys(ACCOUNT, 0) | new | {"outcome": "complete", "error": None}


def test_the_first_nightly_run_copies_all_of_history(first):
    assert (first.account["since_at"], first.account["until_at"]) == (None, first.account["started_at"])


def test_assets_say_how_much_there_is_of_them(first):
    n_calls = first.account["n_listed"]
    assert first.metadata("landing.listings")["n_listed"] == n_calls
    assert first.metadata("landing.documents")["n_landed"] == n_calls
    assert first.metadata("lake.conversations")["dagster/row_count"] == n_calls
    assert first.metadata("marts.fct_conversations")["dagster/row_count"] == n_calls


def test_each_day_says_how_much_there_is_of_it(first):
    made = first.instance.fetch_materializations(dg.AssetKey(["lake", "turns"]), limit=100).records
    counts = {each.partition_key: each.asset_materialization.metadata for each in made}
    truth = dict(lake.read(first.workspace_context.home, BY_NAME["turns"]).group_by("start_date").len().rows())
    assert {key: each["dagster/partition_row_count"].value for key, each in counts.items()} == {
        day.isoformat(): n for day, n in truth.items()
    }
    assert all(each["n_bytes"].value > 0 for each in counts.values())


def test_models_show_their_columns_with_types_and_texts(first):
    schema = first.metadata("marts.fct_turns")["dagster/column_schema"]
    columns = {column.name: (column.type, column.description, column.constraints.nullable) for column in schema.columns}
    assert columns["turn_index"] == ("BIGINT", "Position of the transcript entry, from 0.", False)
    assert columns["wait_secs"][0] == "DOUBLE"
    assert columns["wait_secs"][1].endswith("[seconds]")


def test_models_show_where_their_columns_come_from(first):
    lineage = first.metadata("staging.stg_turns")["dagster/column_lineage"].deps_by_column
    assert lineage["message"] == [dg.TableColumnDep(dg.AssetKey(["lake", "turns"]), "message")]


def test_the_key_is_nowhere_in_dagsters_log(first):
    entries = [serialize_value(entry) for entry in first.instance.all_logs(first.result.run_id)]
    assert len(entries) > len(DAYS) * len(DOCUMENT_TABLES)
    run_record = serialize_value(first.instance.get_run_by_id(first.result.run_id))
    assert [text for text in (*entries, run_record) if KEY in text] == []


def test_the_next_run_reads_only_what_is_open_or_new(run, first, copied, emulated):
    before = emulated.details()
    is_open = {each["conversation_id"] for each in before if each["status"] not in ("done", "failed")}
    emulated.now += timedelta(minutes=40)
    after = emulated.details()
    second = run(copied)
    assert second.failures == []
    account = account_of(second)
    assert account["outcome"] == "complete"
    assert (account["n_new"], account["n_open"]) == (len(after) - len(before), len(is_open))
    assert is_open
    assert account["n_fetched"] == sum(account[f"n_{reason}"] for reason in ("new", "open", "changed", "due"))
    assert account["n_fetched"] < len(before) / 2
    assert rows_of(copied.home) == dict.fromkeys(rows_of(copied.home), 0) | row_counts.rows(after)


def test_a_backfill_copies_its_days_and_no_others(run, emulated, tmp_path):
    days = (FIRST, FIRST + timedelta(days=1))
    ran = run(emulated.workspace_context(tmp_path / "home"), "backfill", days=days, assets=(*LANDED, "lake.turns"))
    assert ran.failures == []
    within = [each for each in emulated.details() if started_at(each).date() in days]
    assert rows_of(ran.workspace_context.home) == dict.fromkeys(
        rows_of(ran.workspace_context.home), 0
    ) | row_counts.rows(within)
    for name in (*LANDED, "lake.turns"):
        assert ran.days_made(name) == {day.isoformat() for day in days}


def test_a_backfill_can_be_limited_to_an_agent_and_a_time(run, emulated, tmp_path):
    agent = emulated.details()[0]["agent_id"]
    asked = {"agent_id": agent, "since": "2025-11-18T12:00:00+00:00"}
    ran = run(
        emulated.workspace_context(tmp_path / "home"),
        "backfill",
        config={"landing__listings": {"config": asked}},
        assets=(*LANDED, "lake.conversations"),
    )
    assert ran.failures == []
    noon = started_at({"metadata": {"start_time_unix_secs": 1_763_467_200}})
    wanted = {d["conversation_id"] for d in emulated.details() if d["agent_id"] == agent and started_at(d) >= noon}
    assert set(lake.read(ran.workspace_context.home, CONVERSATIONS)["conversation_id"]) == wanted
    assert (ran.account["agent_id"], ran.account["since_at"], ran.account["outcome"]) == (agent, noon, "complete")


def test_a_run_that_touches_other_days_logs_them(run, copied, emulated):
    """Calls are due to be read again a day after their end: on other days than the run's."""
    emulated.now += timedelta(hours=30)
    ran = run(copied, days=(LAST + timedelta(days=1),) * 2, assets=(*LANDED, "lake.turns"))
    assert ran.failures == []
    read_again = landing.snapshots(copied.home).filter(pl.col("fetched_at") >= emulated.now)["start_date"].unique()
    expected = {day.isoformat() for day in read_again} | {(LAST + timedelta(days=1)).isoformat()}
    assert len(expected) > 1
    assert ran.days_made("landing.documents") == ran.days_made("lake.turns") == expected


def test_a_step_alone_begins_and_ends_an_account(run, copied):
    ran = run(copied, "backfill", assets=("marts.fct_turns", "metrics.agent_daily"))
    assert ran.failures == []
    made = {event.asset_key.to_user_string() for event in ran.result.get_asset_materialization_events()}
    assert made == {"marts/fct_turns", "metrics/agent_daily"}
    assert account_of(ran) == dict.fromkeys(ACCOUNT, 0) | {"outcome": "complete", "error": None}


def test_a_listing_alone_is_no_complete_run(run, copied):
    ran = run(copied, "backfill", assets=("landing.listings",))
    assert ran.failures == []
    assert ran.account["outcome"] == "incomplete"

"""What goes wrong in a run: it is red, it says why in a line, and the warehouse stays as it was."""

from __future__ import annotations

import polars as pl
import pytest
from dagster import AssetKey
from dagster._serdes import serialize_value

from tests.helpers.emulated_dagster import LAST
from warehouse.schema.registry import BY_NAME
from warehouse.storage import lake, lock

pytestmark = pytest.mark.usefixtures("few_models")


def made(ran):
    """Schemas of the assets that a run made."""
    return {event.asset_key.path[0] for event in ran.result.get_asset_materialization_events()}


def failed_checks(ran):
    return {name for name, each in ran.checks.items() if not each.passed}


def repeat_a_turn(home, **changes):
    """Put a row of the last day into lake.turns once more, changed or not."""
    rows = lake.read(home, BY_NAME["turns"]).filter(start_date=LAST)
    again = rows.head(1).with_columns(**{name: pl.lit(value) for name, value in changes.items()})
    lake.overwrite_partition(home, BY_NAME["turns"], LAST, pl.concat([rows, again]))


def test_a_failed_check_of_the_models_blocks_the_swap(run, copied):
    before = copied.home.warehouse.read_bytes()
    repeat_a_turn(copied.home, conversation_id="conv_of_nobody", message="What somebody said.")
    ran = run(copied)
    name = "marts_fct_turns_references_conversation_id"
    assert failed_checks(ran) == {name}
    assert ran.checks[name].metadata["n_failing"].value == 1
    (said,) = ran.failures
    assert said.startswith(f"{name} failed in marts.fct_turns: Every conversation_id is in marts.fct_conversations")
    assert said.endswith("Failing rows: 1.")
    assert made(ran) == {"landing", "lake"}
    assert copied.home.warehouse.read_bytes() == before
    assert (ran.account["outcome"], ran.account["error"]) == ("incomplete", said)
    log = "".join(serialize_value(entry) for entry in ran.instance.all_logs(ran.result.run_id))
    assert name in log
    assert "conv_of_nobody" not in log
    assert "What somebody said." not in log


def test_a_failed_check_of_the_lake_keeps_the_models_from_being_built(run, copied):
    before = copied.home.warehouse.read_bytes()
    repeat_a_turn(copied.home)
    ran = run(copied)
    assert failed_checks(ran) == {"lake_turns_unique"}
    assert ran.failures == [
        "lake_turns_unique failed in lake.turns: One row per conversation_id, turn_index. Failing rows: 1."
    ]
    assert made(ran) == {"landing", "lake"}
    assert copied.home.warehouse.read_bytes() == before
    assert (ran.account["outcome"], ran.account["error"]) == ("incomplete", ran.failures[0])


def test_what_could_not_be_read_makes_the_run_red_and_all_else_is_loaded(run, emulated, tmp_path):
    spoilt = emulated.details()[0]["conversation_id"]
    emulated.spoilt = spoilt
    try:
        ran = run(emulated.workspace_context(tmp_path / "home"), "backfill", days=(LAST, LAST))
    finally:
        emulated.spoilt = None
    assert failed_checks(ran) == {"every_wanted_call_is_read", "listed_is_landed", "nothing_in_quarantine"}
    assert not ran.result.success
    assert ran.failures[0] == "Conversations that could not be read: 1."
    assert ran.account["outcome"] == "incomplete"
    assert ran.account["n_fetched"] == ran.account["n_listed"] - 1
    assert ran.metadata("marts.fct_conversations")["dagster/row_count"] == ran.account["n_fetched"]


def test_a_second_writer_is_told_who_writes_and_leaves_no_account(run, copied, emulated):
    with lock.write_lock(copied.home, what="erase", now=emulated.now):
        ran = run(copied)
    (said,) = ran.failures
    assert said.startswith(f"Another run is writing to {copied.home.root}: erase, process ")
    assert said.endswith("Wait until it ends, then run again.")
    assert not lake.read(copied.home, BY_NAME["sync_runs"])["run_id"].is_in([ran.result.run_id]).any()


def test_a_refused_key_is_one_line_and_a_failed_account(run, emulated, tmp_path):
    workspace_context = emulated.workspace_context(tmp_path / "home", key="sk_another_key")
    ran = run(workspace_context)
    (said,) = ran.failures
    assert "sk_another_key" not in "".join(serialize_value(entry) for entry in ran.instance.all_logs(ran.result.run_id))
    assert (ran.account["outcome"], ran.account["error"]) == ("failed", said)
    assert ran.instance.get_latest_materialization_event(AssetKey(["landing", "listings"])) is None


def test_a_window_that_holds_nothing_is_refused(run, emulated, tmp_path):
    asked = {"since": "2025-12-24"}
    ran = run(
        emulated.workspace_context(tmp_path / "home"), "backfill", config={"landing__listings": {"config": asked}}
    )
    assert ran.failures[0].startswith("The window is empty")

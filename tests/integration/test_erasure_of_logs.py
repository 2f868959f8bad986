"""What an erasure removes of a conversation that has no document: its events, its quarantine, the log of activities."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.settings import Settings
from pipelines.transform.refresh_lake import refresh_lake
from pipelines.usecases.context import Context
from pipelines.usecases.erasure import erase
from pipelines.usecases.retention import Rule, select_expired
from tests.helpers.disk_contents import contents, words_in
from warehouse.schema.activity import ACTIVITY_TABLES, WEBHOOK_EVENTS
from warehouse.schema.operations import DELETIONS
from warehouse.storage import activity_log, lake, landing, quarantine
from warehouse.storage.erasure import DAYS_OF_ACTIVITY

pytestmark = pytest.mark.usefixtures("few_models")

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)


def test_what_only_a_webhook_announced_is_erased_and_retained_as_well(tmp_path):
    context = Context(Settings(home=tmp_path / "home", api_key="demo"), clock=lambda: UNTIL)
    home = context.home.open()
    event = {"event_type": "call_initiation_failure", "received_at": UNTIL, "agent_id": "agent_a"}
    for name, days, reason in (
        ("conv_a", 9, "no answer by Ada"),
        ("conv_b", 10, "hung up on Bob"),
        ("conv_c", 2, "busy at Cy"),
    ):
        at = UNTIL - timedelta(days=days)
        row = event | {"conversation_id": name, "event_at": at, "failure_reason": reason}
        activity_log.append(home, WEBHOOK_EVENTS, [row])
    refresh_lake(home, reread_days=())
    rule = Rule(UNTIL - timedelta(days=5), agent_id="agent_a")
    assert select_expired(context, rule, max_share=1, where="upstream").all_ids == ()  # the API may never have had them
    selection = select_expired(context, rule, max_share=1)
    assert (selection.all_ids, selection.n_all) == (("conv_b", "conv_a"), 3)
    receipts = erase(context, selection.all_ids).receipts
    assert [(receipt.conversation_id, receipt.lake) for receipt in receipts] == [
        ("conv_b", {"webhook_events": 1}),
        ("conv_a", {"webhook_events": 1}),
    ]
    remaining_words = words_in(contents(home.root), {"no answer by Ada", "hung up on Bob", "busy at Cy"})
    assert remaining_words == {"busy at Cy"}
    deletions = lake.read(home, DELETIONS).sort("conversation_id")
    assert deletions["conversation_id"].to_list() == ["conv_a", "conv_b"]
    assert select_expired(context, rule, max_share=1).all_ids == ()


def test_the_log_of_what_was_done_forgets_an_erased_conversation(tmp_path):
    context = Context(Settings(home=tmp_path / "home", api_key="demo"), clock=lambda: UNTIL)
    home = context.home.open()
    start = {"start_date": UNTIL.date(), "start_time_at": UNTIL, "kind": "gone", "fetched_at": UNTIL}
    landing.land_documents(home, [start | {"conversation_id": name} for name in ("conv_a", "conv_b")])
    tables = [table for table in ACTIVITY_TABLES if "conversation_id" in table.column_names]
    # else a conversation that is in nothing but such a table could not be erased
    assert {table.name for table in tables} == {table.name for table, _ in DAYS_OF_ACTIVITY}
    for table in tables:
        rows = [dict.fromkeys(table.key, None) | {"conversation_id": name} for name in ("conv_a", "conv_b")]
        activity_log.append(home, table, rows)
    erase(context, ["conv_a"])
    for table in tables:
        assert activity_log.latest_entries(home, table)["conversation_id"].to_list() == ["conv_b"], table.name
        assert lake.read(home, table)["conversation_id"].to_list() == ["conv_b"], table.name
    assert b"conv_a" not in b"".join(
        path.read_bytes() for table in tables for path in activity_log.folder(home, table).iterdir()
    )


def test_a_quarantined_response_is_erased_as_well(tmp_path):
    context = Context(Settings(home=tmp_path / "home [1]", api_key="demo"), clock=lambda: UNTIL)
    home = context.home.open()
    quarantine.add(home, "conv_cut", at=UNTIL, reason="unreadable", error="said by Ada")
    refresh_lake(home, reread_days=())
    assert b"said by Ada" in contents(home.root)
    (receipt,) = erase(context, ["conv_cut"]).receipts
    assert (receipt.landing["n_quarantined"], receipt.lake) == (1, {"quarantine": 1})
    assert b"said by Ada" not in contents(home.root)
    assert lake.read(home, DELETIONS)["conversation_id"].to_list() == ["conv_cut"]

"""The record of a run, from its start to its end, and of a run over several workspaces."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.extract import run_log
from pipelines.extract.time_window import Window
from warehouse.schema.landing import LANDED_LISTINGS
from warehouse.storage import landing, parquet
from warehouse.storage.freshness import UNFINISHED
from warehouse.storage.home import Home

AT = datetime(2026, 11, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home").open()


def counts(row):
    """The counts of a record that are not 0."""
    return {name: row[name] for name in run_log._NUMBERS if row[name]}


def test_a_run_is_incomplete_until_its_end(home):
    run_log.start_run(home, "1", at=AT, window=Window(AT - HOUR, AT, "agent_a"))
    row = run_log.row(home, "1")
    assert (row["since_at"], row["until_at"], row["agent_id"]) == (AT - HOUR, AT, "agent_a")
    assert (row["outcome"], row["error"], row["started_at"], row["ended_at"]) == ("incomplete", UNFINISHED, AT, AT)
    assert (row["last_full_listing_at"], counts(row)) == (None, {})
    run_log.add_counts(home, "1", at=AT + HOUR, n_new=3, n_due=2, n_fetched=4)
    run_log.add_counts(home, "1", at=AT + 2 * HOUR, n_fetched=-1, n_listed=7)
    row = run_log.row(home, "1")
    assert (row["ended_at"], row["outcome"]) == (AT + 2 * HOUR, "incomplete")
    assert counts(row) == {"n_new": 3, "n_due": 2, "n_fetched": 3, "n_listed": 7, "elapsed_secs": 7200.0}
    assert run_log.n_unread(home, "1") == 2
    landing.land_listing(home, landing.Listing(AT, None, AT), parquet.frame(LANDED_LISTINGS, []))
    run_log.note_listings(home, "1", at=AT)
    assert run_log.row(home, "1")["last_full_listing_at"] == AT


@pytest.mark.parametrize(
    ("outcome", "is_fresh", "listed_at", "failure"),
    [("complete", True, AT, None), ("failed", True, AT, "why"), ("incomplete", False, None, None)],
)
def test_a_run_ends_with_its_outcome_and_is_as_fresh_as_its_listings(home, outcome, is_fresh, listed_at, failure):
    landing.land_listing(home, landing.Listing(AT, None, AT), parquet.frame(LANDED_LISTINGS, []))
    for run_id in ("0", "1"):
        run_log.start_run(home, run_id, at=AT, window=None)
    run_log.note_listings(home, "1", at=AT)
    run_log.finish_run(home, "1", at=AT + HOUR, outcome=outcome, error="why", is_fresh=is_fresh, n_quarantined=2)
    row = run_log.row(home, "1")
    assert (row["outcome"], row["error"], row["ended_at"]) == (outcome, "why", AT + HOUR)
    assert (row["last_full_listing_at"], counts(row)) == (listed_at, {"n_quarantined": 2, "elapsed_secs": 3600.0})
    assert run_log.failure_of(home, "1") == failure
    assert run_log.row(home, "0")["error"] == UNFINISHED
    assert (run_log.is_started(home, "1"), run_log.is_started(home, "2")) == (True, False)


@pytest.mark.parametrize("window", [None, Window(AT - HOUR, AT, "agent_a"), Window(None, AT)])
def test_a_record_has_the_window_that_the_run_listed(home, window):
    run_log.start_run(home, "1", at=AT, window=window)
    row = run_log.row(home, "1")
    columns = (window.since, window.until, window.agent_id) if window else (None, None, None)
    assert ((row["since_at"], row["until_at"], row["agent_id"]), run_log.window(home, "1")) == (columns, window)


def test_a_record_that_is_gone_is_an_error_that_names_the_folder(home):
    with pytest.raises(FileNotFoundError) as error:
        run_log.row(home, "1")
    assert (error.value.filename, error.value.strerror) == (str(home.runs), "No such file or directory")


def test_the_record_of_several_workspaces_has_sums_and_the_worst_outcome(home):
    rows = []
    for number, (outcome, error) in enumerate((("complete", None), ("failed", "no key"), ("incomplete", "2 missing"))):
        workspace = home.for_workspace(f"w{number}")
        run_log.start_run(workspace, "1", at=AT + (2 - number) * HOUR, window=None)
        run_log.add_counts(workspace, "1", at=AT + (3 + number) * HOUR, n_fetched=number + 1)
        rows.append(run_log.row(workspace, "1") | {"outcome": outcome, "error": error})
    total = run_log.total(rows)
    assert (total["workspace"], total["outcome"], total["error"]) == ("*", "failed", "no key; 2 missing")
    assert (total["started_at"], total["ended_at"]) == (AT, AT + 5 * HOUR)
    assert counts(total) == {"n_fetched": 6, "elapsed_secs": 18_000.0}
    assert run_log.total(rows[:1]) is rows[0]
    assert run_log.total([rows[0], rows[0]])["error"] is None

"""What Dagster shows of the numbers: those of the newest day that is over, and a warning where one is unusual."""

from __future__ import annotations

from datetime import date, timedelta

import dagster as dg
import duckdb
import pytest

from pipelines.orchestration.metric_checks import check_anomalies, newest_day_metrics
from tests.helpers.emulated_dagster import LAST, started_at
from warehouse.storage.home import Home


def test_the_asset_of_days_shows_the_newest_day_that_is_over(first, emulated):
    metadata = first.metadata("metrics.agent_daily")
    day = LAST - timedelta(days=1)  # in the middle of the last one, it was copied
    that_day = [document for document in emulated.details() if started_at(document).date() == day]
    finished = [document for document in that_day if document["status"] in ("done", "failed")]
    assert metadata["newest_day"] == day.isoformat()
    assert (metadata["n_calls"], metadata["n_open"]) == (len(finished), len(that_day) - len(finished))
    assert metadata["cost_credits"] == sum(document["metadata"]["cost"] or 0 for document in finished)
    assert "n_calls" not in first.metadata("metrics.cost_daily")


def test_a_few_days_are_not_unusual(first):
    check = first.checks["nothing_is_unusual"]
    assert (check.passed, check.severity) == (True, dg.AssetCheckSeverity.WARN)


@pytest.fixture
def home(tmp_path):
    """A warehouse with the anomalies of two workspaces, of which "eu" was listed in the night of the 3rd."""
    home = Home(tmp_path / "home").open()
    rows = [
        ("eu", date(2026, 11, 1), "a", "Shop", "n_calls", 90.0, 10.0, 3.0, 80.0, True),
        ("eu", date(2026, 11, 2), "a", "Shop", "n_calls", 11.0, 10.0, 3.0, 1.0, False),
        ("eu", date(2026, 11, 3), "a", "Shop", "n_calls", 1.0, 10.0, 3.0, -9.0, True),
        ("us", date(2026, 11, 1), "b", None, "success_rate", 0.1, 0.8, 0.1, -0.7, True),
    ]
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create schema metrics")
        connection.execute(
            "create table metrics.anomalies (workspace text, start_date date, agent_id text, agent_name text, measure"
            " text, value double, expected double, spread double, deviation double, is_flagged boolean)"
        )
        connection.executemany("insert into metrics.anomalies values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        connection.execute("create schema intermediate")
        connection.execute(
            "create table intermediate.int_whole_days as select * from (values ('eu', date '2026-11-02'), "
            "('us', date '2026-11-01')) as days (workspace, last_whole_date)"
        )
    return home


def test_a_day_that_is_not_over_is_not_the_newest_day(home):
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(
            "create table metrics.agent_daily as select 'eu' as workspace, start_date, n_calls, 0 as n_open, "
            "4 as n_success, 1 as n_failure, 10 as cost_credits, null::double as cost_usd "
            "from (values (date '2026-11-02', 11), (date '2026-11-03', 1)) as days (start_date, n_calls)"
        )
    assert newest_day_metrics(home) == {
        "newest_day": "2026-11-02",
        "n_calls": 11,
        "n_open": 0,
        "success_rate": 0.8,
        "success_coverage": 5 / 11,
        "cost_credits": 10,
    }


def test_an_unusual_newest_day_that_is_over_is_a_warning_with_its_measures(home):
    result = check_anomalies(home)
    assert (result.passed, result.severity, result.metadata["n_unusual"].value) == (
        False,
        dg.AssetCheckSeverity.WARN,
        1,
    )
    (record,) = result.metadata["measures"].records
    assert record.data == {
        "workspace": "us",
        "start_date": "2026-11-01",
        "agent_id": "b",
        "agent_name": "b",
        "measure": "success_rate",
        "value": 0.1,
        "expected": 0.8,
        "deviation": -0.7,
    }

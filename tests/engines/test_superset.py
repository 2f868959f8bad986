"""Superset shows the numbers of the warehouse: through its API, and on the dashboard in a browser."""

from __future__ import annotations

import shutil

import duckdb
import pytest

from tests.helpers.browsing import chromium, require_chromium
from tests.helpers.run_cli import run
from tests.helpers.running_superset import PAGE_SECS, Superset
from warehouse.serve.query import query
from warehouse.serve.value_format import format_value

pytestmark = [pytest.mark.engines, pytest.mark.tools, pytest.mark.timeout(600)]


def test_the_api_gives_the_numbers_of_each_agent_and_week(superset: Superset) -> None:
    """To the last digit; DuckDB 1 rounds the interpolation of a percentile in another way than the warehouse's."""
    columns = "agent_id, n_calls, success_rate, cost_usd, wait_p95_secs"
    weeks = query(superset.home, "select distinct week_start_date from metrics.agent_scorecard")["week_start_date"]
    assert len(weeks) > 1
    for week in weeks:
        sql = f"select {columns} from metrics.agent_scorecard where week_start_date = '{week}' order by agent_id"  # noqa: S608
        expected = query(superset.home, sql).to_dicts()
        end = query(superset.home, f"select cast('{week}' as date) + 7").item()
        time_range = f"{week} : {end}"
        waits = {row["agent_id"]: row["wait_p95_secs"] for row in superset.rows("waits", ["agent_id"], time_range)}
        shown = [
            row | {"wait_p95_secs": waits.get(row["agent_id"])}
            for row in superset.rows("agent_daily", ["agent_id"], time_range)
        ]
        for row in expected:
            row["wait_p95_secs"] = row["wait_p95_secs"] and pytest.approx(row["wait_p95_secs"], rel=1e-15)
        assert sorted(shown, key=lambda row: row["agent_id"]) == expected


def test_the_dashboard_shows_the_numbers_of_the_warehouse(superset: Superset) -> None:
    require_chromium()
    summary = run(superset.home.root, "--home", str(superset.home.root), "summary", "--json").data
    wait = query(superset.home, "select quantile_cont(wait_secs, 0.95) from marts.fct_turns where is_counted").item()
    n_agents = query(superset.home, "select count(distinct agent_id) from metrics.agent_daily").item()
    n_rows = n_agents + query(superset.home, "select count(*) from metrics.agent_scorecard").item()  # of two tables
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 2600})
        page.set_default_timeout(PAGE_SECS * 1000)
        page.goto(f"{superset.url}/login/")
        page.fill("#username", "admin")
        page.fill("#password", superset.password)
        page.keyboard.press("Enter")
        page.wait_for_url("**/superset/welcome/**")
        page.goto(f"{superset.url}/superset/dashboard/convohouse/")
        page.wait_for_function("document.querySelectorAll('.header-line').length == 4")
        page.wait_for_function("document.querySelectorAll('[data-test=\"loading-indicator\"], .loading').length == 0")
        page.wait_for_function(f"document.querySelectorAll('table tbody tr').length == {n_rows}")
        numbers = [element.inner_text() for element in page.query_selector_all(".header-line")]
        text = page.inner_text("body")
    assert numbers == [
        f"{summary['n_calls']:,}",
        f"{summary['success_rate']:.1%}",
        format_value(summary["cost_usd"], "US dollars"),
        f"{wait:,.2f}",
    ]
    assert "Data error" not in text
    assert "rror:" not in text


def test_nobody_can_write_through_superset(superset: Superset) -> None:
    before = superset.home.warehouse.read_bytes()
    assert superset.run("select 1 as a").json()["data"] == [{"a": 1}]
    for sql in ("create table marts.other as select 1", "update metrics.agent_daily set n_calls = 0"):
        assert "DML_NOT_ALLOWED_ERROR" in superset.run(sql).text
    assert superset.home.warehouse.read_bytes() == before


def test_the_morning_after_a_build_the_new_numbers_are_shown(superset: Superset) -> None:
    """A build replaces the file while Superset runs."""
    (before,) = superset.rows("agent_daily", [])
    old, new = (superset.home.warehouse.with_suffix(suffix) for suffix in (".old", ".new"))
    for copy in (old, new):
        shutil.copy(superset.home.warehouse, copy)
    with duckdb.connect(str(new)) as connection:
        connection.execute("update metrics.agent_daily set n_calls = n_calls + 1")
        (added,) = connection.execute("select count(*) from metrics.agent_daily").fetchall()[0]
    new.replace(superset.home.warehouse)
    (after,) = superset.rows("agent_daily", [])
    old.replace(superset.home.warehouse)
    assert after["n_calls"] == before["n_calls"] + added

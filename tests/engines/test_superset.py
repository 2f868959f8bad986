"""Superset shows the numbers of the warehouse: through its API, and on the dashboard in a browser."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from playwright.sync_api import sync_playwright

from tests.helpers.run_cli import run
from warehouse.serve.query import query
from warehouse.serve.value_format import format_value
from warehouse.storage.home import Home

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]

START = Path(__file__).parents[2] / "examples" / "superset" / "start.py"
METRICS = {"agent_daily": ["n_calls", "success_rate", "cost_usd"], "waits": ["wait_p95_secs"]}
PAGE_SECS = 120
"""For a page of Superset, whose charts load one after the other."""


@dataclass(frozen=True)
class Superset:
    """A running Superset: its address, the user's password, a client of its API, and the ids of datasets by name."""

    home: Home
    url: str
    password: str
    client: httpx.Client
    datasets: dict[str, int]

    def rows(self, dataset: str, columns: list[str], time_range: str = "No filter") -> list[dict[str, Any]]:
        """What a chart of the metrics would show, not from its cache."""
        filters = [{"col": "start_date", "op": "TEMPORAL_RANGE", "val": time_range}]
        body = {
            "datasource": {"id": self.datasets[dataset], "type": "table"},
            "queries": [{"metrics": METRICS[dataset], "columns": columns, "filters": filters}],
            "force": True,
        }
        answer = self.client.post("/api/v1/chart/data", json=body)
        assert answer.status_code == 200, answer.text
        (result,) = answer.json()["result"]
        rows: list[dict[str, Any]] = result["data"]
        return rows

    def run(self, sql: str) -> httpx.Response:
        """Run a statement in SQL Lab."""
        return self.client.post("/api/v1/sqllab/execute/", json={"database_id": 1, "schema": "marts", "sql": sql})


@pytest.fixture(scope="module")
def superset(synced_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Superset]:
    folder = tmp_path_factory.mktemp("superset")
    home = Home(Path(shutil.copytree(synced_home.root, folder / "data")))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    options = ["--home", str(home.root), "--port", str(port), "--state", str(folder / "state")]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - ours
            [sys.executable, START, *options], stdout=subprocess.PIPE, stderr=log, text=True
        )
        with process:
            assert process.stdout
            try:
                line = process.stdout.readline()
                assert line.startswith(f"http://127.0.0.1:{port}/"), (folder / "log").read_text()
                password = line.rstrip(")\n").rpartition(" ")[2]
                with connected(home, f"http://127.0.0.1:{port}", password) as superset:
                    yield superset
            finally:
                process.terminate()


@contextmanager
def connected(home: Home, url: str, password: str) -> Iterator[Superset]:
    """A client of the server, as soon as that answers."""
    with httpx.Client(base_url=url, timeout=PAGE_SECS, headers={"Referer": url}) as client:
        for _ in range(PAGE_SECS):
            try:
                client.get("/health")
                break
            except httpx.TransportError:
                time.sleep(1)
        user = {"username": "admin", "password": password, "provider": "db"}
        token = client.post("/api/v1/security/login", json=user).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        client.headers["X-CSRFToken"] = client.get("/api/v1/security/csrf_token/").json()["result"]
        datasets = client.get("/api/v1/dataset/").json()["result"]
        yield Superset(home, url, password, client, {row["table_name"]: row["id"] for row in datasets})


def test_the_api_gives_the_numbers_of_each_agent_and_week(superset: Superset) -> None:
    """To the last digit: the scorecard is computed from the conversations and entries of the week."""
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
        assert sorted(shown, key=lambda row: row["agent_id"]) == expected


def test_the_dashboard_shows_the_numbers_of_the_warehouse(superset: Superset) -> None:
    summary = run(superset.home.root, "--home", str(superset.home.root), "summary", "--json").data
    wait = query(superset.home, "select quantile_cont(wait_secs, 0.95) from marts.fct_turns where is_counted").item()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1500})
        page.set_default_timeout(PAGE_SECS * 1000)
        page.goto(f"{superset.url}/login/")
        page.fill("#username", "admin")
        page.fill("#password", superset.password)
        page.keyboard.press("Enter")
        page.wait_for_url("**/superset/welcome/**")
        page.goto(f"{superset.url}/superset/dashboard/convohouse/")
        page.wait_for_function("document.querySelectorAll('.header-line').length == 4")
        page.wait_for_function("document.querySelectorAll('[data-test=\"loading-indicator\"], .loading').length == 0")
        page.wait_for_selector("table tbody tr")
        numbers = [element.inner_text() for element in page.query_selector_all(".header-line")]
        rows = len(page.query_selector_all("table tbody tr"))
        text = page.inner_text("body")
        browser.close()
    assert numbers == [
        f"{summary['n_calls']:,}",
        f"{summary['success_rate']:.1%}",
        format_value(summary["cost_usd"], "US dollars"),
        f"{wait:,.2f}",
    ]
    assert rows == query(superset.home, "select count(distinct agent_id) from metrics.agent_daily").item()
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
    new = superset.home.warehouse.with_suffix(".new")
    shutil.copy(superset.home.warehouse, new)
    with duckdb.connect(str(new)) as connection:
        connection.execute("update metrics.agent_daily set n_calls = n_calls + 1")
        (added,) = connection.execute("select count(*) from metrics.agent_daily").fetchall()[0]
    new.replace(superset.home.warehouse)
    (after,) = superset.rows("agent_daily", [])
    assert after["n_calls"] == before["n_calls"] + added

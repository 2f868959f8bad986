"""Superset as ``make superset`` starts it, on a copy of a home, and a client of its API."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx

from warehouse.storage.home import Home

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
        return self._query({"metrics": METRICS[dataset], "columns": columns, "filters": filters}, dataset)

    def _query(self, query: dict[str, Any], dataset: str) -> list[dict[str, Any]]:
        body = {"datasource": {"id": self.datasets[dataset], "type": "table"}, "queries": [query], "force": True}
        answer = self.client.post("/api/v1/chart/data", json=body)
        assert answer.status_code == 200, answer.text
        (result,) = answer.json()["result"]
        rows: list[dict[str, Any]] = result["data"]
        return rows

    def weeks(self, agent: str, week: date) -> list[dict[str, Any]]:
        """The row of the scorecard of an agent's week, as the chart of weeks reads it."""
        filters = [
            {"col": "agent_id", "op": "==", "val": agent},
            {"col": "week_start_date", "op": "TEMPORAL_RANGE", "val": f"{week} : {week + timedelta(days=1)}"},
        ]
        columns = ["n_calls", "success_rate", "cost_usd", "wait_p95_secs"]
        return self._query({"columns": columns, "filters": filters, "metrics": None}, "agent_scorecard")

    def run(self, sql: str) -> httpx.Response:
        """Run a statement in SQL Lab."""
        return self.client.post("/api/v1/sqllab/execute/", json={"database_id": 1, "schema": "marts", "sql": sql})


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


@contextmanager
def running(home: Home, folder: Path) -> Iterator[Superset]:
    """Start Superset on a copy of the home in ``folder``, and stop it."""
    home = Home(Path(shutil.copytree(home.root, folder / "data")))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
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

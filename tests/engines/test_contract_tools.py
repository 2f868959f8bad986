"""What ``convohouse contract`` writes is read by the tools it is for: ``make engines`` installs and runs them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.helpers.reference_docs import ROOT
from tests.helpers.run_cli import run
from warehouse.serve.query import query
from warehouse.storage.home import Home

pytestmark = [pytest.mark.engines, pytest.mark.tools, pytest.mark.timeout(300)]

BIN = Path(__file__).parents[2] / ".venv" / "contracts" / "bin"


def tool(folder: Path, *command: str) -> str:
    """What a tool of the environment says."""
    ended = subprocess.run([BIN / command[0], *command[1:]], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_semantic_model_keeps_the_rules_of_ossie(tmp_path: Path) -> None:
    """The JSON schema of the specification, and its rules about names, references and SQL."""
    assert run(tmp_path, "contract", "osi", "--output", "model.yaml").code == 0
    assert tool(tmp_path, "azem", "validate", "model.yaml") == "Validation PASSED: model.yaml (convohouse)\n"


def test_the_rules_of_ossie_would_find_a_wrong_model(tmp_path: Path) -> None:
    model = run(tmp_path, "contract", "osi", "--json").data
    model["relationships"][0]["to"] = "nothing"
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(model))
    ended = subprocess.run([BIN / "azem", "validate", "model.yaml"], cwd=tmp_path, capture_output=True, check=False)  # noqa: S603
    assert ended.returncode != 0


def test_dbt_tests_every_source_and_they_pass(synced_home: Home, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    assert run(tmp_path, "contract", "dbt", "--output", "models/sources.yml").code == 0
    (tmp_path / "models" / "calls.sql").write_text(
        "select sum(n_calls) as n_calls from {{ source('convohouse_metrics', 'agent_daily') }}\n"
    )
    (tmp_path / "dbt_project.yml").write_text(
        "name: check\nversion: '1.0'\nprofile: convohouse\nflags: {send_anonymous_usage_stats: false}\n"
    )
    page = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
    profiles = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0]
    (tmp_path / "profiles.yml").write_text(profiles.replace("data/warehouse.duckdb", str(synced_home.warehouse)))
    (tmp_path / "models" / "mine.sql").write_text(re.findall(r"`(select \* from \{\{ source.*?)`", page)[0])
    shown = tool(tmp_path, "dbt", "--no-use-colors", "--no-version-check", "build", "--show-all-deprecations")
    summary = next(line for line in shown.splitlines() if "Done. PASS=" in line)
    counts = dict(part.split("=") for part in summary.split("Done. ")[1].split())
    assert int(counts["PASS"]) > 300
    assert (counts["ERROR"], counts["WARN"], counts["SKIP"]) == ("0", "0", "0")
    assert "eprecat" not in shown


def test_the_notebook_shows_the_weeks_of_an_agent(synced_home: Home, tmp_path: Path) -> None:
    """Its first agent, as marimo runs it; the file is read by DuckDB 1."""
    notebook = Path(__file__).parents[2] / "examples" / "marimo" / "agents.py"
    tool(tmp_path, "marimo", "check", "--strict", str(notebook))
    code = f"""
import runpy, sys
sys.argv = ["agents.py", "--warehouse", {str(synced_home.warehouse)!r}]
_, values = runpy.run_path({str(notebook)!r})["app"].run()
weeks = [(str(row["week_start_date"]), row["n_calls"], row["success_rate"]) for row in values["table"]]
print(values["agent"].value, weeks)
"""
    agent, _, weeks = tool(tmp_path, "python", "-c", code).strip().partition(" ")
    sql = f"select week_start_date, n_calls, success_rate from metrics.agent_scorecard where agent_id = '{agent}'"  # noqa: S608
    rows = query(synced_home, f"{sql} order by week_start_date").rows()
    assert weeks == str([(str(week), n_calls, rate) for week, n_calls, rate in rows])
    assert len(rows) > 1

"""What ``convohouse status`` says of runs and of the quarantine: the latest first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.extract import run_log
from pipelines.transform.refresh_lake import refresh_quarantine
from tests.helpers.run_cli import run
from warehouse.schema.operations import UNFETCHABLE
from warehouse.storage import quarantine
from warehouse.storage.home import Home

BEGIN = datetime(2026, 11, 20, tzinfo=UTC)


def test_the_latest_five_runs_and_the_items_that_were_quarantined_last_come_first(tmp_path: Path) -> None:
    home = Home(tmp_path / "data").open()
    for hour in (3, 1, 6, 0, 5, 2, 4):
        run_log.start_run(home, f"run_{hour}", at=BEGIN + timedelta(hours=hour), window=None)
        quarantine.add(home, f"conv_{hour}", at=BEGIN + timedelta(hours=hour), reason=UNFETCHABLE, error="HTTP 403")
    refresh_quarantine(home)
    (workspace,) = run(tmp_path, "status", "--json").data["workspaces"]
    assert [row["run_id"] for row in workspace["runs"]] == [f"run_{hour}" for hour in (6, 5, 4, 3, 2)]
    items = [row["conversation_id"] for row in workspace["quarantine"]]
    assert items == [f"conv_{hour}" for hour in (6, 5, 4, 3, 2, 1, 0)]
    assert (workspace["built_at"], workspace["sizes"]["warehouse"]) == (None, 0)
    shown = run(tmp_path, "status").text
    assert [item for item in items if item in shown] == items[:5]
    assert "Quarantined (7):\n" in shown
    assert "\n  warehouse      not built yet: `convohouse build`\n" in shown

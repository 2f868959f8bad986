"""What ``convohouse status`` says of runs and of the quarantine: the latest first."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipelines.extract import run_log
from pipelines.transform.refresh_lake import refresh_lake, refresh_quarantine
from pipelines.usecases.status import read_status
from tests.helpers.landed_files import land_rows, snapshot_of
from tests.helpers.run_cli import run
from tests.helpers.sample_documents import detail
from warehouse.schema.operations import UNFETCHABLE
from warehouse.storage import landing, quarantine
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


def snapshot(conversation_id: str, start: datetime, fetched_at: datetime, **changes: object) -> dict[str, object]:
    metadata = {"start_time_unix_secs": int(start.timestamp())}
    document = detail(conversation_id=conversation_id, agent_id=f"agent_{conversation_id[-1]}", metadata=metadata)
    return snapshot_of(document, fetched_at, **changes)


def test_the_status_of_a_workspace(tmp_path: Path) -> None:
    home, day = Home(tmp_path / "data").open(), timedelta(days=1)
    land_rows(home, BEGIN, {"conv_new": "row", "conv_c": "row"})
    land_rows(home, BEGIN + day, {"conv_new": "row"})
    landing.land_documents(
        home,
        [
            snapshot("conv_a", BEGIN - 40 * day, BEGIN),
            snapshot("conv_b", BEGIN - 2 * day, BEGIN),
            snapshot("conv_c", BEGIN, BEGIN + day, status="in-progress"),
            snapshot("conv_d", BEGIN - 3 * day, BEGIN, kind="gone"),
            snapshot("conv_e", BEGIN - 3 * day, BEGIN, kind="erased"),
        ],
    )
    refresh_lake(home, reread_days=(1, 7, 30))
    landing.land_documents(home, [snapshot("conv_f", BEGIN, BEGIN + 2 * day)])
    status = read_status(home, now=BEGIN + 3 * day, reread_days=(1, 7, 30), confirm_after=day)
    sizes = {
        name: sum(file.stat().st_size for file in (home.root / name).rglob("main*.parquet"))
        for name in ("landing", "lake")
    }
    assert status.to_json() == {
        "home": home.root,
        "workspace": "main",
        "n_listed": 2,
        "n_landed": 4,  # neither the deleted nor the erased one
        "n_in_lake": 3,
        "n_behind": 1,
        "n_deleted": 1,
        "n_agents": 3,
        "first_date": date(2026, 10, 11),
        "last_date": date(2026, 11, 20),
        "listed_at": BEGIN + day,
        "last_full_listing_at": None,
        "read_at": BEGIN + 2 * day,
        "built_at": None,
        "states": {"open": 1, "settling": 2, "settled": 2},  # the erased one is in none
        "wanted": {"new": 1, "open": 1, "changed": 0, "missing": 1, "due": 0, "asked": 0},
        "quarantine": (),
        "runs": (),
        "sizes": {**sizes, "warehouse": 0},
    }

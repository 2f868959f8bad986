"""A copy of the demo's calls says the same on any day: leap day, the year's end, changes of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from pipelines.cli.demo import DemoWorld
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from tests.helpers.few_models import FEW
from tests.helpers.run_cli import run
from warehouse.serve.summary import read_summary
from warehouse.storage.home import Home

pytestmark = pytest.mark.usefixtures("few_models", "conversations_alone")

NUMBERS = {
    "n_calls": 46,
    "n_open": 3,
    "success_rate": 0.666666667,  # 26 of 39, one of them a conversation that failed
    "success_coverage": 0.847826087,
    "cost_credits": 24714,
    "cost_usd_coverage": 1.0,
    "cost_usd": 4.858507934,
    "cost_usd_per_success": 0.18686569,
    "wait_p50_secs": 0.933699879,
    "wait_p95_secs": 1.702286095,
    "slowest_tool": "lookup_reservation",  # it times out in the evening
    "slowest_tool_p95_secs": 8.444630265,
    "slowest_tool_n_answered": 6,
}


@pytest.fixture
def few_keys() -> tuple[str, ...]:
    """The models of the summary, with those that their checks refer to."""
    return (*FEW, "marts.fct_tool_calls")


@pytest.mark.parametrize(
    ("today", "zone"),
    [
        (date(2026, 3, 29), "Europe/Berlin"),
        (date(2026, 11, 1), "America/New_York"),
        (date(2026, 12, 31), "UTC"),
        (date(2028, 2, 29), "Asia/Tokyo"),
    ],
)
def test_the_numbers_are_the_same(today: date, zone: str, tmp_path: Path) -> None:
    until = datetime.combine(today, time(), UTC)
    world = DemoWorld.begin(7, 40, 3, today).until(today)
    with running(create_app(world, clock=lambda: until)) as url:
        settings = {"ELEVENLABS_BASE_URL": url, "ELEVENLABS_API_KEY": "demo", "CONVOHOUSE_TIMEZONE": zone}
        settings["CONVOHOUSE_NOW"] = f"{today}T06:00"
        synced = run(tmp_path, "sync", "--json", **settings)
        (status,) = run(tmp_path, "status", "--json", **settings).data["workspaces"]
    counts = {name: synced.data["run"][name] for name in ("n_listed", "n_new", "n_landed", "n_quarantined")}
    assert (synced.code, synced.data["problems"]) == (0, [])
    assert synced.data["run"]["started_at"].startswith(f"{today}T06:00:")
    assert counts == {"n_listed": 49, "n_new": 49, "n_landed": 49, "n_quarantined": 0}
    assert status["states"] == {"open": 3, "settling": 46, "settled": 0}
    numbers = read_summary(Home(tmp_path / "data"))
    days = [(today - numbers.pop(name)).days for name in ("first_date", "last_date")]
    rounded = {name: round(value, 9) if isinstance(value, float) else value for name, value in numbers.items()}
    assert (days, rounded) == ([3, 1], NUMBERS)

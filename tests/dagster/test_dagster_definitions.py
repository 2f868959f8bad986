"""What Dagster's UI shows before anything has run, and what loading the definitions must not do."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from pipelines.orchestration.build_defs import build_defs
from pipelines.settings import Settings
from pipelines.usecases.context import Context
from warehouse.models.project import read_project
from warehouse.schema.landing import LANDED_LISTINGS
from warehouse.schema.registry import TABLES
from warehouse.storage import landing, parquet
from warehouse.storage.home import Home

PROJECT = Path(__file__).parents[2]
APP_CONTEXT = Context(Settings(home=Path("nowhere"), api_key=None))


@pytest.fixture(scope="module")
def graph():
    return build_defs(app_context=APP_CONTEXT).resolve_asset_graph()


def test_loading_needs_no_key_and_writes_nothing(tmp_path):
    code = f"import sys; sys.path.insert(0, {str(PROJECT)!r}); from pipelines.definitions import defs"
    loaded = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env={}, capture_output=True, check=False, text=True
    )
    assert (loaded.returncode, loaded.stdout, loaded.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_every_table_and_model_is_an_asset(graph):
    project = read_project()
    tables = {f"lake/{table.name}" for table in TABLES}
    models = {model.key.replace(".", "/") for model in project.models}
    seeds = {seed.key.replace(".", "/") for seed in project.seeds} | {
        "seeds/agent_names",
        "seeds/metric_headers",
        "seeds/workspaces",
    }
    names = ("listings", "documents", "tools", "prices", "agents", "batches", "bills", "agent_access", "recordings")
    landed = {f"landing/{name}" for name in names}
    expected = tables | models | seeds | landed | {"reports/weekly"}
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == expected


def test_every_asset_is_described_grouped_and_tagged(graph):
    for node in graph.asset_nodes:
        assert node.description, node.key
        is_on_demand = node.key.path in (["landing", "agent_access"], ["landing", "recordings"], ["reports", "weekly"])
        assert node.group_name == ("upstream" if is_on_demand else node.key.path[0])
        assert node.kinds, node.key
        assert node.is_executable


def test_models_depend_on_what_their_sql_reads(graph):
    parents = {key.to_user_string() for key in graph.get(dg.AssetKey(["staging", "stg_turns"])).parent_keys}
    assert parents == {"lake/turns"}
    for model in read_project().models:
        parents = {".".join(key.path) for key in graph.get(dg.AssetKey([model.schema, model.name])).parent_keys}
        assert parents == set(model.reads)


def test_models_have_the_hash_of_their_file_as_version(graph):
    versions = {".".join(node.key.path): node.code_version for node in graph.asset_nodes}
    assert {model.key: versions[model.key] for model in read_project().models} == {
        model.key: model.sha256 for model in read_project().models
    }


def test_daily_assets_are_backfilled_by_one_run_over_many_days(graph):
    daily = {node.key.to_user_string(): node.backfill_policy for node in graph.asset_nodes if node.is_partitioned}
    expected = {f"lake/{table.name}" for table in TABLES if table.is_daily} | {"landing/listings", "landing/documents"}
    assert daily == dict.fromkeys(expected, dg.BackfillPolicy.single_run())


def test_the_current_day_is_a_partition(graph):
    days = graph.get(dg.AssetKey(["landing", "listings"])).partitions_def
    with dg.partition_loading_context(effective_dt=datetime(2026, 3, 1, 0, 5, tzinfo=UTC)):
        assert days.get_last_partition_key() == "2026-03-01"


def tick(app_context, at):
    """The schedule's run request at a moment of its time zone."""
    schedule = build_defs(app_context=app_context).resolve_schedule_def("nightly")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * *", at.tzinfo.key)
    with dg.build_schedule_context(scheduled_execution_time=at, resources={"app_context": app_context}) as context:
        return schedule.evaluate_tick(context).run_requests[0]


def days(request):
    return tuple(request.tags[f"dagster/asset_partition_range_{side}"] for side in ("start", "end"))


@pytest.mark.parametrize(
    ("timezone", "local", "expected"),
    [
        ("UTC", "2026-01-15T02:00", ("2026-01-12", "2026-01-15")),
        ("Europe/Berlin", "2025-10-26T02:00", ("2025-10-23", "2025-10-26")),  # comes twice
        ("Europe/Berlin", "2025-03-30T03:00", ("2025-03-27", "2025-03-30")),  # two o'clock does not come
        ("America/Los_Angeles", "2025-11-02T02:00", ("2025-10-30", "2025-11-02")),
        ("Asia/Tokyo", "2026-01-15T02:00", ("2026-01-11", "2026-01-14")),  # still the day before in UTC
    ],
)
def test_the_first_nightly_run_is_about_the_look_back_up_to_the_running_utc_day(timezone, local, expected, tmp_path):
    app_context = Context(Settings(home=tmp_path / "home", timezone=timezone, lookback_days=3, api_key=None))
    request = tick(app_context, datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(timezone)))
    assert days(request) == expected
    assert not app_context.home.root.exists()


def test_the_nightly_run_begins_where_the_last_listing_ended_less_the_look_back(tmp_path):
    app_context = Context(Settings(home=tmp_path / "home", lookback_days=3, api_key=None))
    until = datetime(2026, 1, 10, 2, tzinfo=UTC)
    Home(tmp_path / "home").open()
    row = {"conversation_id": "a", "start_date": until.date(), "start_time_at": until, "fingerprint": "a"}
    rows = parquet.frame(LANDED_LISTINGS, [row | {"listed_at": until}])
    landing.land_listing(app_context.home, landing.Listing(until, None, until), rows)
    request = tick(app_context, datetime(2026, 1, 15, 2, tzinfo=ZoneInfo("UTC")))
    assert days(request) == ("2026-01-07", "2026-01-15")
    assert {op: settings["config"]["everywhere"] for op, settings in request.run_config["ops"].items()} == {
        "landing__listings": True,
        "landing__documents": True,
        "lake": True,
    }
    assert request.run_key == "2026-01-15T02:00:00+00:00"

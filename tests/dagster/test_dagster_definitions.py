"""What Dagster's UI shows before anything has run, and what loading the definitions must not do."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.definitions.definitions_load_context import DefinitionsLoadContext, DefinitionsLoadType

from pipelines.orchestration.asset_keys import GROUPS
from pipelines.orchestration.build_defs import build_defs
from pipelines.settings import Settings
from pipelines.usecases.context import Context
from warehouse.models.project import read_project
from warehouse.schema.registry import TABLES

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


def test_dagster_accepts_the_definitions():
    dg.Definitions.validate_loadable(build_defs(app_context=APP_CONTEXT))


def test_the_docs_name_every_job_schedule_and_sensor():
    page = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = page.partition("\n| job | does | started by |\n")[2].partition("\n\n")[0].splitlines()[1:]
    definitions = build_defs(app_context=APP_CONTEXT)
    jobs = {name for row in rows for name in re.findall(r"`(\w+)`", row.split(" | ")[0])}
    assert jobs == {job.name for job in definitions.jobs}
    for starter in (*definitions.schedules, *definitions.sensors):
        assert f"`{starter.name}`" in page
    started = {name for row in rows for name in re.findall(r"the (?:schedule|sensor) `(\w+)`, off by default", row)}
    off = (dg.DefaultScheduleStatus.STOPPED, dg.DefaultSensorStatus.STOPPED)
    starters = (*definitions.schedules, *definitions.sensors)
    assert started == {starter.name for starter in starters if starter.default_status in off}


@pytest.mark.parametrize(("settings", "minutes"), [({}, 15), ({"webhooks_every_minutes": 2}, 2)])
def test_a_burst_of_webhooks_shares_one_run(settings, minutes):
    app_context = Context(Settings(home=Path("nowhere"), api_key=None, **settings))
    sensors = {sensor.name: sensor for sensor in build_defs(app_context=app_context).sensors}
    assert sensors["webhooks"].minimum_interval_seconds == minutes * 60


def test_a_run_loads_everything_but_the_lineage_of_columns(graph):
    """As Dagster loads the definitions in the process of a run, and of each of its steps."""
    with DefinitionsLoadContext.scoped(DefinitionsLoadContext(DefinitionsLoadType.RECONSTRUCTION)):
        in_run = build_defs(app_context=APP_CONTEXT).resolve_asset_graph()
    assert in_run.get_all_asset_keys() == graph.get_all_asset_keys()
    key = dg.AssetKey(["marts", "fct_turns"])
    shown, loaded = graph.get(key).metadata, in_run.get(key).metadata
    assert len(shown["dagster/column_lineage"].deps_by_column) > 30
    assert loaded["dagster/column_lineage"].deps_by_column == {}
    assert loaded["dagster/column_schema"] == shown["dagster/column_schema"]


def test_every_table_and_model_is_an_asset(graph):
    project = read_project()
    tables = {f"lake/{table.name}" for table in TABLES}
    models = {model.key.replace(".", "/") for model in project.models}
    seeds = {seed.key.replace(".", "/") for seed in project.seeds} | {
        "seeds/agent_names",
        "seeds/metric_headers",
        "seeds/workspaces",
    }
    names = ("listings", "documents", "tools", "prices", "agents", "batches", "tags", "bills")
    landed = {f"landing/{name}" for name in (*names, "agent_access", "recordings")}
    expected = tables | models | seeds | landed | {"reports/weekly"}
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == expected


def test_every_asset_is_described_grouped_and_tagged(graph):
    for node in graph.asset_nodes:
        assert node.description, node.key
        is_on_demand = node.key.path in (["landing", "agent_access"], ["landing", "recordings"], ["reports", "weekly"])
        group = "upstream" if is_on_demand else node.key.path[0]
        assert node.group_name == GROUPS.get(group, group)
        assert node.kinds, node.key
        assert node.tags["layer"] == node.key.path[0]
        assert node.metadata["dagster/code_references"].code_references
        assert node.is_executable


def test_every_asset_but_the_report_has_the_columns_of_its_table(graph):
    for node in graph.asset_nodes:
        if node.key.path != ["reports", "weekly"]:  # a file for people
            schema = node.metadata["dagster/column_schema"]
            assert schema.columns, node.key
            assert all(column.description for column in schema.columns), node.key
    zone = graph.get(dg.AssetKey(["seeds", "workspaces"])).metadata["dagster/column_schema"].columns[1]
    assert (zone.name, zone.type) == ("time_zone", "VARCHAR")
    assert zone.description == "IANA time zone of its local days and hours."


def test_groups_are_in_the_order_of_the_way():
    assert list(GROUPS.values()) == sorted(GROUPS.values())


def test_assets_say_where_they_are_and_whose(tmp_path):
    settings = Settings(home=tmp_path, api_key=None, owners=("team:data", "a@example.com"))
    graph = build_defs(app_context=Context(settings)).resolve_asset_graph()
    uris = {
        name: graph.get(dg.AssetKey(name.split("."))).metadata["dagster/uri"]
        for name in ("landing.documents", "landing.tools", "landing.recordings", "lake.turns", "marts.fct_turns")
    }
    root = tmp_path.as_uri()
    assert uris == {
        "landing.documents": f"{root}/landing",
        "landing.tools": f"{root}/landing/tools",
        "landing.recordings": f"{root}/audio",
        "lake.turns": f"{root}/lake/turns",
        "marts.fct_turns": f"{root}/warehouse.duckdb#marts.fct_turns",
    }
    assert {tuple(node.owners) for node in graph.asset_nodes} == {("team:data", "a@example.com")}


@pytest.mark.parametrize(
    ("landed", "setting", "expected"),
    [
        ((), None, "2024-01-01"),
        (("2026-01-03", "2025-12-30"), None, "2025-12-30"),
        (("2026-01-03",), date(2025, 11, 1), "2025-11-01"),
    ],
)
def test_the_first_partition_is_what_is_set_or_what_has_landed(tmp_path, landed, setting, expected):
    for day in landed:
        (tmp_path / "landing" / f"start_date={day}").mkdir(parents=True)
    context = Context(Settings(home=tmp_path, api_key=None, first_day=setting))
    graph = build_defs(app_context=context).resolve_asset_graph()
    partitions = {node.partitions_def.get_first_partition_key() for node in graph.asset_nodes if node.is_partitioned}
    assert partitions == {expected}


def test_a_run_has_days_before_the_first_that_has_landed(tmp_path):
    """A backfill that was killed, or is newer than the days that it is to copy, finds only later days landed."""
    (tmp_path / "landing" / "start_date=2026-03-01").mkdir(parents=True)
    context = Context(Settings(home=tmp_path, api_key=None))
    with DefinitionsLoadContext.scoped(DefinitionsLoadContext(DefinitionsLoadType.RECONSTRUCTION)):
        in_run = build_defs(app_context=context).resolve_asset_graph()
    days = in_run.get(dg.AssetKey(["landing", "listings"])).partitions_def
    key_range = dg.PartitionKeyRange("2026-02-27", "2026-03-02")
    assert days.get_partition_keys_in_range(key_range) == ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]


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
    daily = {node.key.to_user_string() for node in graph.asset_nodes if node.is_partitioned}
    expected = {f"lake/{table.name}" for table in TABLES if table.is_daily} | {"landing/listings", "landing/documents"}
    assert daily == expected
    assert {node.backfill_policy for node in graph.asset_nodes} == {dg.BackfillPolicy.single_run()}


def test_the_current_day_is_a_partition(graph):
    days = graph.get(dg.AssetKey(["landing", "listings"])).partitions_def
    with dg.partition_loading_context(effective_dt=datetime(2026, 3, 1, 0, 5, tzinfo=UTC)):
        assert days.get_last_partition_key() == "2026-03-01"


def tick(app_context, at, active=None, status=dg.DagsterRunStatus.STARTED):
    """What the schedule does at a moment of its time zone; ``active`` has the tags of a run that has not ended."""
    schedule = build_defs(app_context=app_context).resolve_schedule_def("nightly")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * *", at.tzinfo.key)
    folder = app_context.home.root.parent / "dagster"
    folder.mkdir()
    with (
        dg.DagsterInstance.from_config(str(folder)) as instance,
        dg.build_schedule_context(
            instance=instance, scheduled_execution_time=at, resources={"app_context": app_context}
        ) as context,
    ):
        if active is not None:
            job = build_defs(app_context=app_context).resolve_job_def("nightly")
            instance.create_run_for_job(job, status=status, tags=active)
        return schedule.evaluate_tick(context)


@pytest.mark.parametrize(
    ("timezone", "local", "day"),
    [
        ("UTC", "2026-01-15T02:00", "2026-01-15"),
        ("Europe/Berlin", "2025-10-26T02:00", "2025-10-26"),  # comes twice
        ("Europe/Berlin", "2025-03-30T03:00", "2025-03-30"),  # two o'clock does not come
        ("America/Los_Angeles", "2025-11-02T02:00", "2025-11-02"),
        ("Asia/Tokyo", "2026-01-15T02:00", "2026-01-14"),  # still the day before in UTC
    ],
)
def test_the_day_of_a_nightly_run_is_the_running_utc_day(timezone, local, day, tmp_path):
    app_context = Context(Settings(home=tmp_path / "home", timezone=timezone, api_key="sk"))
    at = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(timezone))
    (request,) = tick(app_context, at).run_requests
    assert request.tags["dagster/partition"] == day
    assert (request.run_key, request.run_config) == (at.astimezone(UTC).isoformat(), {})
    assert not app_context.home.root.exists()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (
            {"api_key": None},
            "No API key is set. Set ELEVENLABS_API_KEY (in the environment or in .env); `convohouse demo` needs none.",
        ),
        (
            {"api_key": "sk", "first_day": date(2026, 2, 1)},
            "The first day is 2026-02-01, as CONVOHOUSE_FIRST_DAY says.",
        ),
    ],
)
def test_a_night_on_which_nothing_can_be_copied_is_skipped_and_says_why(settings, reason, tmp_path):
    data = tick(Context(Settings(home=tmp_path / "home", **settings)), datetime(2026, 1, 15, 2, tzinfo=ZoneInfo("UTC")))
    assert (data.run_requests, data.skip_message) == ([], reason)


@pytest.mark.parametrize(("tags", "n_requests"), [({}, 0), ({"convohouse/asset_prefix": "second"}, 1)])
def test_a_night_is_skipped_only_if_the_run_before_is_of_this_location(tags, n_requests, tmp_path):
    context = Context(Settings(home=tmp_path / "home", api_key="sk"))
    data = tick(context, datetime(2026, 1, 15, 2, tzinfo=ZoneInfo("UTC")), tags)
    assert len(data.run_requests) == n_requests
    assert data.skip_message == (
        None if n_requests else "The nightly run before has not ended; it copies up to its own time."
    )


def test_a_run_that_was_never_put_into_the_queue_does_not_hinder_the_next_night(tmp_path):
    context, at = (
        Context(Settings(home=tmp_path / "home", api_key="sk")),
        datetime(2026, 1, 15, 2, tzinfo=ZoneInfo("UTC")),
    )
    assert len(tick(context, at, {}, dg.DagsterRunStatus.NOT_STARTED).run_requests) == 1

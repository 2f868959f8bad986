"""A target of the settings is an asset behind the tables that it has; without one there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from pipelines.orchestration.assets.publish import publish_assets
from pipelines.orchestration.build_defs import build_defs
from pipelines.orchestration.run_errors import failure_lines
from pipelines.settings import Settings
from pipelines.usecases.context import Context, no_progress
from tests.helpers.emulated_dagster import QUIET
from warehouse.models.project import read_project
from warehouse.storage import landing

SECRET = "s3cret of the target"  # noqa: S105 - of nobody


def settings_for(home, target):
    tables = ["marts.dim_agents", "metrics.agent_daily"]
    config = {"target": str(target), "format": "csv", "tables": tables, "credentials": {"password": SECRET}}
    return Settings(home=home, publish={"bi": config})


def published_keys(graph):
    return {key.to_user_string() for key in graph.get_all_asset_keys() if key.path[0] == "publish"}


def test_an_asset_is_behind_its_tables_and_off_until_it_is_set():
    settings = settings_for(Path("nowhere"), "/srv/tables").model_copy(update={"fresh_hours": 20})
    context = Context(settings)
    graph = build_defs(app_context=context).resolve_asset_graph()
    assert published_keys(graph) == {"publish/bi"}
    asset = graph.get(dg.AssetKey(["publish", "bi"]))
    assert asset.freshness_policy == dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=20))
    parents = asset.parent_keys
    assert {key.to_user_string() for key in parents} == {"marts/dim_agents", "metrics/agent_daily"}
    job = build_defs(app_context=context).resolve_job_def("nightly")
    assert "publish__bi" in {node.name for node in job.nodes}

    graph = build_defs(app_context=Context(Settings(home=Path("nowhere")))).resolve_asset_graph()
    assert published_keys(graph) == set()


def test_it_publishes_what_changed_and_fails_in_one_line_without_a_secret(copied, tmp_path):
    target = tmp_path / "tables"
    context = replace(copied, settings=settings_for(copied.home.root, target))

    def materialize():
        return dg.materialize(
            publish_assets(context.settings, read_project()),
            resources={"app_context": context, "progress": no_progress},
            run_config={"loggers": QUIET},
            raise_on_error=False,
        )

    for n_written in (2, 0):
        result = materialize()
        (event,) = result.asset_materializations_for_node("publish__bi")
        assert event.metadata["n_written"].value == n_written
        assert event.metadata["target"].value == target.as_uri()
    assert sorted(file.name for file in target.glob("*.csv")) == ["marts.dim_agents.csv", "metrics.agent_daily.csv"]

    target.rename(tmp_path / "away")
    target.write_text("a file")
    failed = materialize()
    (error,) = failure_lines(failed.all_events)
    assert (failed.success, error.startswith(f"{target.as_uri()}: ")) == (False, True)
    assert SECRET not in "".join(map(str, failed.all_events))


def test_a_target_with_every_metric_does_not_wait_for_what_only_some_runs_materialize():
    config = {"target": "/srv/tables", "format": "csv"}
    graph = build_defs(
        app_context=Context(Settings(home=Path("nowhere"), publish={"bi": config}))
    ).resolve_asset_graph()
    parents = {key.to_user_string() for key in graph.get(dg.AssetKey(["publish", "bi"])).parent_keys}
    assert "metrics/agent_daily" in parents
    assert "metrics/sync_health" not in parents


@pytest.mark.usefixtures("few_models")
def test_a_run_that_reuses_the_models_publishes_all_the_same(run, copied, tmp_path):
    publish = settings_for(copied.home.root, tmp_path / "tables").publish
    context = replace(copied, settings=copied.settings.model_copy(update={"publish": publish}))
    for _ in range(2):
        ran = run(context)
        assert ran.failures == []
        keys = {event.asset_key.to_user_string() for event in ran.result.get_asset_materialization_events()}
        assert "publish/bi" in keys
    assert "marts/fct_conversations" not in keys


@pytest.mark.usefixtures("few_models")
def test_a_run_that_misses_a_conversation_publishes_all_others_and_fails(run, copied, emulated, tmp_path):
    publish = settings_for(copied.home.root, tmp_path / "tables").publish
    context = replace(copied, settings=copied.settings.model_copy(update={"publish": publish}))
    emulated.now += timedelta(days=1)
    new_ids = {document["conversation_id"] for document in emulated.details()} - landed_ids(copied)
    emulated.invalid_id = min(new_ids)
    ran = run(context)
    assert emulated.invalid_id in " ".join(ran.failures)
    assert not ran.result.success
    assert ran.metadata("publish.bi")["n_written"] == 2
    published = pl.read_csv(tmp_path / "tables" / "metrics.agent_daily.csv")
    assert published["n_calls"].sum() + published["n_open"].sum() == len(emulated.details()) - 1


def landed_ids(context):
    return set(landing.snapshots(context.home)["conversation_id"])

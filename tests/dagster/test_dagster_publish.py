"""A target of the settings is an asset behind the tables that it has; without one there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dagster as dg

from pipelines.orchestration.assets.publish import publish_assets
from pipelines.orchestration.build_defs import build_defs
from pipelines.orchestration.run_in_process import step_errors
from pipelines.settings import Settings
from pipelines.usecases.context import Context, no_progress
from tests.helpers.emulated_dagster import QUIET
from warehouse.models.project import read_project

SECRET = "s3cret of the target"  # noqa: S105 - of nobody


def settings_for(home, target):
    tables = ["marts.dim_agents", "metrics.agent_daily"]
    config = {"target": str(target), "format": "csv", "tables": tables, "credentials": {"password": SECRET}}
    return Settings(home=home, publish={"bi": config})


def published_keys(graph):
    return {key.to_user_string() for key in graph.get_all_asset_keys() if key.path[0] == "publish"}


def test_an_asset_is_behind_its_tables_and_off_until_it_is_set():
    context = Context(settings_for(Path("nowhere"), "/srv/tables"))
    graph = build_defs(app_context=context).resolve_asset_graph()
    assert published_keys(graph) == {"publish/bi"}
    parents = graph.get(dg.AssetKey(["publish", "bi"])).parent_keys
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
    (error,) = step_errors(failed)
    assert (failed.success, error.startswith(f"{target.as_uri()}: ")) == (False, True)
    assert SECRET not in "".join(map(str, failed.all_events))

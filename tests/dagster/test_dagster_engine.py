"""With a target in the settings, the tables of an engine are an asset behind the lake; without one there is none."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import dagster as dg

from pipelines.orchestration.assets.engine_tables import ENGINE_TABLES, engine_tables_assets
from pipelines.orchestration.build_defs import build_defs
from pipelines.orchestration.run_errors import failure_lines
from pipelines.settings import Settings
from pipelines.usecases.context import Context, no_progress
from pipelines.usecases.engine_build import EngineTarget
from tests.helpers.emulated_dagster import QUIET
from warehouse.models.project import read_project


def test_the_asset_is_behind_the_lake_and_off_until_it_is_set():
    context = Context(Settings(home=Path("nowhere"), engine="sail", engine_into="s3://bucket/tables"))
    definitions = build_defs(app_context=context)
    node = definitions.resolve_asset_graph().get(ENGINE_TABLES)
    assert dg.AssetKey(["lake", "turns"]) in node.parent_keys
    assert {key.path[0] for key in node.parent_keys} == {"lake"}
    assert (node.group_name, node.kinds) == ("9_publish", {"sail", "parquet"})
    assert node.metadata["dagster/uri"] == "s3://bucket/tables"
    assert node.freshness_policy == dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=36))
    assert "engine__tables" in {step.name for step in definitions.resolve_job_def("nightly").nodes}
    assert definitions.resources["engine_target"].into == "s3://bucket/tables"

    definitions = build_defs(app_context=Context(Settings(home=Path("nowhere"))))
    assert not definitions.resolve_asset_graph().has(ENGINE_TABLES)
    assert "engine_target" not in definitions.resources


def materialize(context, target):
    return dg.materialize(
        engine_tables_assets(target, read_project(), timedelta(hours=36)),
        resources={"app_context": context, "progress": no_progress, "engine_target": target},
        run_config={"loggers": QUIET},
        raise_on_error=False,
    )


def test_it_builds_what_changed_and_a_failure_is_one_line(copied, few_models, tmp_path, monkeypatch):
    few = read_project().upstream("marts.dim_agents")
    monkeypatch.setattr("pipelines.usecases.engine_build.read_project", lambda **_: few)
    settings = copied.settings.model_copy(update={"engine_into": str(tmp_path / "tables")})
    context = replace(copied, settings=settings)
    target = EngineTarget.of(context)
    n_tables = sum(not model.is_view for model in few.models)
    for n_reused in (0, n_tables):
        (event,) = materialize(context, target).asset_materializations_for_node("engine__tables")
        values = {name: event.metadata[name].value for name in ("engine", "target", "n_tables", "n_reused")}
        assert values == {
            "engine": "duckdb", "target": str(tmp_path / "tables"), "n_tables": n_tables, "n_reused": n_reused
        }  # fmt: skip
        current = json.loads((tmp_path / "tables" / "current.json").read_text())
        assert current["build"] == event.metadata["build"].value

    failed = materialize(context, replace(target, lakes=("nowhere",)))
    (error,) = failure_lines(failed.all_events)
    assert not failed.success
    assert error.startswith("There is no lake at nowhere.")
    assert json.loads((tmp_path / "tables" / "current.json").read_text()) == current

"""``intermediate.int_agent_measures``: a measure is added there alone, and is then in days, weeks and versions."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from warehouse.models.docs import metrics_text
from warehouse.models.project import SQL_DIR, Project, read_project

MODELS = ("metrics.agent_daily", "metrics.agent_scorecard", "metrics.version_comparison")
METRIC = """\
[metrics.n_long]
name = "Long conversations"
numerator = "of a minute or more"
null_when = "never null"
direction = "neither"

"""
INSERTIONS = {
    'n_deleted = "': 'n_long = "Finished conversations of a minute or more."\n',
    "[metrics.n_open]\n": METRIC,
    "count(*) filter (where is_counted and is_deleted) as n_deleted,\n": (
        "count(*) filter (where is_counted and call_duration_secs >= 60) as n_long,\n"
    ),
    "judged.n_deleted,\n": "judged.n_long,\n",
}
"""By the text before which it is inserted."""


@pytest.fixture
def project_with_n_long(tmp_path: Path) -> Project:
    """Our project with a measure more, added in the file of the intermediate model."""
    folder = tmp_path / "sql"
    shutil.copytree(SQL_DIR, folder)
    file = folder / "intermediate" / "int_agent_measures.sql"
    text = file.read_text(encoding="utf-8")
    for before, inserted in INSERTIONS.items():
        assert text.count(before) == 1
        text = text.replace(before, inserted + before)
    file.write_text(text, encoding="utf-8")
    return read_project(folder)


def test_a_measure_is_added_in_one_file(rows: Any, project_with_n_long: Project, project: Project) -> None:
    rows.project = project_with_n_long
    rows.call("c1", call_duration_secs=60)
    rows.call("c2", call_duration_secs=59)
    rows.call("c3", call_duration_secs=90, status="processing")
    for key in MODELS:
        header = project_with_n_long.by_key[key].header
        assert header.columns["n_long"] == "Finished conversations of a minute or more."
        assert header.metrics["n_long"].name == "Long conversations"
        assert [name for name in header.columns if name != "n_long"] == list(project.by_key[key].header.columns)
        assert [(row["n_calls"], row["n_long"]) for row in rows.model(key)] == [(2, 1)]


def test_the_measures_are_published_only_by_the_models_that_inherit_them(project: Project) -> None:
    metrics, _, models = metrics_text(project).partition("\n## Schema marts")
    assert project.by_key["intermediate.int_agent_measures"].header.metrics
    assert "\n| reach_rate | Reach rate | share of 1 |" in metrics
    assert "\n| reach_rate | Reach rate | share of 1 |" not in models
    assert "\n### intermediate.int_agent_measures\n" in models


def test_each_breakdown_has_its_keys_and_no_other(rows: Any) -> None:
    rows.call("c1", version_id="v1", main_language="en")
    keys = ("start_date", "week_start_date", "agent_id", "version_id", "channel", "main_language", "local_weekday")
    actual = rows.model("intermediate.int_agent_measures", "breakdown", *keys, "batch_call_id", "n_calls", "n_waits")
    days = {"start_date": rows.day, "agent_id": "a1"}
    expected = {
        "day": days,
        "week": {"week_start_date": rows.day, "agent_id": "a1"},
        "version": {"agent_id": "a1", "version_id": "v1"},
        "channel": days | {"channel": "voice"},
        "language": days | {"main_language": "en"},
        "hour": {"local_weekday": 1},
        "batch": {},
    }
    nothing = dict.fromkeys((*keys, "batch_call_id"))
    assert {row.pop("breakdown"): row for row in actual} == {
        name: nothing | key | {"n_calls": 1, "n_waits": None if name in ("hour", "batch") else 0}
        for name, key in expected.items()
    }

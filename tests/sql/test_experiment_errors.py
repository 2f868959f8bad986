"""``metrics.experiments`` errs as often as it says: of variants that are alike, one in twenty seems to differ."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from tests.sql.conftest import LakeRows
from warehouse.connection import Limits, connect
from warehouse.models.project import Project
from warehouse.storage.home import Home


def test_variants_that_do_not_differ_seldom_seem_to(tmp_path: Path, project: Project) -> None:
    """Of 400 agents whose branches are alike, about one in twenty shows a difference; callers repeat themselves."""
    drawn = np.random.default_rng(7)
    conversations = []
    for agent in range(400):
        for branch in "ab":
            for caller in range(35):
                resolved = drawn.beta(2, 1)  # how often this caller's conversations succeed
                for _ in range(drawn.integers(1, 5)):
                    verdict = "success" if drawn.random() < resolved else "failure"
                    cost = float(resolved + drawn.exponential(0.2))
                    conversations.append((f"a{agent:03d}", branch, f"{branch}{caller}", verdict, cost))
    names = ["agent_id", "branch_id", "caller_id", "call_successful", "cost_usd"]
    frame = (
        pl.DataFrame(conversations, names, orient="row")
        .with_row_index("number")
        .with_columns(
            pl.format("c{}", "number").alias("conversation_id"),
            pl.lit("main").alias("workspace"),
            pl.lit(datetime(2026, 11, 2, 12, tzinfo=UTC)).alias("started_at"),
            pl.lit(value=True).alias("is_counted"),
        )
    )
    with connect(limits=Limits(threads=1)) as connection:
        LakeRows(Home(tmp_path / "home").open(), project).materialize(connection, "metrics.experiments")
        connection.register("drawn", frame.drop("number"))
        connection.execute("insert into marts.fct_conversations by name select * from drawn")
        for key in ("intermediate.int_experiment_arms", "intermediate.int_experiment_tests", "metrics.experiments"):
            connection.execute(f"create or replace table {key} as {project.by_key[key].sql}")
        rows = connection.execute(
            "select measure, count(*), count(*) filter (where p_value < 0.05), "
            "count(*) filter (where difference_low > 0 or difference_high < 0), bool_and(has_enough_data) "
            "from metrics.experiments where measure <> 'containment_rate' group by measure order by measure"
        ).fetchall()
    assert [(measure, n, has_enough) for measure, n, _, _, has_enough in rows] == [
        ("cost_usd_per_call", 400, True),
        ("success_rate", 400, True),
    ]
    for _, n, n_significant, n_different, _ in rows:
        assert 0.03 * n <= n_significant <= 0.07 * n
        assert 0.03 * n <= n_different <= 0.07 * n

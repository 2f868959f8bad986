"""The singular tests on metrics: they hold over calls of all kinds, and each notices when one number is off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from tests.sql.conftest import LakeRows
from warehouse.connection import Limits, connect
from warehouse.models.checks import run
from warehouse.models.data_quality import project_checks
from warehouse.models.project import Project
from warehouse.storage.home import Home

NAMES = {"agent_spans_agree", "parts_of_calls_agree"}


def _calls(rows: Any) -> None:
    """A call with one of everything and a version, one with nothing and no agent, one that is open."""
    rows.call("c1", version_id="v1", analysis_call_successful="success", cost_credits=60)
    rows.call("c2", agent_id=None, workspace="second")
    rows.call("c3", status="in-progress", version_id="v2")
    rows.add("turns", turn_index=0, role="user", message="?", rag_retrieval_info_rag_latency_secs=0.1)
    rows.add("turn_metrics", turn_index=0, metric="convai_llm_service_ttfb", elapsed_secs=0.5, is_repeat=False)
    rows.add("evaluation_results", criteria_id="polite", result="success")
    rows.add("data_collection_results", data_collection_id="name", value='"x"', value_text="x")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory, project: Project) -> Iterator[duckdb.DuckDBPyConnection]:
    """What the tests read, built once; each change of it is rolled back."""
    rows = LakeRows(Home(tmp_path_factory.mktemp("parity") / "home").open(), project)
    _calls(rows)
    with connect(limits=Limits(threads=1)) as connection:  # one thread sees what is not committed
        rows.materialize(
            connection, *(key for test in project.singular_tests if test.name in NAMES for key in test.reads)
        )
        yield connection


@pytest.mark.parametrize(
    ("change", "noticed_by"),
    [
        ("select 1", None),
        ("update metrics.agent_scorecard set n_calls = n_calls + 1", "agent_spans_agree"),
        ("update metrics.agent_scorecard set cost_credits = 61 where agent_id = 'a1'", "agent_spans_agree"),
        ("delete from metrics.agent_scorecard where agent_id is null", "agent_spans_agree"),
        ("delete from metrics.version_comparison where version_id = 'v2'", "agent_spans_agree"),
        ("update metrics.version_comparison set workspace = 'main'", "agent_spans_agree"),
        ("delete from metrics.termination_reasons where workspace = 'second'", "parts_of_calls_agree"),
        ("delete from metrics.evaluation_rates", "parts_of_calls_agree"),
        ("update metrics.data_collection_fill set n_asked = 2", "parts_of_calls_agree"),
        ("update metrics.latency_stages set n_latencies = 2", "parts_of_calls_agree"),
        ("update metrics.rag_effectiveness set n_retrievals = 2", "parts_of_calls_agree"),
    ],
)
def test_a_number_that_is_off_is_noticed(
    warehouse: duckdb.DuckDBPyConnection, project: Project, change: str, noticed_by: str | None
) -> None:
    warehouse.begin()
    warehouse.execute(change)
    actual = run(warehouse, [check for check in project_checks(project) if check.name in NAMES])
    warehouse.rollback()
    assert [result.check.name for result in actual if not result.is_passed] == ([noticed_by] if noticed_by else [])
    assert {result.check.name for result in actual} == NAMES

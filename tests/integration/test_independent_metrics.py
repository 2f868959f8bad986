"""The metrics after a sync against a second computation that shares nothing with it, to the last row and cent."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.helpers.table_hashes import HASHES, OFFICE, UNTIL, sync_world, table_hashes, world
from tests.independent import daily_metrics, detail_metrics, experiments, part_metrics, service_metrics
from tests.independent.outcomes import outcome
from warehouse.serve.query import query
from warehouse.serve.summary import read_summary

METRICS = (
    daily_metrics.agent_daily,
    service_metrics.agent_daily,
    part_metrics.cost_daily,
    part_metrics.llm_cost,
    part_metrics.tool_reliability,
    part_metrics.evaluation_rates,
    part_metrics.latency_stages,
    detail_metrics.transfers,
    detail_metrics.rag_effectiveness,
    detail_metrics.data_collection_fill,
    detail_metrics.feedback,
    service_metrics.sentiment,
    service_metrics.tool_errors,
    service_metrics.guardrails,
    experiments.experiments,
)
"""Each is named as the model whose rows, or some of whose columns, it computes."""
KEYS = ("workspace", "start_date", "agent_id", "tool_name", "component", "model", "criteria_id", "metric")
KEYS += ("sentiment", "error_type", "guardrail_name", "variant_kind", "variant_a", "variant_b", "measure")
KEYS += ("data_collection_id", "kind", "from_agent_id", "to_agent_id", "to_number")


@pytest.fixture(scope="module", name="world")
def drawn_world():
    return world()


@pytest.fixture(scope="module")
def counted(world):
    """The documents of calls that are not left out."""
    documents = list(world.details(UNTIL))
    kept = [document for document in documents if not (daily_metrics.caller(document) or "").startswith(OFFICE)]
    assert 0 < len(kept) < len(documents)
    return kept


@pytest.fixture(scope="module")
def home(world, tmp_path_factory):
    return sync_world(tmp_path_factory.mktemp("independent") / "home", world)


def _in_order(rows):
    """Rows by their key, nulls first, as text: a key that is a date or null sorts beside others."""
    return sorted(rows, key=lambda row: [str(row[name] or "") for name in KEYS if name in row])


APPROXIMATE = {experiments.experiments: {"rel": 1e-5, "abs": 1e-7}}
"""Models that approximate a distribution: within what tests/sql/test_experiments.py holds."""


def _nearly(value, rel=1e-9, abs=1e-11):  # noqa: A002 - as pytest.approx
    """A value that sums of floats reach in another order."""
    return pytest.approx(value, rel=rel, abs=abs) if isinstance(value, float) else value


@pytest.mark.parametrize("compute", METRICS, ids=lambda compute: f"{compute.__module__}.{compute.__name__}")
def test_a_metric_is_what_the_documents_say(home, counted, compute):
    expected = _in_order(compute(counted))
    rows = query(home, f"from metrics.{compute.__name__}").to_dicts()
    actual = _in_order(row for row in rows if row.get("start_date", ...) is not None)  # a tool never used has no day
    assert len(actual) == len(expected) > 3
    for row, same in zip(actual, expected, strict=True):
        computed = {name: row[name] for name in same}
        assert computed == {name: _nearly(value, **APPROXIMATE.get(compute, {})) for name, value in same.items()}


def test_an_outcome_is_what_the_document_says(home, counted):
    expected = {
        document["conversation_id"]: outcome(document) if daily_metrics.is_finished(document) else None
        for document in counted
    }
    rows = query(home, "select conversation_id, outcome from marts.fct_conversations where not is_excluded").to_dicts()
    assert {row["conversation_id"]: row["outcome"] for row in rows} == expected
    common = Counter(expected.values())
    assert {"not_reached", "voicemail", "error", "abandoned", "transferred", "contained"} <= common.keys()


def test_the_summary_counts_what_the_metrics_count(home, counted):
    finished = list(filter(daily_metrics.is_finished, counted))
    waits = [secs for call in finished for name, secs in daily_metrics.timings(call) if name == daily_metrics.WAIT]
    summary = read_summary(home)
    percentiles = {f"wait_p{share}_secs": daily_metrics.quantile(waits, share / 100) for share in (50, 95)}
    assert {name: summary[name] for name in percentiles} == {name: _nearly(p) for name, p in percentiles.items()}
    rows = part_metrics.tool_reliability(finished)
    n_latencies = sum(row["n_latencies"] for row in rows if row["tool_name"] == summary["slowest_tool"])
    assert summary["slowest_tool_n_answered"] == n_latencies


def test_the_tables_are_those_that_the_version_before_built(home):
    before = json.loads(HASHES.read_text())
    current = table_hashes(home, {table: entry["columns"] for table, entry in before.items()})
    assert current == before, "if CHANGELOG.md describes the change of rows: python -m tests.helpers.table_hashes"

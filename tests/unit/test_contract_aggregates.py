"""Which metrics of a contract can be added up, and by which expression; the types of the lake."""

from __future__ import annotations

import pytest

from warehouse.contracts.aggregates import ADDITIVE, aggregates
from warehouse.contracts.relations import Relation, relations_of
from warehouse.models.project import read_project


@pytest.fixture(scope="module")
def relations() -> tuple[Relation, ...]:
    return relations_of(read_project(), has_lake=True)


def test_which_metrics_cannot_be_added_up(relations: tuple[Relation, ...]) -> None:
    """A share of an agent's day needs a denominator of other rows; percentiles are computed from the entries."""
    columns = {(aggregate.relation, aggregate.column) for aggregate in aggregates(relations)}
    declared = {(relation.key, name) for relation in relations if relation.key in ADDITIVE for name in relation.metrics}
    waits = {f"wait_p{share}_secs" for share in (50, 90, 95, 99)}
    rates = ("contained_no_callback", "fcr", "fcr_judged", "queue_abandonment", "resolved_containment")
    others = {"aht_p50_secs", "aht_p90_secs", "silence_share", *(f"{name}_rate" for name in rates)}
    assert declared - columns == {
        ("metrics.channel_mix", "call_share"),
        ("metrics.language_mix", "call_share"),
        *(("metrics.agent_daily", name) for name in waits | others),
    }
    assert {column for relation, column in columns if relation == "marts.fct_turns"} == waits


def test_rates_are_sums_divided_by_sums(relations: tuple[Relation, ...]) -> None:
    expressions = {
        aggregate.column: aggregate.sql()
        for aggregate in aggregates(relations)
        if aggregate.relation == "metrics.agent_daily"
    }
    assert expressions["n_calls"] == "cast(sum(n_calls) as bigint)"
    assert expressions["cost_usd"] == "cast(sum(cast(cost_usd as decimal(38, 12))) as double)"
    assert expressions["success_rate"] == (
        "cast(cast(sum(n_success) as bigint) as double)"
        " / nullif(cast(sum(n_success) as bigint) + cast(sum(n_failure) as bigint), 0)"
    )
    assert expressions["rating"] == "sum(rating * (n_ratings)) / nullif(cast(sum(n_ratings) as bigint), 0)"


def test_the_lake_is_described_with_its_types(relations: tuple[Relation, ...]) -> None:
    (turns,) = [relation for relation in relations if relation.key == "lake.turns"]
    types = {field.name: field.type for field in turns.fields}
    assert (types["conversation_id"], types["start_date"], types["turn_index"]) == ("VARCHAR", "DATE", "BIGINT")

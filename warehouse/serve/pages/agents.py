"""Agents: a scorecard against the period before, and the versions of each."""

from __future__ import annotations

from warehouse.serve.pages.cards import compared, share_interval
from warehouse.serve.pages.measures import definitions, measure_rows, sample_size
from warehouse.serve.pages.selection import OF_SCOPE, Reader, Row

COLUMNS = (
    "n_calls",
    "success_rate",
    "containment_rate",
    "error_rate",
    "abandonment_rate",
    "transfer_rate",
    "wait_p95_secs",
    "cost_usd_per_call",
    "cost_usd_per_success",
    "rating",
)

FIRST_CALLS = """
select agent_id, version_id, min(first_call_at) as first_call_at
from metrics.version_comparison
group by all
"""


EXPERIMENTS = f"""
select
    agent_id, variant_kind, variant_a, variant_b, measure, finding, n_observations_a, n_observations_b
from metrics.experiments
where {OF_SCOPE}
order by has_enough_data desc, agent_id, variant_kind, variant_a, variant_b, measure
limit 40
"""  # noqa: S608 -- our own SQL


def experiments(reader: Reader) -> list[Row]:
    """What versions or branches of an agent did in their common time, over all days (``metrics.experiments``)."""
    return reader.rows(EXPERIMENTS, **reader.chosen.scope)


def scorecard(reader: Reader) -> list[Row]:
    """Measures by agent; ``cells`` has by column value, n, change, whether that is better and whether notable."""
    before = {row["key_0"]: row for row in measure_rows(reader, "agent_id", is_before=True)}
    defined = definitions(reader)
    rows = []
    for row in measure_rows(reader, "agent_id"):
        previous = before.get(row["key_0"], {})
        cells = {column: cell(column, row, previous, defined[column].good) for column in COLUMNS}
        rows.append({"agent_id": row["key_0"], "n_calls": row["n_calls"], "cells": cells})
    return sorted(rows, key=lambda row: -row["n_calls"])


def versions(reader: Reader) -> list[Row]:
    """Measures of the selection by agent and version, with the interval of its success rate; the oldest first."""
    first_calls = {(row["agent_id"], row["version_id"]): row["first_call_at"] for row in reader.rows(FIRST_CALLS)}
    rows = [
        row
        | {
            "agent_id": row["key_0"],
            "version_id": row["key_1"],
            "first_call_at": first_calls.get((row["key_0"], row["key_1"])),
            "success_interval": share_interval(row["n_success"], row["n_judged"]),
        }
        for row in measure_rows(reader, "agent_id", "version_id")
    ]
    return sorted(rows, key=lambda row: (row["agent_id"] or "", row["first_call_at"] is None, row["first_call_at"]))


def cell(column: str, row: Row, previous: Row, good: str) -> Row:
    """A measure of a row with its n and its change against the row of the period before, which may be empty."""
    size = sample_size(column)
    n, previous_n = row[size], previous.get(size, 0)
    return {"n": n} | compared(column, row[column], n, previous.get(column), previous_n, good=good)

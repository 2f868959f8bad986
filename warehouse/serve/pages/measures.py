"""Measures over the conversations of a selection, by the definitions of ``intermediate.int_agent_measures``.

That model has them by agent and day, week or version; a page needs them for any selection. A test holds that both give
the same numbers where both have them. Names, units and what is good come from ``metrics.catalog``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from warehouse.serve.pages.selection import Reader, Row

SUMS = {
    "n_calls": "count(*)",
    "n_success": "count(*) filter (call_successful = 'success')",
    "n_judged": "count(*) filter (call_successful in ('success', 'failure'))",
    "n_reached": "count(*) filter (is_reached)",
    "n_contained": "count(*) filter (is_contained)",
    "n_errors": "count(*) filter (is_error)",
    "n_abandoned": "count(*) filter (is_abandoned)",
    "n_voicemail": "count(*) filter (is_voicemail)",
    "n_transferred": "count(*) filter (is_transferred_to_agent or is_transferred_to_human)",
    "n_priced": "count(cost_usd)",
    "n_ratings": "count(rating)",
    "n_agent_turns": "cast(coalesce(sum(n_agent_turns), 0) as bigint)",
    "n_interruptions": "cast(coalesce(sum(n_interruptions), 0) as bigint)",
    "rating_points": "cast(sum(rating) as bigint)",
    "call_secs": "cast(coalesce(sum(call_duration_secs), 0) as bigint)",
    "cost_credits": "cast(sum(cost_credits) as bigint)",
    "cost_usd": "cast(sum(cast(cost_usd as decimal(38, 12))) as double)",
}
"""Aggregates over rows of ``conversations``."""

RATIOS = {
    "success_rate": ("n_success", "n_judged"),
    "success_coverage": ("n_judged", "n_calls"),
    "reach_rate": ("n_reached", "n_calls"),
    "containment_rate": ("n_contained", "n_reached"),
    "error_rate": ("n_errors", "n_calls"),
    "abandonment_rate": ("n_abandoned", "n_reached"),
    "voicemail_rate": ("n_voicemail", "n_calls"),
    "transfer_rate": ("n_transferred", "n_calls"),
    "interruption_rate": ("n_interruptions", "n_agent_turns"),
    "rating": ("rating_points", "n_ratings"),
    "cost_usd_per_success": ("cost_usd", "n_success"),
    "cost_usd_per_call": ("cost_usd", "n_calls"),
    "cost_usd_coverage": ("n_priced", "n_calls"),
}
"""Numerator and denominator of each rate; null where the denominator is 0."""

SHARES = tuple(name for name in RATIOS if name.endswith("_rate"))

SUM_LIST = ", ".join(f"{sql} as {name}" for name, sql in SUMS.items())
RATIO_LIST = ", ".join(f"{top} / nullif({bottom}, 0) as {name}" for name, (top, bottom) in RATIOS.items())
"""SELECT lists of an inner query and of the one around it."""

PERCENTILES = "count(wait_secs) as n_waits, quantile_cont(wait_secs, [0.5, 0.9, 0.95]) as percentiles"
WAITS = "n_waits, percentiles[1] as wait_p50_secs, percentiles[2] as wait_p90_secs, percentiles[3] as wait_p95_secs"
"""SELECT lists of an inner and an outer query: several aggregates would keep every wait several times in memory."""

SLOW_WAIT = "(select max(value) from seeds.thresholds where threshold = 'wait_poor_secs')"
"""SQL: the seconds from which a wait is long."""

FEW = 20
"""An n below which a rate is shown as uncertain."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A metric as ``metrics.catalog`` defines it; ``good`` is high, low or neither."""

    id: str
    name: str
    unit: str
    good: str
    description: str


def definitions(reader: Reader) -> dict[str, Definition]:
    """The metrics of ``metrics.agent_daily``, by column."""
    rows = reader.rows("select * from metrics.catalog where model = 'metrics.agent_daily'")
    return {
        row["column_name"]: Definition(row["id"], row["name"], row["unit"], row["good"], row["description"])
        for row in rows
    }


def sample_size(column: str) -> str:
    """The column with the n of a measure."""
    if column.startswith("wait_"):
        return "n_waits"
    return RATIOS[column][1] if column in RATIOS else "n_calls"


def measure_rows(reader: Reader, *keys: str, is_before: bool = False, has_waits: bool = True) -> list[Row]:
    """Measures, and waits if they are to be there, of the period or of the one before it: a row per value of ``keys``.

    Keys are start_date, agent_id or version_id. Without keys one row, also for no conversations.
    """
    relation = "previous_conversations" if is_before else "conversations"
    names = [f"key_{number}" for number in range(len(keys))]
    keyed = "".join(f"{key} as {name}, " for key, name in zip(keys, names, strict=True))
    group = f"group by {', '.join(names)}" if names else ""
    sums = f"select {keyed} {SUM_LIST} from {relation} {group}"  # noqa: S608 -- every name is ours
    if not has_waits:
        return reader.rows(f"select *, {RATIO_LIST} from ({sums}) order by all")  # noqa: S608 -- as above
    join = " and ".join(f"sums.{name} is not distinct from waits.{name}" for name in names) or "true"
    return reader.rows(f"""
        with sums as (
            {sums}
        ),
        waits as (
            select {keyed} {PERCENTILES}
            from {reader.waits(by_version="version_id" in keys)}
            where is_before = {is_before}
            {group}
        )
        select sums.*, {RATIO_LIST}, {WAITS.replace("n_waits", "coalesce(n_waits, 0) as n_waits", 1)}
        from sums
        left join waits on {join}
        order by all
    """)  # noqa: S608 -- as above


def change(now: Any, before: Any) -> float | None:
    """Difference to the period before; None if either is unknown."""
    return None if now is None or before is None else float(now - before)


def is_better(difference: float | None, good: str) -> bool | None:
    """Whether a change is for the better; None if there is none, or if no direction is ``good``."""
    return None if not difference or good == "neither" else (difference > 0) == (good == "high")

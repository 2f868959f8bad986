"""What Dagster shows of the numbers themselves: those of the newest day, and a warning where they are unusual."""

from __future__ import annotations

from typing import Any

import dagster as dg

from pipelines.orchestration.asset_keys import asset_key
from warehouse.serve.query import query
from warehouse.storage.home import Home

AGENT_DAILY, ANOMALIES = "metrics.agent_daily", "metrics.anomalies"
ANOMALIES_CHECK = dg.AssetCheckSpec(
    "nothing_is_unusual",
    asset=asset_key(ANOMALIES),
    description="No measure of an agent's newest day is far from the days before; a warning: it is to be looked at.",
)
_MAX_SAMPLE_ROWS = 20

_NEWEST_DAY = """
    select
        max(start_date)::varchar as newest_day,
        sum(n_calls)::bigint as n_calls,
        sum(n_open)::bigint as n_open,
        sum(n_success) / nullif(sum(n_success + n_failure), 0) as success_rate,
        sum(n_success + n_failure) / nullif(sum(n_calls), 0) as success_coverage,
        sum(cost_credits)::bigint as cost_credits,
        sum(cost_usd) as cost_usd
    from metrics.agent_daily
    where start_date = (select max(start_date) from metrics.agent_daily)
"""
_UNUSUAL = """
    select workspace, start_date::varchar as start_date, agent_id, measure, value, expected, deviation
    from metrics.anomalies
    qualify is_flagged and start_date = max(start_date) over (partition by workspace)
    order by abs(deviation) / nullif(spread, 0) desc, workspace, agent_id, measure
"""


def newest_day_metrics(home: Home) -> dict[str, Any]:
    """Calls, success and cost of the newest day, over all agents; what is null is left out."""
    row = query(home, _NEWEST_DAY).row(0, named=True)
    return {name: value for name, value in row.items() if value is not None}


def check_anomalies(home: Home) -> dg.AssetCheckResult:
    """Whether the newest day of a workspace has a flagged measure: a warning, as the data is what the API said."""
    found = query(home, _UNUSUAL)
    metadata: dict[str, Any] = {"n_unusual": found.height}
    if not found.is_empty():
        rows = found.head(_MAX_SAMPLE_ROWS).to_dicts()
        metadata["measures"] = dg.MetadataValue.table([dg.TableRecord(row) for row in rows])
    return dg.AssetCheckResult(
        passed=found.is_empty(),
        asset_key=ANOMALIES_CHECK.asset_key,
        check_name=ANOMALIES_CHECK.name,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )

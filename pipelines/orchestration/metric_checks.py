"""Metrics of the newest day that is over as asset metadata, and a warning if any of them is an anomaly."""

from __future__ import annotations

from typing import Any

import dagster as dg

from pipelines.orchestration.asset_keys import asset_key
from pipelines.orchestration.checks import evaluation
from pipelines.usecases.alerts import unusual_measures
from warehouse.serve.query import query
from warehouse.storage.home import Home

AGENT_DAILY, ANOMALIES = "metrics.agent_daily", "metrics.anomalies"
ANOMALIES_CHECK = dg.AssetCheckSpec(
    "nothing_is_unusual",
    asset=asset_key(ANOMALIES),
    description="No measure of an agent differs much from the days before, on the newest day that is over. A warning: "
    "metrics.anomalies has the expected values.",
)
_MAX_SAMPLE_ROWS = 20

_NEWEST_DAY = """
    with days as (
        select agent_daily.*
        from metrics.agent_daily
        join intermediate.int_whole_days using (workspace)
        where start_date <= last_whole_date
    )

    select
        max(start_date)::varchar as newest_day,
        sum(n_calls)::bigint as n_calls,
        sum(n_open)::bigint as n_open,
        sum(n_success) / nullif(sum(n_success + n_failure), 0) as success_rate,
        sum(n_success + n_failure) / nullif(sum(n_calls), 0) as success_coverage,
        sum(cost_credits)::bigint as cost_credits,
        cast(sum(cast(cost_usd as decimal(38, 12))) as double) as cost_usd
    from days
    where start_date = (select max(start_date) from days)
"""


def newest_day_metrics(home: Home) -> dict[str, Any]:
    """Conversations, success and cost of that day over all agents, without those that are null."""
    row = query(home, _NEWEST_DAY).row(0, named=True)
    return {name: value for name, value in row.items() if value is not None}


def check_anomalies(home: Home) -> dg.AssetCheckEvaluation:
    """Whether that day of each workspace has no flagged measure; only a warning, because the data may be right."""
    anomalies = unusual_measures(home)
    metadata: dict[str, Any] = {"n_unusual": anomalies.height}
    if not anomalies.is_empty():
        sample = anomalies.head(_MAX_SAMPLE_ROWS).to_dicts()
        metadata["measures"] = dg.MetadataValue.table([dg.TableRecord(row) for row in sample])
    return evaluation(
        ANOMALIES_CHECK.key,
        is_passed=anomalies.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )

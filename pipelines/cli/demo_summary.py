"""The few numbers that the demo ends with, read from the warehouse by SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.cli.options import plural

if TYPE_CHECKING:
    from warehouse.storage.home import Home

SUMMARY = """
with days as (
    select
        min(start_date) as first_date,
        max(start_date) as last_date,
        cast(sum(n_calls) as bigint) as n_calls,
        cast(sum(n_open) as bigint) as n_open,
        sum(n_success) / nullif(sum(n_success + n_failure), 0) as success_rate,
        sum(n_success + n_failure) / nullif(sum(n_calls), 0) as success_coverage,
        cast(sum(cost_credits) as bigint) as cost_credits,
        sum(cost_usd) as cost_usd,
        sum(cost_usd) / nullif(sum(n_success), 0) as cost_usd_per_success
    from metrics.agent_daily
),

waits as (
    select
        quantile_cont(wait_secs, 0.5) as wait_p50_secs,
        quantile_cont(wait_secs, 0.95) as wait_p95_secs
    from marts.fct_turns
    where is_finished
),

tools as (
    select
        tool_name as slowest_tool,
        quantile_cont(latency_secs, 0.95) as slowest_tool_p95_secs,
        count(latency_secs) as slowest_tool_n_answered
    from marts.fct_tool_calls
    where is_finished
    group by tool_name
    having count(latency_secs) > 0
    order by slowest_tool_p95_secs desc, tool_name
    limit 1
)

select * from days cross join waits left join tools on true
"""


def numbers_of(home: Home) -> dict[str, Any]:
    """The summary, one row: rates are sums over sums, percentiles are over turns and tool calls."""
    from warehouse.serve import query

    return query.query(home, SUMMARY).row(0, named=True)


def what_was_read(run: dict[str, Any]) -> str:
    """What the run read, in words."""
    new = f"{plural(run['n_new'], 'new call')} read" if run["n_new"] else "nothing new"
    again = [
        f"{plural(run[f'n_{why}'], f'{why} call')} read again" for why in ("open", "changed", "due") if run[f"n_{why}"]
    ]
    gone = [f"{plural(run['n_gone'], 'call')} found deleted"] if run["n_gone"] else []
    return "; ".join((new, *again, *gone))


def facts(n: dict[str, Any]) -> list[tuple[str, str]]:
    """The summary, for people."""
    half = f"half are within {_number(n['wait_p50_secs'], '.2f')} s"
    return [
        ("calls", f"{n['n_calls'] or 0:,} finished, {n['n_open'] or 0:,} open, {n['first_date']} to {n['last_date']}"),
        ("success rate", f"{_share(n['success_rate'])}, with {_share(n['success_coverage'])} of the calls judged"),
        ("cost", f"{_number(n['cost_credits'], ',')} credits, ${_number(n['cost_usd'], ',.2f')}"),
        ("cost per successful call", f"${_number(n['cost_usd_per_success'], ',.3f')}"),
        ("wait, 95th percentile", f"{_number(n['wait_p95_secs'], '.2f')} s, {half}"),
        ("slowest tool", _slowest(n)),
    ]


def _slowest(n: dict[str, Any]) -> str:
    if n["slowest_tool"] is None:
        return "no tool was called"
    over = plural(n["slowest_tool_n_answered"], "answered call")
    return f"{n['slowest_tool']}, 95th percentile {n['slowest_tool_p95_secs']:.2f} s over {over}"


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1%}"


def _number(value: float | None, form: str) -> str:
    return "unknown" if value is None else f"{value:{form}}"

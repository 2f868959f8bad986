"""The facts that sum up a warehouse: conversations, success, cost, waiting, the slowest tool."""

from __future__ import annotations

from typing import Any

from warehouse.serve.query import query
from warehouse.serve.value_format import escape_slack, format_number, format_value, plural
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
        sum(round(cost_usd_coverage * n_calls)) / nullif(sum(n_calls), 0) as cost_usd_coverage,
        cast(sum(cast(cost_usd as decimal(38, 12))) as double) as cost_usd,
        cast(sum(cast(cost_usd as decimal(38, 12))) as double) / nullif(sum(n_success), 0) as cost_usd_per_success
    from metrics.agent_daily
),

waits as (
    select
        quantile_cont(wait_secs, 0.5) as wait_p50_secs,
        quantile_cont(wait_secs, 0.95) as wait_p95_secs
    from marts.fct_turns
    where is_counted
),

tools as (
    select
        tool_name as slowest_tool,
        quantile_cont(latency_secs, 0.95) as slowest_tool_p95_secs,
        count(latency_secs) as slowest_tool_n_answered
    from marts.fct_tool_calls
    where is_counted
    group by tool_name
    having count(latency_secs) > 0
    order by slowest_tool_p95_secs desc, tool_name
    limit 1
)

select * from days cross join waits left join tools on true
"""


def read_summary(home: Home) -> dict[str, Any]:
    """The summary, one row: rates are sums over sums, percentiles are over turns and tool calls.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: the file cannot be opened.
    """
    return query(home, SUMMARY).row(0, named=True)


def summary_facts(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """The six facts as label and text."""
    return [
        ("conversations", _conversations(summary)),
        ("success rate", _success_rate(summary)),
        ("cost", _cost(summary)),
        ("cost per success", _cost_per_success(summary)),
        ("wait, 95th percentile", _wait(summary)),
        ("slowest tool", _slowest_tool(summary)),
    ]


def markdown_summary(summary: dict[str, Any]) -> str:
    """The six facts as a list in Markdown."""
    return "\n".join(f"- **{label}:** {_escaped_markdown(text)}" for label, text in summary_facts(summary))


def slack_summary(summary: dict[str, Any]) -> str:
    """The six facts in Slack's markup, in which three characters mean something and have entities."""
    return "\n".join(f"*{label}:* {escape_slack(format_value(text))}" for label, text in summary_facts(summary))


_MARKDOWN = {character: f"\\{character}" for character in "\\`*_[]<>"}


def _escaped_markdown(text: str) -> str:
    """A text on one line whose markup is none: the name of a tool is somebody else's."""
    return "".join(_MARKDOWN.get(character, character) for character in format_value(text))


def _conversations(summary: dict[str, Any]) -> str:
    counts = f"{summary['n_calls'] or 0:,} finished, {summary['n_open'] or 0:,} open"
    return f"{counts}, {summary['first_date']} to {summary['last_date']}" if summary["first_date"] else counts


def _success_rate(summary: dict[str, Any]) -> str:
    if summary["success_rate"] is None:
        return "no conversation is judged"
    rate, coverage = (format_number(summary[name], "share of 1") for name in ("success_rate", "success_coverage"))
    return f"{rate}, with {coverage} of the conversations judged"


def _cost(summary: dict[str, Any]) -> str:
    amounts = (("cost_credits", "credits", " credits"), ("cost_usd", "US dollars", ""))
    costs = [f"{format_number(summary[name], unit)}{noun}" for name, unit, noun in amounts if summary[name] is not None]
    if summary["cost_usd"] is not None and summary["cost_usd_coverage"] < 1:
        costs[-1] += f" for {format_number(summary['cost_usd_coverage'], 'share of 1')} of the conversations"
    return ", ".join(costs) or "not known"


def _cost_per_success(summary: dict[str, Any]) -> str:
    usd = summary["cost_usd_per_success"]
    return "not known" if usd is None else f"{format_number(usd, 'US dollars')} per successful conversation"


def _wait(summary: dict[str, Any]) -> str:
    if summary["wait_p95_secs"] is None:
        return "no wait is known"
    p50, p95 = (format_number(summary[name], "seconds") for name in ("wait_p50_secs", "wait_p95_secs"))
    return f"{p95}, half are within {p50}"


def _slowest_tool(summary: dict[str, Any]) -> str:
    if summary["slowest_tool"] is None:
        return "no tool was called"
    latency = format_number(summary["slowest_tool_p95_secs"], "seconds")
    n_answered = plural(summary["slowest_tool_n_answered"], "answered call")
    return f"{summary['slowest_tool']}, 95th percentile {latency} over {n_answered}"

"""Tools: calls, errors by type, latency, timeouts, the last change of the definition, and the hour."""

from __future__ import annotations

from warehouse.serve.pages.selection import Reader, Row

TOOLS = """
with calls as (
    select
        tools.tool_name,
        tools.tool_type,
        selected.is_before,
        tools.workspace,
        tools.conversation_id,
        tools.is_answered,
        tools.is_error,
        tools.error_type,
        tools.latency_secs
    from selected
    join marts.fct_tool_calls as tools using (workspace, conversation_id, start_date)
    where selected.is_counted
),

now as (
    select
        tool_name,
        min(tool_type) as tool_type,
        count(*) as n_tool_calls,
        count(distinct (workspace, conversation_id)) as n_calls,
        count(*) filter (is_answered) as n_answered,
        count(*) filter (is_error) as n_errors,
        count(*) filter (error_type = 'timeout') as n_timeouts,
        count(*) filter (not is_answered) as n_unanswered,
        count(latency_secs) as n_latencies,
        quantile_cont(latency_secs, 0.5) as latency_p50_secs,
        quantile_cont(latency_secs, 0.95) as latency_p95_secs
    from calls
    where not is_before
    group by tool_name
),

before as (
    select
        tool_name,
        count(*) filter (is_answered) as n_answered,
        count(*) filter (is_error) / nullif(count(*) filter (is_answered), 0) as error_rate
    from calls
    where is_before
    group by tool_name
),

definitions as (
    select
        tool_name,
        max(changed_at) filter (n_versions > 1) as changed_at,
        max(response_timeout_secs) as response_timeout_secs
    from marts.dim_tools
    where $workspace is null or workspace = $workspace
    group by all
)

select
    now.*,
    now.n_errors / nullif(now.n_answered, 0) as error_rate,
    before.error_rate as previous_error_rate,
    before.n_answered as previous_n_answered,
    definitions.changed_at,
    definitions.response_timeout_secs
from now
left join before on now.tool_name is not distinct from before.tool_name
left join definitions on now.tool_name = definitions.tool_name
order by now.n_errors desc, now.n_tool_calls desc, now.tool_name
"""

ERRORS = """
select
    tools.tool_name,
    coalesce(nullif(tools.error_type, ''), 'not_given') as error_type,
    count(*) as n_errors,
    mode(
        left(coalesce(tools.raw_error_message, tools.result_value), 200)
        order by coalesce(tools.raw_error_message, tools.result_value)
    ) as message,
    max(conversations.started_at) as last_at
from conversations
join marts.fct_tool_calls as tools using (workspace, conversation_id, start_date)
where tools.is_error
group by all
order by n_errors desc, tool_name, error_type
"""

HOURS = """
select
    tools.tool_name,
    conversations.local_start_hour as hour,
    count(*) filter (tools.is_answered) as n_answered,
    count(*) filter (tools.is_error) as n_errors,
    n_errors / nullif(n_answered, 0) as error_rate
from conversations
join marts.fct_tool_calls as tools using (workspace, conversation_id, start_date)
group by all
having n_answered > 0
order by all
"""

UNUSED = """
select tool_name, tool_type, first_seen_at from marts.dim_tools
where is_never_used and not is_gone and ($workspace is null or workspace = $workspace)
order by tool_name
"""


def tools(reader: Reader) -> list[Row]:
    """Tools that were called, those with most errors first; the error rate is of answered calls."""
    return reader.rows(TOOLS, workspace=reader.chosen.workspace)


def errors(reader: Reader) -> list[Row]:
    """Errors by tool and type, with the most frequent message."""
    return reader.rows(ERRORS)


def by_hour(reader: Reader) -> list[Row]:
    """Error rates by tool and local hour of the conversation's start."""
    return reader.rows(HOURS)


def unused(reader: Reader) -> list[Row]:
    """Tools that the workspace has and no conversation ever called."""
    return reader.rows(UNUSED, workspace=reader.chosen.workspace)

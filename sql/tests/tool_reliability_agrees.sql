/*
description = "Tool calls in tool_reliability are those of fct_tool_calls in conversations that count."
*/
with tool_reliability as (
    select * from metrics.tool_reliability
),

tool_calls as (
    select * from marts.fct_tool_calls
),

daily as (
    select
        cast(coalesce(sum(n_tool_calls), 0) as bigint) as n_tool_calls,
        cast(coalesce(sum(n_answered + n_unanswered), 0) as bigint) as n_seen,
        cast(coalesce(sum(n_errors), 0) as bigint) as n_errors
    from tool_reliability
),

conversations as (
    select
        count(*) as n_tool_calls,
        count(*) as n_seen,
        count(*) filter (where is_error) as n_errors
    from tool_calls
    where is_counted
),

final as (
    select * from daily
    except
    select * from conversations
)

select * from final

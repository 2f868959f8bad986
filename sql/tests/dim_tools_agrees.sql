/*
description = "Tool calls in dim_tools are those of fct_tool_calls in conversations that count; a tool call without a name has no tool."
*/
with tools as (
    select * from marts.dim_tools
),

tool_calls as (
    select * from marts.fct_tool_calls
),

by_tool as (
    select
        cast(coalesce(sum(n_tool_calls), 0) as bigint) as n_tool_calls,
        cast(coalesce(sum(n_errors), 0) as bigint) as n_errors
    from tools
),

conversations as (
    select
        count(*) as n_tool_calls,
        count(*) filter (where is_error) as n_errors
    from tool_calls
    where
        is_counted
        and (tool_name is not null or workspace || tool_id in (select tools.workspace || tools.tool_id from tools))
),

final as (
    select * from by_tool
    except
    select * from conversations
)

select * from final

/*
description = "Calls, verdicts and cost in agent_daily are those of fct_conversations: nothing is dropped and nothing counted twice."
*/
with agent_daily as (
    select * from metrics.agent_daily
),

conversations as (
    select * from marts.fct_conversations
),

daily as (
    select
        cast(coalesce(sum(n_calls), 0) as bigint) as n_calls,
        cast(coalesce(sum(n_open), 0) as bigint) as n_open,
        cast(coalesce(sum(n_success + n_failure + n_unknown), 0) as bigint) as n_verdicts,
        cast(sum(cost_credits) as bigint) as cost_credits,
        round(sum(cost_usd), 6) as cost_usd,
        cast(coalesce(sum(n_waits), 0) as bigint) as n_waits
    from agent_daily
),

calls as (
    select
        count(*) filter (where is_finished) as n_calls,
        count(*) filter (where not is_finished) as n_open,
        count(*) filter (where is_finished) as n_verdicts,
        cast(sum(cost_credits) filter (where is_finished) as bigint) as cost_credits,
        round(sum(cost_usd) filter (where is_finished), 6) as cost_usd,
        cast(coalesce(sum(n_waits) filter (where is_finished), 0) as bigint) as n_waits
    from conversations
),

final as (
    select * from daily
    except
    select * from calls
)

select * from final

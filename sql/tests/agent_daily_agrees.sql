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
        sum(cost_usd) as cost_usd,
        cast(coalesce(sum(n_waits), 0) as bigint) as n_waits
    from agent_daily
),

calls as (
    select
        count(*) filter (where is_finished) as n_calls,
        count(*) filter (where not is_finished) as n_open,
        count(*) filter (where is_finished) as n_verdicts,
        cast(sum(cost_credits) filter (where is_finished) as bigint) as cost_credits,
        sum(cost_usd) filter (where is_finished) as cost_usd,
        cast(coalesce(sum(n_waits) filter (where is_finished), 0) as bigint) as n_waits
    from conversations
),

final as (
    select daily.*
    from daily
    cross join calls
    where
        daily.n_calls <> calls.n_calls
        or daily.n_open <> calls.n_open
        or daily.n_verdicts <> calls.n_verdicts
        or daily.n_waits <> calls.n_waits
        or daily.cost_credits is distinct from calls.cost_credits
        or (daily.cost_usd is null) <> (calls.cost_usd is null)
        or abs(daily.cost_usd - calls.cost_usd) > 0.000001 * greatest(1, abs(calls.cost_usd) / 1000)
)

select * from final

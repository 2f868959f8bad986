/*
description = """Conversations, verdicts, minutes and cost in agent_daily are those of fct_conversations, workspace by workspace: \
nothing is dropped, nothing counted twice, and no excluded conversation counted."""
*/
with agent_daily as (
    select * from metrics.agent_daily
),

conversations as (
    select * from marts.fct_conversations
),

daily as (
    select
        workspace,
        cast(sum(n_calls) as bigint) as n_calls,
        cast(sum(n_open) as bigint) as n_open,
        cast(sum(n_success + n_failure + n_unknown) as bigint) as n_verdicts,
        cast(sum(n_waits) as bigint) as n_waits,
        sum(call_minutes) as call_minutes,
        cast(sum(cost_credits) as bigint) as cost_credits,
        sum(cost_usd) as cost_usd
    from agent_daily
    group by all
),

recount as (
    select
        workspace,
        count(*) filter (where is_counted) as n_calls,
        count(*) filter (where not is_finished) as n_open,
        count(*) filter (where is_counted) as n_verdicts,
        cast(coalesce(sum(n_waits) filter (where is_counted), 0) as bigint) as n_waits,
        coalesce(sum(call_duration_secs) filter (where is_counted), 0) / 60 as call_minutes,
        cast(sum(cost_credits) filter (where is_counted) as bigint) as cost_credits,
        sum(cost_usd) filter (where is_counted) as cost_usd
    from conversations
    where not is_excluded
    group by all
),

final as (
    select
        daily.*,
        recount.workspace as workspace_of_calls
    from daily
    full outer join recount on daily.workspace = recount.workspace
    where
        daily.workspace is distinct from recount.workspace
        or daily.n_calls <> recount.n_calls
        or daily.n_open <> recount.n_open
        or daily.n_verdicts <> recount.n_verdicts
        or daily.n_waits <> recount.n_waits
        or abs(daily.call_minutes - recount.call_minutes) > 0.000001 * greatest(1, recount.call_minutes / 1000)
        or daily.cost_credits is distinct from recount.cost_credits
        or (daily.cost_usd is null) <> (recount.cost_usd is null)
        or abs(daily.cost_usd - recount.cost_usd) > 0.000001 * greatest(1, abs(recount.cost_usd) / 1000)
)

select * from final

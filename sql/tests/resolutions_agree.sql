/*
description = "The conversations that were reached, and those resolved at the first contact, are the same in agent_daily and repeat_callers."
*/
with agent_daily as (
    select * from metrics.agent_daily
),

repeat_callers as (
    select * from metrics.repeat_callers
),

final as (
    select
        agent_daily.workspace,
        agent_daily.start_date,
        agent_daily.agent_id,
        agent_daily.n_reached,
        repeat_callers.n_reached as n_reached_again,
        agent_daily.n_resolved,
        repeat_callers.n_resolved as n_resolved_again
    from agent_daily
    inner join repeat_callers
        on
            agent_daily.workspace = repeat_callers.workspace
            and agent_daily.start_date = repeat_callers.start_date
            and agent_daily.agent_id is not distinct from repeat_callers.agent_id
    where
        agent_daily.n_reached <> repeat_callers.n_reached
        or agent_daily.n_resolved <> coalesce(repeat_callers.n_resolved, 0)
)

select * from final

/*
description = """The components in cost_daily add up to the cost in agent_daily, for every workspace, day and agent, in credits and US \
dollars. Sums of floats differ in their last digits, so they are compared by their distance."""
*/
with cost_daily as (
    select * from metrics.cost_daily
),

agent_daily as (
    select * from metrics.agent_daily
),

components as (
    select
        workspace,
        start_date,
        agent_id,
        sum(cost_credits) as cost_credits,
        sum(abs(cost_credits)) as size_credits,
        sum(cost_usd) as cost_usd,
        sum(abs(cost_usd)) as size_usd
    from cost_daily
    group by all
),

final as (
    select
        agent_daily.workspace,
        agent_daily.start_date,
        agent_daily.agent_id,
        agent_daily.cost_credits,
        components.cost_credits as component_credits,
        agent_daily.cost_usd,
        components.cost_usd as component_usd
    from agent_daily
    full outer join components
        on
            agent_daily.workspace = components.workspace
            and agent_daily.start_date = components.start_date
            and agent_daily.agent_id is not distinct from components.agent_id
    where
        (agent_daily.cost_credits is null) <> (components.cost_credits is null)
        or (agent_daily.cost_usd is null) <> (components.cost_usd is null)
        or abs(agent_daily.cost_credits - components.cost_credits)
        > 0.000001 * greatest(1, components.size_credits / 1000)
        or abs(agent_daily.cost_usd - components.cost_usd) > 0.000000001 * greatest(1, components.size_usd)
)

select * from final

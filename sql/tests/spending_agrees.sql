/*
description = """What a month has cost is what its days in agent_daily cost, agent by agent; the row of all agents is their \
sum; and the price of tokens by model is that of agent_daily."""
*/
with agent_daily as (
    select * from metrics.agent_daily
),

spend_forecast as (
    select * from metrics.spend_forecast
),

llm_cost as (
    select * from metrics.llm_cost
),

daily as (
    select
        workspace,
        cast(date_trunc('month', start_date) as date) as month_start_date,
        cast(sum(n_calls) as bigint) as n_calls,
        sum(cost_usd) as cost_usd,
        sum(llm_cost_usd) as llm_cost_usd
    from agent_daily
    group by all
),

agents as (
    select
        workspace,
        month_start_date,
        cast(sum(n_calls) as bigint) as n_calls,
        sum(cost_usd) as cost_usd
    from spend_forecast
    where agent_id <> '*' or agent_id is null
    group by all
),

wholes as (
    select * from spend_forecast
    where agent_id = '*'
),

models as (
    select
        workspace,
        cast(date_trunc('month', start_date) as date) as month_start_date,
        sum(llm_cost_usd) as llm_cost_usd
    from llm_cost
    group by all
),

final as (
    select
        daily.workspace,
        daily.month_start_date,
        daily.n_calls,
        agents.n_calls as n_calls_of_agents,
        wholes.n_calls as n_calls_of_all,
        daily.cost_usd,
        agents.cost_usd as cost_usd_of_agents,
        wholes.cost_usd as cost_usd_of_all,
        daily.llm_cost_usd,
        models.llm_cost_usd as llm_cost_usd_of_models
    from daily
    left join agents on daily.workspace = agents.workspace and daily.month_start_date = agents.month_start_date
    left join wholes on daily.workspace = wholes.workspace and daily.month_start_date = wholes.month_start_date
    left join models on daily.workspace = models.workspace and daily.month_start_date = models.month_start_date
    where
        daily.n_calls <> coalesce(agents.n_calls, 0)
        or daily.n_calls <> coalesce(wholes.n_calls, 0)
        or abs(coalesce(daily.cost_usd, 0) - coalesce(agents.cost_usd, 0))
        > 0.000001 * greatest(1, abs(coalesce(daily.cost_usd, 0)) / 1000)
        or abs(coalesce(daily.cost_usd, 0) - coalesce(wholes.cost_usd, 0))
        > 0.000001 * greatest(1, abs(coalesce(daily.cost_usd, 0)) / 1000)
        or abs(coalesce(daily.llm_cost_usd, 0) - coalesce(models.llm_cost_usd, 0))
        > 0.000001 * greatest(1, abs(coalesce(daily.llm_cost_usd, 0)) / 1000)
)

select * from final

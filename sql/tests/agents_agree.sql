/*
description = "Conversations in dim_agents and in dim_agent_versions are those of agent_daily; a version has no more conversations than its agent."
*/
with agent_daily as (
    select * from metrics.agent_daily
),

agents as (
    select * from marts.dim_agents
),

agent_versions as (
    select * from marts.dim_agent_versions
),

daily as (
    select
        workspace,
        agent_id,
        cast(sum(n_calls) as bigint) as n_calls,
        cast(sum(n_open) as bigint) as n_open
    from agent_daily
    where agent_id is not null
    group by all
),

versions as (
    select
        workspace,
        agent_id,
        cast(sum(n_calls) as bigint) as n_calls
    from agent_versions
    where agent_id is not null
    group by all
),

final as (
    select
        agents.workspace,
        agents.agent_id,
        agents.n_agent_calls,
        agents.n_agent_open,
        daily.n_calls as n_calls_daily,
        daily.n_open as n_open_daily,
        versions.n_calls as n_calls_of_versions
    from agents
    left join daily on agents.workspace = daily.workspace and agents.agent_id = daily.agent_id
    left join versions on agents.workspace = versions.workspace and agents.agent_id = versions.agent_id
    where
        agents.n_agent_calls <> coalesce(daily.n_calls, 0)
        or agents.n_agent_open <> coalesce(daily.n_open, 0)
        or coalesce(versions.n_calls, 0) > agents.n_agent_calls
)

select * from final

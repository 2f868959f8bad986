/*
description = """Agents: one row per agent that was ever seen, as the agent of a call, in a list row, as the speaker of \
an entry or as one that a call passed through."""
grain = ["agent_id"]

[columns]
agent_id = "Agent."
agent_name = "Latest name that was seen; null when the API never told one."
first_call_at = "Start of the first call in which it was seen."
last_call_at = "Start of the last call in which it was seen."
n_calls = "Finished calls (done or failed) that were started with it."
n_open = "Calls that were started with it and are not finished."

[tests]
not_null = ["agent_id", "first_call_at", "last_call_at", "n_calls", "n_open"]
*/
with conversations as (
    select * from staging.stg_conversations
),

conversation_list as (
    select * from staging.stg_conversation_list
),

turns as (
    select * from staging.stg_turns
),

visited_agents as (
    select * from staging.stg_visited_agents
),

passed as (
    select
        conversation_id,
        speaking_agent_id as agent_id
    from turns
    union
    select
        conversation_id,
        agent_id
    from visited_agents
),

sightings as (
    select
        agent_id,
        agent_name,
        started_at,
        fetched_at as seen_at,
        coalesce(status in ('done', 'failed'), false) as is_finished,
        not coalesce(status in ('done', 'failed'), false) as is_open
    from conversations
    union all
    select
        agent_id,
        agent_name,
        started_at,
        last_seen_at as seen_at,
        false as is_finished,
        false as is_open
    from conversation_list
    union all
    select
        passed.agent_id,
        null as agent_name,
        conversations.started_at,
        conversations.fetched_at as seen_at,
        false as is_finished,
        false as is_open
    from passed
    inner join conversations on passed.conversation_id = conversations.conversation_id
),

final as (
    select
        agent_id,
        arg_max(agent_name, seen_at) filter (where agent_name is not null) as agent_name,
        min(started_at) as first_call_at,
        max(started_at) as last_call_at,
        count(*) filter (where is_finished) as n_calls,
        count(*) filter (where is_open) as n_open
    from sightings
    where agent_id is not null
    group by all
)

select * from final

/*
description = """Agents: one row per agent that was ever seen, as the agent of a conversation, in a list row, as the speaker of \
an entry or as one that a conversation passed through."""
grain = ["workspace", "agent_id"]

[columns]
workspace = "Workspace of the API that the agent belongs to."
agent_id = "Agent."
agent_name = "Latest name that was seen; null when the API never reported one."
first_call_at = "Start of the first conversation in which it was seen."
last_call_at = "Start of the last conversation in which it was seen."
n_agent_calls = "Finished conversations (done or failed) that were started with it; excluded ones do not count."
n_agent_open = "Conversations that were started with it and are not finished; excluded ones do not count."

[tests]
not_null = ["workspace", "agent_id", "first_call_at", "last_call_at", "n_agent_calls", "n_agent_open"]
same_count_as = "staging.stg_agents"
*/
with agents as (
    select * from staging.stg_agents
),

flags as (
    select * from intermediate.int_conversation_flags
),

counts as (
    select
        workspace,
        agent_id,
        count(*) filter (where is_counted) as n_agent_calls,
        count(*) filter (where not is_finished and not is_excluded) as n_agent_open
    from flags
    group by all
),

final as (
    select
        agents.workspace,
        agents.agent_id,
        agents.agent_name,
        agents.first_call_at,
        agents.last_call_at,
        coalesce(counts.n_agent_calls, 0) as n_agent_calls,
        coalesce(counts.n_agent_open, 0) as n_agent_open
    from agents
    left join counts on agents.workspace = counts.workspace and agents.agent_id = counts.agent_id
)

select * from final

/*
description = """Versions of agents: one row per agent and version that a conversation was answered by. Conversations whose version is not \
told (older ones, and agents without versioning) are in no row."""
grain = ["workspace", "agent_id", "version_id"]

[columns]
workspace = "Workspace of the API that the agent belongs to."
agent_id = "Agent that the conversations were started with; null when not told."
agent_name = "Latest name of the agent; null when the API never told one."
version_id = "Version of the agent that answered."
first_call_at = "Start of its first conversation."
last_call_at = "Start of its last conversation."
n_calls = "Finished conversations (done or failed) that it answered; excluded ones do not count."
n_open = "Conversations that it answers and that are not finished; excluded ones do not count."

[tests]
not_null = ["workspace", "version_id", "first_call_at", "last_call_at", "n_calls", "n_open"]
references = { agent_id = "marts.dim_agents.agent_id" }
*/
with conversations as (
    select * from marts.fct_conversations
),

final as (
    select
        workspace,
        agent_id,
        max(agent_name) as agent_name,
        version_id,
        min(started_at) as first_call_at,
        max(started_at) as last_call_at,
        count(*) filter (where is_counted) as n_calls,
        count(*) filter (where not is_finished and not is_excluded) as n_open
    from conversations
    where version_id is not null
    group by all
)

select * from final

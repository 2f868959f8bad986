/*
description = """Names of agents: one row per agent of a workspace. They come from seeds.agent_names, which changes only with a name, and not \
from staging.stg_agents, which changes with every conversation: what has a name would be stale every night."""
grain = ["workspace", "agent_id"]

[columns]
workspace = "Workspace of the API that the agent belongs to."
agent_id = "Agent."
agent_name = "Latest name that was seen; null when the API never reported one."

[tests]
not_null = ["workspace", "agent_id"]
same_count_as = "staging.stg_agents"
*/
with agents as (
    select * from seeds.agent_names
),

final as (
    select
        workspace,
        agent_id,
        agent_name
    from agents
)

select * from final

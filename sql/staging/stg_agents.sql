/*
description = "Lake table agents: one row per agent of a workspace that was ever seen."
grain = ["workspace", "agent_id"]
inherits_columns_from = "lake.agents"
*/
with source as (
    select * from lake.agents
),

final as (
    select
        workspace,
        agent_id,
        agent_name,
        first_call_at,
        last_call_at
    from source
)

select * from final

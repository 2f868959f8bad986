/*
description = "Lake table visited_agents, with readable column names: one row per agent that a conversation passed through."
grain = ["conversation_id", "visit_index"]
inherits_columns_from = "lake.visited_agents"
*/
with source as (
    select * from lake.visited_agents
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        visit_index,
        agent_id,
        branch_id,
        extra
    from source
)

select * from final

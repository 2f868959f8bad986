/*
description = "Lake table visited_agents, its columns named for people: one row per agent that a call passed through."
grain = ["conversation_id", "visit_index"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
visit_index = "Position of the visit, from 0."
agent_id = "Agent visited."
branch_id = "Branch of the agent."
extra = "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none."
*/
with source as (
    select * from lake.visited_agents
),

final as (
    select
        conversation_id,
        start_date,
        visit_index,
        agent_id,
        branch_id,
        extra
    from source
)

select * from final

/*
description = "Lake table workflow_steps, with readable column names: one row per step of a workflow's tool result."
grain = ["conversation_id", "result_index", "step_index"]
inherits_columns_from = "lake.workflow_steps"
*/
with source as (
    select * from lake.workflow_steps
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        result_index,
        step_index,
        type as step_type,
        step_latency_secs,
        edge_id,
        target_node_id,
        node_id,
        is_successful,
        max_iterations,
        extra
    from source
)

select * from final

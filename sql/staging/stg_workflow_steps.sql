/*
description = "Lake table workflow_steps, its columns named for people: one row per step of a workflow's tool result."
grain = ["conversation_id", "result_index", "step_index"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
result_index = "Running number of the result that holds the step."
step_index = "Position of the step, from 0."
step_type = "edge, nested_tools or max_iterations_exceeded."
step_latency_secs = "Time that the step took."
edge_id = "Edge that was taken."
target_node_id = "Node that the edge leads to."
node_id = "Node that called tools."
is_successful = "Whether the node's tools succeeded."
max_iterations = "Limit that was exceeded."
extra = "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none."
*/
with source as (
    select * from lake.workflow_steps
),

final as (
    select
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

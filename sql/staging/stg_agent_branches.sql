/*
description = "Lake table agent_branches, with readable column names: one row per branch of an agent and state that listings showed."
grain = ["workspace", "agent_id", "branch_id", "valid_from_at"]
inherits_columns_from = "lake.agent_branches"
*/
with source as (
    select * from lake.agent_branches
),

final as (
    select
        workspace,
        agent_id,
        branch_id,
        valid_from_at,
        last_seen_at,
        is_current,
        changes,
        branch_name,
        description,
        current_live_percentage,
        is_archived,
        protection_status,
        parent_branch_id,
        merged_into_branch_id,
        created_at,
        last_committed_at,
        content_sha256,
        extra
    from source
)

select * from final

/*
description = "Lake table agent_access: one row per probe of a way to reach an agent."
grain = ["workspace", "agent_id", "way", "asked_at"]
inherits_columns_from = "lake.agent_access"
*/
with source as (
    select * from lake.agent_access
),

final as (
    select
        workspace,
        agent_id,
        way,
        asked_at,
        is_reachable,
        latency_secs,
        status,
        reason
    from source
)

select * from final

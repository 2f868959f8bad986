/*
description = "Lake table webhook_events: one row per event that a webhook announced without a document that was kept."
grain = ["conversation_id", "event_type", "event_at"]
inherits_columns_from = "lake.webhook_events"
*/
with source as (
    select * from lake.webhook_events
),

final as (
    select
        workspace,
        conversation_id,
        event_type,
        event_at,
        received_at,
        agent_id,
        failure_reason,
        provider,
        sip_status
    from source
)

select * from final

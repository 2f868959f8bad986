/*
description = "Lake table feedback_sent: one row per feedback that was sent to the API from here."
grain = ["conversation_id", "sent_at"]
inherits_columns_from = "lake.feedback_sent"
*/
with source as (
    select * from lake.feedback_sent
),

final as (
    select
        workspace,
        conversation_id,
        sent_at,
        feedback,
        outcome,
        status,
        error
    from source
)

select * from final

/*
description = "Lake table quarantine, its columns named for people: one row per document that could not be flattened."
grain = ["conversation_id"]

[columns]
conversation_id = "Id that was asked for."
fetched_at = "When the document was read."
reason = "unreadable (no JSON) or unflattenable (no ids or start)."
error = "The reader's own words."
*/
with source as (
    select * from lake.quarantine
),

final as (
    select
        conversation_id,
        fetched_at,
        reason,
        error
    from source
)

select * from final

/*
description = "Lake table deletions, its columns named for people: one row per conversation that the API no longer has."
grain = ["conversation_id"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
noticed_at = "When its absence was noticed."
evidence = "How it was noticed: not_found is a 404 to the detail."
reason = "Why it is gone, as far as known: deleted."
*/
with source as (
    select * from lake.deletions
),

final as (
    select
        conversation_id,
        start_date,
        noticed_at,
        evidence,
        reason
    from source
)

select * from final

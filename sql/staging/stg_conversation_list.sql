/*
description = "Lake table conversation_list, its columns named for people: one row per conversation that the list ever showed, its latest row."
grain = ["conversation_id"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
started_at = "Start of the call."
agent_id = "Agent of the call."
agent_name = "Name of the agent at the last listing."
status = "Status at the last listing."
fingerprint = "SHA-256 of the canonical list row."
first_seen_at = "First listing that showed it."
last_seen_at = "Last listing that showed it."
*/
with source as (
    select * from lake.conversation_list
),

final as (
    select
        conversation_id,
        start_date,
        start_time_at as started_at,
        agent_id,
        agent_name,
        status,
        fingerprint,
        first_seen_at,
        last_seen_at
    from source
)

select * from final

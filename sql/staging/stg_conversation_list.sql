/*
description = "Lake table conversation_list, with readable column names: one row per conversation that the list ever showed, its latest row."
grain = ["conversation_id"]
inherits_columns_from = "lake.conversation_list"
*/
with source as (
    select * from lake.conversation_list
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        start_time_at as started_at,
        agent_id,
        agent_name,
        status,
        message_count as n_listed_messages,
        fingerprint,
        first_seen_at,
        last_seen_at
    from source
)

select * from final

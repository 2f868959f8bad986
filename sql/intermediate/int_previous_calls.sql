/*
description = "When the same caller last called the same agent before: one row per conversation whose caller is known."
grain = ["conversation_id"]

[columns]
workspace = "Workspace of the API that the conversation belongs to."
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
previous_at = "Start of that caller's previous conversation of that agent, whatever came of it; null at the first."

[tests]
not_null = ["workspace", "conversation_id"]
*/
with conversations as (
    select * from staging.stg_conversations
),

flags as (
    select * from intermediate.int_conversation_flags
),

final as (
    select
        conversations.workspace,
        conversations.conversation_id,
        conversations.start_date,
        lag(conversations.started_at) over (
            partition by conversations.workspace, flags.caller_id, conversations.agent_id
            order by conversations.started_at, conversations.conversation_id
        ) as previous_at
    from conversations
    inner join flags
        on conversations.workspace = flags.workspace and conversations.conversation_id = flags.conversation_id
    where flags.caller_id is not null
)

select * from final

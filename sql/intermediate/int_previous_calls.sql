/*
description = """When the same caller last talked to the same agent before: one row per conversation whose caller is known. Attempts \
that reached nobody or an answering machine, and conversations that seeds.excluded_callers leaves out, are not contacts: they are rows, \
and never somebody's previous conversation."""
grain = ["conversation_id"]

[columns]
workspace = "Workspace of the API that the conversation belongs to."
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
previous_at = "Start of that caller's previous conversation with that agent; null at the first."

[tests]
not_null = ["workspace", "conversation_id"]
*/
with conversations as (
    select * from staging.stg_conversations
),

flags as (
    select * from intermediate.int_conversation_flags
),

outcomes as (
    select * from intermediate.int_conversation_outcomes
),

final as (
    select
        conversations.workspace,
        conversations.conversation_id,
        conversations.start_date,
        max(
            case when coalesce(outcomes.is_reached, true) and not flags.is_excluded then conversations.started_at end
        ) over (
            partition by conversations.workspace, flags.caller_id, conversations.agent_id
            order by conversations.started_at, conversations.conversation_id
            rows between unbounded preceding and 1 preceding
        ) as previous_at
    from conversations
    inner join flags
        on conversations.workspace = flags.workspace and conversations.conversation_id = flags.conversation_id
    inner join outcomes
        on conversations.workspace = outcomes.workspace and conversations.conversation_id = outcomes.conversation_id
    where flags.caller_id is not null
)

select * from final

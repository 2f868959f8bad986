/*
description = """When the same caller next talked to the same agent: one row per conversation whose caller is known, that reached \
somebody (or is open) and that seeds.excluded_callers does not leave out. Attempts that reached nobody or an answering machine are no \
contact: they have no row, and are nobody's next conversation."""
grain = ["conversation_id"]

[columns]
workspace = "Workspace of the API that the conversation belongs to."
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
next_at = "Start of that caller's next conversation with that agent, finished or not; null at the last."
is_back_1d = "Whether it is at most 24 hours later."
is_back_7d = "Whether it is at most 7 times 24 hours later."
is_back_30d = "Whether it is at most 30 times 24 hours later."

[tests]
not_null = ["workspace", "conversation_id", "start_date", "is_back_1d", "is_back_7d", "is_back_30d"]
*/
with conversations as (
    select * from marts.fct_conversations
),

contacts as (
    select
        workspace,
        conversation_id,
        start_date,
        started_at,
        lead(started_at) over (
            partition by workspace, agent_id, caller_id
            order by started_at, conversation_id
        ) as next_at
    from conversations
    where
        caller_id is not null
        and not is_excluded
        and coalesce(is_reached, true)
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        next_at,
        coalesce(next_at <= started_at + interval 1 day, false) as is_back_1d,
        coalesce(next_at <= started_at + interval 7 day, false) as is_back_7d,
        coalesce(next_at <= started_at + interval 30 day, false) as is_back_30d
    from contacts
)

select * from final

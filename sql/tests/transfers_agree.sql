/*
description = """Finished conversations with a transfer in fct_transfers that took place are those that fct_conversations says were \
transferred: those to a number or a queue, unless an outcome that comes first holds, and those to another agent, which several \
visited agents show too."""
*/
with transfers as (
    select * from marts.fct_transfers
),

conversations as (
    select * from marts.fct_conversations
),

done as (
    select
        workspace,
        conversation_id,
        bool_or(kind = 'number') as is_to_number,
        bool_or(kind = 'agent' and depth = 0) as is_to_agent
    from transfers
    where not is_error
    group by all
),

final as (
    select
        conversations.workspace,
        conversations.conversation_id,
        conversations.outcome,
        conversations.is_transferred_to_agent,
        done.is_to_number,
        done.is_to_agent
    from conversations
    left join done
        on conversations.workspace = done.workspace and conversations.conversation_id = done.conversation_id
    where
        conversations.is_finished
        and (
            (conversations.outcome = 'transferred' and not coalesce(done.is_to_number, false))
            or (done.is_to_number and conversations.outcome in ('cut_off', 'contained'))
            or (done.is_to_agent and not conversations.is_transferred_to_agent)
        )
)

select * from final

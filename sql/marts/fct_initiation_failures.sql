/*
description = """Outbound calls that reached nobody, as webhooks (call_initiation_failure) report them: one row per attempt. \
The API may have a conversation of the attempt, which then has the batch, or none."""
grain = ["conversation_id", "failed_at"]

[columns]
workspace = "Workspace of the API that the attempt belongs to."
conversation_id = "Id that the attempt's conversation has, or would have."
failed_at = "When the API reported the failure."
agent_id = "Agent that was to hold the conversation."
agent_name = "Latest name of the agent; null when the API never reported one."
batch_call_id = "Batch of the attempt; null outside a batch, and where the API has no conversation."
failure_reason = "busy, no-answer, unknown, …; open text."
provider = "How the number was called: twilio or sip; open text."
sip_status = "SIP status of the attempt, such as 486 (busy); null when not reported."
has_conversation = "Whether the lake has a conversation of the attempt."

[tests]
not_null = ["workspace", "conversation_id", "failed_at", "has_conversation"]
*/
with agent_names as (
    select * from intermediate.int_agent_names
),

events as (
    select * from staging.stg_webhook_events
),

conversations as (
    select * from staging.stg_conversations
),

final as (
    select
        events.workspace,
        events.conversation_id,
        events.event_at as failed_at,
        coalesce(events.agent_id, conversations.agent_id) as agent_id,
        agent_names.agent_name,
        conversations.batch_call_id,
        events.failure_reason,
        events.provider,
        events.sip_status,
        conversations.conversation_id is not null as has_conversation
    from events
    left join conversations
        on events.workspace = conversations.workspace and events.conversation_id = conversations.conversation_id
    left join agent_names
        on
            events.workspace = agent_names.workspace
            and coalesce(events.agent_id, conversations.agent_id) = agent_names.agent_id
    where events.event_type = 'call_initiation_failure'
)

select * from final

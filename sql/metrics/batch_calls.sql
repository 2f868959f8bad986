/*
description = """How a batch of outbound conversations went: one row per workspace and batch, over conversations that count. Answered is a \
conversation that a person took: the provider says so, or the user said a word; one whose outcome is not_reached or voicemail is \
never answered. A recipient who was tried twice is one \
recipient and two conversations."""
grain = ["workspace", "batch_call_id"]
inherits_columns_from = "intermediate.int_agent_measures"

[columns]
first_call_at = "Start of its first conversation."
last_call_at = "Start of its last conversation."
n_recipients = "Recipients called, open conversations included; a conversation without a recipient (erased) counts as one of its own."
n_answered = "Finished conversations that a person took."
answer_rate = "Conversations answered among the finished ones."
cost_usd_per_call = "US dollars per finished conversation."
cost_usd_per_answered = "US dollars of all finished conversations per answered one."
cost_usd_per_success = "US dollars of all finished conversations per successful one."

[tests]
not_null = [
  "workspace",
  "batch_call_id",
  "first_call_at",
  "last_call_at",
  "n_recipients",
  "n_calls",
  "n_open",
  "n_answered",
  "n_voicemail",
  "n_errors",
  "call_minutes",
  "n_success",
  "n_failure",
  "n_unknown",
]

[metrics.n_recipients]
name = "Recipients of a batch"
numerator = "different recipients of the batch's conversations, open ones included"
null_when = "never null"
direction = "neither"
differs_from_vendor = "Recipients that were not called yet are not in it: the batch itself is not read."

[metrics.answer_rate]
name = "Answer rate of a batch"
numerator = "n_answered: the provider's result is 'answered', or the user said a word; never not_reached or voicemail"
denominator = "n_calls"
null_when = "null without finished conversations"
direction = "high"
differs_from_vendor = "A conversation that voicemail detection took is not answered, whatever the provider says."

[metrics.voicemail_rate]
name = "Voicemail rate of a batch"

[metrics.error_rate]
name = "Error rate of a batch"

[metrics.success_rate]
name = "Success rate of a batch"

[metrics.success_coverage]
name = "Success coverage of a batch"

[metrics.cost_usd]
name = "Cost of a batch"

[metrics.cost_usd_per_answered]
name = "Cost per answered conversation"
unit = "US dollars per answered conversation"
numerator = "cost_usd, of all finished conversations"
denominator = "n_answered"
null_when = "null without an answered conversation or without a known cost"
direction = "low"

[metrics.cost_usd_per_success]
name = "Cost per successful conversation of a batch"
differs_from_vendor = "No counterpart known."
*/
with conversations as (
    select * from marts.fct_conversations
),

measures as (
    select * from intermediate.int_agent_measures
),

staged as (
    select * from staging.stg_conversations
),

attempts as (
    select
        workspace,
        conversation_id,
        coalesce(batch_call_recipient_id, conversation_id) as recipient,
        coalesce(phone_call_call_result, whatsapp_call_result) as call_result
    from staged
    where batch_call_id is not null
),

counted_conversations as (
    select
        conversations.*,
        attempts.recipient,
        attempts.call_result
    from conversations
    inner join attempts
        on conversations.workspace = attempts.workspace and conversations.conversation_id = attempts.conversation_id
    where not conversations.is_excluded
),

recipients as (
    select
        workspace,
        batch_call_id,
        count(distinct recipient) as n_recipients,
        count(*) filter (
            where is_counted
            and outcome not in ('not_reached', 'voicemail')
            and (n_user_turns > 0 or call_result = 'answered')
        ) as n_answered
    from counted_conversations
    group by all
),

batches as (
    select * from measures
    where breakdown = 'batch'
),

final as (
    select
        batches.workspace,
        batches.batch_call_id,
        batches.first_call_at,
        batches.last_call_at,
        recipients.n_recipients,
        batches.n_calls,
        batches.n_open,
        recipients.n_answered,
        recipients.n_answered / nullif(batches.n_calls, 0) as answer_rate,
        batches.n_voicemail,
        batches.voicemail_rate,
        batches.n_errors,
        batches.error_rate,
        batches.call_minutes,
        batches.n_success,
        batches.n_failure,
        batches.n_unknown,
        batches.success_rate,
        batches.success_coverage,
        batches.cost_credits,
        batches.cost_usd,
        batches.cost_usd_coverage,
        batches.cost_usd_per_call,
        batches.cost_usd / nullif(recipients.n_answered, 0) as cost_usd_per_answered,
        batches.cost_usd_per_success
    from batches
    inner join recipients
        on batches.workspace = recipients.workspace and batches.batch_call_id = recipients.batch_call_id
)

select * from final

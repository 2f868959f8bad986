/*
description = """How a batch of outbound conversations went: one row per workspace and batch that the API lists or that a conversation \
names, over conversations that count. Recipients are those of the batch, also those that were never called. Answered is a \
conversation that a person took: the provider says so, or the user said a word; one whose outcome is not_reached or voicemail is \
never answered. A recipient who was tried twice is one \
recipient and two conversations."""
grain = ["workspace", "batch_call_id"]
inherits_columns_from = "intermediate.int_agent_measures"

[columns]
batch_name = "Name of the batch; null where the API does not list it."
batch_status = "pending, in_progress, completed, failed or cancelled, when it was last listed; open text."
first_call_at = "Start of its first conversation; null when it has none here."
last_call_at = "Start of its last conversation; null when it has none here."
n_recipients = "Recipients of the batch as the API lists them, never called ones too; those called, where it does not or where they are more."
n_never_called = "Recipients without a conversation, as the API lists them; null where it does not."
n_recipients_called = "Recipients called, open conversations included; a conversation without a recipient (erased) counts as one of its own."
n_recipients_answered = "Recipients of whom a person took a finished conversation."
recipient_answer_rate = "Recipients of whom a person took a conversation, among all of the batch."
n_answered = "Finished conversations that a person took."
answer_rate = "Conversations answered among the finished ones."
cost_usd_per_call = "US dollars per finished conversation."
cost_usd_per_answered = "US dollars of all finished conversations per answered one."
cost_usd_per_success = "US dollars of all finished conversations per successful one."

[tests]
not_null = [
  "workspace",
  "batch_call_id",
  "n_recipients",
  "n_recipients_called",
  "n_recipients_answered",
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
numerator = "recipients that the API lists for the batch; where those of its conversations are more, or the batch is not listed, these"
null_when = "never null"
direction = "neither"
differs_from_vendor = "The vendor's number, as long as the batch is listed."

[metrics.recipient_answer_rate]
name = "Answer rate of a batch's recipients"
numerator = "n_recipients_answered: recipients with an answered conversation"
denominator = "n_recipients: also those that were never called"
null_when = "null without recipients"
direction = "high"
differs_from_vendor = "A recipient whom voicemail detection took is not answered, whatever the provider says."

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

listed as (
    select * from staging.stg_batch_calls
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
        conversations.is_reached
        and (conversations.n_user_turns > 0 or coalesce(attempts.call_result = 'answered', false)) as is_taken
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
        count(distinct recipient) filter (where is_counted and is_taken) as n_recipients_answered,
        count(*) filter (where is_counted and is_taken) as n_answered
    from counted_conversations
    group by all
),

batches as (
    select * from measures
    where breakdown = 'batch'
),

keys as (
    select
        workspace,
        batch_call_id
    from recipients
    union
    select
        workspace,
        batch_call_id
    from listed
),

final as (
    select
        keys.workspace,
        keys.batch_call_id,
        listed.batch_name,
        listed.status as batch_status,
        batches.first_call_at,
        batches.last_call_at,
        greatest(coalesce(listed.n_recipients, 0), coalesce(recipients.n_recipients, 0)) as n_recipients,
        listed.n_never_called,
        coalesce(recipients.n_recipients, 0) as n_recipients_called,
        coalesce(recipients.n_recipients_answered, 0) as n_recipients_answered,
        coalesce(recipients.n_recipients_answered, 0)
        / nullif(greatest(coalesce(listed.n_recipients, 0), coalesce(recipients.n_recipients, 0)), 0)
            as recipient_answer_rate,
        coalesce(batches.n_calls, 0) as n_calls,
        coalesce(batches.n_open, 0) as n_open,
        coalesce(recipients.n_answered, 0) as n_answered,
        recipients.n_answered / nullif(batches.n_calls, 0) as answer_rate,
        coalesce(batches.n_voicemail, 0) as n_voicemail,
        batches.voicemail_rate,
        coalesce(batches.n_errors, 0) as n_errors,
        batches.error_rate,
        coalesce(batches.call_minutes, 0) as call_minutes,
        coalesce(batches.n_success, 0) as n_success,
        coalesce(batches.n_failure, 0) as n_failure,
        coalesce(batches.n_unknown, 0) as n_unknown,
        batches.success_rate,
        batches.success_coverage,
        batches.cost_credits,
        batches.cost_usd,
        batches.cost_usd_coverage,
        batches.cost_usd_per_call,
        batches.cost_usd / nullif(recipients.n_answered, 0) as cost_usd_per_answered,
        batches.cost_usd_per_success
    from keys
    left join batches
        on keys.workspace = batches.workspace and keys.batch_call_id = batches.batch_call_id
    left join recipients
        on keys.workspace = recipients.workspace and keys.batch_call_id = recipients.batch_call_id
    left join listed
        on keys.workspace = listed.workspace and keys.batch_call_id = listed.batch_call_id
)

select * from final

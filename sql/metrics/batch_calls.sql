/*
description = """How a batch of outbound conversations went: one row per workspace and batch, over conversations that count. Answered is a \
conversation that a person took: where the provider tells the result of the attempt, it is 'answered'; where it does not, the \
user said a word; a conversation that an answering machine took is never answered. A recipient who was tried twice is one \
recipient and two conversations."""
grain = ["workspace", "batch_call_id"]

[columns]
workspace = "Workspace of the API that the conversations belong to."
batch_call_id = "Batch."
first_call_at = "Start of its first conversation."
last_call_at = "Start of its last conversation."
n_recipients = "Recipients called, open conversations included; a conversation without a recipient (erased) counts as one of its own."
n_calls = "Finished conversations (done or failed)."
n_open = "Conversations that are not finished."
n_answered = "Finished conversations that a person took."
answer_rate = "Conversations answered among the finished ones."
n_voicemail = "Finished conversations that an answering machine took."
voicemail_rate = "Conversations that an answering machine took among the finished ones."
n_errors = "Conversations that failed or ended with an error."
error_rate = "Conversations with an error among the finished ones."
call_minutes = "Minutes of finished conversations."
n_success = "Conversations judged a success."
n_failure = "Conversations judged a failure."
n_unknown = "Finished conversations without a verdict: unknown, or not judged."
success_rate = "Successes among the conversations judged."
success_coverage = "Conversations judged among the finished ones."
cost_credits = "Cost of finished conversations; null when no conversation's is known."
cost_usd = "Cost of finished conversations whose cost in US dollars is known; null when none is."
cost_usd_coverage = "Finished conversations whose cost in US dollars is known, among the finished ones."
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
numerator = "n_answered: result 'answered' or, where no result is told, a word of the user; never a machine"
denominator = "n_calls"
null_when = "null without finished conversations"
direction = "high"
differs_from_vendor = "A conversation that voicemail detection took is not answered, whatever the provider says."

[metrics.voicemail_rate]
name = "Voicemail rate of a batch"
numerator = "n_voicemail"
denominator = "n_calls"
null_when = "null without finished conversations"
direction = "low"
differs_from_vendor = "The voicemail tool and the provider's result are both believed."

[metrics.error_rate]
name = "Error rate of a batch"
numerator = "n_errors: failed, or ended with an error code"
denominator = "n_calls"
null_when = "null without finished conversations"
direction = "low"
differs_from_vendor = "Finished conversations with an error code count too, not only failed ones."

[metrics.success_rate]
name = "Success rate of a batch"
numerator = "n_success"
denominator = "n_success + n_failure"
null_when = "null when no conversation was judged"
direction = "high"
differs_from_vendor = "Conversations judged unknown are not in the denominator; success_coverage says how many were judged."

[metrics.success_coverage]
name = "Success coverage of a batch"
numerator = "n_success + n_failure"
denominator = "n_calls"
null_when = "null without finished conversations"
direction = "high"

[metrics.cost_usd]
name = "Cost of a batch"
numerator = "reported cost, else credits ÷ credits per USD of the plan"
null_when = "null when no conversation's cost is known; cost_usd_coverage says for how many it is"
direction = "low"
differs_from_vendor = "Conversations without a reported cost in dollars are valued at their plan's rate."

[metrics.cost_usd_per_answered]
name = "Cost per answered conversation"
unit = "US dollars per answered conversation"
numerator = "cost_usd, of all finished conversations"
denominator = "n_answered"
null_when = "null without an answered conversation or without a known cost"
direction = "low"

[metrics.cost_usd_per_success]
name = "Cost per successful conversation of a batch"
unit = "US dollars per successful conversation"
numerator = "cost_usd, of all finished conversations"
denominator = "n_success"
null_when = "null without a success or without a known cost"
direction = "low"
*/
with conversations as (
    select * from marts.fct_conversations
),

staged as (
    select * from staging.stg_conversations
),

attempts as (
    select
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
        attempts.call_result,
        conversations.is_voicemail or coalesce(attempts.call_result = 'voicemail', false) as is_machine
    from conversations
    inner join attempts on conversations.conversation_id = attempts.conversation_id
    where not conversations.is_excluded
),

counted as (
    select
        workspace,
        batch_call_id,
        min(started_at) as first_call_at,
        max(started_at) as last_call_at,
        count(distinct recipient) as n_recipients,
        count(*) filter (where is_counted) as n_calls,
        count(*) filter (where not is_finished) as n_open,
        count(*) filter (
            where is_counted
            and not is_machine
            and case when call_result is null then n_user_turns > 0 else call_result = 'answered' end
        ) as n_answered,
        count(*) filter (where is_counted and is_machine) as n_voicemail,
        count(*) filter (where is_counted and is_error) as n_errors,
        cast(coalesce(sum(call_duration_secs) filter (where is_counted), 0) as bigint) as call_secs,
        count(*) filter (where is_counted and call_successful = 'success') as n_success,
        count(*) filter (where is_counted and call_successful = 'failure') as n_failure,
        cast(sum(cost_credits) filter (where is_counted) as bigint) as cost_credits,
        cast(sum(cast(cost_usd as decimal(38, 12))) filter (where is_counted) as double) as cost_usd,
        count(cost_usd) filter (where is_counted) as n_priced
    from counted_conversations
    group by all
),

final as (
    select
        workspace,
        batch_call_id,
        first_call_at,
        last_call_at,
        n_recipients,
        n_calls,
        n_open,
        n_answered,
        n_answered / nullif(n_calls, 0) as answer_rate,
        n_voicemail,
        n_voicemail / nullif(n_calls, 0) as voicemail_rate,
        n_errors,
        n_errors / nullif(n_calls, 0) as error_rate,
        call_secs / 60 as call_minutes,
        n_success,
        n_failure,
        n_calls - n_success - n_failure as n_unknown,
        n_success / nullif(n_success + n_failure, 0) as success_rate,
        (n_success + n_failure) / nullif(n_calls, 0) as success_coverage,
        cost_credits,
        cost_usd,
        n_priced / nullif(n_calls, 0) as cost_usd_coverage,
        cost_usd / nullif(n_calls, 0) as cost_usd_per_call,
        cost_usd / nullif(n_answered, 0) as cost_usd_per_answered,
        cost_usd / nullif(n_success, 0) as cost_usd_per_success
    from counted
)

select * from final

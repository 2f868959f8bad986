/*
description = """An agent's day: one row per workspace, UTC day and agent that conversations were started with. Only finished conversations \
(done, failed) count in outcome, cost and wait; open ones are counted apart; deleted ones keep their numbers; conversations that \
seeds.excluded_callers leaves out are in no number. Rates are sums \
over sums, and null where the denominator is 0."""
grain = ["workspace", "start_date", "agent_id"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started."
agent_id = "Agent that the conversations were started with."
n_calls = "Finished conversations (done or failed)."
n_open = "Conversations that are not finished."
n_deleted = "Finished conversations that the API no longer has; they are in n_calls."
call_minutes = "Minutes of finished conversations."
n_success = "Conversations judged a success."
n_failure = "Conversations judged a failure."
n_unknown = "Finished conversations without a verdict: unknown, or not judged."
success_rate = "Successes among the conversations judged."
success_coverage = "Conversations judged among the finished ones."
cost_credits = "Cost of finished conversations; null when no conversation's is known."
cost_usd = "Cost of finished conversations whose cost in US dollars is known; null when none is."
cost_usd_coverage = "Finished conversations whose cost in US dollars is known, among the finished ones."
cost_usd_per_call = "Cost per finished conversation."
cost_usd_per_minute = "Cost per minute of finished conversations."
cost_usd_per_success = "Cost of all finished conversations per successful one."
llm_cost_usd = "Price of the tokens that were initiated; null when no usage is told."
n_agent_turns = "Entries in which the agent said something."
n_interruptions = "Agent entries that the user cut."
interruption_rate = "Interruptions per agent entry."
n_transferred = "Conversations transferred to another agent or to a human."
n_transferred_to_agent = "Conversations transferred to another agent."
n_transferred_to_human = "Conversations transferred to a human."
transfer_rate = "Conversations transferred among the finished ones."
n_contained = "Conversations that the agent brought to their end: done, no human, no voicemail, not abandoned."
containment_rate = "Conversations contained among the finished ones."
n_voicemail = "Conversations that an answering machine took."
voicemail_rate = "Conversations that an answering machine took among the finished ones."
n_errors = "Conversations that failed or ended with an error."
error_rate = "Conversations with an error among the finished ones."
n_abandoned = "Conversations that ended within 30 s without a word of the user."
abandonment_rate = "Conversations abandoned among the finished ones."
n_ratings = "Conversations with a rating."
rating = "Mean rating, in the points of the rating scale."
likes = "Thumbs up, a count."
dislikes = "Thumbs down, a count."
n_waits = "Entries with a wait, repeats dropped: the n of the percentiles."
wait_p50_secs = "Median wait over entries."
wait_p90_secs = "90th percentile of the wait over entries."
wait_p95_secs = "95th percentile of the wait over entries."
wait_p99_secs = "99th percentile of the wait over entries."

[tests]
not_null = ["workspace", "start_date", "n_calls", "n_open", "n_success", "n_failure", "n_unknown", "call_minutes", "n_waits"]
references = { agent_id = "marts.dim_agents.agent_id" }

[metrics.n_calls]
name = "Conversations"
numerator = "finished conversations (done or failed)"
null_when = "never null"
direction = "neither"
differs_from_vendor = "Conversations in progress and conversations that seeds.excluded_callers names are not in it, conversations deleted at the vendor are."

[metrics.n_open]
name = "Open conversations"
numerator = "conversations that are not done or failed"
null_when = "never null"
direction = "low"
differs_from_vendor = "Counted apart here, and in no other number."

[metrics.call_minutes]
name = "Minutes"
numerator = "call_duration_secs of finished conversations ÷ 60"
null_when = "never null; 0 without conversations"
direction = "neither"
differs_from_vendor = "Seconds are added before dividing, so nothing is rounded per conversation."

[metrics.success_rate]
name = "Success rate"
numerator = "n_success"
denominator = "n_success + n_failure"
null_when = "null when no conversation was judged"
direction = "high"
differs_from_vendor = "Conversations judged unknown are not in the denominator; success_coverage says how many were judged."

[metrics.success_coverage]
name = "Success coverage"
numerator = "n_success + n_failure"
denominator = "n_calls"
null_when = "null without finished conversations"
direction = "high"

[metrics.cost_credits]
name = "Cost"
numerator = "cost_credits of finished conversations"
null_when = "null when no conversation's credits are known"
direction = "low"
differs_from_vendor = "Conversations deleted at the vendor are kept."

[metrics.cost_usd]
name = "Cost in US dollars"
numerator = "reported cost, else credits ÷ credits per USD of the plan"
null_when = "null when no conversation's cost is known; cost_usd_coverage says for how many it is"
direction = "low"
differs_from_vendor = "Conversations without a reported cost in dollars are valued at their plan's rate."

[metrics.cost_usd_coverage]
name = "Cost coverage"
numerator = "finished conversations with a known cost_usd"
denominator = "n_calls"
null_when = "null without finished conversations"
direction = "high"
differs_from_vendor = "No counterpart known. Below 1, cost_usd and what is divided from it are too low."

[metrics.cost_usd_per_call]
name = "Cost per conversation"
unit = "US dollars per conversation"
numerator = "cost_usd"
denominator = "n_calls"
null_when = "null without finished conversations or without a known cost"
direction = "low"
differs_from_vendor = "Conversations deleted at the vendor are kept."

[metrics.cost_usd_per_minute]
name = "Cost per minute"
unit = "US dollars per minute"
numerator = "cost_usd"
denominator = "call_minutes"
null_when = "null when the conversations lasted no time or no cost is known"
direction = "low"

[metrics.cost_usd_per_success]
name = "Cost per successful conversation"
unit = "US dollars per successful conversation"
numerator = "cost_usd, of all finished conversations"
denominator = "n_success"
null_when = "null without a success or without a known cost"
direction = "low"
differs_from_vendor = "No counterpart known. Conversations judged unknown are in the cost and not among the successes."

[metrics.llm_cost_usd]
name = "LLM cost"
numerator = "price of all tokens of scope initiated"
null_when = "null when no usage is told"
direction = "low"
differs_from_vendor = "Free LLM dollars are not taken off; what was generated and never delivered is in it."

[metrics.interruption_rate]
name = "Interruptions per agent turn"
numerator = "n_interruptions"
denominator = "n_agent_turns"
null_when = "null when the agent said nothing"
direction = "low"

[metrics.transfer_rate]
name = "Transfer rate"
numerator = "n_transferred: to another agent or to a human"
denominator = "n_calls"
null_when = "null without finished conversations"
direction = "low"
differs_from_vendor = "A transfer that failed does not count, nor does a step inside a workflow."

[metrics.containment_rate]
name = "Containment rate"
numerator = "n_contained: done without error, human, voicemail or abandonment"
denominator = "n_calls"
null_when = "null without finished conversations"
direction = "high"

[metrics.voicemail_rate]
name = "Voicemail rate"
numerator = "n_voicemail"
denominator = "n_calls"
null_when = "null without finished conversations"
direction = "low"

[metrics.error_rate]
name = "Error rate"
numerator = "n_errors: failed, or ended with an error code"
denominator = "n_calls"
null_when = "null without finished conversations"
direction = "low"
differs_from_vendor = "Finished conversations with an error code count too, not only failed ones."

[metrics.abandonment_rate]
name = "Abandonment rate"
numerator = "n_abandoned: under 30 s and no word of the user"
denominator = "n_calls"
null_when = "null without finished conversations"
direction = "low"
differs_from_vendor = "No counterpart known. A silent user ('...') has said no word."

[metrics.rating]
name = "Rating"
unit = "points"
numerator = "sum of ratings"
denominator = "n_ratings"
null_when = "null without ratings"
direction = "high"
differs_from_vendor = "Conversations deleted at the vendor are kept."

[metrics.wait_p50_secs]
name = "Wait, median"
numerator = "median of the waits of entries (metric convai_ttf_audio_since_silence), exact and interpolated"
null_when = "null without waits"
direction = "low"
differs_from_vendor = "Over entries and not over conversations; the repeat on a tool entry does not count twice."

[metrics.wait_p90_secs]
name = "Wait, 90th percentile"
numerator = "90th percentile of the waits of entries, exact and interpolated"
null_when = "null without waits"
direction = "low"
differs_from_vendor = "As the median."

[metrics.wait_p95_secs]
name = "Wait, 95th percentile"
numerator = "95th percentile of the waits of entries, exact and interpolated"
null_when = "null without waits"
direction = "low"
differs_from_vendor = "As the median."

[metrics.wait_p99_secs]
name = "Wait, 99th percentile"
numerator = "99th percentile of the waits of entries, exact and interpolated"
null_when = "null without waits"
direction = "low"
differs_from_vendor = "As the median."
*/
with conversations as (
    select * from marts.fct_conversations
),

turns as (
    select * from marts.fct_turns
),

finished as (
    select
        workspace,
        start_date,
        agent_id,
        count(*) as n_calls,
        count(*) filter (where is_deleted) as n_deleted,
        cast(coalesce(sum(call_duration_secs), 0) as bigint) as call_secs,
        count(*) filter (where call_successful = 'success') as n_success,
        count(*) filter (where call_successful = 'failure') as n_failure,
        cast(sum(cost_credits) as bigint) as cost_credits,
        cast(sum(cast(cost_usd as decimal(38, 12))) as double) as cost_usd,
        count(cost_usd) as n_priced,
        cast(sum(cast(llm_cost_usd as decimal(38, 12))) as double) as llm_cost_usd,
        cast(sum(n_agent_turns) as bigint) as n_agent_turns,
        cast(sum(n_interruptions) as bigint) as n_interruptions,
        count(*) filter (where is_transferred_to_agent or is_transferred_to_human) as n_transferred,
        count(*) filter (where is_transferred_to_agent) as n_transferred_to_agent,
        count(*) filter (where is_transferred_to_human) as n_transferred_to_human,
        count(*) filter (where is_contained) as n_contained,
        count(*) filter (where is_voicemail) as n_voicemail,
        count(*) filter (where is_error) as n_errors,
        count(*) filter (where is_abandoned) as n_abandoned,
        count(rating) as n_ratings,
        cast(sum(rating) as bigint) as rating_points,
        cast(coalesce(sum(likes), 0) as bigint) as likes,
        cast(coalesce(sum(dislikes), 0) as bigint) as dislikes
    from conversations
    where is_counted
    group by all
),

days as (
    select
        workspace,
        start_date,
        agent_id,
        count(*) filter (where not is_finished) as n_open
    from conversations
    where not is_excluded
    group by all
),

waits as (
    select
        workspace,
        start_date,
        agent_id,
        count(wait_secs) as n_waits,
        quantile_cont(wait_secs, 0.5) as wait_p50_secs,
        quantile_cont(wait_secs, 0.9) as wait_p90_secs,
        quantile_cont(wait_secs, 0.95) as wait_p95_secs,
        quantile_cont(wait_secs, 0.99) as wait_p99_secs
    from turns
    where is_counted
    group by all
),

final as (
    select
        days.workspace,
        days.start_date,
        days.agent_id,
        coalesce(finished.n_calls, 0) as n_calls,
        days.n_open,
        coalesce(finished.n_deleted, 0) as n_deleted,
        coalesce(finished.call_secs, 0) / 60 as call_minutes,
        coalesce(finished.n_success, 0) as n_success,
        coalesce(finished.n_failure, 0) as n_failure,
        coalesce(finished.n_calls - finished.n_success - finished.n_failure, 0) as n_unknown,
        finished.n_success / nullif(finished.n_success + finished.n_failure, 0) as success_rate,
        (finished.n_success + finished.n_failure) / finished.n_calls as success_coverage,
        finished.cost_credits,
        finished.cost_usd,
        finished.n_priced / finished.n_calls as cost_usd_coverage,
        finished.cost_usd / finished.n_calls as cost_usd_per_call,
        finished.cost_usd / (nullif(finished.call_secs, 0) / 60) as cost_usd_per_minute,
        finished.cost_usd / nullif(finished.n_success, 0) as cost_usd_per_success,
        finished.llm_cost_usd,
        coalesce(finished.n_agent_turns, 0) as n_agent_turns,
        coalesce(finished.n_interruptions, 0) as n_interruptions,
        finished.n_interruptions / nullif(finished.n_agent_turns, 0) as interruption_rate,
        coalesce(finished.n_transferred, 0) as n_transferred,
        coalesce(finished.n_transferred_to_agent, 0) as n_transferred_to_agent,
        coalesce(finished.n_transferred_to_human, 0) as n_transferred_to_human,
        finished.n_transferred / finished.n_calls as transfer_rate,
        coalesce(finished.n_contained, 0) as n_contained,
        finished.n_contained / finished.n_calls as containment_rate,
        coalesce(finished.n_voicemail, 0) as n_voicemail,
        finished.n_voicemail / finished.n_calls as voicemail_rate,
        coalesce(finished.n_errors, 0) as n_errors,
        finished.n_errors / finished.n_calls as error_rate,
        coalesce(finished.n_abandoned, 0) as n_abandoned,
        finished.n_abandoned / finished.n_calls as abandonment_rate,
        coalesce(finished.n_ratings, 0) as n_ratings,
        finished.rating_points / nullif(finished.n_ratings, 0) as rating,
        coalesce(finished.likes, 0) as likes,
        coalesce(finished.dislikes, 0) as dislikes,
        coalesce(waits.n_waits, 0) as n_waits,
        waits.wait_p50_secs,
        waits.wait_p90_secs,
        waits.wait_p95_secs,
        waits.wait_p99_secs
    from days
    left join finished
        on
            days.workspace = finished.workspace
            and days.start_date = finished.start_date
            and days.agent_id is not distinct from finished.agent_id
    left join waits
        on
            days.workspace = waits.workspace
            and days.start_date = waits.start_date
            and days.agent_id is not distinct from waits.agent_id
)

select * from final

/*
description = """Measures of conversations, computed once for the models of schema metrics, which inherit their texts and metrics from \
here. A row is a group of conversations of a workspace: an agent's day, week or version, an agent's day by channel or by language, an hour \
of the week, or a batch; breakdown says which. What counts is as in metrics.agent_daily. Waits of entries count for the agent and version \
that the conversation was started with; hours of the week and batches have none. Conversations without a batch are a row of their own."""
grain = [
  "workspace",
  "breakdown",
  "start_date",
  "week_start_date",
  "agent_id",
  "version_id",
  "channel",
  "main_language",
  "local_weekday",
  "local_start_hour",
  "batch_call_id",
]

[columns]
# The group
workspace = "Workspace of the API that the conversations belong to."
breakdown = "What the row is a group of: day, week, version, channel, language, hour or batch. The keys of the other groups are null."
start_date = "UTC day on which the conversations started."
week_start_date = "Monday of the week in which the conversations started."
agent_id = "Agent that the conversations were started with."
agent_name = "Latest name of the agent; null when the API never reported one."
version_id = "Version of the agent that answered; null where the API does not report it."
channel = "phone (a phone call, or started by a provider of telephony), whatsapp, sms, chat (text only, or messages of a help desk or a messenger) or voice (audio over an SDK or the widget)."
main_language = "Main language of the conversations, as the API names it; null when not reported."
local_weekday = "Day of the week in the workspace's time zone, 1 Monday to 7 Sunday."
local_start_hour = "Hour of the day there, 0 to 23."
batch_call_id = "Batch."
# Conversations
first_call_at = "Start of its first conversation, open ones included."
last_call_at = "Start of its last conversation, open ones included."
n_calls = "Finished conversations (done or failed)."
n_open = "Conversations that are not finished."
n_deleted = "Finished conversations that the API no longer has; they are in n_calls."
n_reached = "Finished conversations that reached somebody: the outcome is neither not_reached nor voicemail."
reach_rate = "Conversations that reached somebody among the finished ones."
call_minutes = "Minutes of finished conversations."
# Success
n_success = "Conversations judged a success."
n_failure = "Conversations judged a failure."
n_unknown = "Finished conversations without a verdict: unknown, or not judged."
success_rate = "Successes among the conversations judged."
success_rate_low = "Lower end of the 95 % confidence interval of success_rate (Wilson), share of 1."
success_rate_high = "Upper end of it, share of 1."
n_judged = "Conversations judged a success or a failure: the n of success_rate and of its interval."
success_coverage = "Conversations judged among the finished ones."
# Cost
cost_credits = "Cost of finished conversations, language models included; null when no conversation's is known."
cost_usd = "Cost of finished conversations whose cost in US dollars is known, language models included; null when none is."
cost_usd_coverage = "Finished conversations whose cost in US dollars is known, among the finished ones."
cost_usd_per_call = "Cost per finished conversation."
cost_usd_per_minute = "Cost per minute of finished conversations."
cost_usd_per_success = "Cost of all finished conversations per successful one."
traced_cost_usd = "Cost of all finished conversations whose next 7 days are in the data: the numerator of cost_usd_per_resolution."
cost_usd_per_resolution = "Cost of all finished conversations whose next 7 days are in the data, per first-contact resolution."
llm_cost_usd = "Price of the tokens that were initiated, not to be added to cost_usd, which has the charge for them; null when no usage is reported."
# Talk and silence
n_agent_turns = "Entries in which the agent said something."
n_interruptions = "Agent entries that the user cut."
interruption_rate = "Interruptions per agent turn."
n_backchannels = "Entries of the user that were ignored as a backchannel, such as 'mhm': no interruptions."
n_audio_calls = "Finished conversations whose seconds of audio are known: the n of talk_share."
agent_audio_secs = "Seconds of audio of the agent, from text-to-speech."
user_audio_secs = "Seconds of audio of the user, from the speech recognition."
talk_share = "The agent's part of the seconds of audio of both, share of 1."
n_silence_calls = "Finished conversations whose long silences are known: the n of silence_share."
silence_secs = "Seconds of long silence, as the platform bills them."
silence_share = "Seconds of long silence in the length of these conversations, share of 1."
# Transfers and containment
n_transferred = "Conversations transferred to another agent or to a human."
n_transferred_to_agent = "Conversations transferred to another agent."
n_transferred_to_human = "Conversations whose outcome is transferred: to a human."
transfer_rate = "Conversations transferred among the finished ones."
n_contained = "Conversations whose outcome is contained: served to the end without a human."
containment_rate = "Conversations contained among those that reached somebody."
n_followed = "Conversations that reached somebody whose number or id is known, and whose next 24 hours are in the data."
n_contained_no_callback = "Conversations contained among these whose caller did not talk to the agent again within 24 hours."
contained_no_callback_rate = "Conversations contained without a callback among those followed."
n_reached_judged = "Conversations that reached somebody and were judged a success or a failure."
n_resolved_contained = "Conversations contained and judged a success."
resolved_containment_rate = "Conversations contained and successful among those reached and judged."
# First-contact resolution
n_traced = "Conversations that reached somebody whose number or id is known, and whose next 7 days are in the data."
n_resolved = "First-contact resolutions: successful conversations among these whose caller did not talk to the agent again within 7 days."
fcr_rate = "First-contact resolutions among the conversations traced."
n_traced_judged = "Conversations traced that were judged a success or a failure."
fcr_judged_rate = "First-contact resolutions among the conversations traced and judged."
fcr_coverage = "Conversations judged among those traced."
# Voicemail, errors, abandonment
n_voicemail = "Conversations whose outcome is voicemail: an answering machine took them."
voicemail_rate = "Conversations that an answering machine took among the finished ones."
n_errors = "Conversations whose outcome is error: failed, ended with an error or stopped by the platform."
error_rate = "Conversations with an error among the finished ones."
n_abandoned = "Conversations whose outcome is abandoned: they ended without a word of the user."
abandonment_rate = "Conversations abandoned among those that reached somebody."
# Queue and handling
n_queued = "Conversations that reached somebody and whose wait in the queue is known."
n_queue_abandoned = "Conversations abandoned among these."
queue_abandonment_rate = "Conversations abandoned among those whose wait in the queue is known."
asa_secs = "Average speed of answer: mean wait in the queue."
n_answered_in_time = "Conversations whose wait in the queue was at most service_level_secs (seeds.thresholds)."
service_level_rate = "Conversations answered in time among those whose wait in the queue is known."
n_handled = "Conversations that reached somebody and whose length is known."
aht_mean_secs = "Average handling time: mean length of the conversations that reached somebody."
aht_p50_secs = "Median of these lengths."
aht_p90_secs = "90th percentile of these lengths."
# Ratings
n_ratings = "Conversations with a rating."
rating = "Mean rating, in the points of the rating scale."
n_satisfied = "Conversations with a rating of 4 or more."
csat_rate = "Conversations rated 4 or more among those with a rating."
likes = "Thumbs up, a count."
dislikes = "Thumbs down, a count."
# Waits
n_waits = "Entries with a wait, repeats and greetings dropped: the n of the percentiles."
wait_p50_secs = "Median wait over entries."
wait_p90_secs = "90th percentile of the wait over entries."
wait_p95_secs = "95th percentile of the wait over entries."
wait_p99_secs = "99th percentile of the wait over entries."
wait_within_good_rate = "Entries with a wait of at most wait_good_secs (seeds.thresholds) among those with a wait."
wait_within_fair_rate = "Entries with a wait of at most wait_fair_secs among those with a wait."
wait_within_poor_rate = "Entries with a wait of at most wait_poor_secs among those with a wait."

[tests]
not_null = ["workspace", "breakdown", "n_calls", "n_open"]
accepted = { breakdown = ["day", "week", "version", "channel", "language", "hour", "batch"] }

# Conversations

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

[metrics.reach_rate]
name = "Reach rate"
numerator = "n_reached: finished conversations whose outcome is neither not_reached nor voicemail"
denominator = "n_calls"
null_when = "null without finished conversations"
direction = "high"

# Success

[metrics.success_rate]
name = "Success rate"
numerator = "n_success"
denominator = "n_success + n_failure"
null_when = "null when no conversation was judged"
direction = "high"
differs_from_vendor = "Conversations judged unknown are not in the denominator; success_coverage says how many were judged."

[metrics.success_rate_low]
name = "Success rate, lower end"
unit = "share of 1"
numerator = "n_success + z²/2 - z √(n_success × n_failure / n_judged + z²/4), z = 1.959964: the lower end of Wilson's 95 % interval"
denominator = "n_judged + z²"
null_when = "null when no conversation was judged"
direction = "high"
differs_from_vendor = "No counterpart known. Intervals that overlap do not say that two versions are equal: metrics.experiments compares them."

[metrics.success_rate_high]
name = "Success rate, upper end"
unit = "share of 1"
numerator = "n_success + z²/2 + z √(n_success × n_failure / n_judged + z²/4), z = 1.959964: the upper end of Wilson's 95 % interval"
denominator = "n_judged + z²"
null_when = "null when no conversation was judged"
direction = "high"

[metrics.success_coverage]
name = "Success coverage"
numerator = "n_success + n_failure"
denominator = "n_calls"
null_when = "null without finished conversations"
direction = "high"

# Cost

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
numerator = "cost_usd"
denominator = "n_calls"
null_when = "null without finished conversations or without a known cost"
direction = "low"
differs_from_vendor = "Conversations deleted at the vendor are kept."

[metrics.cost_usd_per_minute]
name = "Cost per minute"
numerator = "cost_usd"
denominator = "call_minutes"
null_when = "null when the conversations lasted no time or no cost is known"
direction = "low"

[metrics.cost_usd_per_success]
name = "Cost per successful conversation"
numerator = "cost_usd, of all finished conversations"
denominator = "n_success"
null_when = "null without a success or without a known cost"
direction = "low"
differs_from_vendor = "No counterpart known. Conversations judged unknown are in the cost and not among the successes."

[metrics.cost_usd_per_resolution]
name = "Cost per first-contact resolution"
numerator = "traced_cost_usd: cost of all finished conversations whose next 7 days are in the data"
denominator = "n_resolved"
null_when = "null without a resolution or without a known cost"
direction = "low"
differs_from_vendor = "No counterpart known. Conversations of unknown callers are in the cost and never resolved."

[metrics.llm_cost_usd]
name = "LLM cost"
numerator = "price of all tokens of scope initiated"
null_when = "null when no usage is reported"
direction = "low"
differs_from_vendor = "Free LLM dollars are not taken off; what was generated and never delivered is in it."

# Talk and silence

[metrics.interruption_rate]
name = "Interruptions per agent turn"
numerator = "n_interruptions"
denominator = "n_agent_turns"
null_when = "null when the agent said nothing"
direction = "low"

[metrics.n_backchannels]
name = "Backchannels"
numerator = "entries of the user with ignored_as_backchannel"
null_when = "never null"
direction = "neither"

[metrics.talk_share]
name = "Talk share of the agent"
numerator = "agent_audio_secs"
denominator = "agent_audio_secs + user_audio_secs"
null_when = "null when the audio of no conversation is known"
direction = "neither"
source = "Amazon Connect: agent talk time percent"

[metrics.silence_share]
name = "Share of long silence"
numerator = "silence_secs"
denominator = "call_duration_secs of the conversations with a platform usage of voice or silence"
null_when = "null when the silence of no conversation is known"
direction = "low"
differs_from_vendor = "No counterpart known. Only silence that the platform bills as such; the unit of its quantity is taken to be seconds."

# Transfers and containment

[metrics.transfer_rate]
name = "Transfer rate"
numerator = "n_transferred: to another agent or to a human"
denominator = "n_calls"
null_when = "null without finished conversations"
direction = "low"
differs_from_vendor = "A transfer that failed does not count, nor does a step inside a workflow."

[metrics.containment_rate]
name = "Containment rate"
numerator = "n_contained: the outcome is contained"
denominator = "n_reached"
null_when = "null when nobody was reached"
direction = "high"
source = "contact centres: served to the end without a human"

[metrics.contained_no_callback_rate]
name = "Containment without a callback"
numerator = "n_contained_no_callback: the outcome is contained, and the caller did not talk to the agent again within 24 hours"
denominator = "n_followed: reached, of a known caller, and a conversation on a later day than the next shows that the 24 hours are over"
null_when = "null without such conversations"
direction = "high"
source = "Dialogflow CX: CONTAINED_SESSION_NO_CALLBACK_RATE"

[metrics.resolved_containment_rate]
name = "Resolved containment"
numerator = "n_resolved_contained: the outcome is contained, and the conversation was judged a success"
denominator = "n_reached_judged: reached, and judged a success or a failure"
null_when = "null when no conversation reached was judged"
direction = "high"

# First-contact resolution

[metrics.fcr_rate]
name = "First-contact resolution"
numerator = "n_resolved: judged a success, and the caller did not talk to the agent again within 7 days"
denominator = "n_traced: reached, of a known caller, and a conversation on a later day than the seventh shows that the 7 days are over"
null_when = "null without such conversations"
direction = "high"
source = "contact centres: first-contact resolution, by no second contact within 7 days"
differs_from_vendor = "No counterpart known. Conversations that were not judged are in the denominator and not resolved; fcr_judged_rate leaves them out."

[metrics.fcr_judged_rate]
name = "First-contact resolution, judged"
numerator = "n_resolved"
denominator = "n_traced_judged: those of n_traced that were judged a success or a failure"
null_when = "null when none of them was judged"
direction = "high"
source = "contact centres: first-contact resolution, by no second contact within 7 days"

[metrics.fcr_coverage]
name = "First-contact resolution coverage"
numerator = "n_traced_judged"
denominator = "n_traced"
null_when = "null without such conversations"
direction = "high"

# Voicemail, errors, abandonment

[metrics.voicemail_rate]
name = "Voicemail rate"
numerator = "n_voicemail: the outcome is voicemail"
denominator = "n_calls"
null_when = "null without finished conversations"
direction = "low"

[metrics.error_rate]
name = "Error rate"
numerator = "n_errors: the outcome is error"
denominator = "n_calls"
null_when = "null without finished conversations"
direction = "low"
differs_from_vendor = "Finished conversations with an error count too; unanswered attempts and stops by a guardrail do not, though the API reports them as failed."

[metrics.abandonment_rate]
name = "Abandonment rate"
numerator = "n_abandoned: the outcome is abandoned, without a word of the user"
denominator = "n_reached"
null_when = "null when nobody was reached"
direction = "low"
differs_from_vendor = "No counterpart known. A silent user ('...') has said no word."

# Queue and handling

[metrics.queue_abandonment_rate]
name = "Queue abandonment rate"
numerator = "n_queue_abandoned: the outcome is abandoned"
denominator = "n_queued: reached, and the API reports the wait in the queue"
null_when = "null when the wait of no conversation is known"
direction = "low"
source = "Amazon Connect: abandonment rate"

[metrics.asa_secs]
name = "Average speed of answer"
numerator = "seconds in the queue"
denominator = "n_queued"
null_when = "null when the wait of no conversation is known"
direction = "low"
source = "Amazon Connect: average queue answer time"

[metrics.service_level_rate]
name = "Service level"
numerator = "n_answered_in_time: at most service_level_secs in the queue (seeds.thresholds, 20 s)"
denominator = "n_queued"
null_when = "null when the wait of no conversation is known"
direction = "high"
source = "Amazon Connect: service level X"

[metrics.aht_mean_secs]
name = "Average handling time"
numerator = "seconds of the conversations reached"
denominator = "n_handled"
null_when = "null when the length of no conversation is known"
direction = "neither"
source = "Amazon Connect: average handle time"

[metrics.aht_p50_secs]
name = "Handling time, median"
numerator = "median of the lengths of conversations reached, exact and interpolated"
null_when = "null when the length of no conversation is known"
direction = "neither"

[metrics.aht_p90_secs]
name = "Handling time, 90th percentile"
numerator = "90th percentile of the lengths of conversations reached, exact and interpolated"
null_when = "null when the length of no conversation is known"
direction = "neither"

# Ratings

[metrics.rating]
name = "Rating"
unit = "points"
numerator = "sum of ratings"
denominator = "n_ratings"
null_when = "null without ratings"
direction = "high"
differs_from_vendor = "Conversations deleted at the vendor are kept."

[metrics.csat_rate]
name = "Customer satisfaction"
numerator = "n_satisfied: rated 4 or more"
denominator = "n_ratings"
null_when = "null without ratings"
direction = "high"
source = "customer satisfaction score: answers of 4 and 5 of 5"

# Waits

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

[metrics.wait_within_good_rate]
name = "Waits within a good time"
numerator = "entries with a wait of at most wait_good_secs (seeds.thresholds, 1 s)"
denominator = "n_waits"
null_when = "null without waits"
direction = "high"

[metrics.wait_within_fair_rate]
name = "Waits within a fair time"
numerator = "entries with a wait of at most wait_fair_secs (seeds.thresholds, 1.5 s)"
denominator = "n_waits"
null_when = "null without waits"
direction = "high"

[metrics.wait_within_poor_rate]
name = "Waits within a poor time"
numerator = "entries with a wait of at most wait_poor_secs (seeds.thresholds, 3 s)"
denominator = "n_waits"
null_when = "null without waits"
direction = "high"
*/
with agent_names as (
    select * from intermediate.int_agent_names
),

conversations as (
    select * from marts.fct_conversations
),

turns as (
    select * from marts.fct_turns
),

returns as (
    select * from intermediate.int_returns
),

talk as (
    select * from intermediate.int_conversation_talk
),

thresholds as (
    select * from seeds.thresholds
),

limits as (
    select
        max(value) filter (where threshold = 'service_level_secs') as service_level_secs,
        max(value) filter (where threshold = 'wait_good_secs') as wait_good_secs,
        max(value) filter (where threshold = 'wait_fair_secs') as wait_fair_secs,
        max(value) filter (where threshold = 'wait_poor_secs') as wait_poor_secs
    from thresholds
),

-- a conversation on a later day is the only sign that a day is over
coverage as (
    select
        workspace,
        max(start_date) as newest_date
    from conversations
    group by all
),

included as (
    select
        conversations.*,
        cast(date_trunc('week', conversations.start_date) as date) as week_start_date,
        conversations.call_successful in ('success', 'failure') as is_judged,
        coverage.newest_date > conversations.start_date + interval 1 day as is_over_1d,
        coverage.newest_date > conversations.start_date + interval 7 day as is_over_7d,
        returns.is_back_1d,
        returns.is_back_7d,
        talk.agent_audio_secs,
        talk.user_audio_secs,
        talk.silence_secs,
        talk.n_backchannels,
        limits.service_level_secs
    from conversations
    inner join coverage on conversations.workspace = coverage.workspace
    cross join limits
    left join returns
        on
            conversations.workspace = returns.workspace
            and conversations.conversation_id = returns.conversation_id
    left join talk
        on conversations.workspace = talk.workspace and conversations.conversation_id = talk.conversation_id
    where not conversations.is_excluded
),

sums as (
    select
        workspace,
        case
            when grouping(batch_call_id) = 0 then 'batch'
            when grouping(local_start_hour) = 0 then 'hour'
            when grouping(main_language) = 0 then 'language'
            when grouping(channel) = 0 then 'channel'
            when grouping(version_id) = 0 then 'version'
            when grouping(week_start_date) = 0 then 'week'
            else 'day'
        end as breakdown,
        start_date,
        week_start_date,
        agent_id,
        version_id,
        channel,
        main_language,
        local_weekday,
        local_start_hour,
        batch_call_id,
        min(started_at) as first_call_at,
        max(started_at) as last_call_at,
        count(*) filter (where is_counted) as n_calls,
        count(*) filter (where not is_finished) as n_open,
        count(*) filter (where is_counted and is_deleted) as n_deleted,
        count(*) filter (where is_reached) as n_reached,
        cast(coalesce(sum(call_duration_secs) filter (where is_counted), 0) as bigint) as call_secs,
        count(*) filter (where is_counted and call_successful = 'success') as n_success,
        count(*) filter (where is_counted and call_successful = 'failure') as n_failure,
        cast(sum(cost_credits) filter (where is_counted) as bigint) as cost_credits,
        cast(sum(cast(cost_usd as decimal(38, 12))) filter (where is_counted) as double) as cost_usd,
        count(cost_usd) filter (where is_counted) as n_priced,
        cast(sum(cast(llm_cost_usd as decimal(38, 12))) filter (where is_counted) as double) as llm_cost_usd,
        cast(coalesce(sum(n_agent_turns) filter (where is_counted), 0) as bigint) as n_agent_turns,
        cast(coalesce(sum(n_interruptions) filter (where is_counted), 0) as bigint) as n_interruptions,
        cast(coalesce(sum(n_backchannels) filter (where is_counted), 0) as bigint) as n_backchannels,
        count(agent_audio_secs) filter (where is_counted) as n_audio_calls,
        cast(sum(cast(agent_audio_secs as decimal(38, 9))) filter (where is_counted) as double) as agent_audio_secs,
        cast(sum(cast(user_audio_secs as decimal(38, 9))) filter (where is_counted) as double) as user_audio_secs,
        count(silence_secs) filter (where is_counted) as n_silence_calls,
        cast(sum(cast(silence_secs as decimal(38, 9))) filter (where is_counted) as double) as silence_secs,
        cast(sum(call_duration_secs) filter (where is_counted and silence_secs is not null) as bigint)
            as silence_call_secs,
        count(*) filter (where is_counted and (is_transferred_to_agent or is_transferred_to_human)) as n_transferred,
        count(*) filter (where is_counted and is_transferred_to_agent) as n_transferred_to_agent,
        count(*) filter (where is_counted and is_transferred_to_human) as n_transferred_to_human,
        count(*) filter (where is_counted and is_contained) as n_contained,
        count(*) filter (where is_reached and is_over_1d and is_back_1d is not null) as n_followed,
        count(*) filter (where is_contained and is_reached and is_over_1d and not is_back_1d)
            as n_contained_no_callback,
        count(*) filter (where is_reached and is_judged) as n_reached_judged,
        count(*) filter (where is_counted and is_contained and call_successful = 'success') as n_resolved_contained,
        count(*) filter (where is_reached and is_over_7d and is_back_7d is not null) as n_traced,
        count(*) filter (where is_reached and is_over_7d and not is_back_7d and call_successful = 'success')
            as n_resolved,
        count(*) filter (where is_reached and is_over_7d and is_back_7d is not null and is_judged) as n_traced_judged,
        cast(sum(cast(cost_usd as decimal(38, 12))) filter (where is_counted and is_over_7d) as double)
            as traced_cost_usd,
        count(*) filter (where is_counted and is_voicemail) as n_voicemail,
        count(*) filter (where is_counted and is_error) as n_errors,
        count(*) filter (where is_counted and is_abandoned) as n_abandoned,
        count(queue_wait_secs) filter (where is_reached) as n_queued,
        count(queue_wait_secs) filter (where is_reached and is_abandoned) as n_queue_abandoned,
        cast(sum(cast(queue_wait_secs as decimal(38, 9))) filter (where is_reached) as double) as queue_secs,
        count(*) filter (where is_reached and queue_wait_secs <= service_level_secs) as n_answered_in_time,
        count(call_duration_secs) filter (where is_reached) as n_handled,
        cast(sum(call_duration_secs) filter (where is_reached) as bigint) as handled_secs,
        quantile_cont(call_duration_secs, [0.5, 0.9]) filter (where is_reached) as handling_times,
        count(rating) filter (where is_counted) as n_ratings,
        count(*) filter (where is_counted and rating >= 4) as n_satisfied,
        cast(sum(rating) filter (where is_counted) as bigint) as rating_points,
        cast(coalesce(sum(likes) filter (where is_counted), 0) as bigint) as likes,
        cast(coalesce(sum(dislikes) filter (where is_counted), 0) as bigint) as dislikes
    from included
    group by grouping sets (
        (workspace, start_date, agent_id),
        (workspace, week_start_date, agent_id),
        (workspace, agent_id, version_id),
        (workspace, start_date, agent_id, channel),
        (workspace, start_date, agent_id, main_language),
        (workspace, local_weekday, local_start_hour),
        (workspace, batch_call_id)
    )
),

-- z is 1.96 and z² 3.84 at 95 %
judged as (
    select
        *,
        n_success + n_failure as n_judged,
        n_success + 3.841458820694124 / 2 as middle,
        n_success + n_failure + 3.841458820694124 as width,
        1.959963984540054
        * sqrt(n_success * n_failure / nullif(n_success + n_failure, 0) + 3.841458820694124 / 4) as margin
    from sums
),

entries as (
    select
        included.workspace,
        included.start_date,
        included.week_start_date,
        included.agent_id,
        included.version_id,
        included.channel,
        included.main_language,
        turns.wait_secs,
        turns.wait_secs <= limits.wait_good_secs as is_good,
        turns.wait_secs <= limits.wait_fair_secs as is_fair,
        turns.wait_secs <= limits.wait_poor_secs as is_poor
    from turns
    inner join included on turns.workspace = included.workspace and turns.conversation_id = included.conversation_id
    cross join limits
    where included.is_counted and turns.wait_secs is not null
),

waits as (
    select
        workspace,
        case
            when grouping(main_language) = 0 then 'language'
            when grouping(channel) = 0 then 'channel'
            when grouping(version_id) = 0 then 'version'
            when grouping(week_start_date) = 0 then 'week'
            else 'day'
        end as breakdown,
        start_date,
        week_start_date,
        agent_id,
        version_id,
        channel,
        main_language,
        count(*) as n_waits,
        count(*) filter (where is_good) as n_good,
        count(*) filter (where is_fair) as n_fair,
        count(*) filter (where is_poor) as n_poor,
        -- four aggregates would keep every wait four times in memory
        quantile_cont(wait_secs, [0.5, 0.9, 0.95, 0.99]) as percentiles
    from entries
    group by grouping sets (
        (workspace, start_date, agent_id),
        (workspace, week_start_date, agent_id),
        (workspace, agent_id, version_id),
        (workspace, start_date, agent_id, channel),
        (workspace, start_date, agent_id, main_language)
    )
),

final as (
    select
        judged.workspace,
        judged.breakdown,
        judged.start_date,
        judged.week_start_date,
        judged.agent_id,
        agent_names.agent_name,
        judged.version_id,
        judged.channel,
        judged.main_language,
        judged.local_weekday,
        judged.local_start_hour,
        judged.batch_call_id,
        judged.first_call_at,
        judged.last_call_at,
        judged.n_calls,
        judged.n_open,
        judged.n_deleted,
        judged.n_reached,
        judged.n_reached / nullif(judged.n_calls, 0) as reach_rate,
        judged.call_secs / 60 as call_minutes,
        judged.n_success,
        judged.n_failure,
        judged.n_calls - judged.n_judged as n_unknown,
        judged.n_success / nullif(judged.n_judged, 0) as success_rate,
        -- a rounding must not lead beyond 0 and 1; greatest and least skip a null
        case when judged.n_judged > 0 then greatest(0, (judged.middle - judged.margin) / judged.width) end
            as success_rate_low,
        case when judged.n_judged > 0 then least(1, (judged.middle + judged.margin) / judged.width) end
            as success_rate_high,
        judged.n_judged,
        judged.n_judged / nullif(judged.n_calls, 0) as success_coverage,
        judged.cost_credits,
        judged.cost_usd,
        judged.n_priced / nullif(judged.n_calls, 0) as cost_usd_coverage,
        judged.cost_usd / nullif(judged.n_calls, 0) as cost_usd_per_call,
        judged.cost_usd / (nullif(judged.call_secs, 0) / 60) as cost_usd_per_minute,
        judged.cost_usd / nullif(judged.n_success, 0) as cost_usd_per_success,
        judged.traced_cost_usd,
        judged.traced_cost_usd / nullif(judged.n_resolved, 0) as cost_usd_per_resolution,
        judged.llm_cost_usd,
        judged.n_agent_turns,
        judged.n_interruptions,
        judged.n_interruptions / nullif(judged.n_agent_turns, 0) as interruption_rate,
        judged.n_backchannels,
        judged.n_audio_calls,
        judged.agent_audio_secs,
        judged.user_audio_secs,
        judged.agent_audio_secs / nullif(judged.agent_audio_secs + judged.user_audio_secs, 0) as talk_share,
        judged.n_silence_calls,
        judged.silence_secs,
        judged.silence_secs / nullif(judged.silence_call_secs, 0) as silence_share,
        judged.n_transferred,
        judged.n_transferred_to_agent,
        judged.n_transferred_to_human,
        judged.n_transferred / nullif(judged.n_calls, 0) as transfer_rate,
        judged.n_contained,
        judged.n_contained / nullif(judged.n_reached, 0) as containment_rate,
        judged.n_followed,
        judged.n_contained_no_callback,
        judged.n_contained_no_callback / nullif(judged.n_followed, 0) as contained_no_callback_rate,
        judged.n_reached_judged,
        judged.n_resolved_contained,
        judged.n_resolved_contained / nullif(judged.n_reached_judged, 0) as resolved_containment_rate,
        judged.n_traced,
        judged.n_resolved,
        judged.n_resolved / nullif(judged.n_traced, 0) as fcr_rate,
        judged.n_traced_judged,
        judged.n_resolved / nullif(judged.n_traced_judged, 0) as fcr_judged_rate,
        judged.n_traced_judged / nullif(judged.n_traced, 0) as fcr_coverage,
        judged.n_voicemail,
        judged.n_voicemail / nullif(judged.n_calls, 0) as voicemail_rate,
        judged.n_errors,
        judged.n_errors / nullif(judged.n_calls, 0) as error_rate,
        judged.n_abandoned,
        judged.n_abandoned / nullif(judged.n_reached, 0) as abandonment_rate,
        judged.n_queued,
        judged.n_queue_abandoned,
        judged.n_queue_abandoned / nullif(judged.n_queued, 0) as queue_abandonment_rate,
        judged.queue_secs / nullif(judged.n_queued, 0) as asa_secs,
        judged.n_answered_in_time,
        judged.n_answered_in_time / nullif(judged.n_queued, 0) as service_level_rate,
        judged.n_handled,
        judged.handled_secs / nullif(judged.n_handled, 0) as aht_mean_secs,
        judged.handling_times[1] as aht_p50_secs,
        judged.handling_times[2] as aht_p90_secs,
        judged.n_ratings,
        judged.rating_points / nullif(judged.n_ratings, 0) as rating,
        judged.n_satisfied,
        judged.n_satisfied / nullif(judged.n_ratings, 0) as csat_rate,
        judged.likes,
        judged.dislikes,
        case when judged.breakdown not in ('hour', 'batch') then coalesce(waits.n_waits, 0) end as n_waits,
        waits.percentiles[1] as wait_p50_secs,
        waits.percentiles[2] as wait_p90_secs,
        waits.percentiles[3] as wait_p95_secs,
        waits.percentiles[4] as wait_p99_secs,
        waits.n_good / nullif(waits.n_waits, 0) as wait_within_good_rate,
        waits.n_fair / nullif(waits.n_waits, 0) as wait_within_fair_rate,
        waits.n_poor / nullif(waits.n_waits, 0) as wait_within_poor_rate
    from judged
    left join agent_names
        on judged.workspace = agent_names.workspace and judged.agent_id = agent_names.agent_id
    left join waits
        on
            judged.workspace = waits.workspace
            and judged.breakdown = waits.breakdown
            and judged.start_date is not distinct from waits.start_date
            and judged.week_start_date is not distinct from waits.week_start_date
            and judged.agent_id is not distinct from waits.agent_id
            and judged.version_id is not distinct from waits.version_id
            and judged.channel is not distinct from waits.channel
            and judged.main_language is not distinct from waits.main_language
)

select * from final

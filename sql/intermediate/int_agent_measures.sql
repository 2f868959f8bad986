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
workspace = "Workspace of the API that the conversations belong to."
breakdown = "What the row is a group of: day, week, version, channel, language, hour or batch. The keys of the other groups are null."
start_date = "UTC day on which the conversations started."
week_start_date = "Monday of the week in which the conversations started."
agent_id = "Agent that the conversations were started with."
agent_name = "Latest name of the agent; null when the API never told one."
version_id = "Version of the agent that answered; null where the API does not tell."
channel = "phone, whatsapp, sms, chat (text only) or voice (audio over an SDK or the widget)."
main_language = "Main language of the conversations, as the API names it; null when not told."
local_weekday = "Day of the week in the workspace's time zone, 1 Monday to 7 Sunday."
local_start_hour = "Hour of the day there, 0 to 23."
batch_call_id = "Batch."
first_call_at = "Start of its first conversation, open ones included."
last_call_at = "Start of its last conversation, open ones included."
n_calls = "Finished conversations (done or failed)."
n_open = "Conversations that are not finished."
n_deleted = "Finished conversations that the API no longer has; they are in n_calls."
call_minutes = "Minutes of finished conversations."
n_success = "Conversations judged a success."
n_failure = "Conversations judged a failure."
n_unknown = "Finished conversations without a verdict: unknown, or not judged."
success_rate = "Successes among the conversations judged."
success_rate_low = "Lower end of the 95 % confidence interval of success_rate (Wilson), share of 1."
success_rate_high = "Upper end of it, share of 1."
n_judged = "Conversations judged a success or a failure: the n of success_rate and of its interval."
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
n_transferred_to_human = "Conversations whose outcome is transferred: to a human."
transfer_rate = "Conversations transferred among the finished ones."
n_contained = "Conversations whose outcome is contained: served to the end without a human."
containment_rate = "Conversations contained among the finished ones."
n_voicemail = "Conversations whose outcome is voicemail: a machine took them."
voicemail_rate = "Conversations that a machine took among the finished ones."
n_errors = "Conversations whose outcome is error: failed, ended with an error or stopped by the platform."
error_rate = "Conversations with an error among the finished ones."
n_abandoned = "Conversations whose outcome is abandoned: they ended without a word of the user."
abandonment_rate = "Conversations abandoned among the finished ones."
n_ratings = "Conversations with a rating."
rating = "Mean rating, in the points of the rating scale."
likes = "Thumbs up, a count."
dislikes = "Thumbs down, a count."
n_waits = "Entries with a wait, repeats and greetings dropped: the n of the percentiles."
wait_p50_secs = "Median wait over entries."
wait_p90_secs = "90th percentile of the wait over entries."
wait_p95_secs = "95th percentile of the wait over entries."
wait_p99_secs = "99th percentile of the wait over entries."

[tests]
not_null = ["workspace", "breakdown", "n_calls", "n_open"]
accepted = { breakdown = ["day", "week", "version", "channel", "language", "hour", "batch"] }

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

[metrics.success_rate_low]
name = "Success rate, lower end"
unit = "share of 1"
numerator = "n_success + z²/2 - z √(n_success × n_failure / n_judged + z²/4), z = 1.96: the lower end of Wilson's 95 % interval"
denominator = "n_judged + z²"
null_when = "null when no conversation was judged"
direction = "high"
differs_from_vendor = "No counterpart known. Two versions whose intervals overlap may be equally good."

[metrics.success_rate_high]
name = "Success rate, upper end"
unit = "share of 1"
numerator = "n_success + z²/2 + z √(n_success × n_failure / n_judged + z²/4), z = 1.96: the upper end of Wilson's 95 % interval"
denominator = "n_judged + z²"
null_when = "null when no conversation was judged"
direction = "high"

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
numerator = "n_contained: the outcome is contained"
denominator = "n_calls"
null_when = "null without finished conversations"
direction = "high"

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
with agent_names as (
    select * from intermediate.int_agent_names
),

conversations as (
    select * from marts.fct_conversations
),

turns as (
    select * from marts.fct_turns
),

included as (
    select
        *,
        cast(date_trunc('week', start_date) as date) as week_start_date
    from conversations
    where not is_excluded
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
        cast(coalesce(sum(call_duration_secs) filter (where is_counted), 0) as bigint) as call_secs,
        count(*) filter (where is_counted and call_successful = 'success') as n_success,
        count(*) filter (where is_counted and call_successful = 'failure') as n_failure,
        cast(sum(cost_credits) filter (where is_counted) as bigint) as cost_credits,
        cast(sum(cast(cost_usd as decimal(38, 12))) filter (where is_counted) as double) as cost_usd,
        count(cost_usd) filter (where is_counted) as n_priced,
        cast(sum(cast(llm_cost_usd as decimal(38, 12))) filter (where is_counted) as double) as llm_cost_usd,
        cast(coalesce(sum(n_agent_turns) filter (where is_counted), 0) as bigint) as n_agent_turns,
        cast(coalesce(sum(n_interruptions) filter (where is_counted), 0) as bigint) as n_interruptions,
        count(*) filter (where is_counted and (is_transferred_to_agent or is_transferred_to_human)) as n_transferred,
        count(*) filter (where is_counted and is_transferred_to_agent) as n_transferred_to_agent,
        count(*) filter (where is_counted and is_transferred_to_human) as n_transferred_to_human,
        count(*) filter (where is_counted and is_contained) as n_contained,
        count(*) filter (where is_counted and is_voicemail) as n_voicemail,
        count(*) filter (where is_counted and is_error) as n_errors,
        count(*) filter (where is_counted and is_abandoned) as n_abandoned,
        count(rating) filter (where is_counted) as n_ratings,
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
        turns.wait_secs
    from turns
    inner join included on turns.workspace = included.workspace and turns.conversation_id = included.conversation_id
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
        judged.llm_cost_usd,
        judged.n_agent_turns,
        judged.n_interruptions,
        judged.n_interruptions / nullif(judged.n_agent_turns, 0) as interruption_rate,
        judged.n_transferred,
        judged.n_transferred_to_agent,
        judged.n_transferred_to_human,
        judged.n_transferred / nullif(judged.n_calls, 0) as transfer_rate,
        judged.n_contained,
        judged.n_contained / nullif(judged.n_calls, 0) as containment_rate,
        judged.n_voicemail,
        judged.n_voicemail / nullif(judged.n_calls, 0) as voicemail_rate,
        judged.n_errors,
        judged.n_errors / nullif(judged.n_calls, 0) as error_rate,
        judged.n_abandoned,
        judged.n_abandoned / nullif(judged.n_calls, 0) as abandonment_rate,
        judged.n_ratings,
        judged.rating_points / nullif(judged.n_ratings, 0) as rating,
        judged.likes,
        judged.dislikes,
        case when judged.breakdown not in ('hour', 'batch') then coalesce(waits.n_waits, 0) end as n_waits,
        waits.percentiles[1] as wait_p50_secs,
        waits.percentiles[2] as wait_p90_secs,
        waits.percentiles[3] as wait_p95_secs,
        waits.percentiles[4] as wait_p99_secs
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

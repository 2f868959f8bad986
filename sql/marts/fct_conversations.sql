/*
description = """Conversations, open, finished and deleted ones: one row per conversation. Deleted conversations keep their \
numbers and lose their content. Flags about the outcome are null while a conversation is open. Metrics count where is_counted."""
grain = ["conversation_id"]
incremental_by = "start_date"
inherits_columns_from = "intermediate.int_conversation_flags"

[columns]
branch_id = "Branch of the agent that answered."
environment = "Environment of the agent, such as production."
started_at = "Start of the conversation."
local_start_at = "Start of the conversation by the clock of the workspace's time zone; the hour that the clock shows twice in autumn is ambiguous."
local_start_date = "Day on which the conversation started in the workspace's time zone."
local_start_hour = "Hour of the day at which it started there, 0 to 23."
local_weekday = "Day of the week on which it started there, 1 Monday to 7 Sunday."
local_weekday_name = "That day's name, Monday to Sunday."
status = "initiated, in-progress, processing, done or failed; open text."
direction = "inbound or outbound, as the phone call, WhatsApp or SMS says; else outbound in a batch, inbound where the system knows a caller, and null."
initiation_source = "SDK, widget or provider that started it."
batch_call_id = "Batch that the conversation belongs to."
main_language = "Main language of the conversation."
call_duration_secs = "Length of the conversation; null when reported below 0."
queue_wait_secs = "Time in the queue before the conversation was taken; null when reported below 0."
call_successful = "success, failure or unknown: the vendor's verdict; null when not judged."
success_score = "Score of success, in the vendor's points."
sentiment_label = "positive, neutral or negative: the vendor's analysis; open text, null when not analysed."
cost_credits = "Cost of the conversation: call charge + LLM charge, also where the API reports only these; null when unknown."
voice_surcharge_credits = "Surcharge for the voice, which the vendor bills on top: it is in neither cost_credits nor cost_usd."
call_cost_credits = "Call part of the cost."
llm_cost_credits = "LLM part of the cost."
platform_cost_credits = "Platform part of the cost, itself a part of the call part; null on older conversations."
llm_price_usd = "LLM cost as reported."
llm_cost_usd = "LLM cost: the price of all tokens that were initiated, or delivered where only those are reported; not to be added to cost_usd, which has the charge for them."
platform_price_usd = "Platform part of the cost as reported; null on older conversations."
cost_usd = "Cost of the conversation: call and LLM; null when unknown, see cost_basis."
cost_basis = "reported (by the API), plan_rate (credits at the plan's rate; 0 credits are 0 dollars on every plan) or unknown."
credits_per_usd = "Credits for one US dollar on the conversation's plan and day; null when the plan has no rate."
tier = "Plan of the workspace when the conversation was billed."
is_burst = "Whether the call part was doubled as a burst over the concurrency."
is_dev_discount = "Whether the call part was halved as a development conversation."
free_minutes = "Minutes taken from the plan's free minutes."
free_llm_usd = "US dollars taken from the plan's free LLM dollars."
n_turns = "Transcript entries, tool entries included."
n_user_turns = "Entries in which the user said something, a file included; silence ('...' and the like) does not count."
n_agent_turns = "Entries in which the agent said something; entries of tool calls and results do not count."
n_interruptions = "Agent entries that the user cut."
n_tool_calls = "Tool calls, nested ones included."
n_tool_errors = "Tool calls whose result is an error."
n_unanswered_tool_calls = "Tool calls without a result in the transcript."
n_rag_retrievals = "Retrievals from the knowledge base, as the API counts."
is_transferred_to_agent = "Whether the conversation went to another agent: a transfer that succeeded, or several visited agents; null when open."
outcome = "The first that holds: unknown (finished, and nothing says what became of it), not_reached (nobody was on the line), voicemail (an answering machine), error (failed, an error, or stopped by the platform), blocked (a guardrail ended it), abandoned (no word of the user), transferred (to a human), cut_off (a limit ended it) or contained (served to its end without a human); null when open."
outcome_reason = "What decided the outcome, such as no_answer, by_tool, the type of the error or the name of the guardrail; null when open."
is_transferred_to_human = "Whether the outcome is transferred; null when open."
is_voicemail = "Whether the outcome is voicemail; null when open."
is_abandoned = "Whether the outcome is abandoned; null when open."
is_contained = "Whether the outcome is contained; null when open."
is_reached = "Whether it reached somebody: the outcome is neither not_reached nor voicemail; null when open."
is_error = "Whether the outcome is error; null when open."
termination_reason = "Why the conversation ended, free text; null where the API gives none or a blank one."
termination_group = "agent_ended, client_left, silence, error, transfer, voicemail, guardrail, quota, limit or other (seeds.termination_groups); null when open."
error_code = "Error that ended the conversation."
error_type = "Kind of the error, such as no_answer; open text."
error_reason = "Error in words."
rating = "Rating of the conversation by the user."
likes = "Thumbs up: of the conversation, or of its entries where the API reports none of it; a count below 0 is none."
dislikes = "Thumbs down: likewise."
has_feedback_comment = "Whether the user left a comment."
feedback_comment = "The comment; <redacted> once deleted."
is_repeat_caller_7d = "Whether the same caller had talked to the same agent within the 7 days before; attempts that reached nobody or an answering machine do not count, nor do conversations that seeds.excluded_callers leaves out; null without a caller."
n_waits = "Entries with a wait; repeats and greetings dropped."
first_response_secs = "Wait before the agent's first answer that has one."
median_wait_secs = "Median wait of the conversation, exact and interpolated."
p95_wait_secs = "95th percentile of the conversation's wait, exact and interpolated."
n_slow_waits = "Waits longer than wait_poor_secs of seeds.thresholds."
main_llm = "Language model that cost most, else that used most tokens; null when no usage is reported."
n_failed_criteria = "Evaluation criteria that the conversation did not meet, by the verdicts that metrics count."
tags = "Titles of its tags in the order of the alphabet, a comma and a space between them, the id of a tag without a title; null without tags."
summary_title = "Title of the summary."
transcript_summary = "Summary of the transcript; <redacted> once deleted."
is_deleted = "Whether the API no longer has the conversation."
deleted_at = "When its absence was noticed."
fetched_at = "When this content was read from the API."

[tests]
not_null = [
  "workspace",
  "conversation_id",
  "started_at",
  "start_date",
  "local_start_at",
  "local_start_date",
  "local_start_hour",
  "local_weekday",
  "local_weekday_name",
  "is_finished",
  "is_excluded",
  "is_counted",
  "channel",
  "is_text_only",
  "cost_basis",
  "is_burst",
  "is_dev_discount",
  "n_turns",
  "n_user_turns",
  "n_agent_turns",
  "n_interruptions",
  "n_tool_calls",
  "n_tool_errors",
  "n_unanswered_tool_calls",
  "has_feedback_comment",
  "n_waits",
  "n_slow_waits",
  "n_failed_criteria",
  "is_deleted",
  "fetched_at",
]
same_count_as = "staging.stg_conversations"
references = { agent_id = "marts.dim_agents.agent_id" }

[tests.accepted]
outcome = ["unknown", "not_reached", "voicemail", "error", "blocked", "abandoned", "transferred", "cut_off", "contained"]
channel = ["phone", "whatsapp", "sms", "chat", "voice"]
cost_basis = ["reported", "plan_rate", "unknown"]
termination_group = ["agent_ended", "client_left", "silence", "error", "transfer", "voicemail", "guardrail", "quota", "limit", "other"]
*/
with conversations as (
    select * from staging.stg_conversations
),

times as (
    select * from intermediate.int_conversation_times
),

call_flags as (
    select * from intermediate.int_conversation_flags
),

details as (
    select * from intermediate.int_conversation_details
),

costs as (
    select * from intermediate.int_conversation_costs
),

turns as (
    select * from intermediate.int_conversation_turns
),

tools as (
    select * from intermediate.int_conversation_tools
),

outcomes as (
    select * from intermediate.int_conversation_outcomes
),

previous_calls as (
    select * from intermediate.int_previous_calls
),

termination_groups as (
    select * from intermediate.int_termination_groups
),

identified as (
    select
        conversations.workspace,
        conversations.conversation_id,
        call_flags.agent_name,
        call_flags.user_id,
        call_flags.caller_id,
        call_flags.is_finished,
        call_flags.is_excluded,
        call_flags.is_counted,
        call_flags.channel,
        call_flags.is_text_only,
        -- no count is below 0
        case when conversations.likes >= 0 then conversations.likes end as likes,
        case when conversations.dislikes >= 0 then conversations.dislikes end as dislikes
    from conversations
    inner join call_flags
        on
            conversations.workspace = call_flags.workspace
            and conversations.conversation_id = call_flags.conversation_id
),

final as (
    select
        conversations.workspace,
        conversations.conversation_id,
        conversations.agent_id,
        coalesce(identified.agent_name, conversations.agent_name) as agent_name,
        conversations.version_id,
        conversations.branch_id,
        conversations.environment,
        conversations.started_at,
        conversations.start_date,
        times.local_start_at,
        times.local_start_date,
        times.local_start_hour,
        times.local_weekday,
        times.local_weekday_name,
        conversations.status,
        identified.is_finished,
        identified.is_excluded,
        identified.is_counted,
        identified.channel,
        conversations.direction,
        conversations.initiation_source,
        conversations.batch_call_id,
        conversations.main_language,
        identified.is_text_only,
        -- no time is below 0
        case when conversations.call_duration_secs >= 0 then conversations.call_duration_secs end
            as call_duration_secs,
        case when conversations.queue_wait_secs >= 0 then conversations.queue_wait_secs end as queue_wait_secs,
        conversations.call_successful,
        conversations.success_score,
        conversations.sentiment_label,
        costs.cost_credits,
        costs.voice_surcharge_credits,
        conversations.call_cost_credits,
        conversations.llm_cost_credits,
        conversations.platform_cost_credits,
        conversations.llm_price_usd,
        costs.llm_cost_usd,
        conversations.platform_price_usd,
        costs.cost_usd,
        costs.cost_basis,
        costs.credits_per_usd,
        conversations.tier,
        coalesce(conversations.is_burst, false) as is_burst,
        coalesce(conversations.is_dev_discount, false) as is_dev_discount,
        conversations.free_minutes,
        conversations.free_llm_usd,
        coalesce(turns.n_turns, 0) as n_turns,
        coalesce(turns.n_user_turns, 0) as n_user_turns,
        coalesce(turns.n_agent_turns, 0) as n_agent_turns,
        coalesce(turns.n_interruptions, 0) as n_interruptions,
        coalesce(tools.n_tool_calls, 0) as n_tool_calls,
        coalesce(tools.n_tool_errors, 0) as n_tool_errors,
        coalesce(tools.n_unanswered_tool_calls, 0) as n_unanswered_tool_calls,
        conversations.n_rag_retrievals,
        case
            when identified.is_finished
                then coalesce(tools.is_transferred_to_agent, false) or coalesce(details.n_agents, 0) > 1
        end as is_transferred_to_agent,
        outcomes.outcome,
        outcomes.outcome_reason,
        outcomes.is_transferred_to_human,
        outcomes.is_voicemail,
        outcomes.is_abandoned,
        outcomes.is_contained,
        outcomes.is_reached,
        outcomes.is_error,
        nullif(trim(conversations.termination_reason), '') as termination_reason,
        case
            when not identified.is_finished then null
            when termination_groups.termination_group is not null then termination_groups.termination_group
            when outcomes.is_error then 'error'
            else 'other'
        end as termination_group,
        conversations.error_code,
        conversations.error_type,
        conversations.error_reason,
        conversations.rating,
        -- older and smaller forms have the thumb, and no counts of it; or only thumbs of entries
        case
            when coalesce(identified.likes, 0) + coalesce(identified.dislikes, 0) > 0 then identified.likes
            when conversations.feedback_overall_score = 'like' then 1
            when
                coalesce(identified.likes, identified.dislikes) is null
                and conversations.feedback_overall_score is null
                and turns.n_likes + turns.n_dislikes > 0
                then turns.n_likes
            else identified.likes
        end as likes,
        case
            when coalesce(identified.likes, 0) + coalesce(identified.dislikes, 0) > 0 then identified.dislikes
            when conversations.feedback_overall_score = 'dislike' then 1
            when
                coalesce(identified.likes, identified.dislikes) is null
                and conversations.feedback_overall_score is null
                and turns.n_likes + turns.n_dislikes > 0
                then turns.n_dislikes
            else identified.dislikes
        end as dislikes,
        coalesce(trim(conversations.feedback_comment) <> '', false) as has_feedback_comment,
        conversations.feedback_comment,
        identified.user_id,
        identified.caller_id,
        case
            when identified.caller_id is not null
                then coalesce(previous_calls.previous_at >= conversations.started_at - interval 7 day, false)
        end as is_repeat_caller_7d,
        coalesce(turns.n_waits, 0) as n_waits,
        turns.first_response_secs,
        turns.median_wait_secs,
        turns.p95_wait_secs,
        coalesce(turns.n_slow_waits, 0) as n_slow_waits,
        details.main_llm,
        coalesce(details.n_failed_criteria, 0) as n_failed_criteria,
        details.tags,
        conversations.summary_title,
        conversations.transcript_summary,
        conversations.is_deleted,
        conversations.deleted_at,
        conversations.fetched_at
    from conversations
    inner join identified
        on
            conversations.workspace = identified.workspace
            and conversations.conversation_id = identified.conversation_id
    inner join costs
        on conversations.workspace = costs.workspace and conversations.conversation_id = costs.conversation_id
    inner join times
        on conversations.workspace = times.workspace and conversations.conversation_id = times.conversation_id
    left join details
        on conversations.workspace = details.workspace and conversations.conversation_id = details.conversation_id
    inner join outcomes
        on conversations.workspace = outcomes.workspace and conversations.conversation_id = outcomes.conversation_id
    left join turns
        on conversations.workspace = turns.workspace and conversations.conversation_id = turns.conversation_id
    left join tools
        on conversations.workspace = tools.workspace and conversations.conversation_id = tools.conversation_id
    left join previous_calls
        on
            conversations.workspace = previous_calls.workspace
            and conversations.conversation_id = previous_calls.conversation_id
    left join termination_groups
        on
            conversations.start_date = termination_groups.start_date
            and conversations.termination_reason = termination_groups.termination_reason
)

select * from final

/*
description = "Transcript entries with their waits, tools and retrieval, of open, finished and deleted conversations: one row per transcript entry."
grain = ["conversation_id", "turn_index"]
incremental_by = "start_date"
inherits_columns_from = "intermediate.int_conversation_flags"

[columns]
turn_index = "Position of the transcript entry, from 0."
speaking_agent_id = "Agent that made the entry; the conversation's agent where the API does not say."
branch_id = "Branch of the agent that made the entry."
version_id = "Version of the agent that made the entry."
workflow_node_id = "Node of the workflow that made the entry."
role = "user or agent."
message = "What was said; null or empty on tool entries, '...' and the like for a silent user, cut when interrupted."
original_message = "Whole text of an interrupted agent turn."
is_spoken = "Whether the entry says something: its message, its multivoice parts or its files are more than blanks."
is_silent = "Whether the entry only says that the user was silent or not understood: a voice entry without a letter or a digit, such as '...'."
is_interrupted = "Whether the user cut in."
is_backchannel = "Whether the entry was taken as a backchannel, such as 'mhm'."
time_in_call_secs = "Start of the entry from the start of the conversation."
source_medium = "audio, text, dtmf, image, file."
producing_llm = "Language model that wrote the entry."
n_tool_calls = "Tool calls in the entry, nested ones included."
n_tool_results = "Tool results in the entry, nested ones included."
n_rag_chunks = "Chunks retrieved for the entry."
rag_latency_secs = "Time of the retrieval; null when reported below 0."
wait_secs = "Wait of the caller (metric convai_ttf_audio_since_silence), after an entry of the user; null where an entry only repeats it, and for a greeting."
llm_ttfb_secs = "Time to the language model's first byte (metric convai_llm_service_ttfb), repeats dropped."
llm_first_sentence_secs = "Time to the language model's first sentence (metric convai_llm_service_ttf_sentence), repeats dropped."
tts_ttfb_secs = "Time to the first byte of speech (metric convai_tts_service_ttfb), repeats dropped."
asr_latency_secs = "Time of the speech recognition after the user's end (metric convai_asr_trailing_service_latency), repeats dropped."
feedback_score = "like or dislike of the entry."
llm_cost_usd = "Price of the language model's usage for the entry."
turn_at = "Start of the entry: when the API says that it was created, else the start of the conversation and the seconds since; null when neither is reported, or the seconds are a day or more."
local_start_hour = "Hour of the day at which the conversation started in the workspace's time zone, 0 to 23."
local_weekday_name = "Day of the week on which it started there, Monday to Sunday."

[tests]
not_null = ["workspace", "conversation_id", "turn_index", "start_date", "is_spoken", "is_silent", "is_interrupted", "n_tool_calls", "n_tool_results", "n_rag_chunks", "is_finished", "is_counted"]
references = { conversation_id = "marts.fct_conversations.conversation_id" }
same_count_as = "staging.stg_turns"
*/
with turns as (
    select * from staging.stg_turns
),

flags as (
    select * from intermediate.int_conversation_flags
),

times as (
    select * from intermediate.int_conversation_times
),

turn_latency as (
    select * from marts.fct_turn_latency
),

multivoice_parts as (
    select * from staging.stg_multivoice_parts
),

turn_files as (
    select * from staging.stg_turn_files
),

tool_calls as (
    select * from staging.stg_tool_calls
),

tool_results as (
    select * from staging.stg_tool_results
),

rag_chunks as (
    select * from staging.stg_rag_chunks
),

llm_usage as (
    select * from staging.stg_llm_usage
),

waits as (
    select
        workspace,
        conversation_id,
        turn_index,
        max(elapsed_secs) filter (where metric = 'convai_ttf_audio_since_silence') as wait_secs,
        max(elapsed_secs) filter (where metric = 'convai_llm_service_ttfb') as llm_ttfb_secs,
        max(elapsed_secs) filter (where metric = 'convai_llm_service_ttf_sentence') as llm_first_sentence_secs,
        max(elapsed_secs) filter (where metric = 'convai_tts_service_ttfb') as tts_ttfb_secs,
        max(elapsed_secs) filter (where metric = 'convai_asr_trailing_service_latency') as asr_latency_secs
    from turn_latency
    where is_measured
    group by all
),

-- a blank is any space, separator or invisible sign
parts_and_files as (
    select
        workspace,
        conversation_id,
        turn_index
    from multivoice_parts
    where regexp_matches(text, '[^\s\p{Z}\p{C}]')
    union
    select
        workspace,
        conversation_id,
        turn_index
    from turn_files
),

entries as (
    select
        turns.*,
        coalesce(regexp_matches(turns.message, '[^\s\p{Z}\p{C}]'), false) as has_message,
        parts_and_files.turn_index is not null as has_parts_or_files,
        coalesce(
            turns.source_medium, case when flags.is_text_only then 'text' else 'audio' end
        ) = 'audio' as is_voice
    from turns
    left join flags on turns.workspace = flags.workspace and turns.conversation_id = flags.conversation_id
    left join parts_and_files
        on
            turns.workspace = parts_and_files.workspace
            and turns.conversation_id = parts_and_files.conversation_id
            and turns.turn_index = parts_and_files.turn_index
),

calls_in_turn as (
    select
        workspace,
        conversation_id,
        turn_index,
        count(*) as n_tool_calls
    from tool_calls
    group by all
),

results_in_turn as (
    select
        workspace,
        conversation_id,
        turn_index,
        count(*) as n_tool_results
    from tool_results
    group by all
),

chunks_in_turn as (
    select
        workspace,
        conversation_id,
        turn_index,
        count(*) as n_rag_chunks
    from rag_chunks
    group by all
),

usage_in_turn as (
    select
        workspace,
        conversation_id,
        turn_index,
        sum(price_usd) as llm_cost_usd
    from llm_usage
    where scope = 'turn'
    group by all
),

final as (
    select
        turns.workspace,
        turns.conversation_id,
        turns.turn_index,
        turns.start_date,
        flags.agent_id,
        flags.agent_name,
        coalesce(turns.speaking_agent_id, flags.agent_id) as speaking_agent_id,
        turns.branch_id,
        turns.version_id,
        turns.workflow_node_id,
        turns.role,
        turns.message,
        turns.original_message,
        turns.has_message or turns.has_parts_or_files as is_spoken,
        coalesce(turns.role = 'user', false)
        and turns.is_voice
        and turns.has_message
        and not turns.has_parts_or_files
        and not regexp_matches(turns.message, '[\p{L}\p{N}]') as is_silent,
        coalesce(turns.is_interrupted, false) as is_interrupted,
        turns.is_backchannel,
        turns.time_in_call_secs,
        turns.source_medium,
        turns.producing_llm,
        coalesce(calls_in_turn.n_tool_calls, 0) as n_tool_calls,
        coalesce(results_in_turn.n_tool_results, 0) as n_tool_results,
        coalesce(chunks_in_turn.n_rag_chunks, 0) as n_rag_chunks,
        case when turns.rag_latency_secs >= 0 then turns.rag_latency_secs end as rag_latency_secs,
        waits.wait_secs,
        waits.llm_ttfb_secs,
        waits.llm_first_sentence_secs,
        waits.tts_ttfb_secs,
        waits.asr_latency_secs,
        turns.feedback_score,
        usage_in_turn.llm_cost_usd,
        coalesce(
            turns.created_at,
            times.started_at
            + case when turns.time_in_call_secs < 86400 then greatest(turns.time_in_call_secs, 0) end
            * interval 1 second
        ) as turn_at,
        times.local_start_hour,
        times.local_weekday_name,
        coalesce(flags.is_finished, false) as is_finished,
        coalesce(flags.is_counted, false) as is_counted
    from entries as turns
    left join flags on turns.workspace = flags.workspace and turns.conversation_id = flags.conversation_id
    left join times on turns.workspace = times.workspace and turns.conversation_id = times.conversation_id
    left join waits
        on
            turns.workspace = waits.workspace
            and turns.conversation_id = waits.conversation_id
            and turns.turn_index = waits.turn_index
    left join calls_in_turn
        on
            turns.workspace = calls_in_turn.workspace
            and turns.conversation_id = calls_in_turn.conversation_id
            and turns.turn_index = calls_in_turn.turn_index
    left join results_in_turn
        on
            turns.workspace = results_in_turn.workspace
            and turns.conversation_id = results_in_turn.conversation_id
            and turns.turn_index = results_in_turn.turn_index
    left join chunks_in_turn
        on
            turns.workspace = chunks_in_turn.workspace
            and turns.conversation_id = chunks_in_turn.conversation_id
            and turns.turn_index = chunks_in_turn.turn_index
    left join usage_in_turn
        on
            turns.workspace = usage_in_turn.workspace
            and turns.conversation_id = usage_in_turn.conversation_id
            and turns.turn_index = usage_in_turn.turn_index
)

select * from final

/*
description = """Timings of transcript entries, long form: one row per entry and metric. Metrics count where is_measured: a timing \
that an entry only repeats from the entry before it does not count again, and the time to the audio of a greeting is not a wait."""
grain = ["conversation_id", "turn_index", "metric"]
incremental_by = "start_date"
inherits_columns_from = "intermediate.int_conversation_flags"

[columns]
turn_index = "Position of the transcript entry, from 0."
metric = "What was timed, in the API's word, such as convai_llm_service_ttfb; open text."
elapsed_secs = "Time that passed."
is_repeat = "Whether the entry only repeats the timings of the entry before it."
is_measured = "Whether the timing counts: it is reported, not below 0, no repeat, and, if a wait (convai_ttf_audio_since_silence), after an entry of the user."

[tests]
not_null = ["workspace", "conversation_id", "turn_index", "metric", "start_date", "is_repeat", "is_measured", "is_finished", "is_counted"]
references = { conversation_id = "marts.fct_conversations.conversation_id" }
same_count_as = "staging.stg_turn_metrics"
*/
with turn_metrics as (
    select * from staging.stg_turn_metrics
),

turns as (
    select * from staging.stg_turns
),

flags as (
    select * from intermediate.int_conversation_flags
),

first_user_entries as (
    select
        workspace,
        conversation_id,
        min(turn_index) as turn_index
    from turns
    where role = 'user'
    group by all
),

final as (
    select
        turn_metrics.workspace,
        turn_metrics.conversation_id,
        turn_metrics.turn_index,
        turn_metrics.metric,
        turn_metrics.start_date,
        flags.agent_id,
        flags.agent_name,
        flags.version_id,
        turn_metrics.elapsed_secs,
        turn_metrics.is_repeat,
        coalesce(turn_metrics.elapsed_secs >= 0, false)
        and not turn_metrics.is_repeat
        and (
            turn_metrics.metric <> 'convai_ttf_audio_since_silence'
            or coalesce(turn_metrics.turn_index > first_user_entries.turn_index, false)
        ) as is_measured,
        coalesce(flags.is_finished, false) as is_finished,
        coalesce(flags.is_counted, false) as is_counted
    from turn_metrics
    left join first_user_entries
        on
            turn_metrics.workspace = first_user_entries.workspace
            and turn_metrics.conversation_id = first_user_entries.conversation_id
    left join flags
        on turn_metrics.workspace = flags.workspace and turn_metrics.conversation_id = flags.conversation_id
)

select * from final

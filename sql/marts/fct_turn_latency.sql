/*
description = """Timings of transcript entries, long form: one row per entry and metric. Where is_repeat, a tool entry only \
repeats the timing of the spoken entry before it, and must not count again."""
grain = ["conversation_id", "turn_index", "metric"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversation belongs to."
conversation_id = "Id of the conversation."
turn_index = "Position of the transcript entry, from 0."
metric = "What was timed, in the API's word, such as convai_llm_service_ttfb; open text."
start_date = "UTC day on which the conversation started."
agent_id = "Agent that the conversation was started with."
version_id = "Version of the agent that answered."
elapsed_secs = "Time that passed."
is_repeat = "Whether the entry only repeats the timing of the spoken entry before it."
is_finished = "Whether the conversation is done or failed."
is_counted = "Whether the conversation counts in the metrics: finished and not excluded."

[tests]
not_null = ["workspace", "conversation_id", "turn_index", "metric", "start_date", "is_repeat", "is_finished", "is_counted"]
references = { conversation_id = "marts.fct_conversations.conversation_id" }
same_count_as = "staging.stg_turn_metrics"
*/
with turn_metrics as (
    select * from staging.stg_turn_metrics
),

flags as (
    select * from intermediate.int_conversation_flags
),

final as (
    select
        turn_metrics.workspace,
        turn_metrics.conversation_id,
        turn_metrics.turn_index,
        turn_metrics.metric,
        turn_metrics.start_date,
        flags.agent_id,
        flags.version_id,
        turn_metrics.elapsed_secs,
        turn_metrics.is_repeat,
        coalesce(flags.is_finished, false) as is_finished,
        coalesce(flags.is_counted, false) as is_counted
    from turn_metrics
    left join flags
        on turn_metrics.workspace = flags.workspace and turn_metrics.conversation_id = flags.conversation_id
)

select * from final

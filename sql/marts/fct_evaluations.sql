/*
description = "Verdicts on evaluation criteria: one row per conversation and criterion."
grain = ["conversation_id", "criteria_id"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversation belongs to."
conversation_id = "Id of the conversation."
criteria_id = "Criterion."
start_date = "UTC day on which the conversation started."
agent_id = "Agent that the conversation was started with."
version_id = "Version of the agent that answered."
result = "success, failure or unknown; open text."
rationale = "Why."
scoring_mode = "How it is scored; null on older conversations."
score = "Score, in points of the criterion."
max_score = "Best possible score, in points of the criterion."
is_finished = "Whether the conversation is done or failed."
is_counted = "Whether the conversation counts in the metrics: finished and not excluded."

[tests]
not_null = ["workspace", "conversation_id", "criteria_id", "start_date", "is_finished", "is_counted"]
references = { conversation_id = "marts.fct_conversations.conversation_id" }
same_count_as = "staging.stg_evaluation_results"
*/
with evaluations as (
    select * from staging.stg_evaluation_results
),

flags as (
    select * from intermediate.int_conversation_flags
),

final as (
    select
        evaluations.workspace,
        evaluations.conversation_id,
        evaluations.criteria_id,
        evaluations.start_date,
        flags.agent_id,
        flags.version_id,
        evaluations.result,
        evaluations.rationale,
        evaluations.scoring_mode,
        evaluations.score,
        evaluations.max_score,
        coalesce(flags.is_finished, false) as is_finished,
        coalesce(flags.is_counted, false) as is_counted
    from evaluations
    left join flags on evaluations.workspace = flags.workspace and evaluations.conversation_id = flags.conversation_id
)

select * from final

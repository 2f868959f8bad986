/*
description = "Verdicts on evaluation criteria: one row per conversation and criterion."
grain = ["conversation_id", "criteria_id"]

[columns]
conversation_id = "Id of the conversation."
criteria_id = "Criterion."
start_date = "UTC day on which the conversation started."
agent_id = "Agent that the call was started with."
version_id = "Version of the agent that answered."
result = "success, failure or unknown; open text."
rationale = "Why."
scoring_mode = "How it is scored; null on older calls."
score = "Score, in points of the criterion."
max_score = "Best possible score, in points of the criterion."
is_finished = "Whether the call is done or failed."

[tests]
not_null = ["conversation_id", "criteria_id", "start_date", "is_finished"]
references = { conversation_id = "marts.fct_conversations.conversation_id" }
same_count_as = "staging.stg_evaluation_results"
*/
with evaluations as (
    select * from staging.stg_evaluation_results
),

conversations as (
    select * from staging.stg_conversations
),

final as (
    select
        evaluations.conversation_id,
        evaluations.criteria_id,
        evaluations.start_date,
        conversations.agent_id,
        conversations.version_id,
        evaluations.result,
        evaluations.rationale,
        evaluations.scoring_mode,
        evaluations.score,
        evaluations.max_score,
        coalesce(conversations.status in ('done', 'failed'), false) as is_finished
    from evaluations
    left join conversations on evaluations.conversation_id = conversations.conversation_id
)

select * from final

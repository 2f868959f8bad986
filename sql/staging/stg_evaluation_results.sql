/*
description = "Lake table evaluation_results, its columns named for people: one row per evaluation criterion."
grain = ["conversation_id", "criteria_id"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
criteria_id = "Criterion: the key of the map."
result = "success, failure or unknown."
rationale = "Why."
scoring_mode = "How it is scored; today's API."
score = "Score; today's API."
max_score = "Best possible score; today's API."
extra = "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none."
*/
with source as (
    select * from lake.evaluation_results
),

final as (
    select
        conversation_id,
        start_date,
        criteria_id,
        result,
        rationale,
        scoring_mode,
        score,
        max_score,
        extra
    from source
)

select * from final

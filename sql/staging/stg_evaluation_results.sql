/*
description = "Lake table evaluation_results, with readable column names: one row per evaluation criterion, and of each scope of the analysis."
grain = ["conversation_id", "scope_index", "criteria_id"]
inherits_columns_from = "lake.evaluation_results"
*/
with source as (
    select * from lake.evaluation_results
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        scope_index,
        criteria_id,
        scope,
        source_agent_id,
        source_branch_id,
        inner_criteria_id,
        result,
        rationale,
        scoring_mode,
        score,
        max_score,
        extra
    from source
)

select * from final

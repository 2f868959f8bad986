/*
description = "Lake table scoped_analyses, with readable column names: one row per scope of the analysis of a conversation."
grain = ["conversation_id", "scope_index"]
inherits_columns_from = "lake.scoped_analyses"
*/
with source as (
    select * from lake.scoped_analyses
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        scope_index,
        scope,
        source_agent_id,
        source_branch_id,
        successful,
        success_score,
        extra
    from source
)

select * from final

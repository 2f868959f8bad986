/*
description = "Verdicts on evaluation criteria: of the conversation and of each scope of its analysis: one row per conversation, scope and criterion."
grain = ["conversation_id", "scope_index", "criteria_id"]
incremental_by = "start_date"
inherits_columns_from = "intermediate.int_conversation_flags"

[columns]
scope_index = "-1 for the analysis of the conversation; else the position of the scope, which overlaps it."
criteria_id = "Criterion."
scope = "conversation (the full transcript) or agent (where the agent of the scope was active); null for the analysis of the conversation."
source_agent_id = "Agent whose criteria and fields the scope has; null for the analysis of the conversation."
source_branch_id = "Branch of that agent."
is_main = "Whether metrics count the verdict: that of the analysis of the conversation, else, of a criterion that only scopes have, that of the first scope."
result = "success, failure or unknown; open text."
rationale = "Why."
scoring_mode = "How it is scored; null on older conversations."
score = "Score, in points of the criterion."
max_score = "Best possible score, in points of the criterion."

[tests]
not_null = ["workspace", "conversation_id", "scope_index", "criteria_id", "start_date", "is_main", "is_finished", "is_counted"]
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
        evaluations.scope_index,
        evaluations.criteria_id,
        evaluations.start_date,
        evaluations.scope,
        evaluations.source_agent_id,
        evaluations.source_branch_id,
        flags.agent_id,
        flags.agent_name,
        flags.version_id,
        row_number() over (
            partition by evaluations.workspace, evaluations.conversation_id, evaluations.criteria_id
            order by evaluations.scope_index
        ) = 1 as is_main,
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

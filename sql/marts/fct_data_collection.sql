/*
description = """Fields collected from the conversation, filled or not, and once more from each scope of the analysis: one row per conversation, scope and field. A redaction leaves \
<redacted> where a value was, so a field of a deleted conversation still counts as filled."""
grain = ["conversation_id", "scope_index", "data_collection_id"]
incremental_by = "start_date"
inherits_columns_from = "intermediate.int_conversation_flags"

[columns]
scope_index = "-1 for the analysis of the conversation; else the position of the scope, which overlaps it."
data_collection_id = "Field."
scope = "conversation (the full transcript) or agent (where the agent of the scope was active); null for the analysis of the conversation."
source_agent_id = "Agent whose criteria and fields the scope has; null for the analysis of the conversation."
source_branch_id = "Branch of that agent."
is_main = "Whether metrics count the value: that of the analysis of the conversation, else, of a field that only scopes have, that of the first scope."
declared_type = "Type asked for: string, boolean, integer or number; JSON where several; null when not reported."
value = "The value as JSON text; null when it was null."
value_text = "The value where it is a text."
value_number = "The value where it is a number."
value_bool = "The value where it is a boolean."
is_filled = "Whether there is a value: neither null nor blank text nor an empty list or object."
is_of_declared_type = "Whether a filled value has the type asked for; null when not filled, redacted, or of a type that is none of the four."
rationale = "Why."

[tests]
not_null = ["workspace", "conversation_id", "scope_index", "data_collection_id", "start_date", "is_main", "is_filled", "is_finished", "is_counted"]
references = { conversation_id = "marts.fct_conversations.conversation_id" }
same_count_as = "staging.stg_data_collection_results"
*/
with collected as (
    select * from staging.stg_data_collection_results
),

flags as (
    select * from intermediate.int_conversation_flags
),

judged as (
    select
        *,
        coalesce(value not in ('null', '[]', '{}') and coalesce(trim(value_text) <> '', true), false) as is_filled
    from collected
),

final as (
    select
        judged.workspace,
        judged.conversation_id,
        judged.scope_index,
        judged.data_collection_id,
        judged.start_date,
        judged.scope,
        judged.source_agent_id,
        judged.source_branch_id,
        flags.agent_id,
        flags.agent_name,
        flags.version_id,
        row_number() over (
            partition by judged.workspace, judged.conversation_id, judged.data_collection_id order by judged.scope_index
        ) = 1 as is_main,
        judged.json_schema_type as declared_type,
        judged.value,
        judged.value_text,
        judged.value_number,
        judged.value_bool,
        judged.is_filled,
        case
            when not judged.is_filled or coalesce(judged.value_text = '<redacted>', false) then null
            when judged.json_schema_type = 'string' then judged.value_text is not null
            when judged.json_schema_type = 'boolean' then judged.value_bool is not null
            when judged.json_schema_type = 'number' then judged.value_number is not null
            when judged.json_schema_type = 'integer'
                then coalesce(judged.value_number = floor(judged.value_number), false)
        end as is_of_declared_type,
        judged.rationale,
        coalesce(flags.is_finished, false) as is_finished,
        coalesce(flags.is_counted, false) as is_counted
    from judged
    left join flags on judged.workspace = flags.workspace and judged.conversation_id = flags.conversation_id
)

select * from final

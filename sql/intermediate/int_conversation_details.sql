/*
description = "What the small tables of a conversation add up to: one row per conversation that has a tag, a model, a criterion or an agent that it visited."
grain = ["conversation_id"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversation belongs to."
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
tags = "Titles of its tags in the order of the alphabet, a comma and a space between them; the id of a tag without a title."
main_llm = "Language model that cost most, else that used most tokens; null when no usage is reported."
n_failed_criteria = "Evaluation criteria that the conversation did not meet, by the verdicts that metrics count."
n_agents = "Different agents that the conversation visited."
*/
with tags as (
    select * from staging.stg_tags
),

tag_definitions as (
    select * from staging.stg_tag_definitions
),

llm_usage as (
    select * from marts.fct_llm_usage
),

evaluations as (
    select * from marts.fct_evaluations
),

visited_agents as (
    select * from staging.stg_visited_agents
),

titled_tags as (
    select
        tags.workspace,
        tags.conversation_id,
        tags.start_date,
        coalesce(nullif(trim(tag_definitions.title), ''), tags.tag_id) as tag
    from tags
    left join tag_definitions
        on tags.workspace = tag_definitions.workspace and tags.tag_id = tag_definitions.tag_id
),

models as (
    select
        workspace,
        conversation_id,
        start_date,
        model
    from llm_usage
    where is_total
    qualify
        row_number() over (
            partition by workspace, conversation_id
            order by
                coalesce(llm_cost_usd, 0) desc,
                input_tokens + input_cache_read_tokens + input_cache_write_tokens + output_tokens + other_tokens desc,
                model
        ) = 1
),

details as (
    select
        workspace,
        conversation_id,
        start_date,
        tag,
        null as model,
        null as failed_criteria,
        null as agent_id
    from titled_tags
    union all
    select
        workspace,
        conversation_id,
        start_date,
        null as tag,
        model,
        null as failed_criteria,
        null as agent_id
    from models
    union all
    select
        workspace,
        conversation_id,
        start_date,
        null as tag,
        null as model,
        case when result = 'failure' then criteria_id end as failed_criteria,
        null as agent_id
    from evaluations
    where is_main
    union all
    select
        workspace,
        conversation_id,
        start_date,
        null as tag,
        null as model,
        null as failed_criteria,
        agent_id
    from visited_agents
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        nullif(array_to_string(list_sort(list(distinct tag) filter (where tag is not null)), ', '), '') as tags,
        max(model) as main_llm,
        count(failed_criteria) as n_failed_criteria,
        count(distinct agent_id) as n_agents
    from details
    group by all
)

select * from final

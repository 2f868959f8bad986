/*
description = """How conversations sounded: one row per workspace, UTC day, agent and label that the API's sentiment analysis gives, over \
conversations that count. Conversations without an analysis are in no row but count in \
the coverage."""
grain = ["workspace", "start_date", "agent_id", "sentiment"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started."
agent_id = "Agent that the conversations were started with."
agent_name = "Latest name of the agent; null when the API never reported one."
sentiment = "positive, neutral or negative, in the API's word; open text."
n_calls = "Finished conversations with the label."
n_labelled = "Finished conversations of the agent's day with any label: the n of the rate."
sentiment_rate = "Conversations with the label among those with any."
sentiment_coverage = "Conversations with any label among the finished ones of the agent's day."

[tests]
not_null = ["workspace", "start_date", "sentiment", "n_calls", "n_labelled", "sentiment_rate", "sentiment_coverage"]
references = { agent_id = "marts.dim_agents.agent_id" }

[metrics.sentiment_rate]
name = "Sentiment"
numerator = "n_calls: conversations with the label"
denominator = "n_labelled: conversations with any label"
null_when = "never null; a label that no conversation has has no row"
direction = "neither"

[metrics.sentiment_coverage]
name = "Sentiment coverage"
numerator = "n_labelled"
denominator = "finished conversations of the agent's day"
null_when = "never null"
direction = "high"
*/
with conversations as (
    select * from marts.fct_conversations
),

agent_names as (
    select * from intermediate.int_agent_names
),

labelled as (
    select
        workspace,
        start_date,
        agent_id,
        sentiment_label as sentiment,
        count(*) as n_calls
    from conversations
    where is_counted
    group by all
),

days as (
    select
        *,
        sum(n_calls) over (partition by workspace, start_date, agent_id) as n_day_calls,
        sum(n_calls) filter (where sentiment is not null) over (partition by workspace, start_date, agent_id)
            as n_labelled
    from labelled
),

final as (
    select
        days.workspace,
        days.start_date,
        days.agent_id,
        agent_names.agent_name,
        days.sentiment,
        days.n_calls,
        cast(days.n_labelled as bigint) as n_labelled,
        days.n_calls / days.n_labelled as sentiment_rate,
        days.n_labelled / days.n_day_calls as sentiment_coverage
    from days
    left join agent_names on days.workspace = agent_names.workspace and days.agent_id = agent_names.agent_id
    where days.sentiment is not null
)

select * from final

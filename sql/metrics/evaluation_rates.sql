/*
description = """A criterion's day: one row per workspace, UTC day, agent and evaluation criterion, over finished \
conversations that count and were evaluated by the criterion. A verdict that is neither \
success nor failure counts as unknown, and success_coverage says how many are not."""
grain = ["workspace", "start_date", "agent_id", "criteria_id"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started."
agent_id = "Agent that the conversations were started with."
agent_name = "Latest name of the agent; null when the API never reported one."
criteria_id = "Criterion."
n_calls = "Finished conversations that were evaluated by the criterion."
n_success = "Conversations that met it."
n_failure = "Conversations that did not meet it."
n_unknown = "Conversations with another verdict."
success_rate = "Conversations that met it, among those that met it or did not."
success_coverage = "Conversations that met it or did not, among those evaluated by it."
n_scored = "Conversations with a score and a best possible score; 0 where the criterion gives none."
score_share = "Points reached among the points possible, over the conversations scored, share of 1."

[tests]
not_null = ["workspace", "start_date", "criteria_id", "n_calls", "n_success", "n_failure", "n_unknown", "success_coverage", "n_scored"]
references = { agent_id = "marts.dim_agents.agent_id" }

[metrics.success_rate]
name = "Success rate of a criterion"
numerator = "n_success"
denominator = "n_success + n_failure"
null_when = "null when no conversation got a verdict"
direction = "high"
differs_from_vendor = "Conversations judged unknown are not in the denominator; success_coverage says how many were judged."

[metrics.success_coverage]
name = "Coverage of a criterion"
numerator = "n_success + n_failure"
denominator = "n_calls: finished conversations evaluated by the criterion"
null_when = "never null"
direction = "high"

[metrics.score_share]
name = "Score of a criterion"
numerator = "sum of the scores"
denominator = "sum of the best possible scores of the same conversations"
null_when = "null when no conversation was scored"
direction = "high"
differs_from_vendor = "Points are added before dividing, so that a conversation with more points possible weighs more."
*/
with agent_names as (
    select * from intermediate.int_agent_names
),

evaluations as (
    select * from marts.fct_evaluations
),

counted as (
    select
        workspace,
        start_date,
        agent_id,
        criteria_id,
        count(*) as n_calls,
        count(*) filter (where result = 'success') as n_success,
        count(*) filter (where result = 'failure') as n_failure,
        count(*) filter (where score is not null and max_score is not null) as n_scored,
        cast(sum(cast(score as decimal(38, 12))) filter (where max_score is not null) as double) as points,
        cast(sum(cast(max_score as decimal(38, 12))) filter (where score is not null) as double) as max_points
    from evaluations
    where is_counted and is_main
    group by all
),

final as (
    select
        workspace,
        start_date,
        agent_id,
        agent_name,
        criteria_id,
        n_calls,
        n_success,
        n_failure,
        n_calls - n_success - n_failure as n_unknown,
        n_success / nullif(n_success + n_failure, 0) as success_rate,
        (n_success + n_failure) / n_calls as success_coverage,
        n_scored,
        points / nullif(max_points, 0) as score_share
    from counted
    left join agent_names using (workspace, agent_id)
)

select * from final

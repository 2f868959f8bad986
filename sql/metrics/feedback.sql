/*
description = """What users said of the conversations: one row per workspace, UTC day and agent with conversations that count. \
Feedback of a deleted conversation stays."""
grain = ["workspace", "start_date", "agent_id"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started."
agent_id = "Agent that the conversations were started with."
agent_name = "Latest name of the agent; null when the API never reported one."
n_calls = "Finished conversations (done or failed)."
n_ratings = "Conversations with a rating."
rating_coverage = "Conversations with a rating among the finished ones."
rating = "Mean rating, in the points of the rating scale."
likes = "Thumbs up, a count."
dislikes = "Thumbs down, a count."
like_rate = "Thumbs up among all thumbs."
n_comments = "Conversations with a comment."

[tests]
not_null = ["workspace", "start_date", "n_calls", "n_ratings", "likes", "dislikes", "n_comments"]
references = { agent_id = "marts.dim_agents.agent_id" }

[metrics.rating]
name = "Rating"
unit = "points"
numerator = "sum of ratings"
denominator = "n_ratings"
null_when = "null without ratings"
direction = "high"
differs_from_vendor = "Conversations deleted at the vendor are kept."

[metrics.rating_coverage]
name = "Rating coverage"
numerator = "n_ratings"
denominator = "n_calls"
null_when = "never null"
direction = "high"

[metrics.like_rate]
name = "Thumbs up"
numerator = "likes"
denominator = "likes + dislikes"
null_when = "null without thumbs"
direction = "high"
differs_from_vendor = "A conversation can carry several thumbs; each counts."

[metrics.n_comments]
name = "Comments"
numerator = "conversations with a comment that is not empty"
null_when = "never null"
direction = "neither"
*/
with agent_names as (
    select * from intermediate.int_agent_names
),

conversations as (
    select * from marts.fct_conversations
),

counted as (
    select
        workspace,
        start_date,
        agent_id,
        count(*) as n_calls,
        count(rating) as n_ratings,
        cast(sum(rating) as bigint) as rating_points,
        cast(coalesce(sum(likes), 0) as bigint) as likes,
        cast(coalesce(sum(dislikes), 0) as bigint) as dislikes,
        count(*) filter (where has_feedback_comment) as n_comments
    from conversations
    where is_counted
    group by all
),

final as (
    select
        workspace,
        start_date,
        agent_id,
        agent_name,
        n_calls,
        n_ratings,
        n_ratings / n_calls as rating_coverage,
        rating_points / nullif(n_ratings, 0) as rating,
        likes,
        dislikes,
        likes / nullif(likes + dislikes, 0) as like_rate,
        n_comments
    from counted
    left join agent_names using (workspace, agent_id)
)

select * from final

/*
description = """Use of the knowledge base: one row per workspace, UTC day and agent with conversations that count, \
those without a retrieval included. Distances are those of the API: the \
smaller, the nearer a chunk is to the query."""
grain = ["workspace", "start_date", "agent_id"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started."
agent_id = "Agent that the conversations were started with."
agent_name = "Latest name of the agent; null when the API never reported one."
n_calls = "Finished conversations (done or failed)."
n_retrieving_calls = "Finished conversations with a retrieval."
retrieval_rate = "Conversations with a retrieval among the finished ones."
n_retrievals = "Retrievals: transcript entries that hold one."
retrievals_per_call = "Retrievals per finished conversation, a count."
n_empty = "Retrievals that found no chunk."
empty_rate = "Retrievals that found no chunk among all."
n_latencies = "Retrievals with a latency: the n of the percentiles."
latency_p50_secs = "Median latency of a retrieval."
latency_p95_secs = "95th percentile of the latency of a retrieval."
n_distances = "Retrievals with a best distance: the n of its mean."
mean_best_distance = "Mean distance of the nearest chunk, over retrievals; a distance without a unit."
n_chunks = "Chunks found by retrievals that report which chunks were used."
n_chunks_used = "Chunks used by these; null when none reports it."
chunk_use_share = "Chunks used among those found, over retrievals that report it, share of 1; above it where the API reports more used than found."

[tests]
not_null = ["workspace", "start_date", "n_calls", "n_retrieving_calls", "retrieval_rate", "n_retrievals", "retrievals_per_call", "n_empty", "n_latencies", "n_distances", "n_chunks"]
references = { agent_id = "marts.dim_agents.agent_id" }

[metrics.retrieval_rate]
name = "Conversations with a retrieval"
numerator = "n_retrieving_calls"
denominator = "n_calls"
null_when = "never null"
direction = "neither"

[metrics.retrievals_per_call]
name = "Retrievals per conversation"
unit = "retrievals per conversation"
numerator = "n_retrievals: transcript entries that hold one"
denominator = "n_calls"
null_when = "never null; 0 without retrievals"
direction = "neither"
differs_from_vendor = "Counted in the transcript; the API's own count is in fct_conversations.n_rag_retrievals."

[metrics.empty_rate]
name = "Empty retrievals"
numerator = "n_empty: retrievals without a chunk"
denominator = "n_retrievals"
null_when = "null without retrievals"
direction = "low"

[metrics.latency_p50_secs]
name = "Retrieval latency, median"
numerator = "median latency of retrievals, exact and interpolated"
null_when = "null without latencies"
direction = "low"
differs_from_vendor = "A percentile and no mean."

[metrics.latency_p95_secs]
name = "Retrieval latency, 95th percentile"
numerator = "95th percentile of the latency of retrievals, exact and interpolated"
null_when = "null without latencies"
direction = "low"
differs_from_vendor = "A percentile and no mean."

[metrics.mean_best_distance]
name = "Mean best distance"
unit = "distance"
numerator = "sum of the smallest vector distance of each retrieval"
denominator = "n_distances"
null_when = "null without distances"
direction = "low"
differs_from_vendor = "No counterpart known. Compare it only within one embedding model."

[metrics.chunk_use_share]
name = "Chunks used"
numerator = "n_chunks_used"
denominator = "n_chunks, of the retrievals that report which were used"
null_when = "null when no retrieval reports it, as on older conversations, or none of them found a chunk"
direction = "high"
*/
with agent_names as (
    select * from intermediate.int_agent_names
),

conversations as (
    select * from marts.fct_conversations
),

retrievals as (
    select * from marts.fct_rag_retrievals
),

days as (
    select
        workspace,
        start_date,
        agent_id,
        count(*) as n_calls
    from conversations
    where is_counted
    group by all
),

retrieved as (
    select
        workspace,
        start_date,
        agent_id,
        count(distinct conversation_id) as n_retrieving_calls,
        count(*) as n_retrievals,
        count(*) filter (where n_chunks = 0) as n_empty,
        count(latency_secs) as n_latencies,
        quantile_cont(latency_secs, 0.5) as latency_p50_secs,
        quantile_cont(latency_secs, 0.95) as latency_p95_secs,
        count(best_distance) as n_distances,
        cast(sum(cast(best_distance as decimal(38, 12))) as double) as best_distances,
        cast(sum(n_chunks) filter (where n_chunks_used is not null) as bigint) as n_chunks,
        cast(sum(n_chunks_used) as bigint) as n_chunks_used
    from retrievals
    where is_counted
    group by all
),

final as (
    select
        days.workspace,
        days.start_date,
        days.agent_id,
        agent_names.agent_name,
        days.n_calls,
        coalesce(retrieved.n_retrieving_calls, 0) as n_retrieving_calls,
        coalesce(retrieved.n_retrieving_calls, 0) / days.n_calls as retrieval_rate,
        coalesce(retrieved.n_retrievals, 0) as n_retrievals,
        coalesce(retrieved.n_retrievals, 0) / days.n_calls as retrievals_per_call,
        coalesce(retrieved.n_empty, 0) as n_empty,
        retrieved.n_empty / retrieved.n_retrievals as empty_rate,
        coalesce(retrieved.n_latencies, 0) as n_latencies,
        retrieved.latency_p50_secs,
        retrieved.latency_p95_secs,
        coalesce(retrieved.n_distances, 0) as n_distances,
        retrieved.best_distances / nullif(retrieved.n_distances, 0) as mean_best_distance,
        coalesce(retrieved.n_chunks, 0) as n_chunks,
        retrieved.n_chunks_used,
        retrieved.n_chunks_used / nullif(retrieved.n_chunks, 0) as chunk_use_share
    from days
    left join agent_names
        on days.workspace = agent_names.workspace and days.agent_id = agent_names.agent_id
    left join retrieved
        on
            days.workspace = retrieved.workspace
            and days.start_date = retrieved.start_date
            and days.agent_id is not distinct from retrieved.agent_id
)

select * from final

/*
description = """Where the time of an answer goes: one row per workspace, UTC day, agent and metric of the API, over \
the transcript entries of conversations that count. A timing that an entry \
only repeats does not count twice, and the greeting has no wait. Percentiles are over entries, exact and interpolated."""
grain = ["workspace", "start_date", "agent_id", "metric"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started."
agent_id = "Agent that the conversations were started with."
agent_name = "Latest name of the agent; null when the API never reported one."
metric = "What was timed, in the API's word, such as convai_llm_service_ttfb; open text."
n_calls = "Finished conversations with such a timing."
n_latencies = "Entries with such a timing: the n of the percentiles."
latency_p50_secs = "Median over entries."
latency_p90_secs = "90th percentile over entries."
latency_p95_secs = "95th percentile over entries."
latency_p99_secs = "99th percentile over entries."

[tests]
not_null = ["workspace", "start_date", "metric", "n_calls", "n_latencies", "latency_p50_secs", "latency_p90_secs", "latency_p95_secs", "latency_p99_secs"]
references = { agent_id = "marts.dim_agents.agent_id" }

[metrics.n_latencies]
name = "Timings of a stage"
numerator = "transcript entries of finished conversations with a timing of the stage, repeats dropped"
null_when = "never null; a stage without a timing has no row"
direction = "neither"

[metrics.latency_p50_secs]
name = "Stage latency, median"
numerator = "median of the timings of entries, exact and interpolated"
null_when = "never null; a stage without a timing has no row"
direction = "low"
differs_from_vendor = "Over entries and not over conversations; the repeat on a tool entry does not count twice."

[metrics.latency_p90_secs]
name = "Stage latency, 90th percentile"
numerator = "90th percentile of the timings of entries, exact and interpolated"
null_when = "never null; a stage without a timing has no row"
direction = "low"
differs_from_vendor = "As the median."

[metrics.latency_p95_secs]
name = "Stage latency, 95th percentile"
numerator = "95th percentile of the timings of entries, exact and interpolated"
null_when = "never null; a stage without a timing has no row"
direction = "low"
differs_from_vendor = "As the median."

[metrics.latency_p99_secs]
name = "Stage latency, 99th percentile"
numerator = "99th percentile of the timings of entries, exact and interpolated"
null_when = "never null; a stage without a timing has no row"
direction = "low"
differs_from_vendor = "As the median."
*/
with latencies as (
    select * from marts.fct_turn_latency
),

final as (
    select
        workspace,
        start_date,
        agent_id,
        agent_name,
        metric,
        count(distinct conversation_id) as n_calls,
        count(*) as n_latencies,
        quantile_cont(elapsed_secs, 0.5) as latency_p50_secs,
        quantile_cont(elapsed_secs, 0.9) as latency_p90_secs,
        quantile_cont(elapsed_secs, 0.95) as latency_p95_secs,
        quantile_cont(elapsed_secs, 0.99) as latency_p99_secs
    from latencies
    where is_counted and is_measured
    group by all
)

select * from final

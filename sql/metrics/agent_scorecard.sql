/*
description = """An agent's week, and how it differs from the week before: one row per workspace, week and agent that \
conversations were started with. Weeks are those of ISO 8601, Monday to Sunday, UTC. The measures are those of \
metrics.agent_daily, computed again from the conversations and entries of the week and never averaged from days. A change is \
this week's value less that of the week before, in the unit of the measure; null when the agent had no conversation that week \
or either value is null. A week that is not over yet is compared with a whole one: is_over says so."""
grain = ["workspace", "week_start_date", "agent_id"]
inherits_metrics_from = "metrics.agent_daily"

[columns]
week_start_date = "Monday of the week in which the conversations started."
is_over = "Whether the workspace has a conversation on a later day than the week's Sunday."
n_calls_change = "Conversations: less that of the week before."
n_open_change = "Open conversations: less that of the week before."
call_minutes_change = "Minutes: less that of the week before, in minutes."
success_rate_change = "Success rate: less that of the week before, share of 1."
success_coverage_change = "Success coverage: less that of the week before, share of 1."
cost_credits_change = "Cost: less that of the week before, in credits."
cost_usd_change = "Cost in US dollars: less that of the week before, in US dollars."
cost_usd_coverage_change = "Cost coverage: less that of the week before, share of 1."
cost_usd_per_call_change = "Cost per conversation: less that of the week before, in US dollars per conversation."
cost_usd_per_minute_change = "Cost per minute: less that of the week before, in US dollars per minute."
cost_usd_per_success_change = "Cost per successful conversation: less that of the week before, in US dollars per successful conversation."
llm_cost_usd_change = "LLM cost: less that of the week before, in US dollars."
interruption_rate_change = "Interruptions per agent turn: less that of the week before, share of 1."
transfer_rate_change = "Transfer rate: less that of the week before, share of 1."
containment_rate_change = "Containment rate: less that of the week before, share of 1."
voicemail_rate_change = "Voicemail rate: less that of the week before, share of 1."
error_rate_change = "Error rate: less that of the week before, share of 1."
abandonment_rate_change = "Abandonment rate: less that of the week before, share of 1."
rating_change = "Rating: less that of the week before, in points."
wait_p50_secs_change = "Wait, median: less that of the week before, in seconds."
wait_p90_secs_change = "Wait, 90th percentile: less that of the week before, in seconds."
wait_p95_secs_change = "Wait, 95th percentile: less that of the week before, in seconds."
wait_p99_secs_change = "Wait, 99th percentile: less that of the week before, in seconds."

[tests]
not_null = ["workspace", "week_start_date", "is_over", "n_calls", "n_open", "n_success", "n_failure", "n_unknown", "call_minutes", "n_waits"]
references = { agent_id = "marts.dim_agents.agent_id" }
*/
with conversations as (
    select * from marts.fct_conversations
),

turns as (
    select * from marts.fct_turns
),

counted_conversations as (
    select
        *,
        cast(date_trunc('week', start_date) as date) as week_start_date
    from conversations
    where not is_excluded
),

finished as (
    select
        workspace,
        week_start_date,
        agent_id,
        count(*) as n_calls,
        count(*) filter (where is_deleted) as n_deleted,
        cast(coalesce(sum(call_duration_secs), 0) as bigint) as call_secs,
        count(*) filter (where call_successful = 'success') as n_success,
        count(*) filter (where call_successful = 'failure') as n_failure,
        cast(sum(cost_credits) as bigint) as cost_credits,
        cast(sum(cast(cost_usd as decimal(38, 12))) as double) as cost_usd,
        count(cost_usd) as n_priced,
        cast(sum(cast(llm_cost_usd as decimal(38, 12))) as double) as llm_cost_usd,
        cast(sum(n_agent_turns) as bigint) as n_agent_turns,
        cast(sum(n_interruptions) as bigint) as n_interruptions,
        count(*) filter (where is_transferred_to_agent or is_transferred_to_human) as n_transferred,
        count(*) filter (where is_transferred_to_agent) as n_transferred_to_agent,
        count(*) filter (where is_transferred_to_human) as n_transferred_to_human,
        count(*) filter (where is_contained) as n_contained,
        count(*) filter (where is_voicemail) as n_voicemail,
        count(*) filter (where is_error) as n_errors,
        count(*) filter (where is_abandoned) as n_abandoned,
        count(rating) as n_ratings,
        cast(sum(rating) as bigint) as rating_points,
        cast(coalesce(sum(likes), 0) as bigint) as likes,
        cast(coalesce(sum(dislikes), 0) as bigint) as dislikes
    from counted_conversations
    where is_counted
    group by all
),

windows as (
    select
        workspace,
        week_start_date,
        agent_id,
        count(*) filter (where not is_finished) as n_open
    from counted_conversations
    group by all
),

entries as (
    select
        workspace,
        agent_id,
        wait_secs,
        cast(date_trunc('week', start_date) as date) as week_start_date
    from turns
    where is_counted
),

waits as (
    select
        workspace,
        week_start_date,
        agent_id,
        count(wait_secs) as n_waits,
        quantile_cont(wait_secs, 0.5) as wait_p50_secs,
        quantile_cont(wait_secs, 0.9) as wait_p90_secs,
        quantile_cont(wait_secs, 0.95) as wait_p95_secs,
        quantile_cont(wait_secs, 0.99) as wait_p99_secs
    from entries
    group by all
),

weeks as (
    select
        windows.workspace,
        windows.week_start_date,
        windows.agent_id,
        coalesce(finished.n_calls, 0) as n_calls,
        windows.n_open,
        coalesce(finished.n_deleted, 0) as n_deleted,
        coalesce(finished.call_secs, 0) / 60 as call_minutes,
        coalesce(finished.n_success, 0) as n_success,
        coalesce(finished.n_failure, 0) as n_failure,
        coalesce(finished.n_calls - finished.n_success - finished.n_failure, 0) as n_unknown,
        finished.n_success / nullif(finished.n_success + finished.n_failure, 0) as success_rate,
        (finished.n_success + finished.n_failure) / finished.n_calls as success_coverage,
        finished.cost_credits,
        finished.cost_usd,
        finished.n_priced / finished.n_calls as cost_usd_coverage,
        finished.cost_usd / finished.n_calls as cost_usd_per_call,
        finished.cost_usd / (nullif(finished.call_secs, 0) / 60) as cost_usd_per_minute,
        finished.cost_usd / nullif(finished.n_success, 0) as cost_usd_per_success,
        finished.llm_cost_usd,
        coalesce(finished.n_agent_turns, 0) as n_agent_turns,
        coalesce(finished.n_interruptions, 0) as n_interruptions,
        finished.n_interruptions / nullif(finished.n_agent_turns, 0) as interruption_rate,
        coalesce(finished.n_transferred, 0) as n_transferred,
        coalesce(finished.n_transferred_to_agent, 0) as n_transferred_to_agent,
        coalesce(finished.n_transferred_to_human, 0) as n_transferred_to_human,
        finished.n_transferred / finished.n_calls as transfer_rate,
        coalesce(finished.n_contained, 0) as n_contained,
        finished.n_contained / finished.n_calls as containment_rate,
        coalesce(finished.n_voicemail, 0) as n_voicemail,
        finished.n_voicemail / finished.n_calls as voicemail_rate,
        coalesce(finished.n_errors, 0) as n_errors,
        finished.n_errors / finished.n_calls as error_rate,
        coalesce(finished.n_abandoned, 0) as n_abandoned,
        finished.n_abandoned / finished.n_calls as abandonment_rate,
        coalesce(finished.n_ratings, 0) as n_ratings,
        finished.rating_points / nullif(finished.n_ratings, 0) as rating,
        coalesce(finished.likes, 0) as likes,
        coalesce(finished.dislikes, 0) as dislikes,
        coalesce(waits.n_waits, 0) as n_waits,
        waits.wait_p50_secs,
        waits.wait_p90_secs,
        waits.wait_p95_secs,
        waits.wait_p99_secs
    from windows
    left join finished
        on
            windows.workspace = finished.workspace
            and windows.week_start_date = finished.week_start_date
            and windows.agent_id is not distinct from finished.agent_id
    left join waits
        on
            windows.workspace = waits.workspace
            and windows.week_start_date = waits.week_start_date
            and windows.agent_id is not distinct from waits.agent_id
),

coverage as (
    select
        workspace,
        max(start_date) as newest_date
    from conversations
    group by all
),

final as (
    select
        weeks.workspace,
        weeks.week_start_date,
        weeks.agent_id,
        coverage.newest_date >= weeks.week_start_date + interval 7 day as is_over,
        weeks.n_calls,
        weeks.n_open,
        weeks.n_deleted,
        weeks.call_minutes,
        weeks.n_success,
        weeks.n_failure,
        weeks.n_unknown,
        weeks.success_rate,
        weeks.success_coverage,
        weeks.cost_credits,
        weeks.cost_usd,
        weeks.cost_usd_coverage,
        weeks.cost_usd_per_call,
        weeks.cost_usd_per_minute,
        weeks.cost_usd_per_success,
        weeks.llm_cost_usd,
        weeks.n_agent_turns,
        weeks.n_interruptions,
        weeks.interruption_rate,
        weeks.n_transferred,
        weeks.n_transferred_to_agent,
        weeks.n_transferred_to_human,
        weeks.transfer_rate,
        weeks.n_contained,
        weeks.containment_rate,
        weeks.n_voicemail,
        weeks.voicemail_rate,
        weeks.n_errors,
        weeks.error_rate,
        weeks.n_abandoned,
        weeks.abandonment_rate,
        weeks.n_ratings,
        weeks.rating,
        weeks.likes,
        weeks.dislikes,
        weeks.n_waits,
        weeks.wait_p50_secs,
        weeks.wait_p90_secs,
        weeks.wait_p95_secs,
        weeks.wait_p99_secs,
        weeks.n_calls - before.n_calls as n_calls_change,
        weeks.n_open - before.n_open as n_open_change,
        weeks.call_minutes - before.call_minutes as call_minutes_change,
        weeks.success_rate - before.success_rate as success_rate_change,
        weeks.success_coverage - before.success_coverage as success_coverage_change,
        weeks.cost_credits - before.cost_credits as cost_credits_change,
        weeks.cost_usd - before.cost_usd as cost_usd_change,
        weeks.cost_usd_coverage - before.cost_usd_coverage as cost_usd_coverage_change,
        weeks.cost_usd_per_call - before.cost_usd_per_call as cost_usd_per_call_change,
        weeks.cost_usd_per_minute - before.cost_usd_per_minute as cost_usd_per_minute_change,
        weeks.cost_usd_per_success - before.cost_usd_per_success as cost_usd_per_success_change,
        weeks.llm_cost_usd - before.llm_cost_usd as llm_cost_usd_change,
        weeks.interruption_rate - before.interruption_rate as interruption_rate_change,
        weeks.transfer_rate - before.transfer_rate as transfer_rate_change,
        weeks.containment_rate - before.containment_rate as containment_rate_change,
        weeks.voicemail_rate - before.voicemail_rate as voicemail_rate_change,
        weeks.error_rate - before.error_rate as error_rate_change,
        weeks.abandonment_rate - before.abandonment_rate as abandonment_rate_change,
        weeks.rating - before.rating as rating_change,
        weeks.wait_p50_secs - before.wait_p50_secs as wait_p50_secs_change,
        weeks.wait_p90_secs - before.wait_p90_secs as wait_p90_secs_change,
        weeks.wait_p95_secs - before.wait_p95_secs as wait_p95_secs_change,
        weeks.wait_p99_secs - before.wait_p99_secs as wait_p99_secs_change
    from weeks
    inner join coverage on weeks.workspace = coverage.workspace
    left join weeks as before
        on
            weeks.workspace = before.workspace
            and weeks.week_start_date = before.week_start_date + interval 7 day
            and weeks.agent_id is not distinct from before.agent_id
)

select * from final

/*
description = """Versions of an agent side by side: one row per workspace, agent and version that answered, over all \
days. Conversations whose version is not told (older ones, and agents without versioning) are in a row without version_id. \
The measures are those of metrics.agent_daily, computed again from the conversations and entries; waits of entries count for \
the version that the conversation was started with. success_rate_low and success_rate_high are Wilson's 95 % confidence \
interval. Versions that were live at different times met different callers: first_call_at and last_call_at say \
when."""
grain = ["workspace", "agent_id", "version_id"]
inherits_metrics_from = "metrics.agent_daily"

[columns]
version_id = "Version of the agent that answered; null where the API does not tell."
first_call_at = "Start of its first conversation, open ones included."
last_call_at = "Start of its last conversation, open ones included."
success_rate_low = "Lower end of the 95 % confidence interval of success_rate (Wilson), share of 1."
success_rate_high = "Upper end of it, share of 1."
n_judged = "Conversations judged a success or a failure: the n of success_rate and of its interval."

[tests]
not_null = ["workspace", "first_call_at", "last_call_at", "n_calls", "n_open", "n_success", "n_failure", "n_unknown", "n_judged", "call_minutes", "n_waits"]
references = { agent_id = "marts.dim_agents.agent_id" }

[metrics.success_rate_low]
name = "Success rate, lower end"
unit = "share of 1"
numerator = "n_success + z²/2 - z √(n_success × n_failure / n_judged + z²/4), z = 1.96: the lower end of Wilson's 95 % interval"
denominator = "n_judged + z²"
null_when = "null when no conversation was judged"
direction = "high"
differs_from_vendor = "No counterpart known. Two versions whose intervals overlap may be equally good."

[metrics.success_rate_high]
name = "Success rate, upper end"
unit = "share of 1"
numerator = "n_success + z²/2 + z √(n_success × n_failure / n_judged + z²/4), z = 1.96: the upper end of Wilson's 95 % interval"
denominator = "n_judged + z²"
null_when = "null when no conversation was judged"
direction = "high"
*/
with conversations as (
    select * from marts.fct_conversations
),

turns as (
    select * from marts.fct_turns
),

finished as (
    select
        workspace,
        agent_id,
        version_id,
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
    from conversations
    where is_counted
    group by all
),

-- z is 1.96 and z² 3.84 at 95 %
judged as (
    select
        workspace,
        agent_id,
        version_id,
        n_success,
        n_success + n_failure as n_judged,
        1.959963984540054 * sqrt(n_success * n_failure / (n_success + n_failure) + 3.841458820694124 / 4) as margin
    from finished
    where n_success + n_failure > 0
),

-- a rounding must not lead beyond 0 and 1
intervals as (
    select
        workspace,
        agent_id,
        version_id,
        greatest(
            0, (n_success + 3.841458820694124 / 2 - margin) / (n_judged + 3.841458820694124)
        ) as success_rate_low,
        least(
            1, (n_success + 3.841458820694124 / 2 + margin) / (n_judged + 3.841458820694124)
        ) as success_rate_high
    from judged
),

windows as (
    select
        workspace,
        agent_id,
        version_id,
        min(started_at) as first_call_at,
        max(started_at) as last_call_at,
        count(*) filter (where not is_finished) as n_open
    from conversations
    where not is_excluded
    group by all
),

waits as (
    select
        conversations.workspace,
        conversations.agent_id,
        conversations.version_id,
        count(turns.wait_secs) as n_waits,
        quantile_cont(turns.wait_secs, 0.5) as wait_p50_secs,
        quantile_cont(turns.wait_secs, 0.9) as wait_p90_secs,
        quantile_cont(turns.wait_secs, 0.95) as wait_p95_secs,
        quantile_cont(turns.wait_secs, 0.99) as wait_p99_secs
    from turns
    inner join conversations on turns.conversation_id = conversations.conversation_id
    where conversations.is_counted
    group by all
),

final as (
    select
        windows.workspace,
        windows.agent_id,
        windows.version_id,
        windows.first_call_at,
        windows.last_call_at,
        coalesce(finished.n_calls, 0) as n_calls,
        windows.n_open,
        coalesce(finished.n_deleted, 0) as n_deleted,
        coalesce(finished.call_secs, 0) / 60 as call_minutes,
        coalesce(finished.n_success, 0) as n_success,
        coalesce(finished.n_failure, 0) as n_failure,
        coalesce(finished.n_calls - finished.n_success - finished.n_failure, 0) as n_unknown,
        finished.n_success / nullif(finished.n_success + finished.n_failure, 0) as success_rate,
        intervals.success_rate_low,
        intervals.success_rate_high,
        coalesce(finished.n_success + finished.n_failure, 0) as n_judged,
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
            and windows.agent_id is not distinct from finished.agent_id
            and windows.version_id is not distinct from finished.version_id
    left join intervals
        on
            windows.workspace = intervals.workspace
            and windows.agent_id is not distinct from intervals.agent_id
            and windows.version_id is not distinct from intervals.version_id
    left join waits
        on
            windows.workspace = waits.workspace
            and windows.agent_id is not distinct from waits.agent_id
            and windows.version_id is not distinct from waits.version_id
)

select * from final

/*
description = """Conversations, success and cost by language: one row per workspace, UTC day, agent and language, over finished conversations \
that count. Conversations whose language is not reported are a row of their own."""
grain = ["workspace", "start_date", "agent_id", "main_language"]
inherits_columns_from = "intermediate.int_agent_measures"

[columns]
call_share = "These conversations among the agent's finished conversations of the day."
cost_usd_per_call = "US dollars per finished conversation."
cost_usd_per_minute = "US dollars per minute of finished conversations."

[tests]
not_null = ["workspace", "start_date", "n_calls", "call_share", "call_minutes", "n_success", "n_failure", "n_unknown"]
references = { agent_id = "marts.dim_agents.agent_id" }

[metrics.call_share]
name = "Share of conversations by language"
numerator = "n_calls of the language"
denominator = "n_calls of the agent's day"
null_when = "never null"
direction = "neither"
differs_from_vendor = "Conversations without a language are in the denominator."

[metrics.success_rate]
name = "Success rate by language"

[metrics.success_coverage]
name = "Success coverage by language"
null_when = "never null"

[metrics.cost_usd]
name = "Cost by language"

[metrics.cost_usd_per_call]
name = "Cost per conversation by language"
null_when = "null without a known cost"

[metrics.cost_usd_per_minute]
name = "Cost per minute by language"
*/
with measures as (
    select * from intermediate.int_agent_measures
),

final as (
    select
        workspace,
        start_date,
        agent_id,
        agent_name,
        main_language,
        n_calls,
        n_calls / sum(n_calls) over (partition by workspace, start_date, agent_id) as call_share,
        call_minutes,
        n_success,
        n_failure,
        n_unknown,
        success_rate,
        success_coverage,
        n_reached,
        n_contained,
        containment_rate,
        cost_credits,
        cost_usd,
        cost_usd_coverage,
        cost_usd_per_call,
        cost_usd_per_minute,
        n_waits,
        wait_p50_secs,
        wait_p90_secs,
        wait_p95_secs
    from measures
    where breakdown = 'language' and n_calls > 0
)

select * from final

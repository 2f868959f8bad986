/*
description = """Cost of finished conversations by component: one row per workspace, day, agent and component. The components of a day and \
agent add up to the cost in metrics.agent_daily, in credits and in US dollars. call is the part of the call charge that \
no platform category itemises, which is all of it on older conversations; platform_<category> is what the API itemises, a part \
of the call charge and so taken out of call; llm is the LLM charge; unexplained is what is left of the reported cost, \
with its sign, and has no row when nothing is."""
grain = ["workspace", "start_date", "agent_id", "component"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started."
agent_id = "Agent that the conversations were started with."
agent_name = "Latest name of the agent; null when the API never reported one."
component = "call, llm, platform_<category> or unexplained."
n_calls = "Finished conversations that have this component."
cost_credits = "Credits of the component; null when no conversation's credits are known."
cost_usd = "US dollars of the component over conversations whose cost is known; null when none is."
burst_surcharge_credits = "Part of these credits that bursts over the concurrency added."
dev_discount_credits = "Credits that the development discount took off, beside what was paid."
free_minutes = "Minutes taken from the plan's free minutes; on component call."
free_llm_usd = "US dollars taken from the plan's free LLM dollars; on component llm."

[tests]
not_null = ["workspace", "start_date", "component", "n_calls", "burst_surcharge_credits", "dev_discount_credits"]

[metrics.cost_credits]
name = "Cost by component"
numerator = "credits of the component, over finished conversations"
null_when = "null when no conversation's credits are known"
direction = "low"
differs_from_vendor = "What the vendor's parts leave of the whole is shown as unexplained."

[metrics.cost_usd]
name = "Cost by component in US dollars"
numerator = "reported prices of the component, or its credits ÷ credits per USD of the plan, over finished conversations with a known cost"
null_when = "null when no conversation's cost in US dollars is known"
direction = "low"
differs_from_vendor = "Conversations without a reported cost in dollars are valued at their plan's rate."

[metrics.burst_surcharge_credits]
name = "Burst surcharge"
numerator = "credits of category burst; where a burst conversation has none, half of its call part, which the burst doubled"
null_when = "never null; 0 without bursts"
direction = "low"
differs_from_vendor = "On conversations without platform categories it is computed here."

[metrics.dev_discount_credits]
name = "Development discount given"
numerator = "call part of discounted conversations, which is the half that was paid"
null_when = "never null; 0 without discounts"
direction = "neither"
differs_from_vendor = "Computed here: the API reports only that the call part was halved."

[metrics.free_minutes]
name = "Free minutes used"
numerator = "minutes taken from the plan's free minutes"
null_when = "null on other components than call, and when no conversation reports them"
direction = "neither"
differs_from_vendor = "The sum of what the API reports of each conversation."

[metrics.free_llm_usd]
name = "Free LLM dollars used"
numerator = "US dollars taken from the plan's free LLM dollars"
null_when = "null on other components than llm, and when no conversation reports them"
direction = "neither"
differs_from_vendor = "The sum of what the API reports of each conversation."
*/
with agent_names as (
    select * from intermediate.int_agent_names
),

components as (
    select * from intermediate.int_cost_components
),

final as (
    select
        workspace,
        start_date,
        agent_id,
        agent_name,
        component,
        count(*) as n_calls,
        cast(sum(cost_credits) as double) as cost_credits,
        cast(sum(cost_usd) as double) as cost_usd,
        cast(sum(burst_surcharge_credits) as double) as burst_surcharge_credits,
        cast(sum(dev_discount_credits) as double) as dev_discount_credits,
        cast(sum(cast(free_minutes as decimal(38, 12))) as double) as free_minutes,
        cast(sum(cast(free_llm_usd as decimal(38, 12))) as double) as free_llm_usd
    from components
    left join agent_names using (workspace, agent_id)
    group by all
)

select * from final

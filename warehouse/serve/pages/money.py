"""Money: what conversations cost, by component, agent and model, the month's forecast, and whether the bill adds up."""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.serve.pages.measures import measure_rows
from warehouse.serve.pages.selection import OF_SCOPE, Reader, Row, or_none

COMPONENTS = """
select
    costs.start_date,
    costs.component,
    count(*) as n_calls,
    cast(sum(cast(costs.cost_usd as decimal(38, 12))) as double) as cost_usd,
    cast(sum(costs.cost_credits) as double) as cost_credits
from conversations
join intermediate.int_cost_components as costs using (workspace, conversation_id, start_date)
group by all
order by all
"""

COMPONENT_TOTALS = """
with parts as (
    select selected.is_before, costs.component, cast(costs.cost_usd as decimal(38, 12)) as amount
    from selected
    join intermediate.int_cost_components as costs using (workspace, conversation_id, start_date)
    where selected.is_counted and costs.cost_usd is not null
)

select
    component,
    count(*) filter (not is_before) as n_calls,
    cast(sum(amount) filter (not is_before) as double) as cost_usd,
    cast(sum(amount) filter (is_before) as double) as previous_cost_usd
from parts
group by component
order by abs(coalesce(cost_usd, 0)) desc, component
"""

MODELS = """
select
    usage.model,
    count(distinct (usage.workspace, usage.conversation_id)) as n_calls,
    cast(coalesce(sum(usage.input_tokens), 0) as bigint) as input_tokens,
    cast(coalesce(sum(usage.input_cache_read_tokens), 0) as bigint) as cached_tokens,
    cast(coalesce(sum(usage.output_tokens), 0) as bigint) as output_tokens,
    cast(sum(cast(usage.llm_cost_usd as decimal(38, 12))) as double) as llm_cost_usd
from conversations
join marts.fct_llm_usage as usage using (workspace, conversation_id, start_date)
where usage.is_total
group by all
order by llm_cost_usd desc nulls last, usage.model
"""

FORECAST = f"""
select
    month_start_date,
    max(as_of_date) as as_of_date,
    last_day(month_start_date) as last_date,
    cast(sum(cast(cost_usd as decimal(38, 12))) as double) as cost_usd,
    case when count(expected_usd) = count(*) then cast(sum(cast(expected_usd as decimal(38, 12))) as double) end
    as expected_usd,
    case when count(*) = 1 then max(expected_low_usd) end as expected_low_usd,
    case when count(*) = 1 then max(expected_high_usd) end as expected_high_usd,
    sum(budget_usd) as budget_usd
from metrics.spend_forecast
where
    {or_none("agent_id")} = coalesce($agent_id, '*')
    and ($workspace is null or workspace = $workspace)
    and month_start_date = (select max(month_start_date) from metrics.spend_forecast)
group by month_start_date
"""  # noqa: S608 -- our own SQL
"""Intervals of several workspaces do not add up, so there is one only for one workspace. Each has its own budget."""

MONTH_DAYS = f"""
select start_date, cast(sum(cast(cost_usd as decimal(38, 12))) as double) as cost_usd
from marts.fct_conversations
where
    is_counted
    and start_date between $first and $last
    and {OF_SCOPE}
group by all
order by all
"""  # noqa: S608 -- our own SQL

RECONCILIATION = """
select
    cast(coalesce(sum(n_calls), 0) as bigint) as n_calls,
    cast(coalesce(sum(n_cost_compared), 0) as bigint) as n_cost_compared,
    cast(coalesce(sum(n_cost_alone), 0) as bigint) as n_cost_alone,
    cast(coalesce(sum(n_cost_differences), 0) as bigint) as n_cost_differences,
    cast(sum(unexplained_credits) as bigint) as unexplained_credits,
    cast(coalesce(sum(n_llm_compared), 0) as bigint) as n_llm_compared,
    cast(coalesce(sum(n_llm_differences), 0) as bigint) as n_llm_differences,
    cast(sum(cast(unexplained_llm_usd as decimal(38, 12))) as double) as unexplained_llm_usd
from metrics.cost_reconciliation
where start_date between $first and $last and ($workspace is null or workspace = $workspace)
"""

BILLS = """
select
    bill_unit,
    count(*) as n_days,
    cast(sum(cast(billed_agents_amount as decimal(38, 12))) as double) as billed_amount,
    cast(sum(cast(conversations_amount as decimal(38, 12))) as double) as conversations_amount,
    cast(sum(cast(unexplained_amount as decimal(38, 12))) as double) as unexplained_amount,
    count(bill_explanation) as n_unexplained_days,
    list_sort(list(distinct bill_explanation) filter (bill_explanation is not null)) as explanations,
    bool_and(is_bill_complete) as is_complete
from metrics.cost_reconciliation
where
    bill_unit is not null
    and start_date between $first and $last
    and ($workspace is null or workspace = $workspace)
group by bill_unit
order by bill_unit
"""

SWITCHES = f"""
select
    agent_id,
    main_model,
    model,
    estimated_usd + estimated_saving_usd as estimated_now_usd,
    estimated_usd,
    estimated_saving_usd
from metrics.llm_switch
where
    estimated_saving_usd > 0
    and not is_main_model
    and {OF_SCOPE}
qualify row_number() over (partition by workspace, agent_id order by estimated_saving_usd desc, model) <= 3
order by estimated_saving_usd desc, agent_id, model
limit 12
"""  # noqa: S608 -- our own SQL


def components(reader: Reader) -> list[Row]:
    """Cost by day and component of ``intermediate.int_cost_components``; the components add up to the cost."""
    return reader.rows(COMPONENTS)


@dataclass(frozen=True, slots=True)
class CostChange:
    """The cost of a period minus that of the period before, in US dollars, and the two parts that add up to it.

    ``by_number`` is what the difference in the number of conversations would cost at the price that one had before,
    ``by_price`` what the conversations now cost more or less each.
    """

    difference: float
    previous: float
    by_number: float
    by_price: float


def cost_change(reader: Reader) -> CostChange | None:
    """What changed against the period before, over conversations whose cost is known; None if one has none."""
    (now,) = measure_rows(reader, has_waits=False)
    (before,) = measure_rows(reader, is_before=True, has_waits=False)
    if not now["n_priced"] or not before["n_priced"]:
        return None
    by_number = (now["n_priced"] - before["n_priced"]) * before["cost_usd"] / before["n_priced"]
    difference = now["cost_usd"] - before["cost_usd"]
    return CostChange(difference, before["cost_usd"], by_number, difference - by_number)


def component_totals(reader: Reader) -> list[Row]:
    """Cost by component, of the period and of the period before; the largest first."""
    return reader.rows(COMPONENT_TOTALS)


def models(reader: Reader) -> list[Row]:
    """Conversations, tokens and cost by language model, of what is paid for."""
    return reader.rows(MODELS)


def forecast(reader: Reader) -> tuple[Row | None, list[Row]]:
    """The newest month's forecast of the selection's agent, or of all (None without one), and the cost of its days."""
    scope = reader.chosen.scope
    rows = reader.rows(FORECAST, **scope)
    if not rows:
        return None, []
    (month,) = rows
    spent = reader.rows(
        MONTH_DAYS, first=month["month_start_date"], last=min(month["as_of_date"], month["last_date"]), **scope
    )
    return month, spent


def reconciliation(reader: Reader) -> Row:
    """Whether the parts of the bill add up, over all finished conversations of the days, whatever the agent."""
    selection = reader.chosen
    return reader.row(
        RECONCILIATION,
        first=selection.period.first,
        last=selection.period.last,
        workspace=selection.workspace,
    )


def bills(reader: Reader) -> list[Row]:
    """The vendor's bill of the days against the cost of their conversations, by the unit of the bill."""
    selection = reader.chosen
    return reader.rows(BILLS, first=selection.period.first, last=selection.period.last, workspace=selection.workspace)


def cheaper_models(reader: Reader) -> list[Row]:
    """The three models of each agent that would save most by the vendor's estimates, over the last 30 days."""
    return reader.rows(SWITCHES, **reader.chosen.scope)

"""What recent conversations paid for language models, beside the prices that the vendor states."""

from __future__ import annotations

import polars as pl

from warehouse.errors import NothingBuiltError, QueryError
from warehouse.serve.query import query
from warehouse.storage.home import Home

PAID_PRICES = """
with recent as (
    select
        conversations.workspace,
        conversations.conversation_id,
        conversations.agent_id,
        conversations.start_date,
        conversations.call_duration_secs
    from marts.fct_conversations as conversations
    join intermediate.int_whole_days as whole_days using (workspace)
    where
        conversations.is_counted
        and conversations.llm_cost_usd is not null
        and conversations.start_date between whole_days.last_whole_date - 29 and whole_days.last_whole_date
),

minutes as (
    select workspace, agent_id, sum(call_duration_secs) / 60 as minutes
    from recent
    group by all
),

paid as (
    select
        recent.workspace,
        recent.agent_id,
        usage.model as llm,
        cast(sum(cast(usage.llm_cost_usd as decimal(38, 12))) as double) as paid_usd
    from recent
    join marts.fct_llm_usage as usage using (workspace, conversation_id, start_date)
    where usage.is_total
    group by all
)

select workspace, agent_id, llm, paid_usd, paid_usd / nullif(minutes, 0) as paid_usd_per_minute
from paid
join minutes using (workspace, agent_id)
"""
"""Over the conversations of ``metrics.llm_switch``: the models of an agent add up to what that says was paid."""

_KEYS, _AMOUNTS = ("workspace", "agent_id", "llm"), ("paid_usd", "paid_usd_per_minute")


def read_paid_prices(home: Home) -> pl.DataFrame:
    """What the conversations of the last 30 days of a workspace paid, by agent and model, in US dollars.

    Of the current warehouse; without one, or with one of an earlier version, there are no rows.
    """
    try:
        return query(home, PAID_PRICES)
    except (NothingBuiltError, QueryError):
        return pl.DataFrame(schema=dict.fromkeys(_KEYS, pl.String) | dict.fromkeys(_AMOUNTS, pl.Float64))

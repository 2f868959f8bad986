"""Outcomes: what became of conversations, the customer's own criteria with their rationales, and who comes back."""

from __future__ import annotations

from warehouse.serve.pages.conversations import OUTCOME
from warehouse.serve.pages.selection import OF_SCOPE, Reader, Row

BY_DAY = f"""
select start_date, {OUTCOME} as outcome, count(*) as n_calls
from conversations
group by all
order by all
"""  # noqa: S608 -- our own SQL

CRITERIA = """
select
    conversations.agent_id,
    evaluations.criteria_id,
    count(*) as n_calls,
    count(*) filter (evaluations.result = 'success') as n_success,
    count(*) filter (evaluations.result = 'failure') as n_failure,
    n_success + n_failure as n_judged,
    n_success / nullif(n_success + n_failure, 0) as success_rate
from conversations
join marts.fct_evaluations as evaluations using (workspace, conversation_id, start_date)
where evaluations.is_main
group by all
order by all
"""

FAILURES = """
select
    conversations.conversation_id,
    conversations.started_at,
    conversations.agent_id,
    conversations.summary_title,
    evaluations.criteria_id,
    evaluations.rationale
from conversations
join marts.fct_evaluations as evaluations using (workspace, conversation_id, start_date)
where
    evaluations.result = 'failure'
    and evaluations.rationale is not null
    and conversations.outcome in ('contained', 'transferred', 'cut_off', 'blocked', 'error')
    and evaluations.is_main
order by conversations.started_at desc, conversations.conversation_id, evaluations.criteria_id
limit 8
"""

RETURNS = f"""
select
    cast(coalesce(sum(n_reached), 0) as bigint) as n_reached,
    cast(coalesce(sum(n_known_calls), 0) as bigint) as n_known_calls,
    cast(sum(n_resolved) as bigint) as n_resolved,
    cast(coalesce(sum(n_known_calls) filter (n_resolved is not null), 0) as bigint) as n_resolvable,
    cast(sum(n_resolved) as bigint) / nullif(n_resolvable, 0) as first_contact_resolution_rate,
    cast(coalesce(sum(n_callers) filter (n_returned_1d is not null), 0) as bigint) as n_callers_1d,
    cast(sum(n_returned_1d) as bigint) / nullif(n_callers_1d, 0) as return_1d_rate,
    cast(coalesce(sum(n_callers) filter (n_returned_7d is not null), 0) as bigint) as n_callers_7d,
    cast(sum(n_returned_7d) as bigint) / nullif(n_callers_7d, 0) as return_7d_rate
from metrics.repeat_callers
where
    start_date between $first and $last
    and {OF_SCOPE}
"""  # noqa: S608 -- our own SQL

TERMINATIONS = """
select
    termination_group,
    count(*) as n_calls,
    count(*) / sum(count(*)) over () as share,
    count(*) filter (call_successful = 'success') as n_success,
    count(*) filter (call_successful in ('success', 'failure')) as n_judged,
    n_success / nullif(n_judged, 0) as success_rate
from conversations
group by all
order by n_calls desc, termination_group
"""


def outcomes_by_day(reader: Reader) -> list[Row]:
    """Conversations by day and outcome."""
    return reader.rows(BY_DAY)


def criteria(reader: Reader) -> list[Row]:
    """Each agent's criteria: how many were judged and how many succeeded."""
    return reader.rows(CRITERIA)


def failures(reader: Reader) -> list[Row]:
    """The newest failed criteria with their rationale."""
    return reader.rows(FAILURES)


def returns(reader: Reader) -> Row:
    """Callers who come back, and first-contact resolution, over days whose window is over."""
    selection = reader.chosen
    return reader.row(
        RETURNS,
        first=selection.period.first,
        last=selection.period.last,
        **selection.scope,
    )


def terminations(reader: Reader) -> list[Row]:
    """Conversations by the group of their end."""
    return reader.rows(TERMINATIONS)

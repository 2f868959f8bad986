"""The overview: the cards, what changed and where, what needs attention, and the days."""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.serve.pages.cards import COLUMNS, Card, cards, is_notable
from warehouse.serve.pages.measures import FEW, definitions, measure_rows, sample_size
from warehouse.serve.pages.selection import OF_SCOPE, Reader, Row


@dataclass(frozen=True, slots=True)
class Mover:
    """The agent that moved most: in the measure of the headline, in its direction and at least as much.

    Without a headline, in any measure of the cards by more than chance.
    """

    agent_id: str
    column: str
    value: float
    n: int
    previous: float
    previous_n: int

    @property
    def change(self) -> float:
        """Value minus the value of the period before."""
        return self.value - self.previous

    @property
    def is_notable(self) -> bool:
        """Whether it is taken over enough conversations, and changed by more than chance."""
        return is_notable(self.column, self.value, self.n, self.previous, self.previous_n)


@dataclass(frozen=True, slots=True)
class Overview:
    """What the overview shows.

    ``headline`` is the notable card, other than conversations, that changed most; one that got worse comes first.
    ``anomalies`` are flagged rows of ``metrics.anomalies`` of the period, with the name and unit of their measure, of
    ``n_compared_days`` rows that could be compared with days before; ``missed_targets`` rows of ``metrics.targets``,
    of ``n_targets`` that were to be met; ``failing_tools`` have rates of both periods; ``days`` are measures by day.
    """

    cards: list[Card]
    headline: Card | None
    mover: Mover | None
    anomalies: list[Row]
    n_compared_days: int
    missed_targets: list[Row]
    n_targets: int
    failing_tools: list[Row]
    days: list[Row]
    n_open: int


COMPARED_DAYS = f"""
from metrics.anomalies
where
    start_date between $first and $last
    and {OF_SCOPE}
    and expected is not null
"""
"""Days of agents and measures that could be compared with days before."""

N_COMPARED_DAYS = f"select count(*) as n {COMPARED_DAYS}"

ANOMALIES = f"""
select start_date, agent_id, measure, value, n_observations, expected, spread, deviation
{COMPARED_DAYS} and is_flagged
order by start_date desc, abs(deviation) / nullif(spread, 0) desc, agent_id, measure
"""

WEEK_TARGETS = f"""
select week_start_date, agent_id, metric, metric_name, value, target, difference, n_observations, is_met
from metrics.targets
where
    {OF_SCOPE}
    and week_start_date = (
        select max(week_start_date)
        from metrics.targets
        where is_over and week_start_date between $first - 6 and $last - 6
    )
order by abs(difference) / nullif(target, 0) desc, agent_id, metric
"""  # noqa: S608 -- our own SQL
"""Of the last week that ended in the period."""

VERSION_STARTS = f"""
select version_id, cast(min(first_call_at) as date) as first_date
from metrics.version_comparison
where version_id is not null and {OF_SCOPE}
group by version_id
having first_date > (select min(start_date) from marts.fct_conversations where {OF_SCOPE})
order by first_date, version_id
"""  # noqa: S608 -- our own SQL
"""Versions of an agent that began after its first conversation."""

TARGETS = """
select metric, target
from seeds.targets
where agent_id in (coalesce($agent_id, '*'), '*') and valid_from <= $last
qualify row_number() over (partition by metric order by agent_id = '*', valid_from desc) = 1
"""

TOOL_ERRORS = """
with calls as (
    select
        tools.tool_name,
        selected.is_before,
        count(*) filter (tools.is_answered) as n_answered,
        count(*) filter (tools.is_error) as n_errors
    from selected
    join marts.fct_tool_calls as tools using (workspace, conversation_id, start_date)
    where selected.is_counted
    group by all
)

select
    now.tool_name,
    now.n_answered,
    now.n_errors,
    now.n_errors / nullif(now.n_answered, 0) as error_rate,
    before.n_answered as previous_n_answered,
    before.n_errors / nullif(before.n_answered, 0) as previous_error_rate
from (select * from calls where not is_before) as now
join (select * from calls where is_before) as before on now.tool_name is not distinct from before.tool_name
order by error_rate - previous_error_rate desc nulls last, now.tool_name
"""


def read_overview(reader: Reader) -> Overview:
    """The overview of the reader's selection."""
    selection = reader.chosen
    targets = reader.rows(TARGETS, agent_id=selection.agent_id, last=selection.period.last)
    days = measure_rows(reader, "start_date")
    page_cards = cards(reader, days, targets={row["metric"]: row["target"] for row in targets})
    notable = [card for card in page_cards if card.is_notable and card.column != "n_calls"]
    headline = max(notable, key=lambda card: (card.is_better is False, _relative_change(card)), default=None)
    defined = definitions(reader)
    scope = {
        "first": selection.period.first,
        "last": selection.period.last,
    } | selection.scope
    anomalies = reader.rows(ANOMALIES, **scope)
    week_targets = [row for row in reader.rows(WEEK_TARGETS, **scope) if row["metric"] in defined]
    (n_open,) = reader.row("select count(*) as n_open from selected where not is_before and not is_finished").values()
    return Overview(
        cards=page_cards,
        headline=headline,
        mover=_mover(reader, headline) if selection.is_compared and selection.agent_id is None else None,
        anomalies=[
            row
            | {
                "name": defined[row["measure"]].name,
                "unit": defined[row["measure"]].unit,
                "good": defined[row["measure"]].good,
            }
            for row in anomalies
        ],
        n_compared_days=reader.row(N_COMPARED_DAYS, **scope)["n"],
        missed_targets=[row | {"unit": defined[row["metric"]].unit} for row in week_targets if row["is_met"] is False],
        n_targets=sum(row["is_met"] is not None for row in week_targets),
        failing_tools=newly_failing_tools(reader),
        days=days,
        n_open=n_open,
    )


def version_starts(reader: Reader) -> list[Row]:
    """Versions of the selection's agent and the day of their first conversation; none if no agent is selected."""
    selection = reader.chosen
    return reader.rows(VERSION_STARTS, **selection.scope) if selection.agent_id else []


def newly_failing_tools(reader: Reader) -> list[Row]:
    """Tools whose error rate rose by more than chance, with both rates; the largest rise first."""
    return [
        row
        for row in reader.rows(TOOL_ERRORS)
        if row["error_rate"] is not None
        and row["previous_error_rate"] is not None
        and row["error_rate"] > row["previous_error_rate"]
        and is_notable(
            "error_rate", row["error_rate"], row["n_answered"], row["previous_error_rate"], row["previous_n_answered"]
        )
    ]


def _relative_change(moved: Card | Mover) -> float:
    return abs((moved.change or 0) / (moved.previous or 1))


def _mover(reader: Reader, headline: Card | None) -> Mover | None:
    """Among agents with enough conversations in both periods; None if none of them can explain the headline."""
    before = {row["key_0"]: row for row in measure_rows(reader, "agent_id", is_before=True)}
    movers = [
        Mover(agent_id, column, row[column], row[size], previous[column], previous[size])
        for row in measure_rows(reader, "agent_id")
        if (agent_id := row["key_0"]) in before
        for column in ([headline.column] if headline else COLUMNS[1:])
        for previous, size in [(before[agent_id], sample_size(column))]
        if min(row[size], previous[size]) >= FEW and None not in (row[column], previous[column])
    ]
    if headline is None:
        return max((mover for mover in movers if mover.is_notable), key=_relative_change, default=None)
    sign = 1 if (headline.change or 0) > 0 else -1
    best = max(movers, key=lambda mover: sign * mover.change, default=None)
    return best if best and sign * best.change >= abs(headline.change or 0) else None

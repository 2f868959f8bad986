"""Every number of a page is that of SQL over the marts for exactly its filter."""

# ruff: noqa: S608 -- the statements are of these tests

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from html import unescape

import pytest
from starlette.testclient import TestClient

from pipelines.page.app import create_app
from pipelines.page.text import change, number
from pipelines.page.views import outcomes
from tests.helpers.page_home import shown_cards, site, sql
from warehouse.serve.pages.measures import measure_rows
from warehouse.serve.pages.selection import Period, Selection, open_reader, select

pytestmark = pytest.mark.timeout(400)  # the first test of a worker syncs the home

BASE = "http://127.0.0.1"
CLINIC, CLINIC_NAME = "agent_7301k6rqw8z4e5vbx9n2tmc0hdyj", "Harbour Clinic Reception"
FILTERS = {
    "": "start_date between '2026-11-12' and '2026-11-25'",
    "days=7": "start_date between '2026-11-19' and '2026-11-25'",
    "from=2026-11-02&to=2026-11-08": "start_date between '2026-11-02' and '2026-11-08'",
    f"days=28&agent={CLINIC}": f"start_date between '2026-10-29' and '2026-11-25' and agent_id = '{CLINIC}'",
    "channel=chat": "start_date between '2026-11-12' and '2026-11-25' and channel = 'chat'",
    "language=de&days=28": "start_date between '2026-10-29' and '2026-11-25' and main_language = 'de'",
    "language=none&days=28": "start_date between '2026-10-29' and '2026-11-25' and main_language is null",
    "version=agtvrsn_5201kb3mh9x7s0e4fv8t2qdc6wyn": "start_date between '2026-11-12' and '2026-11-25' "
    "and version_id = 'agtvrsn_5201kb3mh9x7s0e4fv8t2qdc6wyn'",
}
BEFORE = {
    "": "start_date between '2026-10-29' and '2026-11-11'",
    "days=7": "start_date between '2026-11-12' and '2026-11-18'",
}

CARDS = """
select
    count(*) as n_calls,
    count(*) filter (call_successful = 'success') / nullif(count(*) filter (call_successful <> 'unknown'), 0)
        as success_rate,
    count(*) filter (outcome = 'contained') / nullif(count(*) filter (outcome not in ('not_reached', 'voicemail')), 0)
        as containment_rate,
    sum(cost_usd) / nullif(count(*) filter (call_successful = 'success'), 0) as cost_usd_per_success,
    (
        select quantile_cont(wait_secs, 0.95)
        from marts.fct_turns
        where conversation_id in (
            select conversation_id from marts.fct_conversations where is_finished and not is_excluded and {where}
        )
    ) as wait_p95_secs,
    count(*) filter (is_error) / nullif(count(*), 0) as error_rate
from marts.fct_conversations
where is_finished and not is_excluded and {where}
"""
UNITS = {
    "n_calls": "count",
    "success_rate": "share of 1",
    "containment_rate": "share of 1",
    "cost_usd_per_success": "US dollars",
    "wait_p95_secs": "seconds",
    "error_rate": "share of 1",
}


@pytest.fixture(scope="module")
def client(page_home):
    return TestClient(create_app(site(page_home)), base_url=BASE)


def as_shown(expected):
    """What the cards show of the values of a row."""
    return {column: number(value, UNITS[column]) for column, value in expected.items()}


def charts(page):
    """The rows of each chart, by its name."""
    blocks = re.findall(r'<script type="application/json" id="chart-(\w+)">(.*?)</script>', page, re.DOTALL)
    return {name: json.loads(text)["datasets"]["rows"] for name, text in blocks}


@pytest.mark.parametrize("query", FILTERS)
def test_the_cards_are_those_of_sql_over_the_marts(query, client, page_home):
    (expected,) = sql(page_home, CARDS.format(where=FILTERS[query]))
    assert expected["n_calls"] > 0
    assert shown_cards(client.get(f"/?{query}").text) == as_shown(expected)


@pytest.mark.parametrize("query", BEFORE)
def test_the_changes_are_against_as_many_days_directly_before(query, client, page_home):
    (now,) = sql(page_home, CARDS.format(where=FILTERS[query]))
    (before,) = sql(page_home, CARDS.format(where=BEFORE[query]))
    page = re.sub(r"[ \n]+", " ", unescape(client.get(f"/?{query}").text))
    for column, unit in UNITS.items():
        assert f"{change(now[column] - before[column], unit)}" in page
        assert f"from {number(before[column], unit)}</span>" in page
    assert "from" not in re.findall(r'class="facts">(.*?)</p>', client.get(f"/?{query}&compare=off").text)[0]


def test_a_change_of_a_wait_has_as_many_decimals_as_the_wait():
    assert [change(secs, "seconds") for secs in (-0.00999, 0.36)] == ["\u22120.01\xa0s", "+0.36\xa0s"]


def test_without_a_filter_on_channel_language_or_version_the_measures_are_those_of_agent_daily(client, page_home):
    (expected,) = sql(
        page_home,
        f"""
        select
            sum(n_calls) as n_calls,
            sum(n_success) / sum(n_success + n_failure) as success_rate,
            sum(cost_usd) / sum(n_success) as cost_usd_per_success,
            sum(n_errors) / sum(n_calls) as error_rate
        from metrics.agent_daily
        where start_date between '2026-11-12' and '2026-11-25' and agent_id = '{CLINIC}'
        """,
    )
    cards = shown_cards(client.get(f"/?agent={CLINIC}").text)
    assert {column: cards[column] for column in expected} == as_shown(expected)


def test_a_week_of_an_agent_has_the_numbers_of_the_scorecard(client, page_home):
    """The row on which all readers agree (tests/integration/test_agreement.py, the page among them), as it is shown."""
    (expected,) = sql(
        page_home,
        f"""
        select n_calls, success_rate, cost_usd / n_success as cost_usd_per_success, wait_p95_secs
        from metrics.agent_scorecard where agent_id = '{CLINIC}' and week_start_date = '2026-11-16'
        """,
    )
    cards = shown_cards(client.get(f"/?from=2026-11-16&to=2026-11-22&agent={CLINIC}").text)
    assert {column: cards[column] for column in expected} == as_shown(expected)


def test_the_days_of_a_chart_lead_to_the_conversations_that_it_counts(client, page_home):
    rows = sql(
        page_home,
        """
        select start_date, count(*) filter (call_successful = 'failure') as n_failure,
            count(*) filter (call_successful = 'success') / count(*) filter (call_successful <> 'unknown') as rate
        from marts.fct_conversations
        where is_finished and start_date between '2026-11-12' and '2026-11-25'
        group by all order by all
        """,
    )
    shown = charts(client.get("/").text)["success_rate"]
    assert [(row["day"], row["value"]) for row in shown] == [(str(row["start_date"]), row["rate"]) for row in rows]
    tuesday = next(row for row in shown if row["day"] == "2026-11-24")
    n_failure = next(row["n_failure"] for row in rows if str(row["start_date"]) == "2026-11-24")
    noun = "conversation" if n_failure == 1 else "conversations"
    assert f"<h1>{n_failure} {noun}</h1>" in client.get(tuesday["url"]).text


@pytest.mark.parametrize(("path", "chart"), [("/", "n_calls"), ("/", "success_rate"), ("/outcomes", "outcomes")])
def test_a_chart_leaves_room_for_a_day_without_a_conversation(path, chart, client):
    rows = charts(client.get(f"{path}?from=2026-11-20&to=2026-12-03").text)[chart]
    days = [str(date(2026, 11, 20) + timedelta(days=number)) for number in range(14)]
    assert sorted({row["day"] for row in rows}) == days
    later = [row for row in rows if row["day"] > "2026-11-25"]
    assert later == [
        {"day": row["day"]} | ({} if chart == "success_rate" else {"value": 0})  # without a value, a bar has no day
        for row in later
    ]


def test_the_parts_of_a_stack_add_up_to_the_whole(client, page_home):
    (whole,) = sql(
        page_home,
        "select sum(cost_usd) as cost_usd, count(*) as n_calls "
        f"from marts.fct_conversations where is_finished and {FILTERS['']}",
    )
    components = charts(client.get("/money").text)["components"]
    assert sum(row.get("value", 0) for row in components) == pytest.approx(whole["cost_usd"])
    outcomes = charts(client.get("/outcomes").text)["outcomes"]
    assert sum(row.get("value", 0) for row in outcomes) == whole["n_calls"]


def test_the_criteria_are_sums_over_sums_by_agent(client, page_home):
    expected = sql(
        page_home,
        f"""
        select criteria_id, count(*) filter (result = 'success') / count(*) as rate, count(*) as n
        from marts.fct_evaluations
        where result <> 'unknown' and is_counted and is_main and agent_id = '{CLINIC}' and {FILTERS[""]}
        group by all order by all
        """,
    )
    shown = [row for row in charts(client.get("/outcomes").text)["criteria"] if row["label"] == CLINIC_NAME]
    assert [(row["x"].replace(" ", "_"), row["value"], row["n"]) for row in shown] == [
        tuple(row.values()) for row in expected
    ]


def test_the_charts_of_speed_are_those_of_sql(client, page_home):
    counted = (
        f"conversation_id in (select conversation_id from marts.fct_conversations where is_counted and {FILTERS['']})"
    )
    shown = charts(client.get("/speed").text)
    (model,) = sql(
        page_home,
        f"select avg(llm_first_sentence_secs) as mean, count(llm_first_sentence_secs) as n from marts.fct_turns "
        f"where wait_secs is not null and agent_id = '{CLINIC}' and {counted}",
    )
    (stage,) = [row for row in shown["stages"] if row["label"] == CLINIC_NAME and row["series"].startswith("model")]
    assert (stage["value"], stage["n"]) == (pytest.approx(model["mean"]), model["n"])
    (reach,) = sql(
        page_home,
        f"""
        select count(*) filter (n >= 8) as n_reached, count(*) as n_started
        from (
            select count(*) as n from marts.fct_turns
            where is_spoken and not is_silent and agent_id = '{CLINIC}' and {counted} group by conversation_id
        )
        """,
    )
    (eighth,) = [row for row in shown["drop_off"] if row["series"] == CLINIC_NAME and row["x"] == 8]
    assert (eighth["value"], eighth["n"]) == (reach["n_reached"] / reach["n_started"], reach["n_started"])
    (cell,) = sql(
        page_home,
        f"""
        select quantile_cont(wait_secs, 0.95) as p95, count(*) as n
        from marts.fct_turns
        where wait_secs is not null and conversation_id in (
            select conversation_id from marts.fct_conversations
            where local_weekday = 2 and local_start_hour = 10 and is_counted and {FILTERS[""]}
        )
        """,
    )
    (hour,) = [row for row in shown["hours"] if (row["label"], row["x"]) == ("Tue", "10")]
    assert (hour["value"], hour["n"]) == (pytest.approx(cell["p95"]), cell["n"])


def test_how_far_conversations_get_is_the_conversation_flow(client, page_home):
    flow = sql(
        page_home,
        "select turn_position, n_calls, survival_rate from metrics.conversation_flow "
        f"where agent_id = '{CLINIC}' and turn_position <= 30 order by all",
    )
    (name,) = (row["agent_name"] for row in sql(page_home, f"from marts.dim_agents where agent_id = '{CLINIC}'"))
    shown = [row for row in charts(client.get("/speed?days=all").text)["drop_off"] if row["series"] == name]
    assert [(row["x"], row["value"]) for row in shown] == [(row["turn_position"], row["survival_rate"]) for row in flow]


@pytest.mark.parametrize("is_direct", [True, False])
def test_waits_are_the_same_whether_they_are_joined_with_their_conversations_or_not(is_direct, page_home):
    """``marts.fct_turns`` has workspace and agent itself; for a channel, language or version it is joined."""
    period = Period(date(2026, 11, 12), date(2026, 11, 25))
    selection = Selection(period) if is_direct else Selection(period, channel="phone")
    where = FILTERS[""] if is_direct else f"{FILTERS['']} and channel = 'phone'"
    with open_reader(page_home) as reader:
        selected = select(reader, selection)
        shown = {
            "agent": {(row["key_0"],): row["n_waits"] for row in measure_rows(selected, "agent_id")},
            "version": {
                (row["key_0"], row["key_1"]): (row["n_waits"], row["wait_p95_secs"])
                for row in measure_rows(selected, "agent_id", "version_id")
            },
        }
    rows = sql(
        page_home,
        f"""
        select
            calls.agent_id, calls.version_id, count(turns.wait_secs) as n_waits,
            quantile_cont(turns.wait_secs, 0.95) as wait_p95_secs
        from marts.fct_conversations as calls left join marts.fct_turns as turns using (workspace, conversation_id)
        where calls.is_counted and {where.replace("start_date", "calls.start_date")}
        group by all
        """,
    )
    by_version = {
        (row["agent_id"], row["version_id"]): (row["n_waits"], pytest.approx(row["wait_p95_secs"])) for row in rows
    }
    assert len(by_version) > 5
    assert shown["version"] == by_version
    by_agent = {(row["agent_id"],): 0 for row in rows}
    for row in rows:
        by_agent[row["agent_id"],] += row["n_waits"]
    assert shown["agent"] == by_agent


def test_callers_are_known_among_the_conversations_that_reached_somebody(client, page_home):
    (row,) = sql(
        page_home,
        "select sum(n_calls) as n_calls, sum(n_reached) as n_reached, sum(n_known_calls) as n_known "
        f"from metrics.repeat_callers where {FILTERS['']}",
    )
    assert row["n_known"] < row["n_reached"] < row["n_calls"]
    text = f"{row['n_known']:,} of {row['n_reached']:,} conversations that reached somebody"
    assert f"<dt>Caller known</dt><dd>{text}</dd>" in client.get("/outcomes").text


def test_callers_are_counted_by_day_and_the_page_says_so(client, page_home):
    (row,) = sql(
        page_home,
        "select sum(n_callers) as n_all, sum(n_callers) filter (n_returned_1d is not null) as n_callers, "
        "sum(n_returned_1d) as n_returned "
        f"from metrics.repeat_callers where {FILTERS['']}",
    )
    (single,) = sql(
        page_home,
        "select count(distinct (agent_id, caller_id)) as n_callers from marts.fct_conversations "
        f"where is_counted and outcome not in ('not_reached', 'voicemail') and {FILTERS['']}",
    )
    assert single["n_callers"] < row["n_all"]
    page = client.get("/outcomes").text
    share = number(row["n_returned"] / row["n_callers"], "share of 1")
    assert f"<dt>Back within a day</dt><dd>{share} of {row['n_callers']:,} callers</dd>" in page
    assert "a caller on two days counts on both" in page


def test_the_sentence_of_the_outcomes_says_what_each_share_is_of(client, page_home):
    (row,) = sql(page_home, CARDS.format(where=FILTERS[""]))
    (counts,) = sql(
        page_home,
        "select count(*) filter (outcome not in ('not_reached', 'voicemail')) as n_reached, "
        "count(*) filter (call_successful in ('success', 'failure')) as n_judged "
        f"from marts.fct_conversations where is_finished and not is_excluded and {FILTERS['']}",
    )
    contained, success = (number(row[name], "share of 1") for name in ("containment_rate", "success_rate"))
    expected = (
        f"{counts['n_reached']} of {row['n_calls']} conversations reached somebody, and {contained} of these were "
        "served to their end without a human. "
        f"Of all, {counts['n_judged']} were judged, and {success} of them succeeded."
    )
    assert expected in unescape(client.get("/outcomes").text)
    none = {"n_calls": 2, "n_reached": 0, "containment_rate": None, "n_judged": 0, "success_rate": None}
    assert outcomes._lede(none) == "0 of 2 conversations reached somebody. None of all was judged."


def test_the_bill_is_beside_the_cost_and_each_kind_of_difference_is_explained(client, page_home):
    days = sql(
        page_home,
        "select billed_agents_amount, conversations_amount, bill_explanation from metrics.cost_reconciliation "
        "where bill_unit = 'credits' and start_date between '2026-11-12' and '2026-11-25'",
    )
    billed, cost = (sum(day[name] for day in days) for name in ("billed_agents_amount", "conversations_amount"))
    reasons = [day["bill_explanation"] for day in days if day["bill_explanation"] is not None]
    assert (len(days), bool(reasons)) == (14, True)
    noun, text = "day" if len(reasons) == 1 else "days", "; ".join(sorted(set(reasons)))
    expected = (
        f"{billed:,.0f} credits billed for agents on 14 days, {cost:,.0f} credits in conversations, "
        f"a difference of {billed - cost:,.0f} credits; on {len(reasons)} {noun} the two differ: {text}"
    )
    assert expected in unescape(client.get("/money").text)

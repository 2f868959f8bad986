"""The list of conversations has exactly those of its filter, counted as the overview counts them."""

# ruff: noqa: S608 -- the statements are of these tests

from __future__ import annotations

import json
import re

import pytest
from starlette.testclient import TestClient

from pipelines.page.app import create_app
from pipelines.page.views.overview import MEASURE_LINKS
from tests.helpers.page_home import shown_cards, site, sql
from tests.helpers.reference_docs import ROOT

pytestmark = pytest.mark.timeout(400)  # the first test of a worker syncs the home

DAYS = "start_date between '2026-11-12' and '2026-11-25'"


@pytest.fixture(scope="module")
def client(page_home):
    return TestClient(create_app(site(page_home)), base_url="http://127.0.0.1")


def having(table, condition):
    return f"conversation_id in (select conversation_id from marts.{table} where {condition})"


CONDITIONS = {
    "verdict=failure": "call_successful = 'failure'",
    "outcome=error": "outcome = 'error'",
    "outcome=not_reached": "outcome = 'not_reached'",
    "contained=no": "outcome not in ('not_reached', 'voicemail', 'contained')",
    "transferred=yes": "is_finished and (is_transferred_to_agent or outcome = 'transferred')",
    "min_wait=2": having("fct_turns", "wait_secs > 2"),
    "criterion=request_resolved": having("fct_evaluations", "criteria_id = 'request_resolved' and result = 'failure'"),
    "tool=find_customer": having("fct_tool_calls", "tool_name = 'find_customer'"),
    "tool_error=lookup_reservation": having("fct_tool_calls", "tool_name = 'lookup_reservation' and is_error"),
    "termination=client_left": "termination_group = 'client_left'",
    "model=gpt-4.1-mini": having("fct_llm_usage", "model = 'gpt-4.1-mini' and is_total"),
    "weekday=2&hour=10": "local_weekday = 2 and local_start_hour = 10",
    "repeat=yes": "is_repeat_caller_7d",
    "tool_error=lookup_reservation&error_type=timeout": having(
        "fct_tool_calls", "tool_name = 'lookup_reservation' and is_error and error_type = 'timeout'"
    ),
    "error_type=not_given": having("fct_tool_calls", "is_error and coalesce(error_type, '') = ''"),
    "repeat=no": "caller_id is not null and not is_repeat_caller_7d",
    "words=APPOINTMENT": having("fct_turns", "message ilike '%appointment%'"),
    "verdict=failure&channel=chat&min_wait=": "call_successful = 'failure' and channel = 'chat'",
}


@pytest.mark.parametrize("query", CONDITIONS)
def test_each_condition_of_the_list_is_the_one_that_it_says(query, client, page_home):
    where = CONDITIONS[query]
    ((n,),) = [
        tuple(row.values())
        for row in sql(page_home, f"select count(*) as n from marts.fct_conversations where {where} and {DAYS}")
    ]
    assert n > 0
    heading = re.search(r"<h1>([\d,]+) conversation", client.get(f"/conversations?{query}").text)[1]
    assert int(heading.replace(",", "")) == n


def test_signs_without_a_word_are_said_in_no_conversation(client):
    assert "<h1>0 conversations" in client.get("/conversations?words=!%3F").text


def test_the_list_says_how_many_are_open_as_the_card_of_the_overview_counts_only_the_finished(client, page_home):
    (row,) = sql(
        page_home,
        f"select count(*) as n, count(*) filter (outcome is null) as n_open from marts.fct_conversations where {DAYS}",
    )
    assert row["n_open"] == 3
    assert f"<h1>{row['n']} conversations, 3 still open</h1>" in client.get("/conversations").text
    assert shown_cards(client.get("/").text)["n_calls"] == str(row["n"] - 3)


def test_the_pages_of_a_list_have_each_conversation_once(client, page_home):
    ids = []
    last = client.get("/conversations?page=999&sort=newest").text
    for page in range(1, 10):
        text = client.get(f"/conversations?page={page}&sort=newest").text
        ids += re.findall(r'href="/conversations/(conv_\w+)"', text)
        if "next →" not in text:
            break
    expected = sql(
        page_home,
        f"select conversation_id from marts.fct_conversations where {DAYS} order by started_at desc, conversation_id",
    )
    assert ids == [row["conversation_id"] for row in expected]
    assert text == last


def test_the_long_waits_of_a_conversation_are_marked(client, page_home):
    ((conversation_id,),) = [
        tuple(row.values())
        for row in sql(
            page_home,
            "select conversation_id from marts.fct_conversations where n_slow_waits between 1 and n_waits - 1 "
            "order by n_slow_waits desc, conversation_id limit 1",
        )
    ]
    waits = sql(
        page_home,
        f"""
        select wait_secs, wait_secs > (from seeds.thresholds select value where threshold = 'wait_poor_secs') as is_long
        from marts.fct_turns
        where conversation_id = '{conversation_id}' and wait_secs is not null
        order by turn_index
        """,
    )
    page = client.get(f"/conversations/{conversation_id}").text
    chart = json.loads(re.search(r'id="chart-waits">(.*?)</script>', page, re.DOTALL)[1])
    assert [(row["value"], row["kind"]) for row in chart["datasets"]["rows"]] == [
        (row["wait_secs"], "long" if row["is_long"] else "short") for row in waits
    ]


def test_a_first_contact_resolution_is_one_that_the_rate_counts(client, page_home):
    (expected,) = sql(
        page_home,
        "select sum(n_resolved) as yes, sum(n_traced) - sum(n_resolved) as no from metrics.agent_daily "
        "where start_date between '2026-10-29' and '2026-11-11'",
    )
    shown = {
        answer: re.search(
            r"<h1>([\d,]+) conversation",
            client.get(f"/conversations?from=2026-10-29&to=2026-11-11&first_contact={answer}").text,
        )[1]
        for answer in ("yes", "no")
    }
    assert expected["no"] > 0
    assert shown == {answer: f"{n:,}" for answer, n in expected.items()}


@pytest.mark.parametrize(
    ("sort", "column"),
    [("queue", "queue_wait_secs desc"), ("interruptions", "n_interruptions desc"), ("rating", "rating")],
)
def test_a_list_can_be_sorted_by_what_a_target_or_an_unusual_day_is_about(sort, column, client, page_home):
    (first,) = sql(
        page_home,
        f"select conversation_id from marts.fct_conversations where {DAYS} "
        f"order by {column} nulls last, started_at desc, conversation_id limit 1",
    )
    links = re.findall(r'href="/conversations/([^"?]+)', client.get(f"/conversations?sort={sort}").text)
    assert links[0] == first["conversation_id"]


def test_every_measure_with_a_target_or_unusual_days_leads_to_conversations_in_an_order_of_its_own(page_home):
    headers = (headers_of("sql/seeds/targets.toml", "metric"), headers_of("sql/metrics/anomalies.sql", "measure"))
    assert all(headers)
    assert [name for names in headers for name in names if name not in MEASURE_LINKS] == []


def headers_of(file, column):
    """The values that a header accepts for a column."""
    listed = re.search(rf"^{column} = \[(.*?)\]", (ROOT / file).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return re.findall(r'"(\w+)"', listed[1])

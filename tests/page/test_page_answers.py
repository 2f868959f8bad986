"""What people ask: why a cost changed, which version it was, what callers met at an hour, what to listen to first."""

# ruff: noqa: S608 -- the statements are of these tests

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from html import unescape

import pytest
from starlette.testclient import TestClient

from pipelines.page.app import create_app
from pipelines.page.render import column_decimals
from pipelines.page.text import change, day, dollar_decimals, local_time, number
from pipelines.page.views.tools import message
from tests.helpers.page_home import site, sql
from warehouse.serve.pages.cards import share_interval
from warehouse.serve.pages.conversations import worst_spoken
from warehouse.serve.pages.money import component_totals, cost_change
from warehouse.serve.pages.selection import Period, Selection, open_reader, select
from warehouse.serve.value_format import NULL_NUMBER

pytestmark = pytest.mark.timeout(400)  # the first test of a worker syncs the home

BASE = "http://127.0.0.1"
CLINIC = "agent_7301k6rqw8z4e5vbx9n2tmc0hdyj"
NOW = "is_counted and start_date between '2026-11-12' and '2026-11-25'"
BEFORE = "is_counted and start_date between '2026-10-29' and '2026-11-11'"
SELECTION = Selection(Period(date(2026, 11, 12), date(2026, 11, 25)))


@pytest.fixture(scope="module")
def client(page_home):
    return TestClient(create_app(site(page_home)), base_url=BASE)


def words_of(page):
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", page)))


def chart(page, name):
    return json.loads(re.findall(rf'id="chart-{name}">(.*?)</script>', page, re.DOTALL)[0])["datasets"]["rows"]


def test_the_change_of_the_cost_is_that_of_the_number_and_that_of_the_price(client, page_home):
    (now,), (before,) = (
        sql(page_home, f"select sum(cost_usd) as usd, count(cost_usd) as n from marts.fct_conversations where {where}")
        for where in (NOW, BEFORE)
    )
    by_number = (now["n"] - before["n"]) * before["usd"] / before["n"]
    by_price = (now["usd"] / now["n"] - before["usd"] / before["n"]) * now["n"]
    with open_reader(page_home) as reader:
        parts = cost_change(select(reader, SELECTION))
    assert parts.difference == pytest.approx(now["usd"] - before["usd"])
    assert (parts.by_number, parts.by_price) == (pytest.approx(by_number), pytest.approx(by_price))
    usd = "US dollars"
    assert (
        f"{number(abs(parts.difference), usd)} {'more' if parts.difference > 0 else 'less'} than in the 14 days before "
        f"({number(before['usd'], usd)}): {change(by_number, usd, 2)} through the number of conversations, "
        f"{change(by_price, usd, 2)} through what one costs."
    ) in words_of(client.get("/money").text)


def test_without_a_period_before_nothing_is_said_of_a_change(client, page_home):
    with open_reader(page_home) as reader:
        assert cost_change(select(reader, Selection(Period(date(2000, 1, 1), date(2026, 11, 25))))) is None
    page = client.get("/money?compare=off").text
    assert ("less than in" in page or "more than in" in page, ">before</th>" in page) == (False, False)


def test_the_change_of_the_cost_says_where_the_data_do_not_reach_back_to_all_of_the_period_before(client, page_home):
    (data,) = sql(page_home, "select min(start_date) as first_date from marts.fct_conversations")
    since, until = (data["first_date"] + timedelta(days) for days in (3, 6))
    lede = words_of(client.get(f"/money?from={since}&to={until}").text)
    assert (
        f" through what one costs. The data begins on {day(data['first_date'])}, so the 4 days before are incomplete."
    ) in lede


def test_the_components_of_both_periods_add_up_to_their_costs(page_home):
    with open_reader(page_home) as reader:
        rows = component_totals(select(reader, SELECTION))
    for column, where in (("cost_usd", NOW), ("previous_cost_usd", BEFORE)):
        (whole,) = sql(page_home, f"select sum(cost_usd) as usd from marts.fct_conversations where {where}")
        assert sum(row[column] or 0 for row in rows) == pytest.approx(whole["usd"])


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("hour=18", "local_start_hour = 18"),
        ("verdict=success&sort=cost", "call_successful = 'success'"),
        ("outcome=abandoned", "outcome = 'abandoned'"),
    ],
)
def test_a_list_with_conditions_has_the_measures_of_all_its_pages(query, where, client, page_home):
    (row,) = sql(
        page_home,
        f"""
        select count(*) as n, count(*) filter (call_successful in ('success', 'failure')) as n_judged,
            count(*) filter (call_successful = 'success') / nullif(n_judged, 0) as success_rate,
            count(*) filter (is_error) / count(*) as error_rate, sum(cost_usd) / count(*) as usd,
            (select quantile_cont(wait_secs, 0.95) from marts.fct_turns where conversation_id in
                (select conversation_id from marts.fct_conversations where {NOW} and {where})) as wait
        from marts.fct_conversations where {NOW} and {where}
        """,
    )
    text = words_of(client.get(f"/conversations?{query}").text).replace("\xa0", " ")
    share = "share of 1"
    assert f"Of {row['n']:,} finished conversation" in text
    shown = [
        f"{number(row['success_rate'], share)} of {row['n_judged']:,} judged succeeded" if row["n_judged"] else "",
        f"{number(row['error_rate'], share)} failed with an error",
        f"95 of 100 waits were within {number(row['wait'], 'seconds')}" if row["wait"] else "",
        f"{number(row['usd'], 'US dollars')} each",
    ]
    assert [part for part in shown if part.replace("\xa0", " ") not in text] == []


@pytest.mark.parametrize("query", ["", "sort=cost", "agent=" + CLINIC])
def test_a_list_without_conditions_leaves_its_measures_to_the_overview(query, client):
    assert "finished conversation" not in client.get(f"/conversations?{query}").text.split("<main")[1]


def test_the_waits_of_an_hour_are_those_of_all_days_too(client, page_home):
    (expected,) = sql(
        page_home,
        f"""
        select quantile_cont(wait_secs, 0.95) as p95, count(wait_secs) as n from marts.fct_turns
        where local_start_hour = 18 and {NOW}
        """,
    )
    rows = [row for row in chart(client.get("/speed").text, "hours") if row["x"] == "18"]
    (row,) = (row for row in rows if row["label"] == "all days")
    assert (row["value"], row["n"]) == (pytest.approx(expected["p95"]), expected["n"])
    assert row["url"] == "/conversations?hour=18&sort=wait"
    assert sum(other["n"] for other in rows) == 2 * row["n"]


def test_what_to_listen_to_is_a_dialogue_and_says_what_went_wrong(client, page_home):
    with open_reader(page_home) as reader:
        rows = worst_spoken(select(reader, SELECTION))
    ids = ", ".join(f"'{row['conversation_id']}'" for row in rows)
    (check,) = sql(
        page_home,
        f"select count(*) as n, min(n_user_turns) as n_turns, bool_and({NOW}) as is_counted, "
        f"bool_and(call_successful = 'failure' or is_error) as went_wrong "
        f"from marts.fct_conversations where conversation_id in ({ids})",
    )
    assert (check["n"], check["n_turns"] >= 2, check["is_counted"], check["went_wrong"]) == (5, True, True, True)
    block = client.get("/").text.split('id="worst"')[1].split("</section>")[0]
    links = re.findall(r'href="(/conversations/[^"]+)"', block)
    assert links == [f"/conversations/{row['conversation_id']}" for row in rows]
    assert client.get(links[0]).status_code == 200
    assert block.count("judged a failure") == sum(row["call_successful"] == "failure" for row in rows) > 0


def test_the_agent_of_the_sentence_is_a_link_to_it(client):
    lede = unescape(client.get("/?days=10").text.split('class="lede"')[1].split("</p>")[0])
    agent = "agent_4801k7ahc3m9x5n2wzq8ev0tybdj"
    assert "most at Hotel Alder Concierge" in lede
    assert re.findall(r'href="([^"]+)">([^<]+)<', lede) == [
        ("/conversations?days=10&sort=wait", "See the conversations"),
        (f"/?days=10&agent={agent}", "See Hotel Alder Concierge"),
    ]


def test_a_cost_of_the_sentence_leads_to_its_parts(client):
    lede = unescape(client.get("/").text.split('class="lede"')[1].split("</p>")[0])
    assert lede.startswith(">Cost per successful conversation")
    assert re.findall(r'href="([^"]+)">([^<]+)<', lede) == [("/money", "See the parts of the cost")]


def test_the_days_of_an_agent_show_where_a_version_began(client, page_home):
    version, first = "agtvrsn_5201kb3mh9x7s0e4fv8t2qdc6wyn", "2026-11-09"
    (row,) = sql(
        page_home,
        f"select cast(min(started_at) as date) as day from marts.fct_conversations where version_id = '{version}'",
    )
    first = str(row["day"])
    page = client.get(f"/?agent={CLINIC}&days=28").text
    marks = [row for row in chart(page, "success_rate") if row.get("kind") == "version"]
    assert [(mark["day"], mark["url"]) for mark in marks if mark["day"] == first] == [
        (first, f"/?days=28&agent={CLINIC}&version={version}")
    ]
    assert "dashed: a version begins" in page
    assert "Its newest version, …" in page
    numbers = page.split('aria-label="Numbers of Success rate"')[1].split("</table>")[0]
    assert "begins" not in numbers
    assert not [row for row in chart(client.get("/").text, "success_rate") if row.get("kind")]


@pytest.mark.parametrize(
    ("values", "decimals"),
    [
        ([17.16, 1.22], 2),
        ([0.256, 0.0152], 3),
        ([0.974, 0.138, None, 0], 3),
        ([0.4, 0.0034], 4),
        ([0.4, 0.0000034], 4),
        ([12.5, 0.0034], 2),
        ([None, 0], 2),
        ([], 2),
    ],
)
def test_amounts_of_a_column_have_the_same_decimals(values, decimals):
    assert dollar_decimals(values) == decimals


def test_an_amount_that_would_be_nothing_keeps_its_digits():
    assert [number(value, "US dollars", 2) for value in (1.226, 0.005, 0.00034, 0, None)] == [
        "$1.23",
        "$0.01",
        "$0.000340",
        "$0.00",
        NULL_NUMBER,
    ]
    assert [change(value, "US dollars", 3) for value in (0.0154, -0.0001)] == ["+$0.015", "±$0.000"]


def test_only_columns_of_dollars_get_decimals():
    rows = [{"a": 0.5, "b": {"value": 0.02, "unit": "US dollars per success"}, "c": 3}]
    columns = {"a": ("A", "share of 1"), "b": ("B", "change"), "c": ("C", "US dollars")}
    assert column_decimals(rows, columns) == {"b": 3, "c": 2}


@pytest.mark.parametrize(
    ("local", "text"),
    [
        (datetime(2026, 11, 25, 23, 30), ""),  # noqa: DTZ001 - a wall clock
        (datetime(2026, 11, 26, 0, 30), "Thu 00:30"),  # noqa: DTZ001 - as above
        (datetime(2026, 11, 25, 18, 30), "18:30"),  # noqa: DTZ001 - as above
        (None, ""),
    ],
)
def test_the_time_of_the_workspace_is_beside_that_of_utc_where_they_differ(local, text):
    assert local_time(datetime.fromisoformat("2026-11-25T23:30:00+00:00"), local) == text


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (
            '{"status": "error", "error": "Invalid DTMF tones", "details": "\'x\' is no tone"}',
            "Invalid DTMF tones: 'x' is no tone",
        ),
        ('{"message": "Not found", "error": {"code": 404}}', "Not found"),
        ('{"code": 404}', '{"code": 404}'),
        ('["error"]', '["error"]'),
        ('{"error": "cut', '{"error": "cut'),
        ("Upstream service timed out", "Upstream service timed out"),
        (None, ""),
    ],
)
def test_the_message_of_a_tool_error_is_what_its_json_says(result, text):
    assert message(result) == text


def test_the_range_of_a_version_is_that_of_the_conversations_of_the_filter(client, page_home):
    counts = sql(
        page_home,
        f"""
        select count(*) filter (call_successful = 'success') as n_success,
            count(*) filter (call_successful in ('success', 'failure')) as n_judged
        from marts.fct_conversations where {NOW} and channel = 'phone'
        group by agent_id, version_id having n_judged > 0
        """,
    )
    (table,) = re.findall(r'id="t-versions".*?</table>', client.get("/agents?channel=phone").text, re.DOTALL)
    text = words_of(table).replace("\xa0", " ")
    assert len(counts) > 2
    for row in counts:
        ends = (number(end, "share of 1") for end in share_interval(row["n_success"], row["n_judged"]))
        assert f" {row['n_judged']} {' to '.join(ends)}".replace("\xa0", " ") in text

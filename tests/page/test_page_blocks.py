"""What is beside a number: its n, of how many it is known, the workspace of a row; and charts without some part."""

# ruff: noqa: S608 -- the statements are of these tests

from __future__ import annotations

import json
import re
import shutil
from datetime import date, timedelta
from html import unescape

import duckdb
import pytest
from starlette.testclient import TestClient

from pipelines.page.app import create_app
from pipelines.page.report import ReportScope, write_report
from pipelines.page.text import number
from tests.helpers.page_home import site, sql
from warehouse.storage.home import Home

pytestmark = pytest.mark.timeout(400)  # the first test of a worker syncs the home

CLINIC = "agent_7301k6rqw8z4e5vbx9n2tmc0hdyj"
DAYS = "start_date between '2026-11-12' and '2026-11-25' and is_counted"


@pytest.fixture
def copy(page_home, tmp_path):
    shutil.copytree(page_home.root, tmp_path / "home")
    return Home(tmp_path / "home")


def page_of(home, path):
    return TestClient(create_app(site(home)), base_url="http://127.0.0.1").get(path).text


def table(page, name):
    """The cells of a table on a page, each row a list of (class, text), the head first."""
    block = page.split(f'id="t-{name}"')[1].split("</section>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", block, re.DOTALL)
    return [
        [
            (cls, unescape(re.sub("<[^>]+>", " ", text)).strip())
            for cls, text in re.findall(r'<t[hd](?: scope="col")?(?: class="([^"]*)")?>(.*?)</t[hd]>', row, re.DOTALL)
        ]
        for row in rows
    ]


def change(home, *statements):
    with duckdb.connect(str(home.warehouse)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_cost_that_is_not_known_of_all_says_of_how_many_it_is(copy, tmp_path):
    change(copy, "update marts.fct_conversations set cost_usd = null where channel = 'chat'")
    (row,) = sql(copy, f"select count(cost_usd) / count(*) as share from marts.fct_conversations where {DAYS}")
    (judged,) = sql(
        copy,
        "select count(*) filter (call_successful <> 'unknown') / count(*) as share "
        f"from marts.fct_conversations where {DAYS}",
    )
    cost, success = (number(share["share"], "share of 1") for share in (row, judged))
    assert 0 < row["share"] < 1
    write_report(site(copy), tmp_path / "report.html", ReportScope(since="14d"))
    for text in (page_of(copy, "/"), (tmp_path / "report.html").read_text(encoding="utf-8")):
        cards = text.split('class="cards"')[1].split("</div>")[0]
        assert f"successes, cost of {cost} known" in cards
        assert f"judged, {success} of all" in cards


def test_a_cost_that_is_known_of_all_says_no_more(copy):
    change(copy, "update marts.fct_conversations set cost_usd = coalesce(cost_usd, 0)")
    assert "cost of" not in page_of(copy, "/").split('class="cards"')[1].split("</div>")[0]


def test_a_rate_of_a_version_is_grey_by_its_own_n(copy):
    version = "agtvrsn_5201kb3mh9x7s0e4fv8t2qdc6wyn"
    change(
        copy,
        f"update marts.fct_conversations set call_successful = 'unknown' where version_id = '{version}'",
        "update marts.fct_conversations set call_successful = 'success' where conversation_id in "
        f"(select conversation_id from marts.fct_conversations where version_id = '{version}' limit 5)",
    )
    head, *rows = table(page_of(copy, "/agents?days=all"), "versions")
    names = [text for _, text in head]
    (row,) = [dict(zip(names, cells, strict=True)) for cells in rows if cells[0][1].endswith("6wyn")]
    assert int(row["conversations"][1]) >= 20
    assert row["judged"] == ("num", "5")
    assert [row[name][0] for name in ("success", "containment", "errors")] == ["num few", "num", "num"]


def test_rows_of_several_workspaces_say_whose_they_are(copy):
    assert [text for _, text in table(page_of(copy, "/data"), "runs")[0]][:2] == ["started", "outcome"]
    change(
        copy,
        "insert into metrics.sync_health by name select 'second' as workspace, * exclude (workspace) "
        "from metrics.sync_health limit 1",
    )
    head, row, *_ = table(page_of(copy, "/data"), "runs")
    assert ([text for _, text in head][:3], row[1][1]) == (["started", "workspace", "outcome"], "main")


def test_a_component_below_zero_is_not_hidden_among_all_other(copy):
    change(
        copy,
        "update intermediate.int_cost_components set component = 'unexplained', cost_usd = -1 where component = 'llm'",
    )
    page = page_of(copy, "/money")
    rows = json.loads(re.findall(r'id="chart-components">(.*?)</script>', page, re.DOTALL)[0])["datasets"]["rows"]
    assert {row["series"] for row in rows if row.get("value", 0) < 0} == {"Unexplained"}


@pytest.mark.parametrize("has_interval", [True, False])
def test_a_forecast_without_an_interval_has_no_band(copy, has_interval):
    if not has_interval:
        change(copy, "update metrics.spend_forecast set expected_low_usd = null, expected_high_usd = null")
    page = page_of(copy, "/money")
    spec = json.loads(re.findall(r'id="chart-forecast">(.*?)</script>', page, re.DOTALL)[0])
    assert ("area" in [layer["mark"]["type"] for layer in spec["layer"]]) == has_interval


def test_the_headings_of_a_page_are_one_level_below_its_title(page_home):
    for path in ("/", "/money", "/outcomes", "/speed", "/tools", "/agents", "/data"):
        assert set(re.findall(r"<(h\d)", page_of(page_home, path))) == {"h1", "h2"}, path


def test_a_target_of_waits_leads_to_the_longest_waits(copy):
    monday = date(2026, 11, 16)
    change(
        copy,
        "delete from metrics.targets where metric <> 'wait_within_fair_rate'",
        f"update metrics.targets set is_met = false where week_start_date = '{monday}'",
    )
    page = page_of(copy, f"/?from={monday}&to={monday + timedelta(days=6)}")
    links = re.findall(r'<a href="([^"]+)">[^<]*waits within a fair time', page)
    assert links
    assert all("sort=wait" in link for link in links)


def test_a_month_that_is_over_is_not_said_to_cost_more(copy):
    change(copy, "delete from metrics.spend_forecast where month_start_date >= '2026-11-01'")
    (month,) = sql(copy, "select cost_usd, expected_usd from metrics.spend_forecast where agent_id = '*'")
    assert month["cost_usd"] == pytest.approx(month["expected_usd"])
    page = page_of(copy, "/money")
    assert f"US dollars of October 2026, added up: {number(month['cost_usd'], 'US dollars')}</p>" in page
    assert ("What the month cost" in page, "What the month will cost" in page) == (True, False)


def test_a_page_without_a_filter_does_not_blame_one(copy):
    change(copy, "delete from metrics.sync_health")
    page = page_of(copy, "/data")
    assert ("Nothing to show yet." in page, "for this filter" in page) == (True, False)


@pytest.mark.parametrize(("path", "chart"), [("/outcomes", "criteria"), ("/tools", "tool_hours")])
def test_a_cell_of_a_heat_map_leads_to_conversations_also_where_none_failed(path, chart, copy):
    change(copy, f"update marts.fct_evaluations set result = 'success' where agent_id = '{CLINIC}'")
    page = page_of(copy, f"{path}?days=28")
    cells = json.loads(re.findall(rf'id="chart-{chart}">(.*?)</script>', page, re.DOTALL)[0])["datasets"]["rows"]
    without = [cell for cell in cells if cell["value"] == (1 if chart == "criteria" else 0)]
    assert without
    for cell in (*without[:3], *[cell for cell in cells if cell not in without][:3]):
        assert "<h1>0 conversations</h1>" not in page_of(copy, cell["url"]), cell

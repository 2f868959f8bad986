"""The page as people use it: every page at three widths, light and dark, with the keyboard, and to the transcript."""

# ruff: noqa: S608 -- the statements are of these tests

from __future__ import annotations

import json
import shutil
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe

from pipelines.page.app import VIEWS
from pipelines.page.report import ReportScope, write_report
from pipelines.page.text import number
from tests.helpers.browsing import SCHEMES, WIDTHS, Visitor, served
from tests.helpers.page_home import site
from warehouse.serve.query import query
from warehouse.storage.home import Home

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TUESDAY = "2026-11-24"
CLINIC = "agent_7301k6rqw8z4e5vbx9n2tmc0hdyj"
MARKS = "[...document.querySelectorAll('.plot')].map((plot) => plot.querySelectorAll('svg path').length)"
CUT_OFF = """[...document.querySelectorAll('.plot')].flatMap((plot) => {
    const around = plot.getBoundingClientRect();
    return [...plot.querySelectorAll('.role-axis-label text, .role-legend text, .mark-text text')].filter((text) => {
        const box = text.getBoundingClientRect();
        return text.textContent && (box.left < around.left - 2 || box.right > around.right + 2
            || box.top < around.top - 2 || box.bottom > around.bottom + 2);
    }).map((text) => plot.dataset.chart + ': ' + text.textContent);
})"""
AXE_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


@pytest.fixture
def paths(page_home):
    conversation_id = query(
        page_home,
        "select conversation_id from marts.fct_conversations where n_tool_errors > 0 and call_successful = 'failure' "
        "order by n_turns desc, conversation_id limit 1",
    ).item()
    pages = [view.path for view in VIEWS if "{" not in view.path]
    listed = ["/conversations?hour=18&verdict=failure", f"/?days=28&agent={CLINIC}"]
    return [*pages, *listed, f"/conversations/{conversation_id}", "/catalogue/metrics.agent_daily.cost_usd_per_success"]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_drawn_without_an_error_another_host_or_a_line_too_wide_and_passes_axe(
    width, scheme, browser, url, paths
):
    """Axe looks at contrast, names and roles, at the least and the largest width."""
    visitor = Visitor(browser, url, width=width, scheme=scheme)
    violations = []
    for path in paths:
        page = visitor.open(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        plots = page.evaluate(MARKS)
        assert all(plots), path
        assert page.evaluate(CUT_OFF) == [], path
        assert page.locator("h1").count() == 1, path
        if width in (WIDTHS[0], WIDTHS[-1]):
            result = Axe().run(page, options=AXE_RULES)
            violations += [
                (path, violation["id"], node["target"], node.get("failureSummary"))
                for violation in result.response["violations"]
                for node in violation["nodes"][:3]
            ]
    assert violations == []
    assert visitor.problems == []
    visitor.context.close()


def test_dark_is_dark_in_the_charts_too(browser, url):
    colours = {}
    for scheme in SCHEMES:
        page = Visitor(browser, url, scheme=scheme).open("/")
        background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        bar = page.locator("[data-chart=n_calls] .mark-rect path").first.get_attribute("fill")
        colours[scheme] = (background, bar)
        page.context.close()
    assert colours == {"light": ("rgb(252, 251, 248)", "#1f5fa8"), "dark": ("rgb(23, 24, 27)", "#86b8f2")}


def test_a_print_is_light_and_has_no_navigation(browser, url):
    page = Visitor(browser, url, scheme="dark").open("/")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(252, 251, 248)"
    shown = ("nav", ".quick", "button", "details", ".filter [name=from]", ".cards", ".plot")
    visible = {name: page.locator(name).first.is_visible() for name in shown}
    assert visible == dict.fromkeys(shown[:4], False) | dict.fromkeys(shown[4:], True)
    page.context.close()


@pytest.mark.parametrize("path", ["/agents", "/tools", "/conversations", "/data"])
def test_a_print_has_every_row_and_column(path, browser, url):
    page = Visitor(browser, url, width=979).open(path)  # a sheet of Letter across, the narrowest
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") == 979
    cut = "(box) => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight"
    boxes = page.evaluate(f"[...document.querySelectorAll('.scroll')].filter((box) => box.offsetParent).map({cut})")
    assert boxes
    assert not any(boxes)
    page.context.close()


@pytest.mark.parametrize("path", ["/", "/outcomes", "/speed"])
def test_a_name_of_one_long_word_is_wrapped(path, browser, page_home, tmp_path):
    shutil.copytree(page_home.root, tmp_path / "home")
    home = Home(tmp_path / "home")
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("update marts.dim_agents set agent_name = repeat('W', 150)")
    with served(home) as url:
        page = Visitor(browser, url, width=WIDTHS[0]).open(path)
        assert page.get_by_text("WWW").count()
        assert page.evaluate("document.documentElement.scrollWidth") == WIDTHS[0]
        page.context.close()


@pytest.mark.parametrize("name", ["token:x", "token:accent"])
def test_a_name_that_looks_like_a_colour_is_drawn_as_it_is(name, browser, page_home, tmp_path):
    shutil.copytree(page_home.root, tmp_path / "home")
    home = Home(tmp_path / "home")
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("update marts.dim_agents set agent_name = ? where agent_name like 'Harbour%'", [name])
    with served(home) as url:
        page = Visitor(browser, url).open("/speed")
        assert page.locator("[data-chart=stages] .role-axis-label text").get_by_text(name, exact=True).count() == 1
        page.context.close()


@pytest.mark.parametrize(("width", "scheme"), [(380, "light"), (1280, "dark")])
def test_a_report_opens_from_its_file_and_asks_for_nothing(width, scheme, browser, page_home, tmp_path):
    file = tmp_path / "report.html"
    write_report(site(page_home), file, ReportScope(since="14d", with_conversations=True))
    visitor = Visitor(browser, file.as_uri(), width=width, scheme=scheme)
    visitor.page.goto(file.as_uri())
    assert visitor.page.locator(".chart svg").count() == 5
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width
    result = Axe().run(visitor.page, options=AXE_RULES)
    assert [violation["id"] for violation in result.response["violations"]] == []
    assert visitor.problems == []
    visitor.context.close()


def test_the_numbers_that_a_reader_sees_are_those_of_sql(browser, url, page_home):
    page = Visitor(browser, url).open(f"/?agent={CLINIC}&days=7")
    row = query(
        page_home,
        "select count(*) as n, count(*) filter (call_successful = 'success') / count(*) filter "
        "(call_successful <> 'unknown') as rate, count(*) filter (is_error) / count(*) as errors "
        "from marts.fct_conversations where is_finished and start_date between '2026-11-19' and '2026-11-25' "
        f"and agent_id = '{CLINIC}'",
    ).row(0, named=True)
    shown = {
        column: page.locator(f"[data-column={column}] .value").inner_text()
        for column in ("n_calls", "success_rate", "error_rate")
    }
    assert shown == {
        "n_calls": f"{row['n']:,}",
        "success_rate": number(row["rate"], "share of 1"),
        "error_rate": number(row["errors"], "share of 1"),
    }
    page.context.close()


def test_from_success_that_fell_on_a_tuesday_to_the_reason_in_three_clicks(browser, url, page_home):
    visitor = Visitor(browser, url)
    page = visitor.open("/")
    points = page.locator("[data-chart=success_rate] .mark-symbol path")
    days = [row["day"] for row in json.loads(page.locator("#chart-success_rate").inner_text())["datasets"]["rows"]]
    points.nth(days.index(TUESDAY)).click()  # 1: the day
    page.wait_for_url("**/conversations?**")
    assert parse_qs(urlsplit(page.url).query) == {"from": [TUESDAY], "to": [TUESDAY], "verdict": ["failure"]}
    n_failed = query(
        page_home,
        "select count(*) as n from marts.fct_conversations "
        f"where start_date = '{TUESDAY}' and call_successful = 'failure'",
    ).item()
    assert page.locator("table.conversations tbody tr").count() == n_failed > 0
    page.locator("table.conversations tbody tr a").last.click()  # 2: one that failed
    page.wait_for_selector("#transcript")
    assert page.locator("section[aria-labelledby=verdicts] .tag.bad").count() > 0
    assert page.locator("section[aria-labelledby=verdicts] .list li").first.inner_text().count("\n") >= 1
    assert page.locator(".talk .said").count() > 0
    assert visitor.problems == []
    page.context.close()


def test_with_the_keyboard_alone_through_the_filter_and_into_a_conversation(browser, url):
    visitor = Visitor(browser, url)
    page = visitor.open("/conversations")
    press_until(page, "document.activeElement.name === 'agent'")
    page.keyboard.type("Harbour")
    page.keyboard.press("Enter")
    page.wait_for_url("**agent=**")
    assert parse_qs(urlsplit(page.url).query)["agent"] == [CLINIC]
    assert set(page.locator("table.conversations tbody td:nth-child(5)").all_inner_texts()) == {
        "Harbour Clinic Reception"
    }
    press_until(page, "document.activeElement.matches('table.conversations td a')")
    title = page.evaluate("document.activeElement.innerText")
    page.keyboard.press("Enter")
    page.wait_for_selector("#transcript")
    assert page.locator("h1").inner_text() in (title, "Conversation without a title")
    assert visitor.problems == []
    page.context.close()


def press_until(page, condition):
    """Tab on until a condition holds for what has the focus, which is to be seen there."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(condition):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            return
    pytest.fail(f"nothing with the focus ever had: {condition}")


def test_a_choice_with_the_mouse_applies_at_once_and_leaves_empty_fields_out_of_the_address(browser, url):
    visitor = Visitor(browser, url)
    page = visitor.open("/speed")
    page.select_option("select[name=channel]", "phone")
    page.wait_for_url("**channel=phone**")
    assert sorted(parse_qs(urlsplit(page.url).query, keep_blank_values=True)) == ["channel", "from", "to"]
    page.wait_for_function("document.querySelector('.plot[data-drawn]')")
    page.get_by_role("link", name="Money", exact=True).click()
    page.wait_for_url("**/money?**")
    assert parse_qs(urlsplit(page.url).query)["channel"] == ["phone"]
    assert visitor.problems == []
    page.context.close()


def test_what_a_mark_says_on_pointing_is_shown_as_text(browser, url):
    page = Visitor(browser, url).open("/")
    page.locator("[data-chart=n_calls] .mark-rect path").first.hover()
    page.wait_for_selector("#tip:not([hidden])")
    assert page.locator("#tip").inner_text().startswith("Thu 12 Nov 2026: ")
    page.context.close()


def test_after_going_back_the_filter_shows_what_the_numbers_are_of(browser, url):
    """A browser would put the choices of the page that was left into the one that it goes back to."""
    page = Visitor(browser, url).open("/")
    shown = "[...document.querySelectorAll('form.filter [name]')].map((field) => field.value)"
    before, n_calls = page.evaluate(shown), page.locator("[data-column=n_calls] .value").inner_text()
    page.select_option("select[name=channel]", "chat")
    page.wait_for_url("**channel=chat**")
    page.fill("input[name=from]", "2026-11-20")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**from=2026-11-20**")
    for _ in range(2):
        page.go_back(wait_until="load")
    assert (page.evaluate(shown), page.locator("[data-column=n_calls] .value").inner_text()) == (before, n_calls)
    page.context.close()

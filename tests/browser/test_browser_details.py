"""Details that only a browser shows: a phone, colours that the system forces, the axes of money and time, versions."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from tests.helpers.browsing import WIDTHS, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

CLINIC, CHAT = "agent_7301k6rqw8z4e5vbx9n2tmc0hdyj", "agent_9501k8fqs6d2v7y4xn3mtc9ezw0b"
NAVIGATION_SHOWS = """(() => {
    const place = document.querySelector('nav [aria-current]').getBoundingClientRect();
    return place.left >= 0 && place.right <= document.documentElement.clientWidth;
})()"""
SMALL_TARGETS = """[...document.querySelectorAll('a, button, summary, select, input')].filter((target) => {
    const box = target.getBoundingClientRect();
    return box.width > 1 && box.height < 23.9 && !target.closest('svg, p, li, dd, td, th, h1, h2');
}).map((target) => target.outerHTML)"""


def labels(page, chart):
    return page.locator(f"[data-chart={chart}] .role-axis-label text").all_text_contents()


def test_on_a_phone_the_numbers_come_before_the_fields_of_the_filter_which_open_on_request(browser, url):
    visitor = Visitor(browser, url, width=WIDTHS[0])
    page = visitor.open(f"/agents?agent={CLINIC}")
    toggle = page.get_by_role("button", name="Filter: Harbour Clinic Reception")
    channel = page.locator("select[name=channel]")
    assert (toggle.get_attribute("aria-expanded"), channel.is_visible()) == ("false", False)
    assert page.locator("h1").bounding_box()["y"] < 200
    assert page.evaluate(NAVIGATION_SHOWS)
    toggle.focus()
    page.keyboard.press("Enter")
    assert (toggle.get_attribute("aria-expanded"), channel.is_visible()) == ("true", True)
    page.select_option("select[name=channel]", "phone")
    page.wait_for_url("**channel=phone**")
    assert page.get_by_role("button", name="Filter: Harbour Clinic Reception, phone").is_visible()
    assert visitor.problems == []
    page.context.close()


def test_on_a_large_screen_the_filter_is_open_and_one_row(browser, url):
    page = Visitor(browser, url, width=1280).open("/")
    fields = page.locator("form.filter :is(select, input:not([type=hidden]), [type=submit])").all()
    assert len({round(field.bounding_box()["y"] + field.bounding_box()["height"]) for field in fields}) == 1
    assert not page.locator(".toggle").is_visible()
    page.context.close()


@pytest.mark.parametrize("path", ["/", "/money", "/tools", "/conversations?hour=18", "/data"])
def test_what_can_be_pressed_is_high_enough(path, browser, url):
    page = Visitor(browser, url, width=WIDTHS[0]).open(path)
    assert page.evaluate(SMALL_TARGETS) == []
    page.context.close()


def test_where_the_system_forces_colours_the_chosen_days_and_the_page_are_underlined(browser, url):
    page = Visitor(browser, url).open("/")
    page.emulate_media(forced_colors="active")
    lines = "[...document.querySelectorAll('[aria-current]')].map((link) => getComputedStyle(link).textDecorationLine)"
    assert page.evaluate(lines) == ["underline", "underline"]
    page.context.close()


def test_amounts_at_an_axis_have_their_cents(browser, url):
    visitor = Visitor(browser, url)
    for agent, pattern in ((CLINIC, r"\$0|\$\d+(\.\d\d)?"), (CHAT, r"\$0|\$0\.\d{2,4}")):
        texts = [text for text in labels(visitor.open(f"/?agent={agent}"), "cost_usd_per_success") if "$" in text]
        assert len(set(texts)) == len(texts) > 2
        assert [text for text in texts if not re.fullmatch(pattern, text)] == []
    visitor.context.close()


def test_the_time_line_of_a_conversation_begins_with_it(browser, url):
    page = Visitor(browser, url).open("/conversations?sort=wait")
    page.locator("table.conversations tbody a").first.click()
    page.wait_for_selector(".plot[data-drawn]")
    times = [text for text in labels(page, "waits") if ":" in text]
    seconds = [int(text.split(":")[0]) * 60 + int(text.split(":")[1]) for text in times]
    assert seconds[0] == 0
    assert len(seconds) > 2
    assert {later - earlier for earlier, later in pairwise(seconds)} == {seconds[1]}
    page.context.close()


def test_the_day_on_which_a_version_began_is_a_line_that_leads_to_its_numbers(browser, url):
    visitor = Visitor(browser, url)
    page = visitor.open(f"/?agent={CLINIC}&days=28")
    lines = "[data-chart=success_rate] .mark-rule.role-mark"
    assert page.locator(f"{lines} line").count() > 0
    page.locator(f"{lines} line").last.dispatch_event("click")
    page.wait_for_url("**version=**")
    assert visitor.open("/").locator(lines).count() == 0
    assert visitor.problems == []
    visitor.context.close()

"""The report and the summaries for chat: one file that needs nothing, with the numbers of the page."""

from __future__ import annotations

import json
import re
import shutil
import struct

import dagster as dg
import pytest

from pipelines.orchestration.assets.weekly_report import weekly_report, weekly_report_schedule
from pipelines.orchestration.build_defs import build_defs
from pipelines.page.palette import LIGHT
from pipelines.page.render import render
from pipelines.page.report import ReportScope, _values
from pipelines.settings import Settings
from pipelines.usecases.context import Context
from tests.helpers.page_home import UNTIL, site
from tests.helpers.run_cli import run
from warehouse.serve.summary import markdown_summary, slack_summary
from warehouse.storage.home import Home

pytestmark = pytest.mark.timeout(400)  # the first test of a worker syncs the home

NOW = {"CONVOHOUSE_NOW": "2026-11-26"}


def report(home, *arguments):
    return run(home.root.parent, "report", "--home", str(home.root), *arguments, **NOW)


@pytest.fixture(scope="module")
def html(page_home, tmp_path_factory):
    file = tmp_path_factory.mktemp("report") / "report.html"
    ended = report(page_home, "--since", "14d", "--out", str(file))
    assert (ended.code, ended.err) == (0, f"{file} shows 2026-11-12 to 2026-11-25.\n")
    return file.read_text()


def test_it_has_the_cards_and_charts_of_the_overview_and_needs_no_network_and_no_script(html):
    assert re.findall(r'data-column="(\w+)"', html) == [
        "n_calls",
        "success_rate",
        "containment_rate",
        "cost_usd_per_success",
        "wait_p95_secs",
        "error_rate",
    ]
    assert html.count("<svg") == html.count("</svg>") >= 11
    assert "<script" not in html
    assert [address for address in re.findall(r'(?:href|src)="([^"#]*)"', html) if address] == ["/data"][:0]
    assert re.findall(r"https?://(?!www\.w3\.org/)", html) == []


def test_it_has_no_word_of_a_conversation_unless_it_is_to_have_them(html, page_home, tmp_path):
    assert "conv_" not in html
    assert "Failed conversations" not in html
    file = tmp_path / "report.html"
    assert report(page_home, "--since", "14d", "--with-conversations", "--out", str(file)).code == 0
    assert "Failed conversations" in file.read_text()


def test_a_picture_is_a_png_of_twice_its_size(page_home, tmp_path):
    file = tmp_path / "report.png"
    ended = report(page_home, "--out", str(file), "--json")
    assert ended.data == {"file": str(file), "first_date": "2026-11-19", "last_date": "2026-11-25"}
    content = file.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", content[16:24])
    assert width == 2400
    assert height > 1200
    assert [path.name for path in tmp_path.iterdir()] == ["report.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--since", "week"), "neither days nor a date"),
        (("--since", "0d"), "neither days nor a date"),
        (("--since", "2026-13-01"), "is not a date"),
        (("--out", "report.pdf"), "written as .html or .png"),
        (("--out", "report.png", "--with-conversations"), "A picture has no conversations"),
        (("--agent", "nobody"), "nobody"),
        (("--out", "no/where.html"), "There is no folder no to write into"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, message, page_home):
    ended = report(page_home, *arguments)
    assert (ended.code, message in ended.err) == (2, True)


def test_the_weekly_report_is_an_asset_of_its_own_that_no_night_writes_and_whose_schedule_is_off(page_home, tmp_path):
    home = Home(tmp_path / "home")
    shutil.copytree(page_home.root, home.root)
    context = Context(Settings(home=home.root, api_key=None), clock=lambda: UNTIL)
    result = dg.materialize([weekly_report], resources={"app_context": context})
    assert result.success
    (file,) = (home.root / "reports").iterdir()
    assert file.name == "week-2026-11-26.html"
    assert "19 to 25 Nov 2026" in file.read_text()
    assert weekly_report_schedule("UTC").default_status is dg.DefaultScheduleStatus.STOPPED
    defs = build_defs(app_context=context)
    jobs = {name: defs.resolve_job_def(name).asset_layer for name in ("nightly", "weekly_report")}
    keys = {name: weekly_report.key in layer.executable_asset_keys for name, layer in jobs.items()}
    assert keys == {"nightly": False, "weekly_report": True}


def test_the_asset_says_what_is_missing_without_a_warehouse(tmp_path):
    context = Context(Settings(home=tmp_path / "home", api_key=None), clock=lambda: UNTIL)
    context.home.open()
    result = dg.materialize([weekly_report], resources={"app_context": context}, raise_on_error=False)
    assert not result.success
    assert not (context.home.root / "reports").exists()


def test_summaries_for_chat_are_the_six_facts_with_their_markup_escaped(page_home):
    text = run(page_home.root.parent, "summary", "--home", str(page_home.root)).text
    facts = [re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in text.splitlines()]
    slack = run(page_home.root.parent, "summary", "--home", str(page_home.root), "--format", "slack").text
    assert json.loads(slack) == {"text": "\n".join(f"*{label}:* {fact}" for label, fact in facts)}
    markdown = run(page_home.root.parent, "summary", "--home", str(page_home.root), "--format", "markdown").text
    assert markdown.replace("\\", "") == "".join(f"- **{label}:** {fact}\n" for label, fact in facts)


def test_the_name_of_a_tool_is_no_markup():
    numbers = dict.fromkeys(
        ("n_calls", "n_open", "first_date", "last_date", "success_rate", "success_coverage", "cost_credits", "cost_usd")
    )
    numbers |= dict.fromkeys(("cost_usd_per_success", "wait_p50_secs", "wait_p95_secs"))
    numbers |= {"slowest_tool": "<!channel>\n*a*", "slowest_tool_p95_secs": 1.0, "slowest_tool_n_answered": 2}
    assert slack_summary(numbers).splitlines()[-1].startswith("*slowest tool:* &lt;!channel&gt; *a*, 95th percentile")
    assert markdown_summary(numbers).splitlines()[-1].startswith("- **slowest tool:** \\<!channel\\> \\*a\\*, 95th")


def test_the_report_counts_what_else_needs_attention(page_home, html):
    n_more = len(_values(site(page_home), ReportScope(since="14d"))["more_attention"])
    assert re.findall(r"and (\d+) more\.", html) == [str(n_more)]


def test_a_long_name_in_a_picture_leaves_room_for_what_is_the_matter(page_home):
    items = [
        {"mark": "bad", "subject": "W" * 150, "text": ": wait, 95th percentile 2.99 s", "detail": "", "n_text": ""}
    ]
    values = _values(site(page_home), ReportScope(since="14d")) | {"attention": items, "charts": []}
    svg = render("report.svg", **values, colours=LIGHT, font="Arial")
    (text,) = re.findall(r"</tspan> (W[^<]*)</text>", svg)
    assert (len(text), text.lstrip("W")) == (74, "…: wait, 95th percentile 2.99 s")

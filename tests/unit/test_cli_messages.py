"""What commands say to people beside their answers: progress, counts of a run, errors."""

from __future__ import annotations

import sys
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipelines.cli.confirm import is_confirmed
from pipelines.cli.demo import DemoWorld
from pipelines.cli.emulate import _next_midnight
from pipelines.cli.erase import result_lines
from pipelines.cli.main import report_error
from pipelines.cli.progress import ProgressLines
from pipelines.cli.sync import describe_fetched, new_run_id
from pipelines.cli.text_table import aligned
from pipelines.usecases.erasure import ErasureResult, Receipt
from warehouse.errors import QueryError
from warehouse.serve.summary import markdown_summary, slack_summary, summary_facts
from warehouse.serve.value_format import duration, format_value, moment, plural, size

ACCESS = "Give this user access, or become the user whose file it is, then run the command again.\n"
PATH = "Check the path, then run the command again.\n"
ROOM = "Free some disk space, or make it writable, then run the command again.\n"


NOW = datetime(2026, 11, 22, 12, 30, 5, tzinfo=UTC)


def test_a_receipt_counts_in_words() -> None:
    receipts = (
        Receipt("c1", None, {"n_readings": 1, "n_list_rows": 2, "n_recordings": 0}, {"turns": 12, "llm_usage": 1}),
        Receipt("c2", "deleted", {"n_readings": 1200, "n_quarantined": 1}, {}),
        Receipt("c3", "not_found", {}, {}),
    )
    targets = {"file:///a": None, "s3://b": "No answer."}
    result = ErasureResult(receipts, ("c4",), {"c5": "HTTP 500"}, ("A check failed.",), targets)
    assert list(result_lines(result)) == [
        "c1: erased",
        "  landing  1 snapshot, 2 list rows",
        "  lake     12 rows of turns, 1 row of llm_usage",
        "c2: erased, deleted at the API",
        "  landing  1,200 snapshots, 1 quarantined item",
        "  lake     nothing",
        "c3: erased, no longer at the API",
        "  landing  nothing",
        "  lake     nothing",
        "'c4': not in this home folder, nothing to erase",
        "c5: not erased: HTTP 500",
        "warehouse.duckdb was not rebuilt and may still hold it: A check failed.",
        "file:///a: erased there too",
        "s3://b: not reached, it may still have what was erased. No answer.",
    ]


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.parametrize(("yes", "is_dry_run"), [(True, False), (True, True), (False, False), (False, True)])
def test_a_dry_run_asks_nobody_and_is_no_yes(
    *, yes: bool, is_dry_run: bool, is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: is_terminal, raising=False)
    monkeypatch.setattr("click.confirm", lambda question, *, err: questions.append((question, err)) or True)
    is_question = is_terminal and not yes and not is_dry_run
    assert is_confirmed("Erase them?", yes=yes, is_dry_run=is_dry_run) == (not is_dry_run and (yes or is_terminal))
    assert questions == ([("Erase them?", True)] if is_question else [])


@pytest.mark.parametrize(
    ("moment", "until"),
    [("2026-11-22T00:00", "2026-11-22"), ("2026-11-22T00:00:01", "2026-11-23"), ("2026-12-31T23:59", "2027-01-01")],
)
def test_the_emulated_day_goes_on_to_its_end(moment: str, until: str) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert _next_midnight(at) == datetime.fromisoformat(until).replace(tzinfo=UTC)


def test_a_summary_has_six_facts() -> None:
    summary = {
        "n_calls": 1_200,
        "n_open": 3,
        "first_date": date(2026, 10, 1),
        "last_date": date(2026, 11, 25),
        "success_rate": 0.731,
        "success_coverage": 0.925,
        "cost_credits": 938_426,
        "cost_usd": 188.57,
        "cost_usd_coverage": 1.0,
        "cost_usd_per_success": 0.261,
        "wait_p50_secs": 0.93,
        "wait_p95_secs": 1.53,
        "slowest_tool": "look_up",
        "slowest_tool_p95_secs": 10.9,
        "slowest_tool_n_answered": 148,
    }
    facts = {
        "conversations": "1,200 finished, 3 open, 2026-10-01 to 2026-11-25",
        "success rate": "73.1 %, with 92.5 % of the conversations judged",
        "cost": "938,426 credits, $188.57",
        "cost per success": "$0.261 per successful conversation",
        "wait, 95th percentile": "1.53 s, half are within 0.93 s",
        "slowest tool": "look_up, 95th percentile 10.90 s over 148 answered calls",
    }
    assert dict(summary_facts(summary)) == facts
    assert slack_summary(summary) == "\n".join(f"*{label}:* {fact}" for label, fact in facts.items())
    assert markdown_summary(summary).replace("\\_", "_") == "\n".join(
        f"- **{label}:** {fact}" for label, fact in facts.items()
    )


def test_a_summary_says_what_is_not_known() -> None:
    summary: defaultdict[str, Any] = defaultdict(lambda: None, n_calls=1, n_open=0, cost_usd=0.5, cost_usd_coverage=1.0)
    assert summary_facts(summary) == [
        ("conversations", "1 finished, 0 open"),
        ("success rate", "no conversation is judged"),
        ("cost", "$0.50"),
        ("cost per success", "not known"),
        ("wait, 95th percentile", "no wait is known"),
        ("slowest tool", "no tool was called"),
    ]
    summary["cost_usd_coverage"] = 0.88
    assert summary_facts(summary)[2] == ("cost", "$0.50 for 88.0 % of the conversations")
    summary["cost_credits"] = 5
    assert summary_facts(summary)[2] == ("cost", "5 credits, $0.50 for 88.0 % of the conversations")
    summary["cost_usd"] = summary["cost_credits"] = None
    assert summary_facts(summary)[2] == ("cost", "not known")


class Recorder:
    """A clock that is set by hand, and the lines of the progress."""

    def __init__(self) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.lines = ProgressLines(self.said.append, lambda: self.now)

    def at(self, now: float, stage: str, done: int, total: int | None) -> None:
        self.now = now
        self.lines(stage, done, total)


def test_progress_says_a_line_every_few_seconds_and_one_at_the_end_of_a_stage() -> None:
    recorder = Recorder()
    for now, done in ((0.0, 100), (4.0, 200), (6.0, 300), (7.0, 400)):
        recorder.at(now, "list", done, None)
    recorder.at(8.0, "list", 450, 450)
    recorder.at(8.0, "list", 450, 450)
    recorder.at(14.0, "list", 450, 450)
    recorder.at(10.0, "fetch", 0, 1000)
    recorder.at(15.0, "fetch", 250, 1000)
    recorder.at(16.0, "fetch", 300, 1000)
    recorder.at(90.0, "fetch", 500, 1000)
    recorder.at(91.0, "flatten", 0, 0)
    assert recorder.said == [
        "list: 300 conversations, 50/s",
        "list: 450 of 450 conversations",
        "fetch: 250 of 1,000 conversations, 50/s, 15 s left",
        "fetch: 500 of 1,000 conversations, 6/s, 1 min 20 s left",
        "flatten: nothing to do",
    ]


@pytest.mark.parametrize(
    ("secs", "said"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (10, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (61, "1 min 1 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (7290, "2 h 1 min"),
    ],
)
def test_a_length_of_time_for_people(secs: float, said: str) -> None:
    assert duration(secs) == said


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, None, ""),
        (None, "count", "\u2013"),
        (None, "UTC timestamp", ""),
        (True, None, "true"),
        (False, None, "false"),
        (datetime(2026, 11, 2, 12, 30, 15, 999, tzinfo=UTC), "UTC timestamp", "2026-11-02 12:30:15"),
        (date(2026, 11, 2), "UTC date", "2026-11-02"),
        (1200, "count", "1,200"),
        (0.1, "seconds", "0.10 s"),
        (0.0999, "seconds", "0.0999 s"),
        (-0.0512, "seconds", "-0.0512 s"),
        (0.0, "seconds", "0.00 s"),
        (0.125, "share of 1", "12.5 %"),
        (Decimal("0.125"), "share of 1", "12.5 %"),
        (Decimal("1.50"), None, "1.50"),
        (0.99994, None, "0.9999"),
        (1.00004, None, "1"),
        (2.5, None, "2.5"),
        (12345, None, "12345"),
        (0.9, "US dollars", "$0.90"),
        (0.000456, "US dollars per minute", "$0.000456"),
        (-1234.5, "US dollars", "-$1,234.50"),
        ("two\nlines\x1b[31m", None, "two lines\\u001b[31m"),
    ],
)
def test_a_value_for_people(value: object, unit: str | None, text: str) -> None:
    assert format_value(value, unit) == text


def test_texts_for_people() -> None:
    assert (size(0), size(999), size(999.7), size(1000), size(999_960), size(2.5e9), size(3e15)) == (
        "0 B",
        "999 B",
        "1.0 kB",
        "1.0 kB",
        "1.0 MB",
        "2.5 GB",
        "3000.0 TB",
    )
    assert (plural(1, "agent"), plural(1200, "agent"), plural(0, "agent")) == ("1 agent", "1,200 agents", "0 agents")
    assert (moment(None), moment(NOW)) == ("never", "2026-11-22 12:30 UTC")
    assert aligned([("a", "1"), ("", "2"), ("long", "3")]) == "  a     1\n        2\n  long  3"


def test_run_ids_sort_by_time_and_differ() -> None:
    first, second = new_run_id(NOW), new_run_id(NOW)
    assert first.startswith("20261122T123005Z-")
    assert first != second


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"n_new": 1174}, "1,174 new conversations fetched"),
        ({"n_open": 3}, "nothing new; 3 open conversations fetched again"),
        (
            {"n_new": 1, "n_open": 1, "n_due": 2},
            "1 new conversation fetched; 1 open conversation fetched again; 2 due conversations fetched again",
        ),
        ({"n_gone": 1}, "nothing new; 1 conversation found deleted"),
        ({}, "nothing new"),
    ],
)
def test_what_a_run_fetched(counts: dict[str, int], said: str) -> None:
    assert describe_fetched({"n_new": 0, "n_open": 0, "n_changed": 0, "n_due": 0, "n_gone": 0} | counts) == said


def test_a_demo_world_grows_and_keeps_the_conversations_of_its_days() -> None:
    demo_world = DemoWorld(seed=7, conversations=50, days=3, first_until=date(2026, 11, 10))
    first_day = datetime(2026, 11, 10, tzinfo=UTC)
    later = datetime(2026, 11, 14, tzinfo=UTC)
    before = {head.conversation_id for head in demo_world.until(date(2026, 11, 10)).visible(first_day)}
    after = {head.conversation_id for head in demo_world.until(date(2026, 11, 14)).visible(first_day)}
    assert demo_world.since == datetime(2026, 11, 7, tzinfo=UTC)
    assert before
    assert before <= after
    assert len(list(demo_world.until(date(2026, 11, 14)).visible(later))) > len(after)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (PermissionError(13, "Permission denied", "/x/y"), 1, f"error: /x/y: Permission denied.\n{ACCESS}"),
        (
            FileNotFoundError(2, "No such file or directory", "/x/y"),
            1,
            f"error: /x/y: No such file or directory.\n{PATH}",
        ),
        (OSError(28, "No space left on device"), 1, f"error: No space left on device.\n{ROOM}"),
        (
            QueryError("Parser Error\n\nLINE 1: selec\n        ^", "Look."),
            2,
            "error: Parser Error\n\nLINE 1: selec\n        ^\nLook.\n",
        ),
    ],
)
def test_an_error_is_one_line_and_a_hint(
    error: Exception, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report_error(error) == code
    assert capsys.readouterr() == ("", said)


def test_an_unexpected_error_says_how_to_report_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_error(ValueError("what\nnow")) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "error: ValueError: what now"
    assert "--debug" in said[1]

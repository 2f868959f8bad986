from __future__ import annotations

import csv
import io
import json
import sys
from collections import defaultdict
from contextlib import redirect_stdout
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipelines.cli.confirm import is_confirmed
from pipelines.cli.demo import DemoWorld
from pipelines.cli.emulate import _next_midnight
from pipelines.cli.erase import result_lines
from pipelines.cli.main import report_error
from pipelines.cli.progress import ProgressLines
from pipelines.cli.render import encode, hidden_columns_note, table, write
from pipelines.cli.sync import describe_fetched, new_run_id
from pipelines.cli.text_table import Layout, aligned, lay_out, wrap_lines
from pipelines.usecases.erasure import ErasureResult, Receipt
from tests.helpers.run_cli import Terminal
from warehouse.errors import QueryError
from warehouse.schema.types import unit_of
from warehouse.serve.summary import summary_facts
from warehouse.serve.value_format import duration, format_value, moment, plural, size

ROOM = "Free some disk space, or make it writable, then run the command again.\n"
NOW = datetime(2026, 11, 22, 12, 30, 5, tzinfo=UTC)
ROW = {
    "text": 'ü☎ "a",\nb',
    "empty": "",
    "missing": None,
    "whole": 9_007_199_254_740_993,
    "exact": Decimal("2.50"),
    "share": 0.1,
    "nothing": float("nan"),
    "at": NOW,
    "day": date(2026, 11, 22),
    "list": [1, None],
    "bytes": b"a",
}


def test_csv_is_exact() -> None:
    head, rest = encode(pl.DataFrame([ROW]), "csv").decode().split("\n", 1)
    assert head == ",".join(ROW)
    assert rest == (
        '"ü☎ ""a"",\nb","",,9007199254740993,2.50,0.1,NaN,2026-11-22T12:30:05.000000+00:00,2026-11-22,'
        '"[1,null]","""YQ=="""\n'
    )


def test_csv_holds_no_formula_and_leaves_numbers_alone() -> None:
    formulas = ["=1+1", "+cmd|' /C calc'!A0", "-1+cmd", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1"]
    texts = ["+49 30 1234-5", "-1", "a=b", "", None, "don't"]
    frame = pl.DataFrame({"=text": formulas + texts, "amount": [-1.5] * len(formulas + texts)})
    head, *rows = csv.reader(io.StringIO(encode(frame, "csv").decode(), newline=""))
    assert head == ["'=text", "amount"]
    assert rows == [[text, "-1.5"] for text in [*(f"'{text}" for text in formulas), *(text or "" for text in texts)]]
    assert json.loads(encode(frame, "json"))[0]["=text"] == "=1+1"


def test_json_is_exact() -> None:
    assert encode(pl.DataFrame([ROW]), "json").decode() == (
        '[{"text":"ü☎ \\"a\\",\\nb","empty":"","missing":null,"whole":9007199254740993,"exact":2.50,"share":0.1,'
        '"nothing":null,"at":"2026-11-22T12:30:05Z","day":"2026-11-22","list":[1,null],"bytes":"YQ=="}]\n'
    )


def test_parquet_holds_the_same_rows_and_types() -> None:
    frame = pl.DataFrame([ROW])
    assert pl.read_parquet(io.BytesIO(encode(frame, "parquet"))).equals(frame)


def test_an_answer_without_rows_keeps_its_columns() -> None:
    frame = pl.DataFrame(schema={"a": pl.Int64, "l": pl.List(pl.Int64)})
    assert (encode(frame, "csv"), encode(frame, "json")) == (b"a,l\n", b"[]\n")


def test_a_table_is_whole_outside_a_terminal_and_cut_within() -> None:
    rows = [("a", "x" * 70, "1"), ("bb", "y", "10")]
    names = ("n", "text", "count")
    assert lay_out(names, rows, right=("count",), max_cell=60).text == "\n".join(
        (
            f"n   text{' ' * 66}  count",
            f"a   {'x' * 70}      1",
            f"bb  y{' ' * 69}     10",
        )
    )
    cut = lay_out(names, rows, right=("count",), max_cell=60, width=80).text
    assert cut.splitlines()[1] == f"a   {'x' * 59}…      1"
    assert lay_out(names, rows, width=66, max_cell=60).hidden == ("count",)
    assert lay_out(names, rows, width=None).hidden == ()
    assert lay_out(("wide",), [("x" * 100,)], width=10) == Layout(f"wide\n{'x' * 100}")


@pytest.mark.parametrize("width", [80, 60, 45, 30, 20])
def test_a_table_breaks_no_word_and_loses_none(width: int) -> None:
    names = ("conversation", "n", "why", "note")
    rows = [
        ("conv_24w7pyq54umlfdk36", "1,200", "The caller asked for a refund and got it at once.", "ü ☎ 日本語 text"),
        ("conv_2", "7", "", "see https://example.com/a/long/address"),
    ]
    text = lay_out(names, rows, right=("n",), prose=("why", "note"), width=width).text
    words = {word for row in rows for cell in row for word in cell.split()}
    assert words <= set(text.split())
    assert [line for line in text.splitlines() if len(line) > max(width, 46)] == []


def test_prose_takes_the_room_that_is_left() -> None:
    rows = [("agent_1", "one two three four")]
    assert lay_out(("id", "text"), rows, prose=("text",), width=22).text.splitlines() == [
        "id       text",
        "agent_1  one two three",
        "         four",
    ]
    assert lay_out(("id", "text"), rows, prose=("text",), width=16).text.splitlines() == [
        "agent_1",
        "  text  one two",
        "        three four",
    ]


def test_rows_are_formatted_by_the_unit_of_their_column() -> None:
    rows = [
        {"agent_id": "a", "n_calls": 1200, "success_rate": 2 / 3, "cost_usd": 2.614, "wait_p95_secs": 1.2412},
        {"agent_id": "b", "n_calls": None, "success_rate": None, "cost_usd": 0.2378, "wait_p95_secs": 20},
    ]
    assert table(rows, list(rows[0])).text.splitlines() == [
        "agent_id  n_calls  success_rate  cost_usd  wait_p95_secs",
        "a           1,200        66.7 %     $2.61         1.24 s",
        "b               –             –    $0.238           20 s",  # noqa: RUF001 - a dash
    ]
    shares = [{"call_share": 0.25}, {"call_share": None}]
    assert table(shares, ["call_share"]).text.split("\n") == ["call_share", "    25.0 %", "         –"]  # noqa: RUF001
    assert table(
        rows, {"agent_id": "agent", "n_calls": "calls"}, units={"n_calls": "US dollars"}
    ).text.splitlines() == [
        "agent      calls",
        "a      $1,200.00",
        "b              –",  # noqa: RUF001 - a dash
    ]


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


def test_a_summary_says_what_is_not_known() -> None:
    summary: defaultdict[str, Any] = defaultdict(lambda: None, n_calls=1, n_open=0, cost_usd=0.5)
    assert summary_facts(summary) == [
        ("conversations", "1 finished, 0 open"),
        ("success rate", "no conversation is judged"),
        ("cost", "$0.50"),
        ("cost per success", "not known"),
        ("wait, 95th percentile", "no wait is known"),
        ("slowest tool", "no tool was called"),
    ]
    summary["cost_usd"] = None
    assert summary_facts(summary)[2] == ("cost", "not known")


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("started_at", "UTC timestamp"),
        ("start_date", "UTC date"),
        ("local_start_at", "local timestamp"),
        ("local_start_date", "local date"),
        ("local_weekday", None),
        ("n_local_date", "count"),
        ("cost_usd", "US dollars"),
        ("credits_per_usd", "credits per US dollar"),
        ("cost_usd_per_call", "US dollars per conversation"),
        ("cost_usd_per_call_change", None),
    ],
)
def test_a_local_time_is_not_utc_and_a_rate_no_amount(name: str, unit: str | None) -> None:
    assert unit_of(name) == unit


def test_hidden_columns_are_named() -> None:
    assert hidden_columns_note(("a", "b"), "--json has all") == "no room for a, b: --json has all"
    assert hidden_columns_note(tuple("abcdefgh"), "--json has all") == (
        "no room for a, b, c, d, e, f and 2 more: --json has all"
    )


def test_lines_wrap_between_words_and_keep_their_indentation() -> None:
    assert wrap_lines("  one two three\nfour", 12) == "  one two\n  three\nfour"
    assert wrap_lines("one two three", None) == "one two three"
    assert wrap_lines("x" * 30, 12) == "x" * 30
    assert aligned([("name", "one two three four")], 20) == "  name  one two\n        three four"


INVISIBLE = "a\x1b[2Jb\x9b1mc\u202ed\u2066e\rf"
SHOWN = r"a\u001b[2Jb\u009b1mc\u202ed\u2066e\u000df"


def test_no_text_for_people_holds_characters_that_control_a_terminal() -> None:
    assert lay_out(["n"], [[INVISIBLE]], width=80).text == f"n\n{SHOWN}"
    assert aligned([("n", INVISIBLE)]) == f"  n  {SHOWN}"
    assert wrap_lines(INVISIBLE, None) == wrap_lines(INVISIBLE, 80) == SHOWN
    in_a_line = SHOWN.replace(r"\u000d", " ")
    assert table([{"n": INVISIBLE}], ["n"]).text == f"n\n{in_a_line}"
    assert table([{f"{INVISIBLE}\n": "x"}], [f"{INVISIBLE}\n"]).text == f"{in_a_line}\nx"


@pytest.mark.parametrize("form", ["json", "csv"])
def test_answers_on_a_terminal_hold_none_either_and_files_are_exact(form: str) -> None:
    frame = pl.DataFrame({"n": [INVISIBLE]})
    exact = encode(frame, form)
    for stream, is_exact in ((io.TextIOWrapper, True), (Terminal, False)):
        out = stream(io.BytesIO(), "utf-8")
        with redirect_stdout(out):
            write(exact)
        content = out.buffer.getvalue()
        assert (content == exact) == is_exact
        if form == "json":
            assert json.loads(content) == [{"n": INVISIBLE}]
        assert is_exact or content.decode().replace("\n", "").isprintable()


def test_an_error_of_duckdb_cannot_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    report_error(QueryError(INVISIBLE, INVISIBLE))
    assert capsys.readouterr().err == f"error: {SHOWN}\n{SHOWN}\n"


def test_values_cannot_control_a_terminal_or_the_markup() -> None:
    assert format_value("a\x1b[31mb\r\nc\x9b2Jd\u200f") == r"a\u001b[31mb c\u009b2Jd\u200f"
    assert table([{"[red]n": "[bold]x[/bold]"}], ["[red]n"]).text.splitlines() == ["[red]n", "[bold]x[/bold]"]


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (0.8888888888, "0.8889"), (12.5, "12.5"), (1234567.0, "1234567"), (1e-7, "1e-07")]
)
def test_numbers_without_a_unit_are_short(value: float | None, text: str) -> None:
    assert format_value(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.66666, "share of 1", "66.7 %"),
        (1, "share of 1", "100.0 %"),
        (2.614, "US dollars", "$2.61"),
        (0.2378, "US dollars", "$0.238"),
        (0.05, "US dollars", "$0.05"),
        (0.00045, "US dollars per call", "$0.00045"),
        (0, "US dollars", "$0.00"),
        (-1234.5, "US dollars", "-$1,234.50"),
        (Decimal("2.50"), "US dollars", "$2.50"),
        (1.2412, "seconds", "1.24 s"),
        (0.00123, "seconds", "0.00123 s"),
        (1200, "count", "1,200"),
        (1234.5, "credits", "1,234.50"),
        (95.25, "minutes", "95.25 min"),
        (250, "milliseconds", "250 ms"),
        (2.5e6, "bytes", "2.5 MB"),
        (NOW, "UTC timestamp", "2026-11-22 12:30:05"),
        (None, "seconds", "–"),  # noqa: RUF001 - a dash
        (NOW, "local timestamp", "2026-11-22 12:30:05"),
        (None, "UTC timestamp", ""),
        (None, "local date", ""),
        (True, "yes or no", "true"),
    ],
)
def test_numbers_have_their_unit(value: object, unit: str, text: str) -> None:
    assert format_value(value, unit) == text


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
    ("secs", "said"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (61, "1 min 1 s"), (7290, "2 h 1 min")]
)
def test_a_length_of_time_for_people(secs: float, said: str) -> None:
    assert duration(secs) == said


def test_texts_for_people() -> None:
    assert (size(0), size(999), size(1000), size(2.5e9), size(3e15)) == (
        "0 B",
        "999 B",
        "1.0 kB",
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
        (PermissionError(13, "Permission denied", "/x/y"), 1, f"error: /x/y: Permission denied.\n{ROOM}"),
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

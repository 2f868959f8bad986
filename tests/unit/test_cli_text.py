from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from pipelines.cli.demo import DemoWorld
from pipelines.cli.demo_summary import what_was_read
from pipelines.cli.main import _tell
from pipelines.cli.options import aligned, moment, plural, size
from pipelines.cli.progress import Lines, duration
from pipelines.cli.query import render
from pipelines.cli.sync import new_run_id
from pipelines.cli.text_table import fitting, plain, table_text
from warehouse.errors import QueryError

ROOM = "Make room, or make it writable, then run again.\n"
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
    head, rest = render(pl.DataFrame([ROW]), "csv").decode().split("\n", 1)
    assert head == ",".join(ROW)
    assert rest == (
        '"ü☎ ""a"",\nb","",,9007199254740993,2.50,0.1,NaN,2026-11-22T12:30:05.000000+00:00,2026-11-22,'
        '"[1,null]","""YQ=="""\n'
    )


def test_json_is_exact() -> None:
    assert render(pl.DataFrame([ROW]), "json").decode() == (
        '[{"text":"ü☎ \\"a\\",\\nb","empty":"","missing":null,"whole":9007199254740993,"exact":2.50,"share":0.1,'
        '"nothing":null,"at":"2026-11-22T12:30:05Z","day":"2026-11-22","list":[1,null],"bytes":"YQ=="}]\n'
    )


def test_parquet_holds_the_same_rows_and_types() -> None:
    frame = pl.DataFrame([ROW])
    assert pl.read_parquet(io.BytesIO(render(frame, "parquet"))).equals(frame)


def test_an_answer_without_rows_keeps_its_columns() -> None:
    frame = pl.DataFrame(schema={"a": pl.Int64, "l": pl.List(pl.Int64)})
    assert (render(frame, "csv"), render(frame, "json")) == (b"a,l\n", b"[]\n")


def test_a_table_is_whole_outside_a_terminal_and_cut_within() -> None:
    rows = [("a", "x" * 70, "1"), ("bb", "y", "10")]
    names = ("n", "text", "count")
    assert table_text(names, rows, right=("count",), is_cut=True) == "\n".join(
        (
            f"n   text{' ' * 66}  count",
            f"a   {'x' * 70}      1",
            f"bb  y{' ' * 69}     10",
        )
    )
    assert table_text(names, rows, right=("count",), is_cut=True, width=80).splitlines()[1] == f"a   {'x' * 59}…      1"
    assert fitting(names, rows, width=66) == 2
    assert fitting(names, rows, width=None) == 3
    assert fitting(("wide",), [("x" * 100,)], width=10) == 1


def test_what_callers_said_cannot_steer_a_terminal_or_the_markup() -> None:
    assert plain("a\x1b[31mb\r\nc\x9b2Jd") == "a [31mb c 2Jd"
    assert table_text(("[red]n",), [("[bold]x[/bold]",)]).splitlines() == ["[red]n", "[bold]x[/bold]"]


@pytest.mark.parametrize(
    ("value", "said"), [(None, ""), (0.8888888888, "0.8889"), (12.5, "12.5"), (1234567.0, "1234567"), (1e-7, "1e-07")]
)
def test_numbers_of_a_table_are_short(value: float | None, said: str) -> None:
    assert plain(value) == said


class Recorder:
    """A clock that is set by hand, and the lines that were said."""

    def __init__(self) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.lines = Lines(self.said.append, lambda: self.now)

    def at(self, now: float, stage: str, done: int, total: int | None) -> None:
        self.now = now
        self.lines(stage, done, total)


def test_progress_says_a_line_every_few_seconds_and_one_at_the_end_of_a_stage() -> None:
    told = Recorder()
    for now, done in ((0.0, 100), (4.0, 200), (6.0, 300), (7.0, 400)):
        told.at(now, "list", done, None)
    told.at(8.0, "list", 450, 450)
    told.at(8.0, "list", 450, 450)
    told.at(10.0, "fetch", 0, 1000)
    told.at(15.0, "fetch", 250, 1000)
    told.at(16.0, "fetch", 300, 1000)
    told.at(90.0, "fetch", 500, 1000)
    told.at(91.0, "flatten", 0, 0)
    assert told.said == [
        "list: 300, 50/s",
        "list: 450",
        "fetch: 250 of 1,000, 50/s, 15 s left",
        "fetch: 500 of 1,000, 6/s, 1 min 20 s left",
        "flatten: nothing to do",
    ]


@pytest.mark.parametrize(
    ("secs", "said"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (61, "1 min 1 s"), (7290, "2 h 1 min")]
)
def test_a_length_of_time_for_people(secs: float, said: str) -> None:
    assert duration(secs) == said


def test_words_for_people() -> None:
    assert (size(0), size(999), size(1000), size(2.5e9), size(3e15)) == (
        "0 B",
        "999 B",
        "1.0 kB",
        "2.5 GB",
        "3000.0 TB",
    )
    assert (plural(1, "call"), plural(1200, "call"), plural(0, "call")) == ("1 call", "1,200 calls", "0 calls")
    assert (moment(None), moment(NOW)) == ("never", "2026-11-22 12:30 UTC")
    assert aligned([("a", "1"), ("", "2"), ("long", "3")]) == "  a     1\n        2\n  long  3"


def test_run_ids_sort_by_time_and_differ() -> None:
    first, second = new_run_id(NOW), new_run_id(NOW)
    assert first.startswith("20261122T123005Z-")
    assert first != second


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"n_new": 1174}, "1,174 new calls read"),
        ({"n_open": 3}, "nothing new; 3 open calls read again"),
        ({"n_new": 1, "n_open": 1, "n_due": 2}, "1 new call read; 1 open call read again; 2 due calls read again"),
        ({"n_gone": 1}, "nothing new; 1 call found deleted"),
        ({}, "nothing new"),
    ],
)
def test_what_a_run_read(counts: dict[str, int], said: str) -> None:
    assert what_was_read({"n_new": 0, "n_open": 0, "n_changed": 0, "n_due": 0, "n_gone": 0} | counts) == said


def test_a_demo_world_grows_and_keeps_the_calls_of_its_days() -> None:
    kept = DemoWorld(seed=7, conversations=50, days=3, first_until=date(2026, 11, 10))
    first_day = datetime(2026, 11, 10, tzinfo=UTC)
    later = datetime(2026, 11, 14, tzinfo=UTC)
    before = {head.conversation_id for head in kept.until(date(2026, 11, 10)).visible(first_day)}
    after = {head.conversation_id for head in kept.until(date(2026, 11, 14)).visible(first_day)}
    assert kept.since == datetime(2026, 11, 7, tzinfo=UTC)
    assert before
    assert before <= after
    assert len(list(kept.until(date(2026, 11, 14)).visible(later))) > len(after)


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
    assert _tell(error) == code
    assert capsys.readouterr() == ("", said)


def test_an_error_that_nobody_thought_of_says_how_to_report_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert _tell(ValueError("what\nnow")) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "error: ValueError: what now"
    assert "--debug" in said[1]

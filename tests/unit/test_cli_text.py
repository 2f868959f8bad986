from __future__ import annotations

import csv
import io
import json
from contextlib import redirect_stdout
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from pipelines.cli.main import report_error
from pipelines.cli.render import encode, hidden_columns_note, table, write
from pipelines.cli.text_table import Layout, aligned, lay_out, wrap, wrap_lines
from tests.helpers.run_cli import Terminal
from warehouse.errors import QueryError
from warehouse.schema.types import unit_of
from warehouse.serve.value_format import escape_invisible, format_value

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


INVISIBLE = "a\x1b[2Jb\x9b1mc\u202ed\u2066e\rf\u200b\ufeffg\U000e0041h"
SHOWN = r"a\u001b[2Jb\u009b1mc\u202ed\u2066e\u000df\u200b\ufeffg\udb40\udc41h"


def test_lines_of_wide_characters_are_no_wider_than_the_terminal() -> None:
    text = "예약을 확인해 주세요 내일 오후 세 시입니다 감사합니다"
    assert wrap(text, 24) == ["예약을 확인해 주세요", "내일 오후 세 시입니다", "감사합니다"]
    assert wrap("하나  둘\u00a0셋", 8) == ["하나", "둘\u00a0셋"]
    assert wrap("", 10) == [""]


def test_spaces_of_french_and_joiners_of_persian_and_emoji_are_text() -> None:
    assert escape_invisible("a\u202f? b\u200dc\u200cd\xa0e") == "a\u202f? b\u200dc\u200cd\xa0e"


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
    ("value", "text"),
    [
        (None, ""),
        (0.8888888888, "0.8889"),
        (12.5, "12.5"),
        (1.23456, "1.2346"),
        (1234567.0, "1234567"),
        (1e-7, "1e-07"),
        (9_007_199_254_740_993, "9007199254740993"),
        (NOW, "2026-11-22 12:30:05+00:00"),
    ],
)
def test_values_without_a_unit_are_short(value: object, text: str) -> None:
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

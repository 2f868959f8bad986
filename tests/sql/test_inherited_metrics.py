"""``inherits_metrics_from`` and ``inherits_columns_from``: what a model's header takes from a model that it reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from warehouse.errors import ModelError
from warehouse.models.headers import Header, Metric, Tests
from warehouse.models.project import read_project

METRIC = (
    'unit = "count"\nnumerator = "rows"\nnull_when = "never null"\ndirection = "high"\ndiffers_from_vendor = "No."\n'
)
CALLS = Metric(
    name="Calls",
    unit="count",
    numerator="rows",
    null_when="never null",
    direction="high",
    source="convohouse",
    differs_from_vendor="No.",
)
MEASURES = """/*
description = "Measures."
grain = ["span", "day", "week"]

[columns]
span = "Span."
day = "Day."
week = "Week."
n_calls = "Calls."
n_errors = "Errors."

[metrics.n_calls]
name = "Calls"
{METRIC}
[metrics.n_errors]
name = "Errors"
{METRIC}*/
with final as (
    select 'day' as span, 1 as day, 1 as week, 2 as n_calls, 3 as n_errors
)

select * from final
""".replace("{METRIC}", METRIC)
DAILY = """/*
description = "A day."
grain = ["day"]
inherits_metrics_from = "intermediate.measures"
*/
with measures as (
    select * from intermediate.measures
),

final as (
    select * exclude (span, week) from measures
)

select * from final
"""
WEEKLY = """/*
description = "A week."
grain = ["week"]
inherits_metrics_from = "intermediate.measures"

[columns]
n_errors = "Errors of the week."
n_open = "Open calls."

[tests]
not_null = ["n_calls"]

[metrics.n_errors]
name = "Errors of the week"

[metrics.n_open]
name = "Open calls"
{METRIC}*/
with measures as (
    select * from intermediate.measures
),

final as (
    select week, 0 as n_open, n_errors, n_calls from measures
)

select * from final
""".replace("{METRIC}", METRIC)

Read = Callable[..., Header]
Change = tuple[str, str]


def changed(text: str, *changes: Change) -> str:
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return text


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """The header of a model of schema metrics, of a project of three models with changes of their texts."""

    def read_header(name: str, *changes: Change, measures: tuple[Change, ...] = ()) -> Header:
        texts = {"measures": changed(MEASURES, *measures), "daily": DAILY, "weekly": WEEKLY}
        texts[name] = changed(texts[name], *changes)
        for model, text in texts.items():
            folder = tmp_path / ("intermediate" if model == "measures" else "metrics")
            folder.mkdir(exist_ok=True)
            (folder / f"{model}.sql").write_text(text)
        return read_project(tmp_path).by_key[f"metrics.{name}"].header

    return read_header


@pytest.mark.parametrize(
    ("unit", "text"),
    [("count", "."), ("share of 1", ", share of 1."), ("seconds", ", in seconds.")],
)
def test_a_change_of_a_metric_is_described_by_its_name_and_unit(read: Read, unit: str, text: str) -> None:
    measured = ('name = "Calls"\nunit = "count"', f'name = "Calls"\nunit = "{unit}"')
    header = read(
        "weekly", ("n_errors, n_calls from", "n_errors, n_calls, 1 as n_calls_change from"), measures=(measured,)
    )
    assert header.columns["n_calls_change"] == f"Calls: difference from the week before{text}"
    assert "n_calls_change" not in header.metrics


def test_columns_and_metrics_without_a_header_are_inherited_in_the_order_of_the_select(read: Read) -> None:
    header = read("weekly")
    assert list(header.columns.items()) == [
        ("week", "Week."),
        ("n_open", "Open calls."),
        ("n_errors", "Errors of the week."),
        ("n_calls", "Calls."),
    ]
    assert list(header.metrics.items()) == [
        ("n_open", replace(CALLS, name="Open calls")),
        ("n_errors", replace(CALLS, name="Errors of the week")),
        ("n_calls", CALLS),
    ]
    assert (header.description, header.grain, header.tests) == ("A week.", ("week",), Tests(not_null=("n_calls",)))


def test_a_star_is_replaced_by_the_columns_of_the_other_model(read: Read) -> None:
    header = read("daily")
    assert header.columns == {"day": "Day.", "n_calls": "Calls.", "n_errors": "Errors."}
    assert list(header.columns) == ["day", "n_calls", "n_errors"]
    assert header.metrics == {"n_calls": CALLS, "n_errors": replace(CALLS, name="Errors")}


def test_a_measure_that_is_added_reaches_the_model_without_another_edit(read: Read) -> None:
    header = read(
        "daily",
        measures=(
            ('n_errors = "Errors."\n', 'n_errors = "Errors."\nn_new = "New."\n'),
            ("[metrics.n_errors]", f'[metrics.n_new]\nname = "New"\n{METRIC}\n[metrics.n_errors]'),
            ("3 as n_errors", "3 as n_errors, 4 as n_new"),
        ),
    )
    assert list(header.columns.items())[-1] == ("n_new", "New.")
    assert header.metrics["n_new"] == replace(CALLS, name="New")


def test_a_metric_of_the_own_header_may_leave_out_what_it_inherits(read: Read) -> None:
    columns_only = ("inherits_metrics_from", "inherits_columns_from")
    assert read("weekly", columns_only).metrics == {
        "n_errors": replace(CALLS, name="Errors of the week"),
        "n_open": replace(CALLS, name="Open calls"),
    }
    metric = ('name = "Errors of the week"\n', 'differs_from_vendor = "Yes."\n')
    assert read("weekly", columns_only, metric).metrics["n_errors"] == replace(
        CALLS, name="Errors", differs_from_vendor="Yes."
    )


def test_a_change_of_the_other_model_is_inherited(read: Read) -> None:
    assert read("weekly").columns["n_calls"] == "Calls."
    assert read("weekly", measures=(('"Calls."', '"Finished calls."'),)).columns["n_calls"] == "Finished calls."


EVERY = ["span", "day", "week", "n_calls", "n_errors"]
NOT_WEEK = ["span", "day", "n_calls", "n_errors"]


def with_final(select: str) -> tuple[Change, ...]:
    """Changes of ``DAILY``: another CTE final, after a CTE both_ that is a union."""
    final = "final as (\n    select * exclude (span, week) from measures\n)"
    both = "both_ as (select * from measures union all select * from measures)"
    return (final, f"{both},\n\nfinal as (\n    {select}\n)"), ('grain = ["day"]', 'grain = ["n_calls"]')


@pytest.mark.parametrize(
    ("select", "columns"),
    [
        ("select m.* exclude (span), week as n_calls_week from measures m", [*EVERY[1:], "n_calls_week"]),
        ("select n_calls as n_calls_week, day, * exclude (span, day) from measures", ["n_calls_week", *EVERY[1:]]),
        ("select b.week, a.* exclude (week) from measures a left join both_ b on a.day = b.day", ["week", *NOT_WEEK]),
        ("select b.* from measures a cross join both_ b", EVERY),
        ("select * from measures semi join both_ on measures.day = both_.day", EVERY),
    ],
)
def test_a_star_has_the_columns_of_its_relation(read: Read, select: str, columns: list[str]) -> None:
    inherited = 'inherits_metrics_from = "intermediate.measures"\n'
    texts = f'{inherited}\n[columns]\nn_calls_week = "W."\n' if "n_calls_week" in columns else inherited
    assert list(read("daily", *with_final(select), (inherited, texts)).columns) == columns


@pytest.mark.parametrize(
    "select",
    [
        "select * from (select * from measures) x",
        "select * replace (1 as day) from measures",
        "select * from measures join both_ using (day)",
        "select * from measures natural join both_",
        "select *, m.n from measures, (values (1)) m (n)",
    ],
)
def test_a_star_that_is_not_understood_is_refused(read: Read, select: str) -> None:
    with pytest.raises(ModelError, match=r"daily\.sql: a star of final cannot be replaced by its columns"):
        read("daily", *with_final(select))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"intermediate.measures"', '"metrics.gone"', "4: metrics.gone is not a model or a table of the lake that"),
        ('"intermediate.measures"', '"metrics.daily"', "4: metrics.daily is not a model or a table of the lake that"),
        ("n_calls from", "n_calls as calls from", " calls is not a column of intermediate.measures."),
        ("n_errors, n_calls from", "n_errors from", "11: n_calls is not a column of the header."),
        ("final", "other", "4: inherits_metrics_from needs a CTE final that is one SELECT."),
        ('not_null = ["n_calls"]', 'not_null = ["n_cals"]', "11: n_cals is not a column of the header."),
        (
            "inherits_metrics_from",
            'inherits_columns_from = "lake.turns"\ninherits_metrics_from',
            "1: the header inherits by two keys.",
        ),
    ],
)
def test_a_wrong_inheritance_is_refused_by_file_and_line(read: Read, before: str, after: str, message: str) -> None:
    with pytest.raises(ModelError) as raised:
        read("weekly", (before, after))
    assert f"weekly.sql:{message}" in raised.value.message


def test_a_model_without_a_metric_to_inherit_is_refused(read: Read) -> None:
    with pytest.raises(ModelError, match=r"daily\.sql:4: intermediate\.measures has no metric that final selects"):
        read("daily", ("exclude (span, week)", "exclude (span, week, n_calls, n_errors)"))

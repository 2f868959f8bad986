"""``inherits_metrics_from``: a model inherits descriptions and metrics that its own header does not have."""

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
    name="Calls", unit="count", numerator="rows", null_when="never null", direction="high", differs_from_vendor="No."
)
DAILY = """/*
description = "A day."
grain = ["day"]

[columns]
day = "Day."
n_calls = "Calls."
n_errors = "Errors."

[metrics.n_calls]
name = "Calls"
{METRIC}
[metrics.n_errors]
name = "Errors"
{METRIC}*/
with final as (
    select 1 as day, 2 as n_calls, 3 as n_errors
)

select * from final
""".replace("{METRIC}", METRIC)
WEEKLY = """/*
description = "A week."
grain = ["week"]
inherits_metrics_from = "metrics.daily"

[columns]
week = "Week."
n_errors = "Errors of the week."
n_open = "Open calls."

[tests]
not_null = ["n_calls"]

[metrics.n_open]
name = "Open calls"
{METRIC}*/
with final as (
    select 1 as week, 0 as n_open, 3 as n_errors, 2 as n_calls
)

select * from final
""".replace("{METRIC}", METRIC)

Read = Callable[..., Header]


@pytest.fixture
def weekly(tmp_path: Path) -> Read:
    """The header of metrics.weekly, with changes of its text, beside metrics.daily."""

    def read(*changes: tuple[str, str], daily: str = DAILY) -> Header:
        text = WEEKLY
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        folder = tmp_path / "metrics"
        folder.mkdir(exist_ok=True)
        (folder / "daily.sql").write_text(daily)
        (folder / "weekly.sql").write_text(text)
        return read_project(tmp_path).by_key["metrics.weekly"].header

    return read


def test_columns_and_metrics_without_a_header_are_inherited_in_the_order_of_the_select(weekly: Read) -> None:
    header = weekly()
    assert list(header.columns.items()) == [
        ("week", "Week."),
        ("n_open", "Open calls."),
        ("n_errors", "Errors of the week."),
        ("n_calls", "Calls."),
    ]
    assert list(header.metrics.items()) == [
        ("n_open", replace(CALLS, name="Open calls")),
        ("n_errors", replace(CALLS, name="Errors")),
        ("n_calls", CALLS),
    ]
    assert (header.description, header.grain, header.tests) == ("A week.", ("week",), Tests(not_null=("n_calls",)))


def test_a_change_of_the_other_model_is_inherited(weekly: Read) -> None:
    assert weekly().columns["n_calls"] == "Calls."
    assert weekly(daily=DAILY.replace('"Calls."', '"Finished calls."')).columns["n_calls"] == "Finished calls."


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"metrics.daily"', '"metrics.gone"', "4: metrics.gone is not a model that declares its metrics itself."),
        ('"metrics.daily"', '"metrics.weekly"', "4: metrics.weekly is not a model that declares its metrics itself."),
        ("n_errors, 2 as n_calls", "wrong, 2 as calls", "4: metrics.daily has no metric that final selects."),
        ("final", "other", "4: metrics.daily has no metric that final selects."),
        ('not_null = ["n_calls"]', 'not_null = ["n_cals"]', "12: n_cals is not a column of the header."),
        (
            "inherits_metrics_from",
            'inherits_columns_from = "lake.turns"\ninherits_metrics_from',
            "1: the header needs [columns] or inherits_columns_from",
        ),
    ],
)
def test_a_wrong_inheritance_is_refused_by_file_and_line(weekly: Read, before: str, after: str, message: str) -> None:
    with pytest.raises(ModelError) as raised:
        weekly((before, after))
    assert f"weekly.sql:{message}" in raised.value.message

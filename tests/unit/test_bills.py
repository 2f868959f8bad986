"""The rows of the vendor's bill, in the forms that are documented and in wrong ones."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pipelines.transform.bills import parse_bill

FIRST, SECOND = date(2026, 11, 21), date(2026, 11, 22)


def bill(columns: str, types: str, units: list[str | None], *rows: list[Any]) -> dict[str, Any]:
    return {"columns": columns.split(), "column_types": types.split(), "column_units": units, "rows": list(rows)}


def test_credits_as_the_vendor_documents_them() -> None:
    documented = bill(
        "timestamp product_type credits_used",
        "DateTime String Float",
        ["s", "", "credits"],
        ["2026-11-21T00:00:00Z", "text-to-speech", "125.5"],
        ["2026-11-22T00:00:00Z", "conversational-ai", 3],
        ["2026-11-22T00:00:00Z", None, None],
    )
    assert list(parse_bill(documented, "credits")) == [
        (FIRST, "text-to-speech", "credits", 125.5),
        (SECOND, "conversational-ai", "credits", 3.0),
        (SECOND, "unknown", "credits", 0.0),
    ]


def test_cost_in_the_currency_of_the_row_of_the_column_or_unknown() -> None:
    columns, types = (
        "bucket product_type fiat_currency total_charge_count total_cost",
        "DateTime String String Int Float",
    )
    row = [1_795_219_200, "agents", "EUR", 7, 1.5]  # 2026-11-21, in seconds
    with_units = bill(columns, types, [None, None, None, None, "usd"], row, [1_795_219_200_000, "agents", None, 7, 2])
    without = bill("timestamp total_cost", "DateTime Float", [None, None], ["2026-11-21 00:00:00", 4])
    assert list(parse_bill(with_units, "cost")) == [(FIRST, "agents", "eur", 1.5), (FIRST, "agents", "usd", 2.0)]
    assert list(parse_bill(without, "cost")) == [(FIRST, "unknown", "unknown", 4.0)]
    in_credits = bill("timestamp total_cost", "DateTime Float", [None, "credits"], ["2026-11-21", 4])
    assert list(parse_bill(in_credits, "cost")) == [(FIRST, "unknown", "unknown", 4.0)]
    of_another_name = bill("timestamp length spent", "DateTime Float Float", [None, "s", "EUR"], ["2026-11-21", 60, 5])
    assert list(parse_bill(of_another_name, "cost")) == [(FIRST, "unknown", "eur", 5.0)]


def test_columns_in_any_order_and_without_types_and_units() -> None:
    bare = {"columns": ["credits_used", "timestamp"], "rows": [[2, "2026-11-21"]]}
    assert list(parse_bill(bare, "credits")) == [(FIRST, "unknown", "credits", 2.0)]


def test_an_empty_bill_needs_no_columns() -> None:
    assert list(parse_bill({"columns": [], "rows": []}, "cost")) == []


@pytest.mark.parametrize(
    ("columns", "row", "message"),
    [
        ("timestamp product_type", ["2026-11-21", "agents"], "no column of the bill has the credits"),
        ("product_type credits_used", ["agents", 1], "no column of the bill has the time"),
        ("timestamp credits_used", ["soon", 1], "Invalid isoformat string: 'soon'"),
        ("timestamp credits_used", [True, 1], "a time of the bill is not a time"),
        ("timestamp credits_used", ["2026-11-21", "many"], "could not convert string to float: 'many'"),
        ("timestamp credits_used", ["2026-11-21", True], "an amount of the bill is not a number"),
        ("timestamp credits_used", ["2026-11-21", float("nan")], "an amount of the bill is not a number"),
    ],
)
def test_what_is_no_bill(columns: str, row: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        list(parse_bill({"columns": columns.split(), "rows": [row]}, "credits"))

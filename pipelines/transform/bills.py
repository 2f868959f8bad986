"""Responses of the vendor's usage endpoints become rows of ``billed_usage``, one per day, product and unit.

The response is a table. Its columns are recognized by types and units, as the vendor does not publish all their names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from math import fsum, isfinite
from typing import Any

import polars as pl

from pipelines.transform.canonical_json import load
from warehouse.schema.account_data import BILLED_USAGE
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import bill_rows

CREDITS, UNKNOWN, NOTHING = "credits", "unknown", "none"
"""The unit of a workspace that is billed in credits; a product or currency that is not told; the product of a day
without usage."""
_NO_MONEY = frozenset({"", "ms", "s", "min", "duration", "ratio", "rating", CREDITS})
"""Units that are not a currency."""
_MS_FROM = 1e11
"""Numbers from this on are milliseconds: as seconds, they are beyond the year 5000."""


KEYS = frozenset({"columns", "column_types", "column_units", "rows"})


def parse_bill(bill: Mapping[str, Any], basis: str) -> Iterator[tuple[date, str, str, float]]:
    """Day, product, unit and amount of each row.

    Raises:
        ValueError: no column has the time or the amount, or a value is neither.
    """
    if not bill["rows"]:
        return
    day_index, amount_index, product_index, currency_index = _indexes(bill, basis)
    units = _padded(bill.get("column_units"), len(bill["columns"]))
    for row in bill["rows"]:
        product = row[product_index] if product_index is not None else None
        currency = row[currency_index] if currency_index is not None else None
        money = str(currency or ("" if units[amount_index] in _NO_MONEY else units[amount_index]) or UNKNOWN).lower()
        unit = CREDITS if basis == CREDITS else money
        yield _day(row[day_index]), str(product or UNKNOWN), unit, _amount(row[amount_index])


def _indexes(bill: Mapping[str, Any], basis: str) -> tuple[int, int, int | None, int | None]:
    """Positions of the columns with the time, the amount, the product and the currency.

    Raises:
        ValueError: no column has the time or the amount.
    """
    columns = [str(name).lower() for name in bill["columns"]]
    types, units = (_padded(bill.get(key), len(columns)) for key in ("column_types", "column_units"))
    day_index = _index("time", [kind == "datetime" for kind in types], [name == "timestamp" for name in columns])
    if basis == CREDITS:
        amount_index = _index("credits", [unit == CREDITS for unit in units], ["credit" in name for name in columns])
    else:
        amount_index = _index(
            "cost", [name == "total_cost" for name in columns], [unit not in _NO_MONEY for unit in units]
        )
    product_index, currency_index = (
        columns.index(name) if name in columns else None for name in ("product_type", "fiat_currency")
    )
    return day_index, amount_index, product_index, currency_index


def unread_fields(home: Home) -> pl.DataFrame:
    """Keys and columns of bills that ``parse_bill`` does not read: path, example_id (the basis), seen_at."""
    fields = []
    for row in bill_rows(home).select("payload", "basis", "asked_at").iter_rows(named=True):
        bill = load(row["payload"])
        names = [key for key, value in bill.items() if key not in KEYS and value not in (None, [], {})]
        if bill["rows"]:
            read_indexes = _indexes(bill, row["basis"])
            names += [f"columns.{name}" for index, name in enumerate(bill["columns"]) if index not in read_indexes]
        fields += [(name, row["basis"], row["asked_at"]) for name in names]
    schema: dict[str, Any] = {"path": pl.String, "example_id": pl.String, "seen_at": pl.Datetime("us", "UTC")}
    return pl.DataFrame(fields, schema, orient="row")


def refresh_billed_usage(home: Home) -> None:
    """Rebuild ``billed_usage`` from the landing: of each day and basis, the response that landed last counts."""
    rows = bill_rows(home)
    if rows.is_empty():
        return
    by_day: dict[tuple[date, str], list[dict[str, object]]] = {}
    # A day after the last request was requested in the future, by a wrong clock.
    end = rows["until_date"][-1]
    for row in rows.iter_rows(named=True):
        days = _days(row["since_date"], min(row["until_date"], end))
        usage = _usage(load(row["payload"]), row["basis"], row["asked_at"], days)
        for day in days:
            by_day[day, row["basis"]] = usage[day]
    lake.overwrite_table(
        home, BILLED_USAGE, parquet.frame(BILLED_USAGE, [row for day in by_day.values() for row in day])
    )


def _usage(
    bill: Mapping[str, Any], basis: str, asked_at: datetime, days: list[date]
) -> dict[date, list[dict[str, object]]]:
    """The rows of each day; a day without usage has one, unless the bill is empty: then it is on the other basis."""
    amounts: dict[tuple[date, str, str], list[float]] = defaultdict(list)
    for day, product, unit, amount in parse_bill(bill, basis):
        amounts[day, product, unit].append(amount)
    used_days = {day for day, _, _ in amounts}
    units = {unit for _, _, unit in amounts}
    no_usage = {(day, NOTHING, unit): [0.0] for day in days if day not in used_days for unit in units}
    usage: dict[date, list[dict[str, object]]] = {day: [] for day in days}
    for (day, product, unit), values in (amounts | no_usage).items():
        if day in usage:
            end = datetime.combine(day + timedelta(days=1), time(), UTC)
            usage[day].append(
                {
                    "usage_date": day,
                    "product_type": product,
                    "unit": unit,
                    "amount": fsum(values),
                    "asked_at": asked_at,
                    "is_complete": asked_at >= end,
                }
            )
    return usage


def _days(since: date, until: date) -> list[date]:
    return [since + timedelta(days=n) for n in range((until - since).days)]


def _padded(values: Any, length: int) -> list[str]:
    texts = [str(value or "").lower() for value in values] if isinstance(values, list) else []
    return [*texts, *[""] * (length - len(texts))]


def _index(what: str, *criteria: list[bool]) -> int:
    """Position of the first column that meets the first criterion that any column meets."""
    for matches in criteria:
        if any(matches):
            return matches.index(True)
    message = f"no column of the bill has the {what}"
    raise ValueError(message)


def _day(value: Any) -> date:
    if isinstance(value, str):
        return date.fromisoformat(value[:10])
    if isinstance(value, bool) or not isinstance(value, int | float):
        message = "a time of the bill is not a time"
        raise ValueError(message)  # noqa: TRY004 - what a decoder raises
    return datetime.fromtimestamp(value / 1000 if value >= _MS_FROM else value, UTC).date()


def _amount(value: Any) -> float:
    amount = 0.0 if value is None else float(value)
    if isinstance(value, bool) or not isfinite(amount):
        message = "an amount of the bill is not a number"
        raise ValueError(message)
    return amount

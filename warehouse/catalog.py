"""``seeds.metric_headers``: the metrics that the headers of the models declare, as rows for ``metrics.catalog``."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import polars as pl

from warehouse.headers import Header

NAME = "metric_headers"
METRIC_HEADERS = f"seeds.{NAME}"

DESCRIPTION = "Metrics declared in the headers of the SQL models: one row per metric, written by the build."
COLUMNS = {
    "id": "Id of the metric: model and column.",
    "model": "Model that holds it.",
    "column_name": "Column that holds it.",
    "name": "Name for people.",
    "description": "What the column says.",
    "grain": "Columns that tell the rows of the model apart.",
    "unit": "Unit.",
    "numerator": "What is summed or measured.",
    "denominator": "By what it is divided; null when it is no ratio.",
    "null_rule": "When it is null.",
    "good": "Direction that people hope for: high, low or neither.",
    "differs": "How it differs from the vendor's dashboard.",
}


def rows(headers: Iterable[tuple[str, Header]]) -> pl.DataFrame:
    """One row per metric of the models given by qualified name and header, sorted by id; all columns text."""
    found = [
        {
            "id": f"{key.partition('.')[2]}.{column}",
            "model": key,
            "column_name": column,
            "name": metric.name,
            "description": header.columns[column],
            "grain": ", ".join(header.grain),
            "unit": metric.unit,
            "numerator": metric.numerator,
            "denominator": metric.denominator,
            "null_rule": metric.null_rule,
            "good": metric.good,
            "differs": metric.differs,
        }
        for key, header in headers
        for column, metric in header.metrics.items()
    ]
    return pl.DataFrame(found, dict.fromkeys(COLUMNS, pl.String)).sort("id")


def load(connection: duckdb.DuckDBPyConnection, headers: Iterable[tuple[str, Header]]) -> None:
    """Write ``seeds.metric_headers`` into the connection's database."""
    connection.register("found_metrics", rows(headers))
    connection.table("found_metrics").create(METRIC_HEADERS)
    connection.unregister("found_metrics")

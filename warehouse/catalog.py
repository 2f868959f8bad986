"""``seeds.metric_headers``: the metrics that the headers of the models declare, as rows for ``metrics.catalog``."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from warehouse.models.build_tables import METRIC_HEADERS
from warehouse.models.headers import Header


def rows(headers: Iterable[tuple[str, Header]]) -> pl.DataFrame:
    """One row per metric of the models given by qualified name and header, sorted by id; all columns text."""
    found: list[dict[str, str | None]] = [
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
    return METRIC_HEADERS.frame(found).sort("id")

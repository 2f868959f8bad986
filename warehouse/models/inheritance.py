"""What a header inherits from a relation that its model reads: descriptions of columns, and metrics.

The columns of the result are read from the SELECT, stars included. So a measure that is added to the model that others
inherit from, and that they select with ``* exclude (…)``, is in each of them with its description and metric. A column
``<metric>_change`` is described by the name and unit of the metric.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from warehouse.errors import ModelError
from warehouse.models.headers import Header, Metric, check_names, header_of, line_of, parse_toml
from warehouse.models.select_parser import Select, SelectedColumn, StarError, final_columns
from warehouse.schema.registry import BY_NAME, TABLES

KEYS = ("inherits_metrics_from", "inherits_columns_from")

_CHANGE, _SHARE = "_change", "share of 1"
_LAKE = {f"lake.{table.name}": table.column_names for table in TABLES}


def read_header(path: Path, toml: str, select: Select, headers: Mapping[str, Header]) -> Header:
    """The header of a model, with all columns of its SELECT in their order; what it says itself wins.

    ``headers`` are the complete ones of the models that it reads, by qualified name.

    Raises:
        ModelError: the header is wrong, it inherits from what its model does not read, or a column has no description;
            names file and line.
    """
    values = parse_toml(path, toml)
    key = next((key for key in KEYS if key in values), None)
    if key is None:
        return header_of(path, toml, values, Header)
    parent, at = str(values[key]), f"{path}:{line_of(toml, key)}"
    if parent not in select.reads or not (parent in headers or parent in _LAKE):
        raise ModelError(f"{at}: {parent} is not a model or a table of the lake that the model reads.", f"Check {key}.")
    parent_metrics: Mapping[str, Metric] = headers[parent].metrics if parent in headers else {}
    _complete_metrics(values, parent_metrics)
    header = header_of(path, toml, values, Header)
    relations = {**_LAKE, **{name: relation.columns for name, relation in headers.items()}}
    try:
        selected = final_columns(select, relations)
    except StarError as error:
        raise ModelError(f"{path}: a star of final cannot be replaced by its columns.", "Name them.") from error
    if not selected:
        raise ModelError(f"{at}: {key} needs a CTE final that is one SELECT.", "List all [columns].")
    columns = _inherited_columns(parent, selected, headers) | _change_texts(selected, parent_metrics) | header.columns
    metrics = header.metrics
    if header.inherits_metrics_from:
        metrics = {column.name: parent_metrics[column.name] for column in selected if column.name in parent_metrics}
        if not metrics:
            raise ModelError(f"{at}: {parent} has no metric that final selects.", "Inherit columns only.")
        metrics |= header.metrics
    names = [column.name for column in selected]
    for name in names:
        if name not in columns:
            raise ModelError(f"{path}: {name} is not a column of {parent}.", "List it under [columns].")
    complete_header = msgspec.structs.replace(
        header,
        columns={name: columns[name] for name in names} | header.columns,
        metrics={name: metrics[name] for name in names if name in metrics} | metrics,
    )
    check_names(path, toml, complete_header)
    return complete_header


def _complete_metrics(values: dict[str, Any], parent_metrics: Mapping[str, msgspec.Struct]) -> None:
    """Add to each metric of a header the keys that it leaves out, from the metric of the same column."""
    metrics = values.get("metrics")
    for column, metric in metrics.items() if isinstance(metrics, dict) else ():
        if isinstance(metric, dict) and column in parent_metrics:
            metric.update(msgspec.structs.asdict(parent_metrics[column]) | metric)


def _inherited_columns(
    parent: str, selected: tuple[SelectedColumn, ...], headers: Mapping[str, Header]
) -> dict[str, str]:
    """Descriptions by column: in a model those of the same name, in a table of the lake those of what is renamed."""
    if parent in headers:
        texts = headers[parent].columns
        return {column.name: texts[column.name] for column in selected if column.name in texts}
    table = BY_NAME[parent.removeprefix("lake.")]
    return {
        column.name: table.column(column.source).description
        for column in selected
        if column.source is not None and column.source in table.column_names
    }


def _change_texts(selected: tuple[SelectedColumn, ...], metrics: Mapping[str, Metric]) -> dict[str, str]:
    """Descriptions of the columns ``<metric>_change`` of a model whose rows are weeks."""
    texts = {}
    for column in selected:
        metric = metrics.get(column.name.removesuffix(_CHANGE))
        if metric is not None and column.name.endswith(_CHANGE):
            unit = {"count": "", _SHARE: f", {_SHARE}"}.get(metric.unit, f", in {metric.unit}")
            texts[column.name] = f"{metric.name}: difference from the week before{unit}."
    return texts

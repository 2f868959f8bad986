"""A bundle that ``superset import-dashboards`` takes: the warehouse, datasets with metrics, charts, one dashboard.

Ids are derived from names, so that importing it again replaces what an earlier version brought. The waits are a virtual
dataset, because the table of entries also has what was said.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from warehouse.contracts.aggregates import ADDITIVE, ENTRIES, Aggregate, aggregates
from warehouse.contracts.relations import Relation, relations_of
from warehouse.models.project import Project

ROOT = "convohouse"
"""Folder of the bundle, and name of the database and of the dashboard's address."""

WEEKS = "metrics.agent_scorecard"
"""Rows to show as they are: their percentiles are those of a whole week."""

WAITS = "waits"
WAIT_COLUMNS = ("workspace", "start_date", "agent_id", "agent_name", "version_id", "wait_secs", "is_counted")
"""Columns of the waits: those of the table of entries without what was said."""
AGENT = "agent_name"
"""The column that names agents in all datasets."""

FORMATS = {"share of 1": ".1%", "count": ",d", "credits": ",d", "seconds": ",.2f", "minutes": ",.1f"}
"""Number formats of D3 by unit; those of money begin with US dollars."""

GRID_WIDTH = 12
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "convohouse.superset")
_VERSION = "1.0.0"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart on a dataset with the column ``time``; ``params`` are Superset's own, besides those of every chart."""

    name: str
    dataset: str
    kind: str
    params: Mapping[str, Any]
    width: int
    time: str = "start_date"


def superset(project: Project, database: Path) -> dict[str, dict[str, Any]]:
    """The files of the bundle by path, each as the data of its YAML; ``database`` is the warehouse's file."""
    relations = {relation.key: relation for relation in relations_of(project)}
    metrics = aggregates(relations.values())
    datasets = [
        *(_dataset(relations[key], [metric for metric in metrics if metric.relation == key]) for key in ADDITIVE),
        _dataset(relations[WEEKS], (), "week_start_date"),
        _waits(relations[ENTRIES], [metric for metric in metrics if metric.relation == ENTRIES]),
    ]
    charts = _charts()
    files = {"metadata.yaml": {"version": _VERSION, "type": "Dashboard"}}
    files |= {f"databases/{ROOT}.yaml": _database(database)}
    files |= {f"datasets/{ROOT}/{dataset['table_name']}.yaml": dataset for dataset in datasets}
    files |= {f"charts/{_slug(chart.name)}.yaml": _chart(chart) for chart in charts}
    files |= {f"dashboards/{ROOT}.yaml": _dashboard(charts)}
    return {f"{ROOT}/{path}": content for path, content in files.items()}


def _uuid(kind: str, name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{kind} {name}"))


def _slug(name: str) -> str:
    return name.lower().replace(",", "").replace(" ", "_")


def _database(path: Path) -> dict[str, Any]:
    return {
        "database_name": ROOT,
        "sqlalchemy_uri": f"duckdb:///{quote(str(path.resolve()))}?access_mode=read_only",
        "expose_in_sqllab": True,
        "allow_dml": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "extra": {},
        "uuid": _uuid("database", ROOT),
        "version": _VERSION,
    }


def _dataset(relation: Relation, metrics: Iterable[Aggregate], time: str = "start_date") -> dict[str, Any]:
    return {
        "table_name": relation.name,
        "schema": relation.schema,
        "main_dttm_col": time,
        "description": relation.description,
        "uuid": _uuid("dataset", relation.name),
        "database_uuid": _uuid("database", ROOT),
        "columns": [
            {
                "column_name": field.name,
                "type": field.type,
                "description": field.description,
                "is_dttm": field.type in ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"),
                "groupby": field.unit is None or field.type == "DATE",
                "filterable": True,
            }
            for field in relation.fields
        ],
        "metrics": [_metric(metric) for metric in metrics],
        "version": _VERSION,
    }


def _waits(entries: Relation, metrics: Iterable[Aggregate]) -> dict[str, Any]:
    dataset = _dataset(entries, metrics)
    columns = [column for column in dataset["columns"] if column["column_name"] in WAIT_COLUMNS]
    names = ", ".join(column["column_name"] for column in columns)
    return dataset | {
        "table_name": WAITS,
        "description": "Waits of entries, one by one: percentiles cannot be added up from days.",
        "uuid": _uuid("dataset", WAITS),
        "sql": f"select {names} from {entries.key} where is_counted and wait_secs is not null",  # noqa: S608 - our names
        "columns": columns,
    }


def _metric(aggregate: Aggregate) -> dict[str, Any]:
    metric = aggregate.metric
    formula = f"{metric.numerator} ÷ ({metric.denominator})" if metric.denominator else metric.numerator
    return {
        "metric_name": aggregate.column,
        "verbose_name": metric.name,
        "expression": aggregate.sql(),
        "description": f"{formula}; {metric.null_when}.",
        "d3format": FORMATS.get(metric.unit, "$,.2f" if metric.unit.startswith("US dollars") else ",.2f"),
    }


def _charts() -> tuple[Chart, ...]:
    totals = (
        ("Conversations", "agent_daily", "n_calls"),
        ("Success rate", "agent_daily", "success_rate"),
        ("Cost in US dollars", "agent_daily", "cost_usd"),
        ("Wait, 95th percentile", WAITS, "wait_p95_secs"),
    )
    lines = (
        ("Conversations a day", "agent_daily", "n_calls"),
        ("Success rate a day", "agent_daily", "success_rate"),
        ("Cost a day", "agent_daily", "cost_usd"),
        ("Wait a day, 95th percentile", WAITS, "wait_p95_secs"),
    )
    table = ["n_calls", "success_rate", "success_coverage", "containment_rate", "cost_usd", "cost_usd_per_call"]
    agent = [AGENT, "agent_id"]  # several agents can have one name, or none
    weeks = ["week_start_date", *agent, *table, "wait_p95_secs", "n_waits"]
    shares = (("Channels", "channel_mix", "channel"), ("Languages", "language_mix", "main_language"))
    return (
        *(Chart(name, dataset, "big_number_total", {"metric": metric}, 3) for name, dataset, metric in totals),
        *(
            Chart(
                name,
                dataset,
                "echarts_timeseries_line",
                {"metrics": [metric], "groupby": [AGENT], "x_axis": "start_date", "time_grain_sqla": "P1D"},
                6,
            )
            for name, dataset, metric in lines
        ),
        Chart(
            "Agents",
            "agent_daily",
            "table",
            {"query_mode": "aggregate", "groupby": agent, "metrics": table, "row_limit": 1000},
            6,
        ),
        *(
            Chart(name, dataset, "pie", {"metric": "n_calls", "groupby": [column], "row_limit": 100}, 3)
            for name, dataset, column in shares
        ),
        Chart(
            "Weeks",
            "agent_scorecard",
            "table",
            {
                "query_mode": "raw",
                "all_columns": weeks,
                "order_by_cols": ['["week_start_date", false]'],
                "row_limit": 1000,
            },
            12,
            "week_start_date",
        ),
    )


def _chart(chart: Chart) -> dict[str, Any]:
    time_range = {
        "clause": "WHERE",
        "comparator": "No filter",
        "expressionType": "SIMPLE",
        "operator": "TEMPORAL_RANGE",
        "subject": chart.time,
    }
    return {
        "slice_name": chart.name,
        "viz_type": chart.kind,
        "params": {"viz_type": chart.kind, "adhoc_filters": [time_range], **chart.params},
        "uuid": _uuid("chart", chart.name),
        "dataset_uuid": _uuid("dataset", chart.dataset),
        "version": _VERSION,
    }


def _dashboard(charts: tuple[Chart, ...]) -> dict[str, Any]:
    return {
        "dashboard_title": "Conversations",
        "slug": ROOT,
        "uuid": _uuid("dashboard", ROOT),
        "position": _position(charts),
        "metadata": {
            "native_filter_configuration": [
                _filter("Time", "filter_time", {}),
                _filter(
                    "Agent",
                    "filter_select",
                    {"column": {"name": AGENT}, "datasetUuid": _uuid("dataset", "agent_daily")},
                ),
            ],
            "cross_filters_enabled": True,
        },
        "published": True,
        "version": _VERSION,
    }


def _filter(name: str, kind: str, target: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"NATIVE_FILTER-{name}",
        "name": name,
        "filterType": kind,
        "targets": [target],
        "type": "NATIVE_FILTER",
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
        "cascadeParentIds": [],
        "controlValues": {},
        "defaultDataMask": {"extraFormData": {}, "filterState": {}},
    }


def _position(charts: tuple[Chart, ...]) -> dict[str, Any]:
    """The charts in their order, row by row, each row as wide as the grid."""
    rows: list[list[Chart]] = [[]]
    for chart in charts:
        if sum(other.width for other in rows[-1]) + chart.width > GRID_WIDTH:
            rows.append([])
        rows[-1].append(chart)
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"id": "ROOT_ID", "type": "ROOT", "children": ["GRID_ID"]},
        "GRID_ID": {"id": "GRID_ID", "type": "GRID", "parents": ["ROOT_ID"], "children": []},
        "HEADER_ID": {"id": "HEADER_ID", "type": "HEADER", "meta": {"text": "Conversations"}},
    }
    for number, row in enumerate(rows):
        row_id, parents = f"ROW-{number}", ["ROOT_ID", "GRID_ID"]
        children = [f"CHART-{_slug(chart.name)}" for chart in row]
        position["GRID_ID"]["children"].append(row_id)
        position[row_id] = {
            "id": row_id,
            "type": "ROW",
            "parents": parents,
            "children": children,
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        for chart, chart_id in zip(row, children, strict=True):
            height = 20 if chart.kind == "big_number_total" else 50
            meta = {
                "chartId": charts.index(chart) + 1,  # the import replaces it, by the uuid
                "uuid": _uuid("chart", chart.name),
                "sliceName": chart.name,
                "width": chart.width,
                "height": height,
            }
            position[chart_id] = {
                "id": chart_id,
                "type": "CHART",
                "parents": [*parents, row_id],
                "children": [],
                "meta": meta,
            }
    return position

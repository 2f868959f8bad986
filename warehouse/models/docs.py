"""The data dictionary: ``docs/tables.md`` from ``warehouse.schema``, ``docs/metrics.md`` from the headers of ``sql/``.

``python -m warehouse.models.docs docs/`` writes both; a test holds that the committed files are what this makes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from warehouse.models.project import SCHEMAS, Model, Project, read_project
from warehouse.models.seeds import Seed
from warehouse.schema.registry import TABLES
from warehouse.schema.types import Column, Table, unit_of

_MADE = "<!-- Made by `python -m warehouse.models.docs docs/`; change the source, not this file. -->"
_ABOUT_TABLES = """\
Plain Parquet below `lake/<table>/`, one file a day where a table has days; the schema `lake` of `warehouse.duckdb`
shows each as a view. A column without a JSON path is made by the pipeline. `[]` steps through a list, `{}` through a
map. Bold columns are the key; columns marked * are never null. A redaction takes the content: `words` become
`<redacted>`, an `identity` becomes null, `extra` goes."""
_ABOUT_METRICS = """\
A rate is a sum over a sum, never a mean of rates, and null where the denominator is 0; percentiles are exact and
interpolated. The same definitions stand in `metrics.catalog`. Names mean the same everywhere: `n_calls` counts finished
calls (done or failed), `n_open` the others."""


def tables_text() -> str:
    """The lake's tables: grain, key, and each column with type, unit, JSON path and meaning; as Markdown."""
    parts = [
        "# The tables of the lake",
        _MADE,
        _ABOUT_TABLES,
        *(_table_text(table) for table in TABLES),
    ]
    return "\n\n".join(parts) + "\n"


def metrics_text(project: Project) -> str:
    """The models of ``sql/``: metrics with their formula, then every model and seed with its columns; as Markdown."""
    parts = [
        "# The models and the metrics",
        _MADE,
        _ABOUT_METRICS,
        "## Metrics",
        *(_metrics_text(model) for model in project.models if model.header.metrics),
    ]
    for schema in reversed(SCHEMAS):
        parts += [f"## Schema {schema}", *(_model_text(m) for m in _sorted(project) if m.schema == schema)]
    parts += ["## Schema seeds", *(_seed_text(seed) for seed in project.seeds)]
    return "\n\n".join(parts) + "\n"


def write(folder: Path) -> None:
    """Write ``tables.md`` and ``metrics.md`` into the folder."""
    (folder / "tables.md").write_text(tables_text(), encoding="utf-8")
    (folder / "metrics.md").write_text(metrics_text(read_project()), encoding="utf-8")


def _table_text(table: Table) -> str:
    rows = (
        (
            _name(table, column),
            _type(column),
            column.unit,
            column.sensitivity.value if column.sensitivity else None,
            _paths(table, column),
            column.description,
        )
        for column in table.columns
    )
    days = "a file a day" if table.is_daily else "no days"
    return (
        f"## {table.name}\n\nOne row per {table.grain}; {days}.\n\n"
        f"{_grid(('column', 'type', 'unit', 'content', 'JSON path', 'meaning'), rows)}"
    )


def _name(table: Table, column: Column) -> str:
    name = f"**{column.name}**" if column.name in table.key else column.name
    return f"{name} *" if column.required else name


def _type(column: Column) -> str:
    return column.type.value.removesuffix(" from milliseconds")


def _paths(table: Table, column: Column) -> str:
    return " or ".join(f"`{path}`" for path in table.paths(column))


def _metrics_text(model: Model) -> str:
    rows = (
        (
            column,
            metric.name,
            metric.unit,
            metric.numerator,
            metric.denominator,
            metric.null_when,
            metric.direction,
            metric.differs_from_vendor,
        )
        for column, metric in model.header.metrics.items()
    )
    head = ("column", "name", "unit", "numerator", "denominator", "null rule", "good", "against the vendor's dashboard")
    return f"### {model.key}\n\n{_grid(head, rows)}"


def _model_text(model: Model) -> str:
    return _relation_text(model.key, model.header.description, model.header.grain, model.header.columns)


def _seed_text(seed: Seed) -> str:
    return _relation_text(seed.key, seed.header.description, seed.header.grain, seed.header.columns)


def _relation_text(key: str, description: str, grain: Iterable[str], columns: dict[str, str]) -> str:
    rows = ((f"**{name}**" if name in grain else name, unit_of(name), about) for name, about in columns.items())
    return f"### {key}\n\n{description}\n\n{_grid(('column', 'unit', 'meaning'), rows)}"


def _sorted(project: Project) -> list[Model]:
    return sorted(project.models, key=lambda model: model.key)


def _grid(head: tuple[str, ...], rows: Iterable[tuple[str | None, ...]]) -> str:
    return "\n".join(_lines(head, rows))


def _lines(head: tuple[str, ...], rows: Iterable[tuple[str | None, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join('---' for _ in head)}|"
    for row in rows:
        yield f"| {' | '.join((cell or '').replace('|', chr(92) + '|') for cell in row)} |"


if __name__ == "__main__":
    write(Path(sys.argv[1]))

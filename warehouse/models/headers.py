"""The header of a SQL file: TOML in a leading block comment, which describes the result of the SELECT below it.

- ``description``, ``grain`` and ``[columns]`` (every column of the result, in order) are required.
- ``[tests]`` are checks on the built data; ``[metrics.<column>]`` makes a column a metric. Those of schema ``metrics``
  are in ``metrics.catalog``, those of another schema are there to be inherited.
- ``[values.<column>.<value>]`` lists all values of a column, in the order of their rules: the first that holds counts.
- ``inherits_columns_from = "lake.turns"`` names a table of the lake or a model that this one reads:
  ``warehouse.models.inheritance`` adds the columns that ``[columns]`` leaves out, with their descriptions from there.
- ``inherits_metrics_from = "intermediate.int_agent_measures"`` also adds the metrics of these columns.
- With either, a metric takes from the metric of the same column there what it leaves out.
- ``incremental_by = "start_date"`` says that the model's rows of a day follow from the rows of that day in what it
  reads, so that it can be built some days at a time (``warehouse.build.incremental``). A staging model with it is a
  table and no view.

The unit of a column follows from its name (``warehouse.schema.types.unit_of``). Singular tests and seeds have smaller
headers of the same kind.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import msgspec

from warehouse.errors import ModelError
from warehouse.schema.types import unit_of

Value = str | bool | int | float
Direction = Literal["high", "low", "neither"]
IncrementalBy = Literal["start_date"]

NO_COUNTERPART = "No counterpart known."
"""Text of a metric that the vendor's dashboard does not have."""

OWN_DEFINITION = "convohouse"
"""Source of a metric that is not defined elsewhere in the same way."""


class Metric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a metric column means; ``direction`` is the desired one.

    ``source`` names who else defines the metric this way. ``differs_from_vendor`` says how the number differs from the
    one on the vendor's dashboard. A header may leave out ``source`` for a definition of our own,
    ``differs_from_vendor`` if no counterpart is known, and ``unit`` if the column's name says it.
    """

    name: str
    unit: str
    numerator: str
    null_when: str
    direction: Direction
    source: str
    differs_from_vendor: str
    denominator: str | None = None

    def published(self) -> dict[str, str | None]:
        """By the names of ``metrics.catalog`` and ``explain --json``, which are older than those of the header."""
        return {
            "name": self.name,
            "unit": self.unit,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "null_rule": self.null_when,
            "good": self.direction,
            "source": self.source,
            "differs": self.differs_from_vendor,
        }


class ColumnValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value of a column: when it holds, and what the column with its reason can say then."""

    holds_when: str
    reasons: str


class Tests(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Checks on the built rows; ``unique`` defaults to the grain, ``at_least`` is a lower bound by column."""

    unique: tuple[str, ...] = ()
    not_null: tuple[str, ...] = ()
    accepted: dict[str, tuple[Value, ...]] = {}
    at_least: dict[str, float] = {}
    references: dict[str, str] = {}
    same_count_as: str | None = None


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Header of a model."""

    description: str
    grain: tuple[str, ...]
    columns: dict[str, str] = {}
    inherits_columns_from: str | None = None
    inherits_metrics_from: str | None = None
    incremental_by: IncrementalBy | None = None
    tests: Tests = Tests()
    metrics: dict[str, Metric] = {}
    values: dict[str, dict[str, ColumnValue]] = {}

    @property
    def inherits_from(self) -> str | None:
        """The relation that it inherits from, by either key."""
        return self.inherits_metrics_from or self.inherits_columns_from

    @property
    def column_comments(self) -> dict[str, str]:
        """The descriptions for other tools: of a metric whose name does not say its unit to everybody, with it."""
        units = {
            name: metric.unit
            for name, metric in self.metrics.items()
            if (unit_of(name) is None or metric.unit == SHARE) and metric.unit not in self.columns[name]
        }
        return {
            name: f"{description} Unit: {units[name]}." if name in units else description
            for name, description in self.columns.items()
        }


class SeedHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``.toml`` beside a seed; ``types`` are DuckDB's by column."""

    description: str
    grain: tuple[str, ...]
    types: dict[str, str]
    columns: dict[str, str]
    tests: Tests = Tests()


class SingularHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Header of a singular test."""

    description: str


H = TypeVar("H", Header, SeedHeader, SingularHeader)

SHARE = "share of 1"
"""The unit of a rate, which others give in per cent."""

_COMMENT = re.compile(r"\A/\*(.*?)\*/\s*", re.DOTALL)


def split_header(path: Path, text: str) -> tuple[str, str]:
    """The TOML and the SQL of a file; line n of the TOML is line n of the file.

    Raises:
        ModelError: the file does not begin with a block comment.
    """
    comment = _COMMENT.match(text)
    if comment is None:
        raise ModelError(f"{path}:1: the file does not begin with a header.", "Begin it with /* … */ that holds TOML.")
    return comment.group(1), text[comment.end() :]


def parse_header(path: Path, toml: str, kind: type[H]) -> H:
    """The header of type ``kind`` in ``toml``; its names are checked, unless it inherits columns.

    Raises:
        ModelError: this is not TOML, a key is unknown or missing, or a name is not a column; names file and line.
    """
    return header_of(path, toml, parse_toml(path, toml), kind)


def parse_toml(path: Path, toml: str) -> dict[str, Any]:
    """The values of a header.

    Raises:
        ModelError: this is not TOML; names file and line.
    """
    try:
        return tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        line = int(at.group(1)) if at else toml.count("\n") + 1
        raise ModelError(
            f"{path}:{line}: the header is not TOML: {error}.", "See the other headers in sql/."
        ) from error


def header_of(path: Path, toml: str, values: dict[str, Any], kind: type[H]) -> H:
    """The header of type ``kind`` with the values of ``toml``; see ``parse_header``.

    Raises:
        ModelError: as there.
    """
    if kind is Header:
        _set_metric_defaults(values)
        _accept_values(values)
    try:
        header = msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        table, key = _invalid_entry(values, kind), _invalid_key(str(error))
        n_before = line_of(toml, table) - 1  # lines before the table of the entry
        line = n_before + line_of("\n".join(toml.splitlines()[n_before:]), key)
        message = f"{path}:{line}: {f'{table}: ' if table else ''}{error}."
        raise ModelError(message, _hint(key)) from error
    if isinstance(header, Header):
        if header.inherits_columns_from and header.inherits_metrics_from:
            raise ModelError(f"{path}:1: the header inherits by two keys.", "Remove inherits_columns_from.")
        if not header.columns and not header.inherits_from:
            raise ModelError(f"{path}:1: the header has no columns.", "List every column under [columns].")
        if header.inherits_from:  # its columns are known only with its SELECT
            return header
    if not isinstance(header, SingularHeader):
        check_names(path, toml, header)
    return header


def check_names(path: Path, toml: str, header: Header | SeedHeader) -> None:
    """Check that grain, tests and metrics name only columns of the header.

    Raises:
        ModelError: names file, line and the name that is not a column.
    """
    for name in _names(header):
        if name not in header.columns:
            raise ModelError(
                f"{path}:{line_of(toml, name)}: {name} is not a column of the header.", "List it under [columns]."
            )


def _set_metric_defaults(values: dict[str, Any]) -> None:
    """Add the keys that metrics may leave out; anything that is not a table of metrics is left for the conversion."""
    metrics = values.get("metrics")
    for column, metric in metrics.items() if isinstance(metrics, dict) else ():
        if isinstance(metric, dict):
            metric.setdefault("source", OWN_DEFINITION)
            metric.setdefault("differs_from_vendor", NO_COUNTERPART)
            if unit := unit_of(column):
                metric.setdefault("unit", unit)


def _accept_values(values: dict[str, Any]) -> None:
    """Add the check that a column has none but its values."""
    values_by_column, tests = values.get("values"), values.setdefault("tests", {})
    accepted = tests.setdefault("accepted", {}) if isinstance(tests, dict) else None
    if isinstance(values_by_column, dict) and isinstance(accepted, dict):
        accepted.update({column: list(names) for column, names in values_by_column.items() if isinstance(names, dict)})


def _invalid_entry(values: dict[str, Any], kind: type[H]) -> str:
    """The entry of a table that cannot be converted, such as ``metrics.error_rate``, as msgspec names no keys of maps.

    Empty if it is a value outside of tables.
    """
    for field in msgspec.structs.fields(kind):
        table = values.get(field.encode_name)
        for key, value in table.items() if isinstance(table, dict) else ():
            try:
                msgspec.convert({key: value}, field.type)
            except msgspec.ValidationError:
                return f"{field.encode_name}.{key}"
    return ""


def _invalid_key(message: str) -> str:
    """The key that a message of msgspec is about: an unknown field, or the last step of the path; empty if neither."""
    match = re.search(r"unknown field `(\w+)`", message) or re.search(r"`\$\.(?:.*\.)?(\w+)(?:\[.*\])?`", message)
    return match.group(1) if match else ""


def _hint(key: str) -> str:
    values = {"direction": get_args(Direction), "incremental_by": get_args(IncrementalBy)}.get(key)
    return f"Possible values: {', '.join(values)}." if values else "See the other headers in sql/."


def line_of(text: str, word: str) -> int:
    """First line, from 1, that has ``word``; 1 if none has."""
    lines = text.splitlines()
    return next((n for n, line in enumerate(lines, 1) if word and re.search(rf"\b{re.escape(word)}\b", line)), 1)


def _names(header: Header | SeedHeader) -> list[str]:
    """Names outside ``[columns]`` that have to be columns."""
    tests = header.tests
    names = [*header.grain, *tests.unique, *tests.not_null, *tests.accepted, *tests.at_least, *tests.references]
    return names + ([*header.metrics, *header.values] if isinstance(header, Header) else list(header.types))

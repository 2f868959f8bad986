"""The header of a SQL file: one leading block comment that holds TOML and says what the SELECT below it promises.

``description``, ``grain`` and ``[columns]`` (every column of the result, in order) are required; a staging model says
``inherits_columns_from = "lake.turns"`` instead, since its columns mean what the schema says. ``[tests]`` are checks on
the built data; ``[metrics.<column>]`` makes a column a metric of ``metrics.catalog``. A model with the measures of
another at its own grain says ``inherits_metrics_from = "metrics.agent_daily"``: columns of the same name take their
texts and metrics from that model, unless its own header has them. A model that is local to a conversation and would
hold all turns at once says ``batch_by = "start_date"``: it is built some days at a time
(``warehouse.build.incremental``). The unit of a column follows from its name (``warehouse.schema.types.unit_of``).
Singular tests and seeds have smaller headers of the same kind.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from warehouse.errors import ModelError

Value = str | bool | int | float


class Metric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a metric column means; ``good`` is the direction that people hope for.

    ``differs`` says how the number differs from the one on the vendor's dashboard.
    """

    name: str
    unit: str
    numerator: str
    null_when: str
    direction: Literal["high", "low", "neither"]
    differs_from_vendor: str
    denominator: str | None = None


class Tests(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Checks on the built rows; ``unique`` is the grain when it is not given, ``at_least`` the smallest number."""

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
    batch_by: Literal["start_date"] | None = None
    tests: Tests = Tests()
    metrics: dict[str, Metric] = {}


class SeedHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``.toml`` beside a seed; ``types`` are DuckDB's, in the order of the CSV."""

    description: str
    grain: tuple[str, ...]
    types: dict[str, str]
    columns: dict[str, str]
    tests: Tests = Tests()


class SingularHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Header of a singular test."""

    description: str


H = TypeVar("H", Header, SeedHeader, SingularHeader)

_COMMENT = re.compile(r"\A/\*(.*?)\*/\s*", re.DOTALL)


def split_header(path: Path, text: str) -> tuple[str, str]:
    """The TOML and the SQL of a file; the TOML keeps its line numbers.

    Raises:
        ModelError: the file does not begin with a block comment.
    """
    comment = _COMMENT.match(text)
    if comment is None:
        raise ModelError(f"{path}:1: the file does not begin with a header.", "Begin it with /* … */ that holds TOML.")
    return comment.group(1), text[comment.end() :]


def parse_header(path: Path, toml: str, kind: type[H]) -> H:
    """The header of type ``kind`` in ``toml``, with its column names checked against each other.

    Raises:
        ModelError: no TOML, an unknown or missing key, or a name that is no column; names file and line.
    """
    try:
        found = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        line = int(at.group(1)) if at else toml.count("\n") + 1
        raise ModelError(f"{path}:{line}: the header is no TOML: {error}.", "See the other headers in sql/.") from error
    try:
        header = msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        line = line_of(toml, _culprit(str(error)))
        raise ModelError(f"{path}:{line}: {error}.", "The headers of the other files in sql/ show the form.") from error
    if isinstance(header, Header) and bool(header.columns or header.inherits_metrics_from) == bool(
        header.inherits_columns_from
    ):
        raise ModelError(
            f"{path}:1: the header needs [columns] or inherits_columns_from, and not both.", "List every column."
        )
    if not (
        isinstance(header, Header) and (header.inherits_columns_from or header.inherits_metrics_from)
    ):  # whose names are not known yet
        check_names(path, toml, header)
    return header


def check_names(path: Path, toml: str, header: Header | SeedHeader | SingularHeader) -> None:
    """Whether grain, tests and metrics speak only of columns that there are.

    Raises:
        ModelError: names file, line and the word that is no column.
    """
    for name in _names(header):
        if name not in _columns(header):
            raise ModelError(
                f"{path}:{line_of(toml, name)}: {name} is no column of the header.", "List it under [columns]."
            )


def _culprit(message: str) -> str:
    """The word of the header that msgspec complains about: an unknown key, or the last step of the path it gives."""
    found = re.search(r"unknown field `(\w+)`", message) or re.search(r"`\$\.(?:.*\.)?(\w+)(?:\[.*\])?`", message)
    return found.group(1) if found else ""


def line_of(text: str, word: str) -> int:
    """First line, from 1, on which ``word`` stands; 1 when it does not."""
    lines = text.splitlines()
    return next((n for n, line in enumerate(lines, 1) if word and re.search(rf"\b{re.escape(word)}\b", line)), 1)


def _columns(header: Header | SeedHeader | SingularHeader) -> dict[str, str]:
    return {} if isinstance(header, SingularHeader) else header.columns


def _names(header: Header | SeedHeader | SingularHeader) -> list[str]:
    """Names outside ``[columns]`` that must be columns."""
    if isinstance(header, SingularHeader):
        return []
    tests = header.tests
    names = [*header.grain, *tests.unique, *tests.not_null, *tests.accepted, *tests.at_least, *tests.references]
    return names + (list(header.metrics) if isinstance(header, Header) else list(header.types))

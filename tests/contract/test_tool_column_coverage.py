"""Every value that a published schema of a tool or a price can contain arrives in its declared column.

Drawn tools are masked and flattened as in a sync. Then every drawn value is looked up in its cell, which this file
derives from the path in the document alone.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from pipelines.privacy.mask_documents import mask
from pipelines.transform.llm_prices import flatten_prices
from pipelines.transform.tools import ToolDefinition, flatten_tools
from tests.helpers.draw_documents import Drawing, Leaf, Published, Step, reference
from tests.helpers.lazy_import import lazy_import
from tests.helpers.sample_documents import READ_AT
from warehouse.schema.reference_data import LLM_PRICES, TOOL_PARAMETERS, TOOLS
from warehouse.schema.types import Type

vendor = lazy_import("elevenlabs.types")

EXCEPTIONS = {
    "request_headers{}": "values of headers are masked before landing; their names stay",
    "custom_sip_headers[].value": "values of headers are masked before landing; their names stay",
}
"""Last steps of the paths whose values reach no column, and why."""

PREFIXES = {"api_schema": "", "base_api_schema": "base_", "api_schema_overrides": "override_"}
PARTS = {"query_params_schema": "query", "request_body_schema": "body", "response_body_schema": "response"}
HEADER_COLUMNS = {"secret_id": "secret_id", "variable_name": "dynamic_variable", "env_var_label": "env_var_label"}


class Cell(NamedTuple):
    """Where a value belongs; ``path_in_cell`` leads to it inside the JSON of the cell."""

    table: str
    key: tuple[str, ...]
    column: str
    path_in_cell: tuple[Step, ...] = ()


def cell_of(way: tuple[Step, ...]) -> Cell | None:
    if way == ("id",):
        return Cell("tools", (), "tool_id")
    if way[0] == "tool_config" and len(way) > 2:
        cell = cell_of_parameter(way[1:])
        if cell:
            return cell
    for column in TOOLS.columns:
        for n in range(1, len(way) + 1):
            if column.source == ".".join(map(str, way[:n])):
                return Cell("tools", (), column.name, way[n:])
    return None


def cell_of_parameter(way: tuple[Step, ...]) -> Cell | None:
    if way[0] == "parameters":
        return cell_in_schema("parameters", way[1:])
    if way[:2] == ("dynamic_variables", "dynamic_variable_placeholders"):
        return Cell("tool_parameters", ("dynamic_variable", str(way[2])), "constant_value", way[3:])
    if way[0] in PREFIXES:
        prefix, part, path_below = PREFIXES[str(way[0])], way[1], way[2:]
        if part in PARTS:
            return cell_in_schema(prefix + PARTS[str(part)], path_below)
        if part == "path_params_schema":
            return cell_in_schema(f"{prefix}path", ("properties", *path_below))
        if part == "request_headers":
            return Cell("tool_parameters", (f"{prefix}header", str(path_below[0])), HEADER_COLUMNS[str(path_below[1])])
    return None


def cell_in_schema(location: str, way: tuple[Step, ...]) -> Cell:
    name = "$"
    while way[0] in ("properties", "items"):
        if way[0] == "items":
            name, way = f"{name}[]", way[1:]
        else:
            name, way = str(way[1]) if name == "$" else f"{name}.{way[1]}", way[2:]
    return Cell("tool_parameters", (location, name), str(way[0]), way[1:])


def exception_of(leaf: Leaf) -> str | None:
    return next((end for end in EXCEPTIONS if leaf.path.endswith(end)), None)


@dataclass(frozen=True, slots=True)
class Proof:
    """Drawn tools, and their rows by tool, table and key."""

    drawn: list[tuple[dict[str, Any], list[Leaf]]]
    rows: dict[tuple[str, str, tuple[str, ...]], dict[str, Any]]

    def paths(self) -> set[str]:
        return {leaf.path for _, leaves in self.drawn for leaf in leaves}

    def missing(self) -> dict[str, str]:
        """Paths of values that did not arrive, with the reason."""
        return {
            leaf.path: what
            for tool, leaves in self.drawn
            for leaf in leaves
            if exception_of(leaf) is None and (what := self.wrong(tool["id"], leaf.way, leaf.value)) is not None
        }

    def wrong(self, tool_id: str, way: tuple[Step, ...], value: Any) -> str | None:
        cell = cell_of(way)
        if cell is None:
            return "no column"
        row = self.rows.get((tool_id, cell.table, cell.key))
        if row is None:
            return f"no row {cell.key} in {cell.table}"
        table = TOOLS if cell.table == "tools" else TOOL_PARAMETERS
        type_, actual = table.column(cell.column).type, row[cell.column]
        if actual is not None and (type_ is Type.JSON or cell.path_in_cell):
            actual = json.loads(actual)
            for step in cell.path_in_cell:
                actual = actual[step]
        expected = float(value) if type_ is Type.FLOAT else value
        is_right = type(actual) is type(expected) and actual == expected
        return None if is_right else f"{cell.table}.{cell.column} holds {actual!r}, not {expected!r}"


def proof(drawn: list[tuple[dict[str, Any], list[Leaf]]]) -> Proof:
    landed = [json.loads(json.dumps(mask(tool))) for tool, _ in drawn]
    times = (READ_AT, READ_AT, READ_AT)
    tools, parameters = flatten_tools(ToolDefinition(tool["id"], tool, "00", *times, is_gone=False) for tool in landed)
    rows: dict[tuple[str, str, tuple[str, ...]], dict[str, Any]] = {}
    for name, frame, key in (("tools", tools, ()), ("tool_parameters", parameters, ("location", "name"))):
        for row in frame.to_dicts():
            place = (row["tool_id"], name, tuple(row[column] for column in key))
            assert place not in rows, f"two rows with the key {place}"
            assert row["extra"] is None, f"{place} has left over {row['extra']}"
            rows[place] = row
    return Proof(drawn, rows)


def of_sdk(model: Any) -> Published:
    root = model.model_json_schema()
    return Published(root, root["$defs"])


@pytest.fixture(scope="module")
def of_reference() -> Proof:
    models = reference().models
    return proof(list(Drawing(Published({"$ref": "ToolResponseModel"}, models), first=1_000_000)))


@pytest.fixture(scope="module")
def of_today() -> Proof:
    return proof(list(Drawing(of_sdk(vendor().ToolResponseModel), first=5_000_000)))


def test_every_value_path_of_a_tool_arrives_in_its_declared_column(of_reference, of_today, capsys):
    proofs = (of_reference, of_today)
    totals = [len(proof.paths()) for proof in proofs]
    missing = [proof.missing() for proof in proofs]
    arrived = [f"{total - len(lost)}/{total}" for total, lost in zip(totals, missing, strict=True)]
    with capsys.disabled():
        sys.stdout.write(f"\ntools: {arrived[0]} value paths of the reference, {arrived[1]} of today's API, ")
        sys.stdout.write(f"exceptions: {'; '.join(f'{path} ({why})' for path, why in EXCEPTIONS.items())}\n")
    lost = [f"{path}: {what}" for paths in missing for path, what in paths.items()]
    assert not lost, "\n".join(lost)
    assert totals == [141, 199]


def test_every_exception_is_needed_and_excepted_values_are_in_no_row(of_reference, of_today):
    leaves = [leaf for proof in (of_reference, of_today) for _, drawn in proof.drawn for leaf in drawn]
    excepted = [leaf for leaf in leaves if exception_of(leaf) is not None]
    assert {exception_of(leaf) for leaf in excepted} == set(EXCEPTIONS)
    kept = json.dumps([list(proof.rows.values()) for proof in (of_reference, of_today)], default=str)
    assert [leaf.value for leaf in excepted if leaf.value in kept] == []


def test_a_value_without_a_column_is_missed_by_name(of_reference):
    tool_id = of_reference.drawn[0][0]["id"]
    assert of_reference.wrong(tool_id, ("tool_config", "brand_new"), 1) == "no column"
    assert of_reference.wrong(tool_id, ("tool_config", "name"), "n").startswith("tools.name holds 'text")


def test_every_column_with_a_path_is_published(of_reference, of_today):
    leaves = [leaf for proof in (of_reference, of_today) for _, drawn in proof.drawn for leaf in drawn]
    cells = {(cell.table, cell.column) for leaf in leaves if not exception_of(leaf) and (cell := cell_of(leaf.way))}
    declared = {(table.name, c.name) for table in (TOOLS, TOOL_PARAMETERS) for c in table.columns if c.source}
    assert declared - cells == set()


def test_every_kind_of_tool_is_drawn(of_reference, of_today):
    old, new = (
        {leaf.value for _, leaves in proof.drawn for leaf in leaves if leaf.path == "tool_config.type"}
        for proof in (of_reference, of_today)
    )
    assert old == {"webhook", "client", "system", "api_integration_webhook"}
    assert new == {"webhook", "client", "system", "mcp"}


@pytest.mark.parametrize("published", ["reference", "today"])
def test_every_value_path_of_prices_arrives(published):
    schema = (
        Published({"$ref": "LLMUsageCalculatorResponseModel"}, reference().models)
        if published == "reference"
        else of_sdk(vendor().LlmUsageCalculatorResponseModel)
    )
    for answer, leaves in Drawing(schema, first=1):
        request = {"agent_id": "a", "asked_at": READ_AT, "prompt_basis": "none", "payload": json.dumps(answer).encode()}
        blank = dict.fromkeys(("prompt_length", "number_of_pages", "is_rag_enabled"))
        rows = {row["llm"]: row for row in flatten_prices([request | blank]).to_dicts()}
        assert {leaf.way[2] for leaf in leaves} <= {"llm", *(column.source for column in LLM_PRICES.columns)}
        for leaf in leaves:
            row = rows[answer["llm_prices"][leaf.way[1]]["llm"]]
            name = next((column.name for column in LLM_PRICES.columns if column.source == leaf.way[2]), "llm")
            assert row[name] == leaf.value
            assert row["extra"] is None

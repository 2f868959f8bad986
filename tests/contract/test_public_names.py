"""What users have written down does not change by a rename: commands, flags, settings, tables, columns and metrics.

``public_names.json`` was made before the code was rearranged for 0.2.0. A name may be added; one that is gone or has
another type is a break, and needs a line in CHANGELOG.md and an edit of the file.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import click
import pytest
from pydantic import AliasChoices

from pipelines.cli.main import cli
from pipelines.settings import Settings
from warehouse.models.build_tables import metric_header_rows
from warehouse.models.project import Project, read_project
from warehouse.schema.registry import TABLES

PUBLIC_NAMES = json.loads(Path(__file__).with_name("public_names.json").read_text())


def commands() -> dict[str, list[str]]:
    """Options and arguments by command."""
    context = click.Context(cli)
    return {
        name: sorted(name for parameter in command.get_params(context) for name in _spellings(parameter))
        for name, command in cli.commands.items()
    }


def _spellings(parameter: click.Parameter) -> list[str]:
    return (
        [str(parameter.name)] if isinstance(parameter, click.Argument) else [*parameter.opts, *parameter.secondary_opts]
    )


def settings() -> dict[str, str]:
    """The default by name of the setting."""
    return {_setting_name(name): repr(field.default) for name, field in Settings.model_fields.items()}


def _setting_name(field: str) -> str:
    alias = Settings.model_fields[field].validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"CONVOHOUSE_{field.upper()}"


def lake_columns() -> dict[str, dict[str, str]]:
    """Type by column, by table of the lake."""
    return {table.name: {column.name: column.type.value for column in table.columns} for table in TABLES}


def model_columns(project: Project) -> dict[str, list[str]]:
    """Columns by SQL model and seed."""
    models = {model.key: list(model.header.columns) for model in project.models}
    return models | {seed.key: seed.rows.columns for seed in project.seeds}


def metrics(project: Project) -> dict[str, list[str]]:
    """Metrics of ``metrics.catalog`` by model."""
    rows = metric_header_rows((model.key, model.header) for model in project.models).iter_rows(named=True)
    columns = defaultdict[str, list[str]](list)
    for row in rows:
        columns[row["model"].removeprefix("metrics.")].append(row["column_name"])
    return columns


def named_before(expected: dict, current: dict) -> dict:
    """The part of the current names that the expected ones ask for."""
    common = {name: current[name] for name in expected if name in current}
    if all(isinstance(value, dict) for value in expected.values()):
        return {name: {key: value[key] for key in expected[name] if key in value} for name, value in common.items()}
    if all(isinstance(value, list) for value in expected.values()):
        return {name: [key for key in expected[name] if key in value] for name, value in common.items()}
    return common


@pytest.mark.parametrize("kind", ["commands", "settings", "lake_columns", "model_columns", "metrics"])
def test_every_public_name_is_still_there(kind: str) -> None:
    current = {
        "commands": commands,
        "settings": settings,
        "lake_columns": lake_columns,
        "model_columns": lambda: model_columns(read_project()),
        "metrics": lambda: metrics(read_project()),
    }[kind]()
    assert PUBLIC_NAMES[kind]
    assert named_before(PUBLIC_NAMES[kind], current) == PUBLIC_NAMES[kind]

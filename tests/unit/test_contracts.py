"""The contracts hold everything that is declared, are valid by their own standards, and refer only to what is there."""

from __future__ import annotations

import io
import json
import zipfile
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import open_data_contract_standard as standard
import pytest
import sqlglot
import yaml
from open_data_contract_standard.model import OpenDataContractStandard
from sqlglot import exp

from tests.helpers.run_cli import run
from warehouse.models.column_types import column_types
from warehouse.models.project import Project, read_project
from warehouse.models.sensitive_columns import SENSITIVE_COLUMNS
from warehouse.schema.registry import TABLES

COLUMN_TYPES = "warehouse.contracts.relations.column_types"

CHANNEL = (
    "phone (a phone call, or started by a provider of telephony), whatsapp, sms, chat (text only, or messages of a "
    "help desk or a messenger) or voice (audio over an SDK or the widget)."
)
"""The description of a column."""


@pytest.fixture(scope="module")
def project() -> Project:
    return read_project()


@pytest.fixture(scope="module")
def types(project: Project) -> dict[str, dict[str, str]]:
    """What each contract asks DuckDB for: the same of each, and a third of its time."""
    return column_types(project)


@pytest.fixture(autouse=True)
def types_known(monkeypatch: pytest.MonkeyPatch, types: dict[str, dict[str, str]]) -> None:
    monkeypatch.setattr(COLUMN_TYPES, lambda _project: types)


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory, types: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Each contract as data, as the command writes it; nothing is in the home folder."""
    folder = tmp_path_factory.mktemp("contracts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(COLUMN_TYPES, lambda _project: types)
        return {form: run(folder, "contract", form, "--json").data for form in ("odcs", "osi", "dbt", "superset")}


def read_yaml(text: str | bytes) -> Any:
    return yaml.load(text, yaml.CSafeLoader)


def public_columns(project: Project) -> dict[str, list[str]]:
    return {model.key: list(model.header.columns) for model in project.models if model.schema in ("marts", "metrics")}


def test_odcs_is_valid_and_has_every_column(contracts: dict[str, Any], project: Project) -> None:
    contract = contracts["odcs"]
    jsonschema.validate(contract, json.loads((resources.files(standard) / "schema.json").read_text()))
    read = OpenDataContractStandard(**contract)
    columns = {table.physicalName: [column.name for column in table.properties] for table in read.schema_}
    assert columns == public_columns(project) | {f"lake.{table.name}": list(table.column_names) for table in TABLES}
    assert len({table.name for table in read.schema_}) == len(read.schema_)


def test_odcs_says_what_is_declared_about_a_column(contracts: dict[str, Any]) -> None:
    tables = {table["physicalName"]: table for table in contracts["odcs"]["schema"]}
    columns = {column["name"]: column for column in tables["metrics.channel_mix"]["properties"]}
    assert columns["channel"] == {
        "name": "channel",
        "physicalType": "VARCHAR",
        "logicalType": "string",
        "description": CHANNEL,
        "primaryKey": True,
        "primaryKeyPosition": 4,
        "required": True,
        "quality": [
            {
                "type": "library",
                "metric": "invalidValues",
                "arguments": {"validValues": ["phone", "whatsapp", "sms", "chat", "voice"]},
                "mustBe": 0,
            }
        ],
    }
    assert columns["success_rate"] == {
        "name": "success_rate",
        "physicalType": "DOUBLE",
        "logicalType": "number",
        "description": "Successes among the conversations judged.",
        "businessName": "Success rate by channel",
        "customProperties": [
            {"property": "unit", "value": "share of 1"},
            {"property": "numerator", "value": "n_success"},
            {"property": "denominator", "value": "n_success + n_failure"},
            {"property": "null_rule", "value": "null when no conversation was judged"},
            {"property": "good", "value": "high"},
            {"property": "source", "value": "convohouse"},
            {
                "property": "differs",
                "value": "Conversations judged unknown are not in the denominator; success_coverage says how many were "
                "judged.",
            },
        ],
    }
    assert tables["metrics.channel_mix"]["relationships"] == [
        {
            "type": "foreignKey",
            "from": ["channel_mix.workspace", "channel_mix.agent_id"],
            "to": ["dim_agents.workspace", "dim_agents.agent_id"],
        }
    ]
    classified = {
        (key, column["name"]): column["classification"]
        for key, table in tables.items()
        for column in table["properties"]
        if "classification" in column
    }
    assert classified["lake.turns", "message"] == classified["marts.fct_turns", "message"] == "confidential"
    assert classified["marts.fct_conversations", "caller_id"] == "restricted"
    of_models = {key for key in classified if not key[0].startswith("lake.")}
    assert of_models == {(model, name) for model, names in SENSITIVE_COLUMNS.items() for name in names}


def test_osi_names_are_unique_and_expressions_refer_to_columns(contracts: dict[str, Any], project: Project) -> None:
    model = contracts["osi"]
    columns = {dataset["name"]: [field["name"] for field in dataset["fields"]] for dataset in model["datasets"]}
    assert columns == {key.partition(".")[2]: names for key, names in public_columns(project).items()}
    for part in ("datasets", "metrics", "relationships"):
        names = [item["name"] for item in model[part]]
        assert len(set(names)) == len(names)
    for metric in model["metrics"]:
        ((dialect),) = metric["expression"]["dialects"]
        for column in sqlglot.parse_one(dialect["expression"]).find_all(exp.Column):
            assert column.name in columns[column.table]
    for relationship in model["relationships"]:
        assert set(relationship["from_columns"]) <= set(columns[relationship["from"]])
        assert set(relationship["to_columns"]) <= set(columns[relationship["to"]])


def sql(text: str) -> dict[str, Any]:
    return {"dialects": [{"dialect": "ANSI_SQL", "expression": text}]}


def test_osi_says_what_is_declared_about_a_column_and_a_metric(contracts: dict[str, Any]) -> None:
    model = contracts["osi"]
    datasets = {dataset["name"]: {field["name"]: field for field in dataset["fields"]} for dataset in model["datasets"]}
    mix = datasets["channel_mix"]
    assert mix["channel"] == {
        "name": "channel",
        "expression": sql("channel"),
        "description": CHANNEL,
        "datatype": "String",
        "dimension": {"is_time": False},
    }
    assert mix["success_rate"] == {
        "name": "success_rate",
        "expression": sql("success_rate"),
        "label": "Success rate by channel",
        "description": "Successes among the conversations judged. Unit: share of 1.",
        "datatype": "Float",
    }
    assert [name for name, field in mix.items() if "dimension" in field] == [
        *("workspace", "start_date", "agent_id", "agent_name", "channel"),
    ]
    conversations = datasets["fct_conversations"]
    assert {name for name, field in conversations.items() if field.get("dimension", {}).get("is_time")} == {
        *("start_date", "started_at", "fetched_at", "local_start_date", "local_start_at", "deleted_at"),
    }
    names = ("cost_usd", "call_duration_secs", "n_user_turns", "local_start_hour", "is_contained")
    assert ["dimension" in conversations[name] for name in names] == [False, False, False, True, True]
    assert [relationship for relationship in model["relationships"] if relationship["from"] == "channel_mix"] == [
        {
            "name": "channel_mix_agent_id",
            "from": "channel_mix",
            "to": "dim_agents",
            "from_columns": ["workspace", "agent_id"],
            "to_columns": ["workspace", "agent_id"],
        }
    ]
    metrics = {metric["name"]: metric for metric in model["metrics"]}
    n_success, n_failure = (f"cast(sum(channel_mix.{name}) as bigint)" for name in ("n_success", "n_failure"))
    assert metrics["channel_mix_success_rate"] == {
        "name": "channel_mix_success_rate",
        "expression": sql(f"cast({n_success} as double) / nullif({n_success} + {n_failure}, 0)"),
        "description": "Success rate by channel, in share of 1: n_success ÷ (n_success + n_failure); null when no "
        "conversation was judged.",
        "datatype": "Float",
        "ai_context": {
            "synonyms": ["Success rate by channel"],
            "instructions": "Conversations judged unknown are not in the denominator; success_coverage says how many "
            "were judged.",
        },
    }


def test_dbt_has_every_table_and_the_freshness_of_the_copy(contracts: dict[str, Any], project: Project) -> None:
    tables = {
        f"{source['schema']}.{table['name']}": table
        for source in contracts["dbt"]["sources"]
        for table in source["tables"]
    }
    assert {key: [column["name"] for column in table["columns"]] for key, table in tables.items()} == public_columns(
        project
    )
    assert [key for key, table in tables.items() if "freshness" in table["config"]] == ["metrics.sync_health"]
    columns = {column["name"]: column for column in tables["metrics.channel_mix"]["columns"]}
    assert columns["channel"]["data_tests"] == [
        "not_null",
        {"accepted_values": {"arguments": {"values": ["phone", "whatsapp", "sms", "chat", "voice"]}}},
    ]
    reference = {"to": "source('convohouse_marts', 'dim_agents')", "field": "agent_id"}
    assert columns["agent_id"]["data_tests"] == [{"relationships": {"arguments": reference}}]


def test_every_chart_of_the_bundle_has_its_dataset_and_its_metrics(contracts: dict[str, Any]) -> None:
    files = contracts["superset"]
    parts = {path: data for path, data in files.items() if path.count("/") > 1 or "/charts/" in path}
    datasets = {data["uuid"]: data for path, data in parts.items() if "/datasets/" in path}
    charts = {data["uuid"]: data for path, data in parts.items() if "/charts/" in path}
    assert len(charts) == 12
    for chart in charts.values():
        dataset = datasets[chart["dataset_uuid"]]
        metrics = {metric["metric_name"] for metric in dataset["metrics"]}
        columns = {column["column_name"] for column in dataset["columns"]}
        params = chart["params"]
        assert {*params.get("metrics", []), *filter(None, [params.get("metric")])} <= metrics
        (time_filter,) = params["adhoc_filters"]
        assert {*params.get("groupby", []), *params.get("all_columns", []), time_filter["subject"]} <= columns
    (dashboard,) = [data for path, data in files.items() if "/dashboards/" in path]
    items = [item for item in dashboard["position"].values() if isinstance(item, dict)]
    shown = {item["meta"]["uuid"] for item in items if item["type"] == "CHART"}
    assert shown == set(charts)
    (database,) = [data for path, data in files.items() if "/databases/" in path]
    assert database["sqlalchemy_uri"].endswith("/data/warehouse.duckdb?access_mode=read_only")


def test_a_chart_of_the_bundle_says_what_it_groups_and_takes_the_time_of_the_dashboard(
    contracts: dict[str, Any],
) -> None:
    files = contracts["superset"]
    chart = files["convohouse/charts/agents.yaml"]
    time_filter = {
        "clause": "WHERE",
        "comparator": "No filter",
        "expressionType": "SIMPLE",
        "operator": "TEMPORAL_RANGE",
        "subject": "start_date",
    }
    metrics = ["n_calls", "success_rate", "success_coverage", "containment_rate", "cost_usd", "cost_usd_per_call"]
    assert chart == {
        "slice_name": "Agents",
        "viz_type": "table",
        "params": {
            "viz_type": "table",
            "adhoc_filters": [time_filter],
            "query_mode": "aggregate",
            "groupby": ["agent_name", "agent_id"],
            "metrics": metrics,
            "row_limit": 1000,
        },
        "uuid": chart["uuid"],
        "dataset_uuid": files["convohouse/datasets/convohouse/agent_daily.yaml"]["uuid"],
        "version": "1.0.0",
    }


def test_no_dataset_of_the_bundle_has_what_was_said(contracts: dict[str, Any]) -> None:
    names = {
        column["column_name"]
        for path, data in contracts["superset"].items()
        if "/datasets/" in path
        for column in data["columns"]
    }
    assert not names & {"message", "original_message", "caller_id", "user_id"}


def test_the_zip_file_has_the_same_files_and_is_the_same_each_time(contracts: dict[str, Any], tmp_path: Path) -> None:
    first, second = (run(tmp_path, "contract", "superset") for _ in range(2))
    assert first.out == second.out
    with zipfile.ZipFile(io.BytesIO(first.out)) as archive:
        files = {name: read_yaml(archive.read(name)) for name in archive.namelist()}
    assert files.keys() == contracts["superset"].keys()
    assert files["convohouse/metadata.yaml"] == {"version": "1.0.0", "type": "Dashboard"}


def test_a_contract_is_written_into_a_file(contracts: dict[str, Any], tmp_path: Path) -> None:
    ended = run(tmp_path, "contract", "dbt", "--output", "sources.yml")
    assert (ended.code, ended.out, ended.err) == (0, b"", "written to sources.yml\n")
    assert read_yaml((tmp_path / "sources.yml").read_text()) == contracts["dbt"]
    assert read_yaml(run(tmp_path, "contract", "dbt").text) == contracts["dbt"]
    ended = run(tmp_path, "contract", "dbt", "--output", "nowhere/sources.yml")
    assert ended.code == 2
    assert "There is no folder nowhere" in ended.err
    ended = run(tmp_path, "contract", "superset", width=80)
    assert ended.code == 2
    assert "A zip file cannot be shown on a terminal" in ended.err

"""Odd definitions of tools: nothing is lost, nothing fails, other tools are not affected."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.transform.tools import ToolDefinition, flatten_tools
from tests.helpers.sample_documents import READ_AT

Row = dict[str, Any]


def flat(*documents: Any) -> tuple[list[Row], list[Row]]:
    """Rows of tools and of parameters, without nulls and without the columns that only the landing knows."""
    times = (READ_AT, READ_AT, READ_AT)
    frames = flatten_tools(
        ToolDefinition(f"t{n}", document, "00", *times, is_gone=False) for n, document in enumerate(documents)
    )
    landing_columns = {"first_seen_at", "changed_at", "last_seen_at", "is_gone", "content_sha256"}
    return tuple(  # type: ignore[return-value]
        [{k: v for k, v in row.items() if v is not None and k not in landing_columns} for row in frame.to_dicts()]
        for frame in frames
    )


def parameters(config: Any) -> list[Row]:
    return [{k: v for k, v in row.items() if k != "tool_id"} for row in flat({"id": "t", "tool_config": config})[1]]


def test_no_tools_are_no_rows_with_the_whole_schema():
    assert flat() == ([], [])


def test_a_minimal_tool():
    assert flat({"id": "t"}, {"id": "t", "tool_config": None}) == ([{"tool_id": "t0"}, {"tool_id": "t1"}], [])


@pytest.mark.parametrize("config", ["text", 7, [1], True])
def test_a_configuration_that_is_not_an_object_is_kept(config):
    ((tool,), rows) = flat({"id": "t", "tool_config": config})
    assert tool["extra"] in (
        '{"tool_config":"text"}',
        '{"tool_config":7}',
        '{"tool_config":[1]}',
        '{"tool_config":true}',
    )
    assert rows == []


def test_values_of_another_type_and_unknown_keys_are_kept_beside_what_fits():
    config = {"type": "telepathy", "name": "n", "response_timeout_secs": "soon", "mood": "calm"}
    usage = {"total_calls": "12", "avg_latency_secs": 1, "p99": 2}
    ((tool,), _) = flat({"id": "t", "tool_config": config, "usage_stats": usage})
    assert tool == {
        "tool_id": "t0",
        "type": "telepathy",
        "name": "n",
        "usage_stats_n_calls": 12,
        "usage_stats_avg_latency_secs": 1.0,
        "extra": '{"tool_config.response_timeout_secs":"soon","tool_config.mood":"calm","usage_stats.p99":2}',
    }


def test_schemas_nest_to_any_depth():
    schema: Any = {"type": "string"}
    for _ in range(3000):
        schema = {"type": "array", "items": schema}
    names = [row["name"] for row in parameters({"parameters": schema})]
    assert (len(names), names[0], names[-1]) == (3001, "$", "$" + "[]" * 3000)


def test_names_that_could_be_read_as_a_path_are_quoted():
    schema = {"properties": {"a.b": {}, "a": {"properties": {"b": {}, "c[]": {}}}, "": {}, 'say "x"': {}, "ä-1": {}}}
    assert {row["name"] for row in parameters({"parameters": schema})} == {
        *("$", '["a.b"]', "a", "a.b", 'a["c[]"]', '[""]', '["say \\"x\\""]', "ä-1"),
    }


def test_is_required_is_set_where_the_parent_lists_its_required_keys():
    said = {"properties": {"a": {}, "b": {}}, "required": ["a"]}
    silent = {"properties": {"c": {}}}
    odd = {"properties": {"d": {}}, "required": "d"}
    config = {"api_schema": {"query_params_schema": said, "request_body_schema": silent, "response_body_schema": odd}}
    is_required = {(row["location"], row["name"]): row.get("is_required") for row in parameters(config)}
    assert is_required == {
        ("query", "$"): None,
        ("query", "a"): True,
        ("query", "b"): False,
        ("body", "$"): None,
        ("body", "c"): None,
        ("response", "$"): None,
        ("response", "d"): None,
    }


def test_schemas_that_are_not_objects_are_kept():
    config = {"parameters": {"properties": {"a": 7, "b": None}}, "api_schema": {"request_body_schema": ["x"]}}
    rows = sorted(parameters(config), key=lambda row: (row["location"], row["name"]))
    assert rows == [
        {"location": "body", "name": "$", "extra": '{".":["x"]}'},
        {"location": "parameters", "name": "$"},
        {"location": "parameters", "name": "a", "extra": '{".":7}'},
        {"location": "parameters", "name": "b"},
    ]


def test_values_where_a_map_is_expected_are_kept_in_their_row():
    config = {"name": "n", "api_schema": {"path_params_schema": [1], "request_headers": "X"}}
    ((tool,), rows) = flat({"id": "t", "tool_config": config})
    assert rows == []
    assert tool["extra"] == (
        '{"tool_config.api_schema.path_params_schema":[1],"tool_config.api_schema.request_headers":"X"}'
    )
    (row,) = parameters({"parameters": {"properties": ["a"]}})
    assert row == {"location": "parameters", "name": "$", "extra": '{"properties":["a"]}'}


def test_an_integration_has_its_base_request_apart_from_the_overrides_of_the_tool():
    schema = {"path_params_schema": {"a": {"type": "string"}}}
    override = {"path_params_schema": {"a": {"constant_value": 1}}}
    config = {"api_schema": schema, "base_api_schema": schema, "api_schema_overrides": override}
    assert sorted((row["location"], row["name"]) for row in parameters(config)) == [
        ("base_path", "a"),
        ("override_path", "a"),
        ("path", "a"),
    ]


def test_placeholders_keep_their_json_type():
    variables = {"dynamic_variable_placeholders": {"n": 2, "t": "2", "b": False, "o": {"x": None}, "none": None}}
    rows = {row["name"]: row.get("constant_value") for row in parameters({"dynamic_variables": variables})}
    assert rows == {"n": "2", "t": '"2"', "b": "false", "o": '{"x":null}', "none": None}

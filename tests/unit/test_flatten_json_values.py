"""Entire rows for values of any JSON type, lists of plain values, and documents from a webhook."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.helpers.sample_documents import STARTED, recorded_documents

VALUES = {
    "text": "yes",
    "text_of_a_number": "7",
    "empty": "",
    "integer": 7,
    "number": 0.5,
    "true": True,
    "false": False,
    "null": None,
    "list": [1, "a", None],
    "object": {"a": {"b": []}},
}

BY_TYPE = {
    "text": {"value": '"yes"', "value_text": "yes"},
    "text_of_a_number": {"value": '"7"', "value_text": "7"},
    "empty": {"value": '""', "value_text": ""},
    "integer": {"value": "7", "value_number": 7.0},
    "number": {"value": "0.5", "value_number": 0.5},
    "true": {"value": "true", "value_bool": True},
    "false": {"value": "false", "value_bool": False},
    "null": {},
    "list": {"value": '[1,"a",null]'},
    "object": {"value": '{"a":{"b":[]}}'},
}


def test_collected_values_of_every_json_type(rows):
    results = {
        name: {
            "data_collection_id": name,
            "value": value,
            "json_schema": {"type": "string", "description": "d"},
            "rationale": "r",
        }
        for name, value in VALUES.items()
    }
    assert rows("data_collection_results", analysis={"data_collection_results": results}) == [
        {
            "scope_index": -1,
            "data_collection_id": name,
            **columns,
            "json_schema_type": "string",
            "json_schema_description": "d",
            "rationale": "r",
        }
        for name, columns in BY_TYPE.items()
    ]


@pytest.mark.parametrize(
    ("json_schema", "columns"),
    [
        ({"type": "boolean", "constant_value": True}, {"type": "boolean", "constant_value": "true"}),
        ({"type": "string", "enum": ["a", "b"]}, {"type": "string", "enum": '["a","b"]'}),
        ({"type": ["string", "null"], "is_omitted": True}, {"type": '["string","null"]', "is_omitted": True}),
        (
            {"type": "integer", "dynamic_variable": "v", "is_system_provided": False},
            {"type": "integer", "dynamic_variable": "v", "is_system_provided": False},
        ),
    ],
)
def test_each_form_of_the_json_schema_of_a_data_collection(json_schema, columns, rows):
    results = {"field": {"data_collection_id": "field", "value": 0, "json_schema": json_schema}}
    assert rows("data_collection_results", analysis={"data_collection_results": results}) == [
        {
            "scope_index": -1,
            "data_collection_id": "field",
            "value": "0",
            "value_number": 0.0,
            **{f"json_schema_{key}": value for key, value in columns.items()},
        }
    ]


def test_dynamic_variables_of_every_json_type_and_no_copy_of_the_transcript(rows):
    variables = {"system__conversation_history": '{"entries":[]}', **VALUES, "system__time_utc": "2025-09-05"}
    assert rows("dynamic_variables", conversation_initiation_client_data={"dynamic_variables": variables}) == [
        *({"name": name, **columns} for name, columns in BY_TYPE.items()),
        {"name": "system__time_utc", "value": '"2025-09-05"', "value_text": "2025-09-05"},
    ]


def test_updates_of_variables_have_the_index_of_their_result(rows):
    update = {"variable_name": "tier", "updated_at": 1757088913.25, "tool_name": "t", "tool_request_id": "r"}
    results = [
        {"request_id": "r0", "type": "client"},
        {
            "request_id": "r",
            "type": "webhook",
            "dynamic_variable_updates": [
                update | {"old_value": None, "new_value": "gold"},
                update | {"old_value": "gold", "new_value": "silver"},
            ],
        },
    ]
    common = {
        "result_index": 1,
        "variable_name": "tier",
        "updated_at": datetime(2025, 9, 5, 16, 15, 13, 250_000, tzinfo=UTC),
        "tool_name": "t",
        "tool_request_id": "r",
    }
    assert rows("dynamic_variable_updates", transcript=[{"role": "agent", "tool_results": results}]) == [
        common | {"update_index": 0, "new_value": "gold"},
        common | {"update_index": 1, "old_value": "gold", "new_value": "silver"},
    ]


def test_tags_and_warnings_in_their_order(rows):
    metadata = {"start_time_unix_secs": STARTED, "warnings": ["slow", None, "slow"]}
    assert rows("tags", tag_ids=["tag_b", "tag_a"]) == [
        {"tag_index": 0, "tag_id": "tag_b"},
        {"tag_index": 1, "tag_id": "tag_a"},
    ]
    assert rows("warnings", metadata=metadata) == [
        {"warning_index": 0, "warning": "slow"},
        {"warning_index": 2, "warning": "slow"},
    ]


def test_parts_of_a_multivoice_message(rows):
    parts = [
        {"text": "Hello!", "voice_label": "narrator", "time_in_call_secs": 3},
        {"text": "Hi.", "voice_label": None, "time_in_call_secs": 4},
    ]
    transcript = [
        {"role": "user", "multivoice_message": None},
        {"role": "agent", "multivoice_message": {"parts": parts}},
    ]
    assert rows("multivoice_parts", transcript=transcript) == [
        {"turn_index": 1, "part_index": 0, "text": "Hello!", "voice_label": "narrator", "time_in_call_secs": 3},
        {"turn_index": 1, "part_index": 1, "text": "Hi.", "time_in_call_secs": 4},
    ]


@pytest.mark.parametrize("name", [name for name in recorded_documents() if not name.startswith("webhook")])
def test_a_webhooks_body_gives_the_rows_of_the_document_that_it_wraps(name, recorded, flat):
    document = json.loads(recorded(name))
    body = {"type": "post_call_transcription", "event_timestamp": 1_757_089_000, "data": document}
    assert flat(body) == flat(document)

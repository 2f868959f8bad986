"""Credentials of a tool's definition: what goes, and what stays."""

from __future__ import annotations

import copy

import pytest

from pipelines.privacy.mask_documents import mask


def test_values_of_headers_go_and_what_names_them_stays():
    headers = {"A": "plain", "B": {"secret_id": "s"}, "C": {"variable_name": "v"}, "D": {"env_var_label": "e"}}
    odd = {"E": None, "F": 7, "G": ["x"], "H": {"value": "x", "nested": {"deep": "y"}}}
    assert mask({"api_schema": {"request_headers": headers | odd}}) == {
        "api_schema": {
            "request_headers": {
                "A": "***",
                "B": {"secret_id": "s"},
                "C": {"variable_name": "v"},
                "D": {"env_var_label": "e"},
                "E": None,
                "F": "***",
                "G": ["***"],
                "H": {"value": "***", "nested": {"deep": "***"}},
            }
        }
    }


@pytest.mark.parametrize("headers", ["Authorization: x1", ["x1"], 7])
def test_headers_that_are_no_map_go_whole(headers):
    assert "x1" not in str(mask({"request_headers": headers}))


def test_the_constant_of_a_parameter_named_as_a_credential_goes_and_its_schema_stays():
    schema = {"type": "string", "description": "the key", "constant_value": "k"}
    properties = {"api_key": schema, "day": schema | {"description": "a day"}}
    assert mask({"request_body_schema": {"properties": properties}})["request_body_schema"]["properties"] == {
        "api_key": schema | {"constant_value": "***"},
        "day": {"type": "string", "description": "a day", "constant_value": "k"},
    }


def test_what_looks_like_a_credential_is_masked_at_any_place():
    tool = {
        "description": "Call with Authorization: Bearer abcdef0123456789",
        "api_schema": {"url": "https://u:pw123@example.com/?api_key=k123&day=1"},
        "value": {"headers": {"X": "v123"}, "config": [{"name": "client_secret", "value": "s123"}]},
        "dynamic_variables": {"dynamic_variable_placeholders": {"secret__x": "s456", "channel": "phone"}},
    }
    masked = str(mask(tool))
    assert [
        secret for secret in ("abcdef0123456789", "pw123", "k123", "v123", "s123", "s456") if secret in masked
    ] == []
    assert "day=1" in masked
    assert "phone" in masked


def test_the_one_given_stays_as_it_is_and_a_tool_without_credentials_is_unchanged():
    tool = {"id": "t", "tool_config": {"name": "n", "parameters": {"properties": {"token_count": {"type": "integer"}}}}}
    before = copy.deepcopy(tool)
    assert mask(tool) == before
    assert tool == before

"""Credentials never reach the disk, wherever in a document they stand, and nothing else is lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pipelines.api.responses import parse_page
from pipelines.extract.landing_rows import list_row, snapshot_row
from pipelines.privacy.credentials import MASK
from pipelines.privacy.mask_documents import mask
from pipelines.transform.canonical_json import dump, fingerprint
from tests.helpers.sample_documents import detail

AT = datetime(2026, 11, 1, tzinfo=UTC)
WANTED = {"conversation_id": "conv_a", "agent_id": "agent_a", "fingerprint": "f", "content_sha256": None}


def call(secret):
    return {"request_id": "r", "tool_details": {"type": "webhook", "headers": {"Authorization": secret, "Accept": "*"}}}


def test_headers_are_masked_at_every_depth_and_nothing_else_is():
    document = {
        "headers": {"X-New": "s0"},
        "transcript": [
            {"tool_calls": [call("s1")]},
            {"tool_results": [{"result": {"steps": [{"requests": [call("s2")], "results": []}]}}]},
            {"tool_calls": [{"tool_details": {"webhook_details": {"headers": {"x-key": "s3"}}, "url": "u"}}]},
            {"tool_calls": [{"tool_details": {"headers": "s4"}}]},
        ],
    }
    document = mask(document)
    text = str(document)
    assert not any(secret in text for secret in ("s0", "s1", "s2", "s3", "s4"))
    assert document["headers"] == {"X-New": MASK}
    first = document["transcript"][0]["tool_calls"][0]
    assert first["tool_details"]["headers"] == {"Authorization": MASK, "Accept": MASK}
    assert document["transcript"][2]["tool_calls"][0]["tool_details"]["url"] == "u"


SECRET = "s3cr3t"  # noqa: S105 - planted
PLACES = {
    "url": {"tool_calls": [{"tool_details": {"url": f"https://h?token={SECRET}"}}]},
    "body": {"tool_calls": [{"tool_details": {"body": json.dumps({"api_key": SECRET})}}]},
    "path_params": {"tool_calls": [{"tool_details": {"path_params": {"token": SECRET}}}]},
    "query_params": {"tool_calls": [{"tool_details": {"query_params": {"access_token": SECRET}}}]},
    "parameters": {"tool_calls": [{"tool_details": {"parameters": f"password={SECRET}"}}]},
    "webhook_details": {"tool_calls": [{"tool_details": {"webhook_details": {"url": f"https://u:{SECRET}@h"}}}]},
    "params_as_json": {"tool_calls": [{"params_as_json": json.dumps({"auth_token": SECRET})}]},
    "result_value": {"tool_results": [{"result_value": json.dumps({"session": {"jwt": SECRET}})}]},
    "raw_error_message": {"tool_results": [{"raw_error_message": f"401 for Authorization: Bearer {SECRET}"}]},
    "update": {"tool_results": [{"dynamic_variable_updates": [{"variable_name": "api_token", "new_value": SECRET}]}]},
    "old value": {
        "tool_results": [{"dynamic_variable_updates": [{"variable_name": "pin_token", "old_value": SECRET}]}]
    },
    "nested": {"tool_results": [{"result": {"steps": [{"results": [{"result_value": f"token={SECRET}"}]}]}}]},
}


URL = f"https://h?token={SECRET}"
OTHER_PLACES = {
    "message": {"transcript": [{"role": "agent", "message": f"call it with api_key={SECRET}"}]},
    "summary": {"analysis": {"transcript_summary": f"the agent opened {URL}"}},
    "rationale": {"analysis": {"data_collection_results": {"x": {"rationale": URL, "value": 1}}}},
    "collected value": {"analysis": {"data_collection_results": {"x": {"data_collection_id": "otp", "value": SECRET}}}},
    "SIP header": {"metadata": {"phone_call": {"sip_header_dynamic_variables": {"sip_x_auth_token": SECRET}}}},
    "termination": {"metadata": {"termination_reason": f"denied: password={SECRET}"}},
    "unknown field": {"tomorrow": [{"deep": {"note": URL}}]},
    "unknown name": {"tomorrow": {"signing_key": SECRET}},
    "unknown headers": {"metadata": {"upstream_headers": {"X": SECRET}}},
    "unknown key": {"tomorrow": {f"sk-{'a1' * 10}-{SECRET}": 1}},
}


@pytest.mark.parametrize("place", OTHER_PLACES)
def test_every_place_of_a_document_is_looked_at(place):
    document = detail(**OTHER_PLACES[place])
    document["metadata"]["start_time_unix_secs"] = 1_760_000_000
    row = snapshot_row(WANTED, dump(document), AT)
    assert SECRET.encode() not in row["payload"]
    assert MASK.encode() in row["payload"]


def test_a_list_row_lands_without_credentials():
    shown = {
        "conversation_id": "conv_a",
        "start_time_unix_secs": 1_760_000_000,
        "status": "done",
        "agent_name": f"Shop {URL}",
        "transcript_summary": f"the agent opened {URL}",
        "tomorrow": {"api_key": SECRET},
    }
    page = parse_page(dump({"conversations": [shown], "has_more": False}))
    row = list_row(page.conversations[0], AT)
    assert SECRET not in str(row)
    assert row["agent_name"] == "Shop https://h?token=***"


@pytest.mark.parametrize("place", PLACES)
def test_a_landed_document_holds_no_secret(place):
    row = snapshot_row(WANTED, dump(detail(transcript=[PLACES[place]])), AT)
    assert SECRET.encode() not in row["payload"]
    assert MASK.encode() in row["payload"]


def test_variables_and_what_people_said_are_looked_through():
    spoken = {"role": "user", "message": f"my password={SECRET}, please"}
    history = json.dumps({"entries": [spoken, {"role": "agent", "tool_calls": [{"url": f"https://h?key={SECRET}"}]}]})
    variables = {"secret__crm": SECRET, "plan": "pro", "system__conversation_history": history}
    document = detail(
        transcript=[spoken],
        conversation_initiation_client_data={
            "dynamic_variables": variables,
            "custom_llm_extra_body": {"api_key": SECRET, "top_k": 4},
        },
    )
    landed = json.loads(snapshot_row(WANTED, dump(document), AT)["payload"])
    data = landed["conversation_initiation_client_data"]
    assert landed["transcript"] == [{"role": "user", "message": f"my password={MASK}, please"}]
    assert data["custom_llm_extra_body"] == {"api_key": MASK, "top_k": 4}
    assert data["dynamic_variables"] == {
        "secret__crm": MASK,
        "plan": "pro",
        "system__conversation_history": history.replace(SECRET, MASK),
    }


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{ "a" :1,  "b": "x=1"}', '{ "a" :1,  "b": "x=1"}'),
        ('log {"a" :1} and [ "b" ]', 'log {"a" :1} and [ "b" ]'),
        ('{"password": "x", "n": NaN}', '{"password": "***", "n": NaN}'),
        ('{"password": "x", "n": 1e999}', '{"password": "***", "n": "1e999"}'),
        ('[1, 1e999, "password=x1"]', '[1, "1e999", "password=***"]'),
        (r'"{\"p\u0061ssword\": \"x\"}"', r'"{\"password\": \"***\"}"'),
        ('a {"password": "x"} b {"password": "y"}', 'a {"password": "***"} b {"password": "***"}'),
    ],
)
def test_json_in_a_text_is_masked_as_json_and_else_stays_as_it_is(text, masked):
    assert mask(text) == masked


@pytest.mark.parametrize("key", ["const", "constant_value", "default", "enum", "example", "examples", "value"])
@pytest.mark.parametrize("kind", ["array", "boolean", "integer", "null", "number", "object", "string"])
def test_a_schema_of_a_credential_loses_its_values_alone(key, kind):
    schema = {"type": kind, "description": "The password.", "properties": {"a": {"type": kind}}}
    assert mask({"password": schema | {key: ["swordfish"]}}) == {"password": schema | {key: [MASK]}}


@pytest.mark.parametrize(
    "value",
    [
        {"code": "password", "value": "swordfish"},
        [["password", "swordfish"], ["a", "b", "c"]],
        ["password", "a1b2c3", "x"],
        {"headers": ["ab"]},
        {"headers": ["Accept:"]},
        {"text": "password", "value": "swordfish"},
        {"key": "a1b2c3", "value": "x"},
        [[1, "a1b2c3"]],
        {"password": ""},
    ],
)
def test_what_only_looks_like_a_name_with_its_value_stays(value):
    assert mask(value) == value


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"sid": "a1b2c3", "value": "x"}, {"sid": MASK, "value": "x"}),
        ({"code": ["a1b2c3d4e5f6g7h8", "blue"]}, {"code": [MASK, "blue"]}),
        (
            {"headers": [{"id": "abc"}, {"name": "abc", "value": "d"}, 5]},
            {"headers": [{"id": MASK}, {"name": "abc", "value": MASK}, MASK]},
        ),
    ],
)
def test_a_value_that_may_be_a_credential_is_masked_by_its_looks_and_a_header_in_any_case(value, masked):
    assert mask(value) == masked


def test_a_document_without_credentials_lands_byte_for_byte():
    raw = (
        b'{"conversation_id":"conv_a",  "metadata": {"start_time_unix_secs": 1e9}, "x": 1.10,'
        b' "transcript": [{"message": "a token, then", "tool_calls": [{"params_as_json": "{ }"}]}, null, 5]}'
    )
    assert snapshot_row(WANTED, raw, AT)["payload"] == raw


@pytest.mark.parametrize("odd", [None, 5, "text", [], {}, [None], {"tool_calls": 5}, [{"tool_calls": {"a": [1]}}]])
def test_an_odd_transcript_is_no_error(odd):
    document = {"transcript": odd, "metadata": odd, "conversation_initiation_client_data": odd}
    assert mask(document) is document


def test_content_that_is_landed_already_lands_as_a_mark_whatever_the_order_of_its_keys():
    first = snapshot_row(WANTED, b'{"a": 1, "metadata": {"start_time_unix_secs": 5}}', AT)
    again = snapshot_row(
        WANTED | {"content_sha256": first["content_sha256"]}, b'{"metadata":{"start_time_unix_secs":5},"a":1}', AT
    )
    assert (first["kind"], again["kind"], again["payload"]) == ("document", "unchanged", None)


def test_equal_documents_have_equal_fingerprints():
    assert fingerprint({"a": 1, "b": [1, {"c": None}]}) == fingerprint({"b": [1, {"c": None}], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})

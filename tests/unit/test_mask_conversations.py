"""Credentials never reach the disk, wherever in a tool call or its result they stand, and nothing else is lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pipelines.extract.landing_rows import snapshot_row
from pipelines.privacy.credentials import MASK
from pipelines.privacy.mask_conversations import mask_credentials, mask_text
from pipelines.transform.canonical_json import dump, fingerprint
from tests.helpers.sample_documents import detail

AT = datetime(2026, 11, 1, tzinfo=UTC)
WANTED = {"conversation_id": "conv_a", "agent_id": "agent_a", "fingerprint": "f", "content_sha256": None}
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl"


def call(secret):
    return {"request_id": "r", "tool_details": {"type": "webhook", "headers": {"Authorization": secret, "Accept": "*"}}}


def test_headers_are_masked_at_every_depth_and_nothing_else_is():
    document = {
        "headers": {"kept": "as it is"},
        "transcript": [
            {"tool_calls": [call("s1")]},
            {"tool_results": [{"result": {"steps": [{"requests": [call("s2")], "results": []}]}}]},
            {"tool_calls": [{"tool_details": {"webhook_details": {"headers": {"x-key": "s3"}}, "url": "u"}}]},
            {"tool_calls": [{"tool_details": {"headers": "s4"}}]},
        ],
    }
    assert mask_credentials(document)
    text = str(document)
    assert not any(secret in text for secret in ("s1", "s2", "s3", "s4"))
    assert document["headers"] == {"kept": "as it is"}
    first = document["transcript"][0]["tool_calls"][0]
    assert first["tool_details"]["headers"] == {"Authorization": MASK, "Accept": MASK}
    assert document["transcript"][2]["tool_calls"][0]["tool_details"]["url"] == "u"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        # names and values, as in queries and forms
        ("https://h/x?api_key=abc&page=2", "https://h/x?api_key=***&page=2"),
        ("https://h/x?page=2&access_token=a%2Fb#top", "https://h/x?page=2&access_token=***#top"),
        ("https://h/x?key=abc", "https://h/x?key=***"),
        ("https://h/x?X-Amz-Signature=abc&sig=d", "https://h/x?X-Amz-Signature=***&sig=***"),
        ("https://h/login?next=%2Fx%3Ftoken%3Dabc", "https://h/login?next=%2Fx%3Ftoken%3D***"),
        ("grant_type=x&client_secret=abc&password=p,w;d", "grant_type=x&client_secret=***&password=***"),
        ("x-api-key: 0123456789abcdef", "x-api-key: ***"),
        ("password: hunter22", "password: ***"),
        ("{'secret': 'with spaces', 'a': 1}", "{'secret': '***', 'a': 1}"),
        ('{"token": "cut sho', '{"token": "***'),
        # headers in a text
        ("Authorization: Bearer abc", "Authorization: Bearer ***"),
        ("authorization=Basic dXNlcjpwYXNz", "authorization=Basic ***"),
        ("curl -H 'Authorization: Token abc' h", "curl -H 'Authorization: Token ***' h"),
        ("sent Bearer abc123 to it", "sent Bearer *** to it"),
        ("Basic dXNlcjpwYXNz", "Basic ***"),
        ("Cookie: session=abc; theme=dark\nHost: h", "Cookie: ***\nHost: h"),
        # addresses with a user
        ("https://user:p@ss@host:8080/x", "https://user:***@host:8080/x"),
        ("postgres://:pw@db/x", "postgres://:***@db/x"),
        # keys that show what they are
        ("used sk-proj-a1b2c3d4e5f6g7h8i9", "used ***"),
        ("sk_0123456789abcdef0123456789abcdef0123456789abcdef.", "***."),
        ("xi0123456789abcdef0123456789abcdef", "***"),
        ("AKIAIOSFODNN7EXAMPLE", "***"),
        ("ghp_0123456789abcdef0123456789abcdef0123", "***"),
        ("xoxb-123456789012-abcdef", "***"),
        (f"got {JWT}, thanks", "got ***, thanks"),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END", "-----BEGIN PRIVATE KEY-----***-----END"),
        # JSON stays JSON, in every layer
        ('{"apiKey": "abc", "n": 1.5, "é": "ü"}', '{"apiKey": "***", "n": 1.5, "é": "ü"}'),
        ('{"password": 1, "is_secret": true, "pwd": null}', '{"password": "***", "is_secret": true, "pwd": null}'),
        ('{"auth": {"user": "u", "keys": ["a", 5]}}', '{"auth": {"user": "***", "keys": ["***", "***"]}}'),
        ('[{"name": "x-api-key", "value": "abc"}]', '[{"name": "x-api-key", "value": "***"}]'),
        (r'{"body": "{\"pass\": \"a b\"}"}', r'{"body": "{\"pass\": \"***\"}"}'),
        (r'"said token=abc\""', r'"said token=***\""'),
        (r'{"\u0074oken": "abc"}', '{"token": "***"}'),
        ('{"url": "https://h/?token=abc"}', '{"url": "https://h/?token=***"}'),
    ],
)  # fmt: skip
def test_the_secret_part_gives_way_and_the_rest_stays(text, masked):
    assert mask_text(text) == masked
    assert mask_text(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        '{"token_count": 12, "tokens": 7, "max_tokens": 5, "keyword": "x", "next_page_token": "abc"}',
        '{"credential_id": "cred_3301k8frh0x", "prior_authorization": "PA-123", "primary_key": "id"}',
        "https://carrier.example.net:8080/track/T515819?page=2&sort_key=name&page_token=abc",
        "https://user@host/a:b@c",
        "T515819",
        "Unexpected token: } in JSON",
        "Invalid token: expected end of input",
        "Wrong password: try again",
        "bearer instruments and basic information",
        "task-12345678901234567890 and sk-learn",
        "jane.doe@example.com",
        "the author keyed it in",
        "",
    ],
)
def test_what_only_resembles_a_credential_stays(text):
    assert mask_text(text) == text


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
    "nested": {"tool_results": [{"result": {"steps": [{"results": [{"result_value": f"token={SECRET}"}]}]}}]},
}


@pytest.mark.parametrize("place", PLACES)
def test_a_landed_document_holds_no_secret(place):
    row = snapshot_row(WANTED, dump(detail(transcript=[PLACES[place]])), AT)
    assert SECRET.encode() not in row["payload"]
    assert MASK.encode() in row["payload"]


def test_variables_are_looked_through_and_what_people_said_is_not():
    spoken = {"role": "user", "message": "my password=swordfish1"}
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
    assert landed["transcript"] == [spoken]
    assert data["custom_llm_extra_body"] == {"api_key": MASK, "top_k": 4}
    assert data["dynamic_variables"] == {
        "secret__crm": MASK,
        "plan": "pro",
        "system__conversation_history": history.replace(SECRET, MASK),
    }


def test_a_document_without_credentials_lands_byte_for_byte():
    raw = (
        b'{"conversation_id":"conv_a",  "metadata": {"start_time_unix_secs": 1e9}, "x": 1.10,'
        b' "transcript": [{"message": "token=abc", "tool_calls": [{"params_as_json": "{ }"}]}, null, 5]}'
    )
    assert snapshot_row(WANTED, raw, AT)["payload"] == raw


@pytest.mark.parametrize("odd", [None, 5, "text", [], {}, [None], {"tool_calls": 5}, [{"tool_calls": {"a": [1]}}]])
def test_an_odd_transcript_is_no_error(odd):
    assert not mask_credentials({"transcript": odd, "metadata": odd, "conversation_initiation_client_data": odd})


def test_content_that_is_landed_already_lands_as_a_mark_whatever_the_order_of_its_keys():
    first = snapshot_row(WANTED, b'{"a": 1, "metadata": {"start_time_unix_secs": 5}}', AT)
    again = snapshot_row(
        WANTED | {"content_sha256": first["content_sha256"]}, b'{"metadata":{"start_time_unix_secs":5},"a":1}', AT
    )
    assert (first["kind"], again["kind"], again["payload"]) == ("document", "unchanged", None)


def test_equal_documents_have_equal_fingerprints():
    assert fingerprint({"a": 1, "b": [1, {"c": None}]}) == fingerprint({"b": [1, {"c": None}], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})

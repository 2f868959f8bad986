"""Header values of tool calls never reach the disk, wherever the call stands."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from pipelines.sync.documents import dump, fingerprint, read_row
from pipelines.sync.masking import MASK, mask_headers
from tests.documents import detail

AT = datetime(2026, 11, 1, tzinfo=UTC)
WANTED = {"conversation_id": "conv_a", "agent_id": "agent_a", "fingerprint": "f", "content_sha256": None}


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
    assert mask_headers(document)
    text = str(document)
    assert not any(secret in text for secret in ("s1", "s2", "s3", "s4"))
    assert document["headers"] == {"kept": "as it is"}
    first = document["transcript"][0]["tool_calls"][0]
    assert first["tool_details"]["headers"] == {"Authorization": MASK, "Accept": MASK}
    assert document["transcript"][2]["tool_calls"][0]["tool_details"]["url"] == "u"


def test_a_document_without_headers_lands_byte_for_byte():
    raw = b'{"conversation_id":"conv_a",  "metadata": {"start_time_unix_secs": 1e9}, "x": 1.10}'
    assert not mask_headers(msgspec.json.decode(raw))
    assert read_row(WANTED, raw, AT)["payload"] == raw


def test_a_landed_document_holds_no_header_value():
    row = read_row(WANTED, dump(detail(transcript=[{"tool_calls": [call("sk-secret")]}])), AT)
    assert b"sk-secret" not in row["payload"]
    assert b"Authorization" in row["payload"]


def test_content_that_is_landed_already_lands_as_a_mark_whatever_the_order_of_its_keys():
    first = read_row(WANTED, b'{"a": 1, "metadata": {"start_time_unix_secs": 5}}', AT)
    again = read_row(
        WANTED | {"content_sha256": first["content_sha256"]}, b'{"metadata":{"start_time_unix_secs":5},"a":1}', AT
    )
    assert (first["kind"], again["kind"], again["payload"]) == ("document", "unchanged", None)


def test_equal_documents_have_equal_fingerprints():
    assert fingerprint({"a": 1, "b": [1, {"c": None}]}) == fingerprint({"b": [1, {"c": None}], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})

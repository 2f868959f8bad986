"""What is unwrapped and moved in a document before its values are read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.transform.decode import UnflattenableError, read_detail, to_builtins


@pytest.mark.parametrize(
    ("document", "unwrapped"),
    [
        ({"type": "post_call_transcription", "data": {"conversation_id": "a"}}, {"conversation_id": "a"}),
        ({"conversation_id": "a", "data": {"b": 1}}, {"conversation_id": "a", "data": {"b": 1}}),
        ({"data": [1]}, {"data": [1]}),
    ],
)
def test_the_body_of_a_webhook_is_unwrapped(document: dict[str, Any], unwrapped: dict[str, Any]) -> None:
    assert to_builtins(json.dumps(document).encode()) == unwrapped


@pytest.mark.parametrize(
    ("metrics", "moved"),
    [
        (
            {"ttfb": {"elapsed_time": 1}, "other": {"x": 1}, "flag": True},
            {"other": {"x": 1}, "flag": True, "metrics": {"ttfb": {"elapsed_time": 1}}},
        ),
        ({"metrics": {}, "ttfb": {"elapsed_time": 1}}, {"metrics": {}, "ttfb": {"elapsed_time": 1}}),
        ({"other": {"x": 1}, "text": "elapsed_time"}, {"other": {"x": 1}, "text": "elapsed_time"}),
        ([1], [1]),
        (None, None),
    ],
)
def test_old_metrics_are_moved_to_their_new_place(metrics: Any, moved: Any) -> None:
    document = {"transcript": [{"conversation_turn_metrics": metrics}, "no entry"]}
    expected = {"transcript": [{"conversation_turn_metrics": moved}, "no entry"]}
    assert to_builtins(json.dumps(document).encode()) == expected


DEEP = b'{"conversation_id": "a", "agent_id": "b", "x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}"


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"[1]", "the document is not a JSON object"),
        (b"{", "the document is not JSON: .+"),
        (DEEP, "the document is nested too deep"),
        (b'{"agent_id": "b", "metadata": {}}', "the document has no conversation_id or no agent_id"),
        (b'{"conversation_id": "a", "metadata": {}}', "the document has no conversation_id or no agent_id"),
        (b'{"conversation_id": "a", "agent_id": "b"}', "the document has no metadata.start_time_unix_secs"),
        (b'{"conversation_id": "a", "agent_id": "b", "metadata": {}}', "the document has no metadata.start_time.+"),
    ],
)
def test_why_a_document_cannot_be_flattened(payload: bytes, message: str) -> None:
    with pytest.raises(UnflattenableError, match=f"^{message}$"):
        read_detail(payload)

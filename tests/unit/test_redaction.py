"""What a redaction removes and keeps, and how a snapshot that was emptied upstream is recognised."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from polars.testing import assert_frame_equal

from pipelines.emulator.generator.world import World
from pipelines.extract.landing_rows import is_emptied_upstream, n_texts
from pipelines.transform.canonical_json import dump, fingerprint
from pipelines.transform.flatten import Snapshot, flatten
from pipelines.transform.redaction import redact
from tests.helpers.sample_documents import READ_AT, RECORDED, detail, id_of, recorded_documents
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.schema.types import Sensitivity, Type

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
LEFT = {"<redacted>", '"<redacted>"', "...", "", '""', "[]", "{}"}
MADE_OF_CONTENT = ("extra", "value_text", "value_number", "value_bool")


def payloads():
    yield from ((RECORDED / f"{name}.json").read_bytes() for name in recorded_documents())
    yield from (dump(document) for document in World(seed=3, conversations=60, days=2, until=UNTIL).details(UNTIL))


@pytest.fixture(scope="module")
def flattened():
    """Frames by table of many documents, before and after redaction."""
    before = [(id_of(payload), payload) for payload in payloads()]
    after = [(conversation_id, redact(payload)[0]) for conversation_id, payload in before]
    return tuple(
        flatten(Snapshot(conversation_id, payload, READ_AT) for conversation_id, payload in documents).frames
        for documents in (before, after)
    )


@pytest.mark.parametrize("table", DOCUMENT_TABLES, ids=lambda table: table.name)
def test_a_redaction_removes_content_and_keeps_every_row_and_all_else(table, flattened):
    before, after = (frames[table.name] for frames in flattened)
    content = [column for column in table.columns if column.sensitivity]
    redacted_columns = [
        *(column.name for column in content),
        *(name for name in MADE_OF_CONTENT if name in table.column_names),
    ]
    assert_frame_equal(after.drop(redacted_columns), before.drop(redacted_columns))
    assert after["extra"].null_count() == after.height
    for column in content:
        left = set(after[column.name].drop_nulls())
        if column.sensitivity is Sensitivity.IDENTIFIER:
            assert left == set(), column.name
        else:
            assert left <= LEFT, column.name
            assert after[column.name].is_null().equals(before[column.name].is_null()), column.name


def test_free_text_columns_have_types_that_can_hold_the_placeholder():
    kinds = {
        column.type
        for table in DOCUMENT_TABLES
        for column in table.columns
        if column.sensitivity is Sensitivity.FREE_TEXT
    }
    assert kinds <= {Type.TEXT, Type.JSON, Type.TEXT_OR_JSON}


def test_a_value_of_another_shape_is_removed():
    start = {"start_time_unix_secs": 1782336379}
    document = detail(
        transcript={"message": "Ada"},
        metadata=start | {"phone_call": ["Ada"], "charging": "Ada", "call_duration_secs": {"Ada": 1}},
        analysis={"evaluation_criteria_results": ["Ada"], "data_collection_results": {"Ada": ["Ada"]}},
    )
    assert json.loads(redact(json.dumps(document).encode())[0]) == {
        "conversation_id": "conv_a",
        "agent_id": "agent_a",
        "status": "done",
        "transcript": None,
        "metadata": start | {"phone_call": None, "charging": None, "call_duration_secs": None},
        "analysis": {"evaluation_criteria_results": None, "data_collection_results": {"Ada": None}},
    }


def test_a_redacted_document_has_no_key_without_a_column():
    document = detail(
        user_id="u-77",
        new_key="a secret of tomorrow",
        transcript=[
            {"role": "user", "message": "my name is Ada", "time_in_call_secs": 3, "odd": "Ada"},
            {"role": "user", "message": " ... "},
            {"role": "user", "message": "?!"},
            {"role": "agent", "message": "\u200b\u00a0"},
            {"role": "agent", "message": None, "tool_calls": [{"tool_name": "look_up", "params_as_json": '{"n": 1}'}]},
        ],
        analysis={
            "call_successful": "success",
            "transcript_summary": "Ada called",
            "call_summary_title": "?!",
            "evaluation_criteria_results": {
                "polite": {"result": "success", "rationale": "Ada was", "criteria_id": "p"}
            },
            "evaluation_criteria_results_list": [{"rationale": "Ada was"}],
        },
    )
    payload, sha256 = redact(json.dumps(document).encode())
    left = json.loads(payload)
    assert left == {
        "conversation_id": "conv_a",
        "agent_id": "agent_a",
        "status": "done",
        "user_id": None,
        "metadata": document["metadata"],
        "transcript": [
            {"role": "user", "message": "<redacted>", "time_in_call_secs": 3},
            {"role": "user", "message": " ... "},
            {"role": "user", "message": "..."},
            {"role": "agent", "message": ""},
            {
                "role": "agent",
                "message": None,
                "tool_calls": [{"tool_name": "look_up", "params_as_json": "<redacted>"}],
            },
        ],
        "analysis": {
            "call_successful": "success",
            "transcript_summary": "<redacted>",
            "call_summary_title": "<redacted>",
            "evaluation_criteria_results": {
                "polite": {"result": "success", "rationale": "<redacted>", "criteria_id": "p"}
            },
            "evaluation_criteria_results_list": [{"rationale": "<redacted>"}],
        },
    }
    assert sha256 == fingerprint(left)
    assert redact(payload) == (payload, sha256)


@pytest.mark.parametrize(
    ("status", "transcript", "texts_before", "expected"),
    [
        ("done", [], 3, True),
        ("failed", [], 1, True),
        ("done", [{"role": "agent", "message": None}, {"message": ""}], 3, True),
        ("done", None, 3, True),
        ("done", [{"message": "still here"}], 3, False),
        ("done", [], 0, False),  # nothing was ever said
        ("done", [], None, False),  # never read before
        ("in-progress", [], 3, False),
        ("processing", [], 3, False),
        (None, [], 3, False),
    ],
)
def test_a_snapshot_is_emptied_if_a_finished_conversation_has_no_text_any_more(
    status, transcript, texts_before, expected
):
    assert is_emptied_upstream(status, n_texts({"transcript": transcript}), texts_before) is expected


def test_texts_are_counted_in_documents_of_any_shape():
    counts = [n_texts({"transcript": odd}) for odd in ("text", [None, "x", {"message": "one"}], {"a": 1})]
    assert counts == [0, 1, 0]


@pytest.mark.parametrize("payload", [b"[]", b"no JSON", b'{"a":' * 50_000 + b"1" + b"}" * 50_000])
def test_a_document_that_cannot_be_parsed_is_redacted_entirely(payload):
    assert redact(payload)[0] == b"null"

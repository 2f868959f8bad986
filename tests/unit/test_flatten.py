"""Flattening: nothing is lost, nested tools are numbered, repeats are flagged, values without a column are kept."""

from __future__ import annotations

import json
from collections import Counter
from operator import itemgetter

import pytest

from pipelines.transform import tool_calls
from pipelines.transform.flatten import Snapshot, flatten
from tests.helpers.sample_documents import READ_AT, STARTED, detail, recorded_documents
from warehouse.schema.registry import BY_NAME
from warehouse.schema.types import Type

HISTORY = "system__conversation_history"


def leaves(value):
    """Every text, number and true of a document; false, null and empty values are too common to tell apart."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key != HISTORY:
                yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif value not in (None, False, ""):
        yield value if isinstance(value, str | bool) else float(value)


def values(table, row):
    """Every value of a row, including those inside JSON columns."""
    for name, value in row.items():
        if BY_NAME[table].column(name).type is Type.JSON:
            yield from leaves(json.loads(value))
        elif hasattr(value, "timestamp"):
            yield value.timestamp()
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield float(value)
        else:
            yield value


@pytest.mark.parametrize("name", recorded_documents())
def test_every_value_of_a_recorded_document_is_in_a_row(name, recorded, flat):
    document = json.loads(recorded(name))
    document = document.get("data", document)
    tables = flat(recorded(name))
    flattened = Counter(value for table, rows in tables.items() for row in rows for value in values(table, row))
    missing = Counter(leaves(document)) - flattened
    assert not missing


def test_nested_tools_are_rows_of_their_own(flat):
    def call(request_id):
        return {"request_id": request_id, "tool_name": "t", "params_as_json": "{}", "tool_has_been_called": True}

    def result(request_id, steps=None):
        more = {"type": "workflow", "result": {"steps": steps}} if steps else {"type": "client"}
        return call(request_id) | {"result_value": "", "is_error": False} | more

    inner = {"type": "nested_tools", "node_id": "n2", "requests": [call("r3")], "results": [result("r3")]}
    outer = {"type": "nested_tools", "node_id": "n1", "requests": [call("r2")], "results": [result("r2", [inner])]}
    edge = {"type": "edge", "edge_id": "e", "target_node_id": "n1", "step_latency_secs": 0.5}
    transcript = [
        {"role": "agent", "tool_calls": [call("r1")]},
        {"role": "agent", "tool_results": [result("r1", [edge, outer])]},
        {"role": "agent", "tool_calls": [call("r4")], "tool_results": None},
    ]

    tables = flat(detail(transcript=transcript))

    nesting = ("turn_index", "request_id", "parent_request_id", "depth")
    assert [(row["call_index"], *map(row.get, nesting)) for row in tables["tool_calls"]] == [
        (0, 0, "r1", None, 0),
        (1, 1, "r2", "r1", 1),
        (2, 1, "r3", "r2", 2),
        (3, 2, "r4", None, 0),
    ]
    assert [(row["result_index"], *map(row.get, nesting)) for row in tables["tool_results"]] == [
        (0, 1, "r1", None, 0),
        (1, 1, "r2", "r1", 1),
        (2, 1, "r3", "r2", 2),
    ]
    assert [(row["result_index"], row["step_index"], row["type"]) for row in tables["workflow_steps"]] == [
        (0, 0, "edge"),
        (0, 1, "nested_tools"),
        (1, 0, "nested_tools"),
    ]


def test_metrics_that_an_entry_repeats_are_flagged_whatever_its_message(flat):
    def metrics(**secs):
        return {"metrics": {name: {"elapsed_time": value} for name, value in secs.items()}}

    transcript = [
        {"role": "agent", "message": "One moment.", "conversation_turn_metrics": metrics(ttfb=0.5, tts=0.1)},
        {"role": "agent", "message": None, "conversation_turn_metrics": metrics(ttfb=0.5, tts=0.2)},
        {"role": "agent", "message": "", "conversation_turn_metrics": metrics(ttfb=0.5)},
        {"role": "agent", "message": ""},
        {"role": "agent", "message": "Done.", "conversation_turn_metrics": metrics(ttfb=0.5, tts=0.1)},
        {"role": "user", "message": "Thanks"},
        {"role": "agent", "message": "Bye.", "conversation_turn_metrics": metrics(ttfb=0.5)},
    ]
    rows = flat(detail(transcript=transcript))["turn_metrics"]
    assert [(row["turn_index"], row["metric"], row["elapsed_secs"], row["is_repeat"]) for row in rows] == [
        (0, "ttfb", 0.5, False),
        (0, "tts", 0.1, False),
        (1, "ttfb", 0.5, True),
        (1, "tts", 0.2, False),
        (2, "ttfb", 0.5, True),
        (4, "ttfb", 0.5, True),
        (4, "tts", 0.1, False),
        (6, "ttfb", 0.5, False),
    ]


def test_metrics_that_a_tool_call_repeats_from_before_the_user_are_flagged_if_all_are_the_same(flat):
    def entry(role, **secs):
        metrics = {name: {"elapsed_time": value} for name, value in secs.items()}
        return {"role": role, "message": "Hm.", "conversation_turn_metrics": {"metrics": metrics}}

    transcript = [
        entry("agent", ttfb=0.51, wait=0.93),
        entry("user", asr=0.1),
        entry("agent", ttfb=0.51, wait=0.93),  # of a tool call: nobody measures the same two times
        entry("agent", ttfb=0.51, wait=0.94),
        entry("user", asr=0.1),  # the only one: a coincidence
        entry("agent", ttfb=0.51, wait=0.95),
        entry("user", asr=None),
        entry("agent", ttfb=0.51, wait=0.95),
    ]
    rows = flat(detail(transcript=transcript))["turn_metrics"]
    assert [(row["turn_index"], row["metric"], row["is_repeat"]) for row in rows] == [
        (0, "ttfb", False),
        (0, "wait", False),
        (1, "asr", False),
        (2, "ttfb", True),
        (2, "wait", True),
        (3, "ttfb", True),
        (3, "wait", False),
        (4, "asr", False),
        (5, "ttfb", False),
        (5, "wait", False),
        (6, "asr", False),
        (7, "ttfb", True),
        (7, "wait", True),
    ]


def test_numbers_are_read_as_numbers_in_any_notation(flat):
    metadata = b'"metadata": {"start_time_unix_secs": 1757088912.0, "cost": 1e3, "call_duration_secs": "12"}'
    document = b'{"conversation_id": "conv_a", "agent_id": "agent_a", "status": "done", ' + metadata + b"}"
    row = flat(document)["conversations"][0]
    assert (row["cost_credits"], row["call_duration_secs"], "extra" in row) == (1000, 12, False)


@pytest.mark.parametrize(
    ("metadata", "cost", "duration"),
    [
        ({"cost": 70.5, "call_duration_secs": 12.6}, 70, 12),
        ({"cost": -0.5, "call_duration_secs": "12.6"}, -1, 12),
    ],
)
def test_a_fraction_of_a_whole_number_is_rounded_down_and_kept(metadata, cost, duration, flat):
    row = flat(detail(metadata={"start_time_unix_secs": STARTED} | metadata))["conversations"][0]
    assert (row["cost_credits"], row["call_duration_secs"]) == (cost, duration)
    assert json.loads(row["extra"]) == {f"metadata.{name}": value for name, value in metadata.items()}


@pytest.mark.parametrize("secs", [STARTED + 0.73, f"{STARTED}.73"])
def test_a_fraction_of_the_start_is_rounded_down_and_kept(secs, flat):
    row = flat(detail(metadata={"start_time_unix_secs": secs}))["conversations"][0]
    assert row["start_time_at"].timestamp() == STARTED
    assert json.loads(row["extra"]) == {"metadata.start_time_unix_secs": secs}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_document_with_a_byte_order_mark_or_in_utf_16_is_read(encoding):
    text = json.dumps(detail(summary="für 5 €"), ensure_ascii=False)
    tables = [
        flatten([Snapshot("conv_a", content, READ_AT)]).frames for content in (text.encode(), text.encode(encoding))
    ]
    for name, frame in tables[0].items():
        assert tables[1][name].equals(frame), name
    assert tables[1]["conversations"].height == 1


@pytest.mark.parametrize(
    ("metadata", "extra"),
    [
        ({"cost": "a lot"}, {"metadata.cost": "a lot"}),
        ({"cost": True}, {"metadata.cost": True}),
        ({"cost": 2**70}, {"metadata.cost": 2**70}),
        ({"cost": 10**400}, {"metadata.cost": 10**400}),
        ({"cost_fiat": 1e13}, {"metadata.cost_fiat": 1e13}),
        ({"warnings": {"a": "list was expected"}}, {"metadata.warnings": {"a": "list was expected"}}),
        ({"charging": [1]}, {"metadata.charging": [1]}),
        ({"brand_new": {"deep": [1, 2]}}, {"metadata.brand_new": {"deep": [1, 2]}}),
    ],
)
def test_a_value_that_fits_no_column_is_kept_in_extra(metadata, extra, flat):
    document = detail(metadata={"start_time_unix_secs": STARTED, "termination_reason": "kept"} | metadata)
    row = flat(document)["conversations"][0]
    assert json.loads(row["extra"]) == extra
    assert row["termination_reason"] == "kept"


def test_extra_is_in_the_row_that_it_belongs_to(flat):
    transcript = [{"role": "user"}, {"role": "agent", "new": 1, "tool_calls": [{"request_id": "r", "newer": 2}]}, None]
    tables = flat(detail(transcript=transcript))
    assert [row.get("extra") for row in tables["turns"]] == [None, '{"new":1}']
    assert tables["tool_calls"][0]["extra"] == '{"newer":2}'
    assert "extra" not in tables["conversations"][0]


def test_an_element_of_a_step_that_is_not_an_object_is_kept_in_the_step(flat):
    steps = [{"type": "nested_tools", "node_id": "n", "requests": ["x", {"request_id": "r"}], "results": [7], "new": 1}]
    result = {"request_id": "w", "type": "workflow", "result": {"steps": steps}}
    tables = flat(detail(transcript=[{"role": "agent", "tool_results": [result]}]))
    assert json.loads(tables["workflow_steps"][0]["extra"]) == {"new": 1, "requests[0]": "x", "results[0]": 7}
    assert [row["request_id"] for row in tables["tool_calls"]] == ["r"]


def test_a_lone_surrogate_is_replaced_by_one_character(flat):
    document = json.dumps(detail(user_id="caf\u00e9 \ud83d\ude00")).replace("caf", "\\ud800caf").encode()
    assert flat(document)["conversations"][0]["user_id"] == "\ufffdcafé 😀"


def test_a_batch_of_documents_gives_the_same_rows_as_the_documents_one_by_one(recorded, flat):
    """More than one piece of a batch, with columns that only the first or the last piece fills."""
    originals = [json.loads(recorded(name)) for name in recorded_documents()]
    conversations = [document.get("data", document) for document in originals]
    plain = [detail(conversation_id=f"conv_{number}") for number in range(130)]
    documents = [
        document | {"conversation_id": f"conv_{group}_{number}"}
        for group, group_documents in enumerate((conversations, plain, conversations))
        for number, document in enumerate(group_documents)
    ]
    batch_tables, single_tables = flat(*documents), [flat(document) for document in documents]
    for name, rows in batch_tables.items():
        by_key = itemgetter(*BY_NAME[name].key)
        assert sorted(rows, key=by_key) == sorted((row for tables in single_tables for row in tables[name]), key=by_key)


def test_a_value_that_is_nested_too_deep_fails_only_its_document():
    def snapshot(conversation_id, depth):
        document = json.dumps(detail(conversation_id=conversation_id, otlp_traces="X")).encode()
        payload = document.replace(b'"X"', b"[" * depth + b"]" * depth)
        return Snapshot(conversation_id, payload, READ_AT)

    snapshots = [snapshot(f"conv_{depth}", depth) for depth in (1, 200, *range(900, 1010), 50_000)]
    flattened = flatten(snapshots)
    ids = set(flattened.frames["conversations"]["conversation_id"])
    assert ids.isdisjoint(flattened.errors)
    assert ids | set(flattened.errors) == {snapshot.conversation_id for snapshot in snapshots}
    assert ("conv_200" in ids, "conv_50000" in flattened.errors) == (True, True)


def test_whatever_goes_wrong_with_a_document_in_a_table_the_others_are_flattened(monkeypatch):
    build_columns = tool_calls.build_columns

    def fail_for_one(batch):
        if "conv_7" in batch.values_at("conversation_id").elements:
            raise OverflowError("int too big to convert")
        return build_columns(batch)

    monkeypatch.setattr(tool_calls, "build_columns", fail_for_one)
    ids = [f"conv_{number}" for number in range(20)]
    payloads = {name: json.dumps(detail(conversation_id=name)).encode() for name in ids}
    flattened = flatten(Snapshot(name, payloads[name], READ_AT) for name in ids)
    assert flattened.errors == {"conv_7": "the document cannot be flattened: OverflowError: int too big to convert"}
    assert flattened.frames["conversations"]["conversation_id"].to_list() == [name for name in ids if name != "conv_7"]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"<html>", "is not JSON"),
        (b"[1]", "is not a JSON object"),
        (b'{"conversation_id": "conv_a", "agent_id": "a", "metadata": {}}', "start_time_unix_secs"),
        (b'{"conversation_id": "conv_a", "agent_id": "a", "metadata": null}', "start_time_unix_secs"),
        (b'{"conversation_id": "", "agent_id": "a", "metadata": {"start_time_unix_secs": 1}}', "no conversation_id"),
        (b'{"conversation_id": "conv_a", "metadata": {"start_time_unix_secs": 1}}', "agent_id"),
        (json.dumps(detail(conversation_id="conv_b")).encode(), "another conversation"),
        (b'{"conversation_id": ' + b"[" * 100_000, "nested too deep"),
    ],
)
def test_a_document_that_cannot_be_decoded_is_reported_and_the_others_are_flattened(payload, reason):
    good = Snapshot("conv_good", json.dumps(detail(conversation_id="conv_good")).encode(), READ_AT)
    flattened = flatten([Snapshot("conv_a", payload, READ_AT), good])
    assert list(flattened.errors) == ["conv_a"]
    assert reason in flattened.errors["conv_a"]
    assert flattened.frames["conversations"]["conversation_id"].to_list() == ["conv_good"]

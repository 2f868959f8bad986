"""Every value that a published schema can contain arrives in its declared column.

Drawn documents are masked and flattened as in a sync. Then every drawn value is looked up in the cell that
``warehouse.schema`` declares for its path, in the right row and with the declared type.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
from jsonschema import Draft202012Validator
from polars import selectors

from pipelines.transform.document_schema import DETAIL, NESTED_TOOL_LISTS, Items, Object, Shape
from tests.helpers.column_coverage import EXCEPTIONS, Proof, exception_of, flat, proof
from tests.helpers.draw_documents import Drawing, Leaf, current_api, reference, vendor
from tests.helpers.sample_documents import RECORDED, detail
from tests.independent.declared_columns import HOMES, KEYS, Rows, Step, cell_of, rows_by_conversation, wrong
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.schema.types import Type
from warehouse.storage.parquet import polars_schema

UNPUBLISHED: dict[tuple[Step, ...], Any] = {
    ("hiding_reason",): "a text",
    ("smb_metadata",): {"key": "smb"},
    ("realtime_config_snapshots",): [{"key": "snapshot"}],
    ("analysis", "sentiment_analysis"): {
        "overall_label": "positive",
        "overall_sentiment_score": 0.75,
        "overall_frustration_score": 0.25,
        "min_user_sentiment_score": 0.5,
        "max_user_frustration_score": 0.375,
        "num_scored_user_turns": 3,
    },
    ("conversation_initiation_client_data", "tool_mock_config"): {"mocking_strategy": "none"},
    ("transcript", 0, "config_snapshot_id"): "another text",
    ("transcript", 0, "analysis"): {"key": "analysis of the entry"},
}
"""Keys that no published schema has, each with a value to draw; the response recorded in 2026 has them."""

REPORTED: dict[tuple[Step, ...], Any] = {("metadata", "error"): {"error_type": "no_answer"}}
"""Keys that only responses that users published have."""

OVERRIDE = "conversation_initiation_client_data_conversation_config_override"

KINDS = {
    "transcript[].tool_calls[].tool_details.type": ["webhook client mcp", "api_integration_webhook"],
    "transcript[].tool_results[].result.steps[].type": ["edge nested_tools max_iterations_exceeded", ""],
    "transcript[].tool_results[].result.result_type": [
        """
        end_call_success language_detection_success play_dtmf_error play_dtmf_success skip_turn_success
        testing_tool_result transfer_to_agent_error transfer_to_agent_success transfer_to_number_error
        transfer_to_number_sip_success transfer_to_number_twilio_success voicemail_detection_success
        """,
        """
        dummy end_procedure_error end_procedure_success knowledge_base_rag_success knowledge_base_success
        start_procedure_error start_procedure_success transfer_to_number_amazon_connect_success
        transfer_to_number_exotel_success
        """,
    ],
    "metadata.phone_call.type": ["twilio sip_trunking", "exotel"],
    "metadata.feedback.type": ["thumbs rating", ""],
}
"""Values that distinguish the variants of a union: those of the reference, and those that today's API adds."""


@pytest.fixture(scope="module")
def of_reference() -> Proof:
    return proof(Drawing(reference(), first=1_000_000))


@pytest.fixture(scope="module")
def of_today() -> Proof:
    return proof(Drawing(current_api(), first=5_000_000))


@pytest.fixture(scope="module", params=["reference", "today"])
def either(request, of_reference, of_today) -> Proof:
    return of_reference if request.param == "reference" else of_today


def test_every_value_path_arrives_in_its_declared_column(of_reference, of_today, capsys):
    proofs = (of_reference, of_today)
    totals = [len(coverage.paths()) for coverage in proofs]
    missing = [coverage.missing() for coverage in proofs]
    arrived = [f"{total - len(lost)}/{total}" for total, lost in zip(totals, missing, strict=True)]
    exceptions = "; ".join(f"{path} ({reason})" for path, reason in EXCEPTIONS.items())
    with capsys.disabled():
        sys.stdout.write(f"\n{arrived[0]} value paths of the reference, {arrived[1]} of today's API, ")
        sys.stdout.write(f"exceptions: {exceptions}\n")
    lost = [f"{path}: {what}" for paths in missing for path, what in paths.items()]
    assert not lost, "\n".join(lost)
    assert totals == [291, 563]
    assert [len(coverage.excepted()) for coverage in proofs] == [2, 4]


def test_a_value_without_a_column_is_missed_by_name():
    document = detail(conversation_id="conv_new", metadata={"start_time_unix_secs": 1, "brand_new": 2})
    rows = rows_by_conversation(flat([document]))["conv_new"]
    assert wrong(("metadata", "brand_new"), 2, rows) == "no column"
    assert wrong(("metadata", "cost"), 2, rows) == "conversations.cost_credits holds None, not 2"
    assert wrong(("transcript", 0, "message"), "m", rows) == "no row (0,) in turns"


def test_nothing_drawn_is_left_over_in_extra(either):
    extra = {name: frame["extra"].drop_nulls().to_list() for name, frame in either.frames.items()}
    assert {name: values for name, values in extra.items() if values} == {}


def test_every_column_has_its_declared_type(either):
    assert {name: frame.schema for name, frame in either.frames.items()} == {
        table.name: pl.Schema(polars_schema(table)) for table in DOCUMENT_TABLES
    }


def test_excepted_values_are_in_no_row(either):
    cells = "\n".join(
        text
        for frame in either.frames.values()
        for column in frame.select(selectors.string())
        for text in column.drop_nulls()
    )
    excepted = {leaf.value for _, leaf in either.leaves() if leaf.is_unique and exception_of(leaf)}
    assert f"history of {either.drawn[0][0]['conversation_id']}" in excepted
    assert [value for value in excepted if str(value) in cells] == []


def test_every_exception_is_needed(of_today):
    assert {exception_of(leaf) for _, leaf in of_today.leaves()} - {None} == set(EXCEPTIONS)


def changed(document: dict[str, Any], leaf: Leaf, conversation_id: str) -> tuple[dict[str, Any], Leaf]:
    """The document under another id, with another value for one boolean or closed field, and otherwise unchanged."""
    value = not leaf.value if isinstance(leaf.value, bool) else f"{leaf.value} of tomorrow"
    copy: Any = json.loads(json.dumps(document)) | {"conversation_id": conversation_id}
    holder = copy
    for step in leaf.way[:-1]:
        holder = holder[step]
    holder[leaf.way[-1]] = value
    return copy, Leaf(leaf.path, leaf.way, leaf.place, value, leaf.is_unique)


def differences(before: Rows, after: Rows) -> set[tuple[str, tuple[Any, ...], str]]:
    """Cells, by table, key and column, that differ in more than the id of the conversation."""
    return {
        (*key, column)
        for key in before.keys() | after.keys()
        for column in {*before.get(key, {}), *after.get(key, {})} - {"conversation_id"}
        if before.get(key, {}).get(column) != after.get(key, {}).get(column)
    }


FOLLOWING = {
    ("data_collection_results", "value"): ("value_bool",),
    ("dynamic_variables", "value"): ("value_bool",),
    ("conversations", "phone_call_direction"): ("direction",),
}
"""Columns that the pipeline derives from another."""


def test_a_change_of_a_boolean_or_closed_field_changes_its_declared_cell_and_no_other(either):
    first = {
        leaf.path: (document, leaf)
        for document, leaf in either.leaves()
        if not leaf.is_unique and exception_of(leaf) is None
    }
    pairs = {path: changed(*pair, f"conv_{path}") for path, pair in first.items()}
    after = rows_by_conversation(flat(document for document, _ in pairs.values()))
    wrongly = {}
    for path, (document, leaf) in first.items():
        cell = cell_of(leaf.place)
        table, column = cell.home.table.name, cell.home.column.name
        expected = {(table, cell.key, name) for name in {column, *FOLLOWING.get((table, column), ())}}
        if (table, column) == ("scoped_analyses", "scope"):
            expected |= {
                (*row, "scope")
                for row in either.rows[document["conversation_id"]]
                if row[0] in ("evaluation_results", "data_collection_results") and row[1][0] == cell.key[0]
            }
        changed_cells = differences(either.rows[document["conversation_id"]], after[f"conv_{path}"])
        if changed_cells != expected or wrong(leaf.place, pairs[path][1].value, after[f"conv_{path}"]):
            wrongly[path] = changed_cells
    assert len(first) > 80
    assert wrongly == {}


def test_drawn_documents_are_valid_for_the_reference(of_reference):
    # Variants of the reference overlap, so "exactly one" would reject its own examples.
    models = json.loads(json.dumps(reference().models).replace('"oneOf"', '"anyOf"'))
    schema = {"$ref": "#/components/schemas/GetConversationResponseModel", "components": {"schemas": models}}
    validator = Draft202012Validator(schema)
    assert [error.message for document, _ in of_reference.drawn for error in validator.iter_errors(document)] == []


def test_drawn_documents_are_valid_for_todays_sdk(of_today):
    for document, _ in of_today.drawn:
        assert (
            vendor().GetConversationResponseModel.model_validate(document).conversation_id
            == document["conversation_id"]
        )


def test_every_variant_is_drawn_and_workflows_twice_nested(of_reference, of_today):
    for path, (old, new) in KINDS.items():
        for coverage, words in ((of_reference, old.split()), (of_today, f"{old} {new}".split())):
            assert (path, {leaf.value for _, leaf in coverage.leaves() if leaf.path == path}) == (path, set(words))
    triggers = {leaf.value for _, leaf in of_reference.leaves() if leaf.path.endswith("trigger_type")}
    assert triggers == {"default", "zendesk"}
    for coverage in (of_reference, of_today):
        assert [coverage.frames[name]["depth"].max() for name in ("tool_calls", "tool_results")] == [2, 2]


def test_every_declared_path_is_published_or_recorded(of_reference, of_today):
    leaves = [leaf for coverage in (of_reference, of_today) for _, leaf in coverage.leaves()]
    homes = {cell.home.path for leaf in leaves if (cell := cell_of(leaf.place))}
    without_source = {home.path for home in HOMES} - homes - {cell_of(place).home.path for place, _ in unpublished()}
    assert not without_source, "add what the recorded responses have to UNPUBLISHED, other responses to REPORTED"
    assert not homes & {cell_of(place).home.path for place, _ in unpublished()}, "these are published now"


def unpublished() -> Iterator[tuple[tuple[Step, ...], Any]]:
    """The values at unpublished keys: those of an object or list that no column holds as a whole, one by one."""
    for place, value in (UNPUBLISHED | REPORTED).items():
        yield from values_below(place, value)


def values_below(place: tuple[Step, ...], value: Any) -> Iterator[tuple[tuple[Step, ...], Any]]:
    if cell_of(place) is not None:
        yield place, value
    else:
        for step, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from values_below((*place, step), item)


def test_unpublished_keys_are_recorded():
    recorded = json.loads((RECORDED / "text_chat_2026.json").read_bytes())
    for *way, key in UNPUBLISHED:
        holder = recorded
        for step in way:
            holder = holder[step]
        assert key in holder


def test_unpublished_keys_arrive_in_their_columns():
    document = detail(transcript=[{"role": "user"}], analysis={}, conversation_initiation_client_data={})
    for (*way, key), value in (UNPUBLISHED | REPORTED).items():
        holder: Any = document
        for step in way:
            holder = holder[step]
        holder[key] = value
    rows = rows_by_conversation(flat([document]))["conv_a"]
    assert [what for place, value in unpublished() if (what := wrong(place, value, rows))] == []
    assert {row["extra"] for row in rows.values()} == {None}


def test_a_known_key_without_a_column_is_one_that_the_pipeline_reads():
    ignored_paths = {
        f"{at}.{key}".removeprefix(".") for table in DOCUMENT_TABLES for at in table.at for key in table.ignored_keys
    }
    assert ignored_paths == set(KEYS)


def test_every_value_of_the_shape_is_read_by_a_column():
    """What the decoder takes without putting it into ``extra`` has a column, or is a list that nests in itself."""
    sources = {path for table in DOCUMENT_TABLES for column in table.columns for path in table.paths(column)}
    nested = {f"transcript[].tool_results[].result.steps[].{name}[]" for name in NESTED_TOOL_LISTS}
    assert set(values_of(DETAIL)) == sources | nested | set(KEYS)


def values_of(shape: Shape, path: str = "") -> Iterator[str]:
    """Paths of the values of a shape: where it goes no deeper."""
    if isinstance(shape, Object):
        for key, child in shape.fields.items():
            yield from values_of(child, f"{path}.{key}".strip("."))
    elif isinstance(shape, Items):
        yield from values_of(shape.element, path + ("{}" if shape.is_map else "[]"))
    else:
        yield path


AS_JSON = {
    "conversations.charging_analysis_total_price_per_feature": "an open map",
    "conversations.charging_analysis_total_charge_per_feature": "an open map",
    "conversations.charging_analysis_last_run_price_per_feature": "an open map",
    "conversations.charging_analysis_last_run_charge_per_feature": "an open map",
    "conversations.phone_call_sip_header_dynamic_variables": "an open map",
    "conversations.async_metadata_platform_metadata": "another form for each external system",
    "conversations.conversation_initiation_client_data_procedure_ids": "ids",
    "conversations.conversation_initiation_client_data_start_procedure_ids": "ids",
    "conversations.conversation_initiation_client_data_tool_mock_config": "unpublished",
    "conversations.conversation_initiation_client_data_custom_llm_extra_body": "an open map",
    f"conversations.{OVERRIDE}_turn_soft_timeout_config_additional_soft_timeout_messages": "texts",
    f"conversations.{OVERRIDE}_asr_keywords": "texts",
    f"conversations.{OVERRIDE}_tts_supported_voices": "configuration, not what happened",
    f"conversations.{OVERRIDE}_tts_pronunciation_dictionary_locators": "configuration, not what happened",
    f"conversations.{OVERRIDE}_agent_prompt_tool_ids": "ids",
    f"conversations.{OVERRIDE}_agent_prompt_knowledge_base": "configuration, not what happened",
    f"conversations.{OVERRIDE}_agent_prompt_native_mcp_server_ids": "ids",
    "conversations.smb_metadata": "unpublished",
    "conversations.realtime_config_snapshots": "unpublished",
    "conversations.otlp_traces": "the form of OpenTelemetry",
    "turns.rag_retrieval_info_used_chunk_ids": "ids",
    "turns.reasoning": "texts",
    "turns.used_static_kb_document_ids": "ids",
    "turns.analysis": "unpublished",
    "tool_calls.tool_details_headers": "an open map",
    "tool_calls.tool_details_path_params": "an open map",
    "tool_calls.tool_details_query_params": "an open map",
    "tool_calls.tool_details_webhook_details_headers": "an open map",
    "tool_calls.tool_details_webhook_details_path_params": "an open map",
    "tool_calls.tool_details_webhook_details_query_params": "an open map",
    "tool_results.result_chunks": "texts of the knowledge base",
    "data_collection_results.value": "any value; by type in value_text, value_number and value_bool",
    "data_collection_results.json_schema_enum": "values of any type",
    "data_collection_results.json_schema_constant_value": "a value of any type",
    "data_collection_results.json_schema_allowed_values": "values of any type, or the variable that has them",
    "dynamic_variables.value": "any value; by type in value_text, value_number and value_bool",
}
"""Columns that hold JSON, and why no column or table of their own holds what is in it."""


def test_every_column_of_json_has_a_reason():
    columns = {
        f"{table.name}.{column.name}"
        for table in DOCUMENT_TABLES
        for column in table.columns
        if column.type is Type.JSON and column.source is not None
    }
    assert columns == set(AS_JSON)


def test_a_webhooks_body_gives_the_rows_of_the_document_that_it_wraps(either):
    frames = flat((document for document, _ in either.drawn), as_webhooks=True)
    assert [name for name, frame in frames.items() if not frame.equals(either.frames[name])] == []

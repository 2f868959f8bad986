"""The emulator's answers against the reference (``openapi.json``), and the reference against the emulator's world."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from pipelines.emulator.data.agents import AGENTS
from pipelines.emulator.data.story import STORY
from pipelines.emulator.generator.document import build_document_of_2026
from pipelines.emulator.generator.downgrade_to_2025 import downgrade
from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
OPENAPI = json.loads(Path(__file__).with_name("openapi.json").read_text())
SCHEMAS: dict[str, Any] = OPENAPI["components"]["schemas"]
DETAIL = "GetConversationResponseModel"
# Old payloads keep the map of metrics one level higher; the extra body is the integration's own.
OPEN_OBJECTS = {"ConversationTurnMetrics", "ConversationInitiationClientDataRequestOutputCustomLlmExtraBody"}


def strict(schema: Any, name: str = "") -> Any:
    """Close objects against keys that the reference does not know.

    ``oneOf`` becomes ``anyOf``: variants of the reference overlap (a whole number is an integer and a number, a
    client's tool result fits two models), so "exactly one" would refuse what the reference itself shows.
    """
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {"anyOf" if key == "oneOf" else key: strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict):
        closed["properties"] = {key: strict(value) for key, value in schema["properties"].items()}
        if name not in OPEN_OBJECTS and "additionalProperties" not in schema:
            closed["additionalProperties"] = False
    return closed


COMPONENTS = {"components": {"schemas": {name: strict(schema, name) for name, schema in SCHEMAS.items()}}}


def errors(name: str, instance: Any) -> list[str]:
    validator = Draft202012Validator({"$ref": f"#/components/schemas/{name}", **COMPONENTS})
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(instance)]


@pytest.fixture(scope="module")
def world() -> World:
    return World(conversations=1000, until=UNTIL)


@pytest.fixture(scope="module")
def documents(world: World) -> list[dict[str, Any]]:
    return list(world.details(UNTIL))


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[httpx.Client]:
    with (
        running(create_app(world, clock=lambda: UNTIL)) as url,
        httpx.Client(base_url=f"{url}/v1/convai", headers={"xi-api-key": "demo"}) as client,
    ):
        yield client


def is_reference_form(document: dict[str, Any]) -> bool:
    return "conversation_product" not in document


def test_documents_of_the_references_form_validate_strictly(
    client: httpx.Client, documents: list[dict[str, Any]]
) -> None:
    old = [document["conversation_id"] for document in documents if is_reference_form(document)]
    sample = old[:10] + old[10::4]
    wrong = {each: errors(DETAIL, client.get(f"/conversations/{each}").json()) for each in sample}
    assert len(sample) > 100
    assert {each: found for each, found in wrong.items() if found} == {}


def strip_additions(row: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value for key, value in row.items() if key in SCHEMAS["ConversationSummaryResponseModel"]["properties"]
    }


def test_list_pages_validate_and_rows_of_the_references_form_have_no_other_keys(
    client: httpx.Client, documents: list[dict[str, Any]]
) -> None:
    page = client.get("/conversations", params={"page_size": 100, "summary_mode": "include"}).json()
    old = {document["conversation_id"] for document in documents if is_reference_form(document)}
    rows = page["conversations"]
    assert [row for row in rows if row["conversation_id"] in old and strip_additions(row) != row] == []
    assert errors("GetConversationsPageResponseModel", page | {"conversations": list(map(strip_additions, rows))}) == []


def test_the_other_answers_validate(client: httpx.Client) -> None:
    agent = AGENTS[0].agent_id
    calculate = client.post(f"/agent/{agent}/llm-usage/calculate", json={"prompt_length": 900, "rag_enabled": True})
    prices = [{k: v for k, v in each.items() if k != "price_per_message"} for each in calculate.json()["llm_prices"]]
    token = client.get("/conversation/token", params={"agent_id": agent}).json()
    signed = client.get("/conversation/get-signed-url", params={"agent_id": agent}).json()
    assert errors("ToolsResponseModel", client.get("/tools").json()) == []
    assert errors("LLMUsageCalculatorResponseModel", {"llm_prices": prices}) == []
    assert errors("ConversationSignedUrlResponseModel", signed) == []
    assert errors("TokenResponseModel", {"token": token["token"]}) == []


def test_the_nine_calls_of_the_reference_are_served(client: httpx.Client) -> None:
    missing = []
    for path, methods in OPENAPI["paths"].items():
        url = path.removeprefix("/v1/convai").format(conversation_id="conv_none", agent_id="none")
        for method in methods:
            answer = client.request(method, url, json={} if method == "post" else None)
            if answer.status_code == 405 or answer.json() == {"detail": "Not Found"}:
                missing.append((method, path))
    assert missing == []
    assert sum(len(methods) for methods in OPENAPI["paths"].values()) == 9


# What the schema can carry, as (path, kind of value): ``[]`` is any item, ``*`` any key of a map.

Place = tuple[str, str]


def resolve(schema: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return name, SCHEMAS[name] if name else schema


def variants(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Name and schema of every variant but null, unions in unions laid flat."""
    name, schema = resolve(schema)
    if "oneOf" in schema:
        return [each for variant in schema["oneOf"] for each in variants(variant)]
    kinds = schema.get("type", "any")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return [(name or kind, schema | {"type": kind}) for kind in kinds if kind != "null"]


def expected(schema: dict[str, Any], path: str = "", inside: tuple[str, ...] = ()) -> Iterator[Place]:
    """Every place of a schema; a model inside itself (a workflow in a workflow) is not opened a second time."""
    for name, variant in variants(schema):
        yield path, name
        if name in inside:
            continue
        deeper = (*inside, name) if name in SCHEMAS else inside
        for key, value in variant.get("properties", {}).items():
            yield from expected(value, f"{path}.{key}", deeper)
        if isinstance(variant.get("additionalProperties"), dict):
            yield from expected(variant["additionalProperties"], f"{path}.*", deeper)
        if variant.get("items"):
            yield from expected(variant["items"], f"{path}[]", deeper)


JSON_TYPES = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "array": list,
    "object": dict,
    "any": object,
}


def fits(schema: dict[str, Any], value: Any) -> bool:
    """Whether a value can be of a variant: its JSON type, its required keys, and the enums of its keys."""
    if not isinstance(value, JSON_TYPES[schema["type"]]):
        return False
    if isinstance(value, bool) and schema["type"] in ("integer", "number"):
        return False
    if schema["type"] != "object":
        return True
    words = {key: resolve(each)[1].get("enum") for key, each in schema.get("properties", {}).items()}
    return all(key in value for key in schema.get("required", ())) and all(
        value[key] in enum for key, enum in words.items() if enum and key in value
    )


def seen(schema: dict[str, Any], value: Any, path: str = "") -> Iterator[Place]:
    for name, variant in variants(schema):
        if value is None or not fits(variant, value):
            continue
        yield path, name
        if isinstance(value, list):
            for item in value:
                yield from seen(variant.get("items", {}), item, f"{path}[]")
        elif isinstance(value, dict):
            properties, rest = variant.get("properties", {}), variant.get("additionalProperties")
            for key, inner in value.items():
                if key in properties:
                    yield from seen(properties[key], inner, f"{path}.{key}")
                elif isinstance(rest, dict):
                    yield from seen(rest, inner, f"{path}.*")


def test_every_value_path_and_union_variant_occurs_within_a_thousand_conversations(
    documents: list[dict[str, Any]],
) -> None:
    places = set(expected(SCHEMAS[DETAIL]))
    occurring = {place for document in documents for place in seen(SCHEMAS[DETAIL], document)}
    assert len(documents) <= 1000
    assert len({path for path, _ in places}) > 290
    assert sorted(places - occurring) == []


def test_every_word_of_the_small_enums_occurs(documents: list[dict[str, Any]]) -> None:
    text = json.dumps(documents)
    words = {
        (name, word)
        for name in {name for _, name in expected(SCHEMAS[DETAIL])} & set(SCHEMAS)
        for word in SCHEMAS[name].get("enum", ())
        if name != "LLM"
    }
    assert sorted((name, word) for name, word in words if f'"{word}"' not in text) == []


def test_workflows_nest_at_least_two_deep_with_transfers_to_nodes(documents: list[dict[str, Any]]) -> None:
    def routes(results: list[dict[str, Any]], depth: int) -> Iterator[tuple[int, str, str]]:
        for result in results:
            for step in (result.get("result") or {}).get("steps", ()):
                yield depth, step["type"], ""
                for inner in step.get("results", ()):
                    target = (inner.get("result") or {}).get("to_agent", "")
                    yield depth, "transfer" if target else "", target[:5]
                yield from routes(step.get("results", []), depth + 1)

    found = {
        each for document in documents for entry in document["transcript"] for each in routes(entry["tool_results"], 1)
    }
    assert {
        (1, "edge", ""),
        (1, "nested_tools", ""),
        (1, "max_iterations_exceeded", ""),
        (2, "edge", ""),
        (2, "nested_tools", ""),
        (2, "transfer", "node_"),
    } <= found


def test_collected_values_have_every_json_type(documents: list[dict[str, Any]]) -> None:
    collected = [document["analysis"]["data_collection_results"] for document in documents if document["analysis"]]
    types = {type(each["value"]).__name__ for results in collected for each in results.values()}
    assert types == {"str", "int", "float", "bool", "NoneType", "list", "dict"}


# Documents of 2026, reduced to the spec of 2025.

NOT_IN_2025 = {
    "agent_name",
    "asr",
    "asr_usage",
    "branch_info",
    "call_id",
    "call_result",
    "call_success_score",
    "config_snapshot_id",
    "contextual_update_info",
    "convai_asr_provider",
    "convai_tts_cascade",
    "convai_tts_model",
    "conversation_product",
    "cost_fiat",
    "created_at_unix_ms",
    "data_collection_results_list",
    "dtmf_input",
    "environment",
    "error_type",
    "evaluation_criteria_results_list",
    "file_input",
    "freeform_procedure",
    "has_auxiliary_audio",
    "ignored_as_backchannel",
    "integration_id",
    "is_blocked",
    "max_score",
    "otlp_traces",
    "per_voice_usage",
    "platform_charge",
    "platform_event",
    "platform_price",
    "platform_usage",
    "procedure_ids",
    "producing_llm",
    "queue_wait_secs",
    "raw_error_message",
    "reasoning",
    "scoped",
    "scoring_mode",
    "sentiment_analysis",
    "sms",
    "source_event_id",
    "starting_workflow_node_id",
    "tag_ids",
    "to_node",
    "tool_id",
    "tool_mock_config",
    "triggered_guardrails",
    "tts_usage",
    "used_chunk_ids",
    "user_message_count",
    "version_id",
    "versioning",
    "visited_agents",
    "voice_surcharge_charge",
    "warnings",
    "webhook_details",
}


@pytest.fixture(scope="module")
def of_2026(world: World) -> list[dict[str, Any]]:
    """Documents in the form of 2026 of every conversation whose scenario the spec of 2025 can hold."""
    later = {scenario.name for scenario in STORY.scenarios.rota if scenario.schema == 2026}
    return [build_document_of_2026(blueprint) for blueprint in world.visible(UNTIL) if blueprint.scenario not in later]


def keys_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for part in value.values():
            yield from keys_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from keys_of(part)


def test_documents_of_2026_are_reduced_to_valid_ones_of_2025(of_2026: list[dict[str, Any]]) -> None:
    keys = {key for document in of_2026 for key in keys_of(document)}
    assert keys >= NOT_IN_2025 - {"error_type"}
    reduced = [downgrade(copy.deepcopy(document)) for document in of_2026]
    left = {key for document in reduced for key in keys_of(document)}
    assert left & NOT_IN_2025 == set()
    assert {"campaign"} & {key for each in reduced for key in each["metadata"]["batch_call"] or ()} == set()
    wrong = {each["conversation_id"]: errors(DETAIL, each) for each in reduced[::3]}
    assert len(wrong) > 200
    assert {each: found for each, found in wrong.items() if found} == {}


def changes(new: Any, old: Any, path: str = "") -> Iterator[str]:
    """The places at which a reduced document says something else than the whole one, not less."""
    if isinstance(new, dict) and isinstance(old, dict):
        for key, value in new.items():
            yield from changes(value, old[key], f"{path}.{key}") if key in old else (f"{path}.{key}",)
    elif isinstance(new, list) and isinstance(old, list) and len(new) == len(old):
        for one, other in zip(new, old, strict=True):
            yield from changes(one, other, f"{path}[]")
    elif new != old:
        yield path


def test_a_reduced_document_says_less_and_nothing_else_except_what_was_renamed(
    of_2026: list[dict[str, Any]],
) -> None:
    changed = {
        place for document in of_2026 for place in changes(downgrade(copy.deepcopy(document)), copy.deepcopy(document))
    }
    steps = r"\.result\.steps\[\]"
    places = {re.sub(rf"{steps}\.results\[\]", "", place) for place in changed}
    assert {re.sub(rf"tool_results\[\]{steps}\.requests", "tool_calls", place) for place in places} <= {
        ".metadata.initiation_trigger",
        ".metadata.whatsapp.whatsapp_business_account_id",
        ".metadata.charging",
        ".transcript[].tool_results[].result_value",
        ".transcript[].tool_calls[].tool_details.type",
        ".transcript[].tool_calls[].tool_details.method",
        ".transcript[].tool_calls[].tool_details.url",
        ".transcript[].tool_calls[].tool_details.headers",
        ".transcript[].tool_calls[].tool_details.path_params",
        ".transcript[].tool_calls[].tool_details.query_params",
        ".transcript[].tool_calls[].tool_details.body",
    }
    assert {".metadata.initiation_trigger", ".metadata.charging"} <= changed


def test_the_error_type_of_an_unanswered_conversation_is_dropped(of_2026: list[dict[str, Any]]) -> None:
    document = copy.deepcopy(next(each for each in of_2026 if each["metadata"]["error"]))
    document["metadata"]["error"]["error_type"] = "no_answer"
    assert errors(DETAIL, downgrade(document)) == []


@pytest.mark.parametrize("scenario", ["old_metrics", "old_results"])
def test_two_scenarios_go_back_to_what_was_seen_before(scenario: str, of_2026: list[dict[str, Any]]) -> None:
    document = copy.deepcopy(next(each for each in of_2026 if "end_call" in each["metadata"]["termination_reason"]))
    reduced = downgrade(document, scenario)
    assert errors(DETAIL, reduced) == [] or scenario == "old_results"
    metrics = [entry["conversation_turn_metrics"] for entry in reduced["transcript"]]
    system = [r for entry in reduced["transcript"] for r in entry["tool_results"] if r["type"] == "system"]
    assert all(("metrics" in timed) == (scenario != "old_metrics") for timed in metrics if timed)
    assert all(("result" in result) == (scenario != "old_results") for result in system)
    assert system
    assert set(reduced["metadata"]["charging"]) >= {"dev_discount", "is_burst", "tier"}
    assert ("llm_price" in reduced["metadata"]["charging"]) == (scenario != "old_metrics")

"""The emulator's answers against the reference (``openapi.json``), and the reference against the emulator's world."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from pipelines.emulator.data.agents import AGENTS
from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from tests.helpers.openapi import DETAIL, OPENAPI, SCHEMAS, errors

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)


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
    wrong = {key: errors(DETAIL, client.get(f"/conversations/{key}").json()) for key in sample}
    assert len(sample) > 100
    assert {key: problems for key, problems in wrong.items() if problems} == {}


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
    prices = [{k: v for k, v in price.items() if k != "price_per_message"} for price in calculate.json()["llm_prices"]]
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


READ_BY_THE_SDK = {
    "/v1/convai/agents",
    "/v1/convai/agents/{agent_id}",
    "/v1/convai/agents/{agent_id}/branches",
    "/v1/convai/agents/{agent_id}/versions/{version_id}",
    "/v1/convai/batch-calling/workspace",
    "/v1/convai/batch-calling/{batch_id}",
    "/v1/convai/tags",
    "/v1/workspace/analytics/usage",
    "/v1/workspace/analytics/query/usage-by-product-over-time",
}
"""Routes that are newer than the reference; ``test_emulator_sdk.py`` reads them."""


def test_every_route_is_one_of_the_reference_or_read_by_the_sdk(world: World) -> None:
    routes = {getattr(route, "path", "") for route in create_app(world, clock=lambda: UNTIL).routes}
    assert routes - set(OPENAPI["paths"]) == READ_BY_THE_SDK, "compare the new route in test_emulator_sdk.py"


# What the schema can carry, as (path, kind of value): ``[]`` is any item, ``*`` any key of a map.

Place = tuple[str, str]


def resolve(schema: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return name, SCHEMAS[name] if name else schema


def variants(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Name and schema of every variant but null, unions in unions laid flat."""
    name, schema = resolve(schema)
    if "oneOf" in schema:
        return [shape for variant in schema["oneOf"] for shape in variants(variant)]
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
    words = {
        key: resolve(property_schema)[1].get("enum") for key, property_schema in schema.get("properties", {}).items()
    }
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

    taken_routes = {
        route
        for document in documents
        for entry in document["transcript"]
        for route in routes(entry["tool_results"], 1)
    }
    assert {
        (1, "edge", ""),
        (1, "nested_tools", ""),
        (1, "max_iterations_exceeded", ""),
        (2, "edge", ""),
        (2, "nested_tools", ""),
        (2, "transfer", "node_"),
    } <= taken_routes


def test_collected_values_have_every_json_type(documents: list[dict[str, Any]]) -> None:
    collected = [document["analysis"]["data_collection_results"] for document in documents if document["analysis"]]
    types = {type(result["value"]).__name__ for results in collected for result in results.values()}
    assert types == {"str", "int", "float", "bool", "NoneType", "list", "dict"}

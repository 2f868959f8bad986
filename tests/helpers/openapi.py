"""The vendor's reference (``tests/contract/openapi.json``), and what is wrong with a document by it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

OPENAPI = json.loads((Path(__file__).parents[1] / "contract" / "openapi.json").read_text())
SCHEMAS: dict[str, Any] = OPENAPI["components"]["schemas"]
DETAIL = "GetConversationResponseModel"
# Old payloads keep the map of metrics one level higher; the extra body is the integration's own.
OPEN_OBJECTS = {"ConversationTurnMetrics", "ConversationInitiationClientDataRequestOutputCustomLlmExtraBody"}


_closed: dict[str, dict[str, Any]] = {name: {} for name in SCHEMAS}
"""By name, what ``strict`` makes of a schema: each reference is the schema itself, as looking it up takes longer."""


def strict(schema: Any, name: str = "") -> Any:
    """Close objects against keys that the reference does not know.

    ``oneOf`` becomes ``anyOf``: variants of the reference overlap (a whole number is an integer and a number, a
    client's tool result fits two models), so "exactly one" would refuse what the reference itself shows.
    """
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _closed[schema["$ref"].rpartition("/")[2]]
    closed = {"anyOf" if key == "oneOf" else key: strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict):
        closed["properties"] = {key: strict(value) for key, value in schema["properties"].items()}
        if name not in OPEN_OBJECTS and "additionalProperties" not in schema:
            closed["additionalProperties"] = False
    return closed


@cache
def validator(name: str) -> Draft202012Validator:
    if not _closed[name]:
        for key, schema in SCHEMAS.items():
            _closed[key] |= strict(schema, key)
    return Draft202012Validator(_closed[name])


def errors(name: str, instance: Any) -> list[str]:
    """Where the instance is not what the schema of this name says, and why."""
    return [f"{error.json_path}: {error.message[:200]}" for error in validator(name).iter_errors(instance)]

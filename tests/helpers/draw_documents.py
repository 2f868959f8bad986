"""Documents drawn from a published schema: every leaf has a value, and each text and number occurs only once.

A schema with unions takes several documents to show every variant; lists and maps have two elements, of neighbouring
variants. A workflow contains another workflow once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from tests.helpers.lazy_import import lazy_import

vendor = lazy_import("elevenlabs.types")

Schema = dict[str, Any]
Step = str | int


@dataclass(frozen=True, slots=True)
class Published:
    """A published schema: that of a conversation detail, and the models it names."""

    root: Schema
    models: dict[str, Schema]


def reference() -> Published:
    """The reference's OpenAPI of November 2025."""
    models = json.loads((Path(__file__).parents[1] / "contract" / "openapi.json").read_text())["components"]["schemas"]
    return Published({"$ref": "GetConversationResponseModel"}, models)


def current_api() -> Published:
    """The vendor's current SDK."""
    root = vendor().GetConversationResponseModel.model_json_schema()
    return Published(root, root["$defs"])


@dataclass(frozen=True, slots=True)
class Leaf:
    """A drawn value.

    ``path`` is its value path: ``{}`` is any key of a map and ``[]`` any item of a list. The path ends where any value
    is allowed and at a workflow inside a workflow. ``way`` leads to the value through the document. ``place`` does too,
    but lists nested tool calls and results with those of the transcript, by running number, and entries of a list twin
    with those of its map, by their id. ``is_unique`` is false for booleans and words of an enum.
    """

    path: str
    way: tuple[Step, ...]
    place: tuple[Step, ...]
    value: Any
    is_unique: bool


class Spot(NamedTuple):
    """Position of the drawing; ``inside`` are the enclosing models, ``is_closed`` says that the path has ended."""

    path: str = ""
    way: tuple[Step, ...] = ()
    place: tuple[Step, ...] = ()
    inside: tuple[str, ...] = ()
    is_closed: bool = False

    def below(self, mark: str, step: Step, place: tuple[Step, ...] = ()) -> Spot:
        path = self.path if self.is_closed else (self.path + mark).strip(".")
        return Spot(path, (*self.way, step), place or (*self.place, step), self.inside, self.is_closed)


@dataclass(frozen=True, slots=True)
class Variant:
    """One alternative of a schema: the model it is, if it has a name, and its JSON type."""

    model: str
    kind: str
    schema: Schema

    def inside(self, around: tuple[str, ...]) -> tuple[str, ...]:
        return (*around, self.model) if self.model else around


TEXT: Schema = {"type": "string"}
ANYTHING: Schema = {}
KINDS: Schema = {
    "oneOf": [
        *({"type": kind} for kind in ("string", "integer", "number", "boolean")),
        {"type": "array", "items": TEXT},
        {"type": "object", "additionalProperties": TEXT},
    ]
}
"""Variants that are drawn where the schema allows any value."""

TOOLS = {
    "tool_calls": "tool_calls",
    "requests": "tool_calls",
    "tool_results": "tool_results",
    "results": "tool_results",
}
"""Lists of tool calls and results, including those in a workflow step."""

OWN_KEYS = ("criteria_id", "data_collection_id")
"""Values that can repeat the key of the map that holds them; in its twin, a list, they take the place of the key."""

TWIN = "_list"
"""End of the name of a list that is the twin of a map."""


def element(schema: Schema) -> Schema:
    """Schema of a list's items or a map's values."""
    below = schema.get("items", schema.get("additionalProperties"))
    return below if isinstance(below, dict) else ANYTHING


LENGTH = 2
"""Elements of a drawn list or map, each of another variant where there are several."""


class Drawing:
    """Iterates over drawn documents with their leaves; ``first`` is the first number that makes a value unique."""

    def __init__(self, published: Published, first: int) -> None:
        self._published = published
        self._numbers = count(first)
        self._options: dict[tuple[int, tuple[str, ...]], list[tuple[Variant, int]]] = {}
        self._leaves: list[Leaf] = []
        self._running: dict[str, Iterator[int]] = {}

    def __iter__(self) -> Iterator[tuple[dict[str, Any], list[Leaf]]]:
        root = self._published.root
        for case in range(len(self._cases(root, ()))):
            self._leaves, self._running = [], {table: count() for table in TOOLS.values()}
            yield self._draw(root, case, Spot()), self._leaves

    def _variants(self, schema: Schema) -> Iterator[Variant]:
        model = schema.get("$ref", "").rpartition("/")[2]
        schema = self._published.models[model] if model else schema
        union = schema.get("oneOf", schema.get("anyOf"))
        if union is not None:
            variants = [variant for alternative in union for variant in self._variants(alternative)]
            # The SDK writes an enum that may grow as a union of its words and any string.
            yield from [variant for variant in variants if variant.kind != "any"] or variants
            return
        kinds = schema.get("type", "any")
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            if kind != "null":
                yield Variant(model, kind, schema)

    def _cases(self, schema: Schema, inside: tuple[str, ...]) -> list[tuple[Variant, int]]:
        """What to draw of a schema in how many documents, so that every variant of it and of its parts occurs."""
        key = (id(schema), inside)
        if key not in self._options:
            self._options[key] = [
                (variant, case)
                for variant in self._variants(schema)
                if inside.count(variant.model) < 2
                for case in range(self._n_cases(variant, variant.inside(inside)))
            ]
        return self._options[key]

    def _n_cases(self, variant: Variant, inside: tuple[str, ...]) -> int:
        if variant.schema.get("properties"):
            return max(len(self._cases(part, inside)) for part in variant.schema["properties"].values())
        if variant.kind == "any":
            return len(self._cases(KINDS, inside))
        if variant.kind in ("array", "object"):
            return -(-len(self._cases(element(variant.schema), inside)) // LENGTH)
        return 1

    def _draw(self, schema: Schema, case: int, spot: Spot) -> Any:
        cases = self._cases(schema, spot.inside)
        variant, case = cases[case % len(cases)]
        is_closed = spot.is_closed or variant.kind == "any" or variant.model in spot.inside
        return self._draw_variant(variant, case, spot._replace(inside=variant.inside(spot.inside), is_closed=is_closed))

    def _draw_variant(self, variant: Variant, case: int, spot: Spot) -> Any:
        schema = variant.schema
        if schema.get("properties"):
            return {k: self._draw(part, case, spot.below(f".{k}", k)) for k, part in schema["properties"].items()}
        if variant.kind == "any":
            return self._draw(KINDS, case, spot)
        cases = range(case * LENGTH, (case + 1) * LENGTH)
        if variant.kind == "array":
            return [self._draw(element(schema), number, self._item(spot, at)) for at, number in enumerate(cases)]
        if variant.kind == "object":
            keys = {f"key{next(self._numbers)}": number for number in cases}
            return {key: self._draw(element(schema), number, spot.below("{}", key)) for key, number in keys.items()}
        value = self._value(variant, spot)
        is_unique = variant.kind != "boolean" and not enum_words(schema)
        self._leaves.append(Leaf(spot.path, spot.way, spot.place, value, is_unique))
        return value

    def _item(self, spot: Spot, at: int) -> Spot:
        name = str(spot.way[-1])
        if name.endswith(TWIN):
            return spot.below("[]", at, (*spot.place[:-1], name.removesuffix(TWIN), f"id{next(self._numbers)}"))
        table = TOOLS.get(str(spot.way[-1]))
        return spot.below("[]", at, (*spot.place[:2], table, next(self._running[table])) if table else ())

    def _value(self, variant: Variant, spot: Spot) -> Any:
        number = next(self._numbers)
        if spot.way[-1] in OWN_KEYS and isinstance(spot.way[-2], int):
            return spot.place[-2]
        if enum_words(variant.schema):
            return enum_words(variant.schema)[number % len(enum_words(variant.schema))]
        drawn = {"string": f"text{number}", "integer": number, "number": number + 0.5, "boolean": number % 2 == 0}
        return drawn[variant.kind]


def enum_words(schema: Schema) -> list[str]:
    """Words of an enum; empty for any other schema."""
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))

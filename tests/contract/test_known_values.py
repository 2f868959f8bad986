"""The words that are known are those that are published: by the reference's OpenAPI and by the vendor's SDK."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

from tests.helpers.draw_documents import TOOLS, Drawing, Published, Schema, current_api, element, enum_words, reference
from warehouse.schema.known_values import KNOWN_VALUES
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.schema.types import Type

OVERRIDE = "conversation_initiation_client_data.conversation_config_override"
OPEN = {
    f"{OVERRIDE}.agent.prompt.llm": "names of language models: new ones come every month",
    f"{OVERRIDE}.tts.model_id": "names of speech models",
}
"""Columns whose published words are not held, and why."""

PROSE = {"transcript[].tool_results[].type": {"smb"}}
"""Words that are told in prose only: the SDK lists this one for a tool's call and not for its result."""

COLUMNS = Counter(path for table in DOCUMENT_TABLES for column in table.columns for path in table.paths(column))
CLOSED = {
    path
    for table in DOCUMENT_TABLES
    for column in table.columns
    for path in table.paths(column)
    if column.type in {Type.TEXT, Type.TEXT_OR_JSON}
}


def spoken(drawing: Drawing, schema: Schema, path: str = "", inside: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Each word of an enum below a schema with its path; calls and results of a workflow's steps as the transcript's.

    A model within itself says nothing new.
    """
    for variant in drawing._variants(schema):
        if variant.model and variant.model in inside:
            continue
        around = variant.inside(inside)
        for word in enum_words(variant.schema):
            yield path, word
        for key, part in variant.schema.get("properties", {}).items():
            yield from spoken(drawing, part, f"{path}.{key}".strip("."), around)
        if variant.kind == "array":
            table = TOOLS.get(path.rpartition(".")[2])
            yield from spoken(
                drawing, element(variant.schema), f"transcript[].{table}[]" if table else f"{path}[]", around
            )
        elif variant.kind == "object" and not variant.schema.get("properties"):
            yield from spoken(drawing, element(variant.schema), f"{path}{{}}", around)


def published(schema: Published) -> dict[str, set[str]]:
    """Words that a schema lists for each column of text."""
    words: dict[str, set[str]] = defaultdict(set)
    for path, word in spoken(Drawing(schema, first=0), schema.root):
        if path in CLOSED:
            words[path].add(word)
    return words


@pytest.fixture(scope="module")
def of_either() -> dict[str, set[str]]:
    """Words by path, of the reference and of today's API together."""
    old, new = published(reference()), published(current_api())
    assert (len(old), len(new)) == (26, 48)
    return {path: old.get(path, set()) | new.get(path, set()) for path in old.keys() | new.keys()}


def test_every_published_word_of_a_column_is_known(of_either):
    closed = {path: words for path, words in of_either.items() if path not in OPEN}
    unknown = {path: words - set(KNOWN_VALUES.get(path, ())) for path, words in closed.items()}
    assert {path: words for path, words in unknown.items() if words} == {}


def test_every_known_word_is_published_or_said_in_prose(of_either):
    unpublished = {path: set(words) - of_either.get(path, set()) for path, words in KNOWN_VALUES.items()}
    assert {path: words for path, words in unpublished.items() if words} == PROSE


def test_no_exception_is_idle(of_either):
    assert set(OPEN) <= of_either.keys() - KNOWN_VALUES.keys()
    assert {path for path, words in PROSE.items() if words <= set(KNOWN_VALUES[path])} == PROSE.keys()


def test_every_path_with_words_is_that_of_one_column_of_text():
    assert KNOWN_VALUES.keys() <= CLOSED
    assert {path: COLUMNS[path] for path in KNOWN_VALUES} == dict.fromkeys(KNOWN_VALUES, 1)


def test_no_word_is_listed_twice():
    assert {path: len(words) for path, words in KNOWN_VALUES.items()} == {
        path: len(set(words)) for path, words in KNOWN_VALUES.items()
    }

"""Masking is done once and for all and leaves JSON JSON; hiding people changes texts and nothing that is counted."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.emulator.generator.world import World
from pipelines.privacy.mask_documents import mask, mask_text
from pipelines.privacy.pseudonyms import Pseudonymizer
from pipelines.transform.flatten import Snapshot, flatten
from tests.helpers.examples import examples
from tests.helpers.sample_documents import READ_AT
from tests.independent import row_counts
from warehouse.schema.registry import BY_NAME

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
PEOPLE = Pseudonymizer(b"0123456789abcdef")

PIECES = st.sampled_from(
    [
        *(
            "token",
            "api_key",
            "Authorization",
            "bearer",
            "Basic",
            "password",
            "cookie",
            "key",
            "eyJhbGciOi.eyJzdWIiOi.c2ln",
        ),
        *("=", ": ", ":", "&", "?", "//", "@", '"', "'", "\\", " ", "\n", "%3D", "#", ",", "{", "}", "[", "]", "*"),
        *(
            "abc1",
            "x",
            "12345678901234567890",
            "eyJhbGciOi.eyJzdWIiOi.c2ln",
            "sk-0123456789abcdef01",
            "https://u:p",
            "-----BEGIN PRIVATE KEY-----",
        ),
        *("+4930901820", "4111 1111 1111 1111", "jane", "example.com", "h:", "555-123-4567"),
    ]
)
TEXTS = st.one_of(st.text(max_size=12), st.lists(PIECES, max_size=9).map("".join))
NAMES = st.one_of(
    st.sampled_from(["token", "tokens", "secret__x", "headers", "tool_details", "name", "value", "user_id", "a"]),
    TEXTS,
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS)
PLAIN = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)
VALUES = st.one_of(PLAIN, PLAIN.map(json.dumps), st.dictionaries(NAMES, PLAIN.map(json.dumps), max_size=2))


@given(VALUES)
@example({"name": "-----BEGIN PRIVATE KEY-----Authorization", "value": 0})
@example({"name": '"TOKEN:0"', "value": "null"})
@example(["TOKEN=A", "00000A"])
@example([["TOKEN=A", "plain"], ["a", "b"]])
@settings(max_examples=examples(300))
def test_masking_twice_is_masking_once(value):
    assert mask(mask(value)) == mask(value)


@given(VALUES, st.booleans())
@settings(max_examples=examples(300))
def test_json_stays_json_and_keeps_its_keys(value, is_ascii):
    text = json.dumps(value, ensure_ascii=is_ascii)
    assert json.loads(mask_text(text)) == mask(value)
    hidden = json.loads(json.dumps(PEOPLE.pseudonymize(value)))
    assert shape(hidden) == shape(value)


def shape(value):
    """What is left of a document without its texts and numbers; keys are texts too, and each stays a key of its own."""
    if isinstance(value, dict):
        return "object", [shape(item) for item in value.values()]
    return [shape(item) for item in value] if isinstance(value, list) else None


@given(TEXTS)
@settings(max_examples=examples(300))
def test_hiding_twice_is_hiding_once(text):
    document = {"user_id": "customer-1", "message": text}
    assert PEOPLE.pseudonymize(PEOPLE.pseudonymize(document)) == PEOPLE.pseudonymize(document)


def frames(documents):
    return flatten(
        Snapshot(document["conversation_id"], json.dumps(document).encode(), READ_AT) for document in documents
    ).frames


def test_rows_sums_ids_times_and_numbers_are_those_of_the_documents_as_they_came():
    documents = list(World(seed=7, conversations=150, days=5, until=UNTIL).details(UNTIL))
    hidden = [PEOPLE.pseudonymize(document) for document in documents]
    assert row_counts.rows(hidden) == row_counts.rows(documents)
    assert row_counts.sums(hidden) == row_counts.sums(documents)
    before, after = frames(documents), frames(hidden)
    changed = set()
    for name, frame in before.items():
        for column in frame.columns:
            if not frame[column].equals(after[name][column], null_equal=True):
                changed.add(f"{name}.{column}")
    assert {column for column in changed if not is_text(column)} == set()
    assert {column for column in changed if column.endswith("_id")} == {
        "conversations.user_id",
        "conversations.caller_id",
        "conversations.conversation_initiation_client_data_user_id",
        "conversations.initiator_id",
        "conversations.whatsapp_whatsapp_user_id",
        "conversations.whatsapp_whatsapp_phone_number_id",
        "conversations.whatsapp_whatsapp_business_account_id",
    }
    keys = {name: frame.select(BY_NAME[name].key) for name, frame in before.items()}
    assert all(keys[name].equals(after[name].select(BY_NAME[name].key)) for name in keys)


def is_text(column):
    table, name = column.split(".")
    return frames(())[table].schema[name] == pl.String

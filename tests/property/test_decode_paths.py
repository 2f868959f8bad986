"""Both decoders give the same rows, and no change of a document affects the rows of another."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipelines.emulator.generator.world import World
from pipelines.transform.decode import UnflattenableError, read_detail
from pipelines.transform.document_schema import DETAIL
from pipelines.transform.flatten import Snapshot, flatten
from pipelines.transform.lenient_decode import convert
from tests.helpers.examples import examples
from tests.helpers.sample_documents import READ_AT, RECORDED, detail

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
DOCUMENTS = [
    *World(seed=3, conversations=40, days=3, until=UNTIL).details(UNTIL),
    json.loads((RECORDED / "text_chat_2026.json").read_bytes()),
    json.loads((RECORDED / "rag_and_end_call_2025.json").read_bytes()),
]
TOO_LARGE = "1e400 without its quotes"
"""Replaced in the JSON text by the number 1e400, which is too large for a float and so for any Python object."""

TEXTS = st.text(st.characters(exclude_categories=()), max_size=8)  # lone surrogates, NUL and marks of direction too
ODD_TEXTS = st.sampled_from(["", "\x00", "\ud800", "\udfff\ud800", "\u202eabc\u2066", "\ufeff", "a.b[0]{c}", "}{"])


def nested(wrap):
    """A value inside sixty nested containers."""
    value = "at the bottom"
    for _ in range(60):
        value = wrap(value)
    return value


STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.just(10**400),
    st.sampled_from([2**53 + 1, 2**63, 2**64, -(2**63) - 1, 2**70, TOO_LARGE, 1e308, -0.0]),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
    ODD_TEXTS,
    st.just([]),
    st.just({}),
    st.just([[], [[]], {}]),
    st.just([None, 1, "x", {"y": []}]),
    st.just({"a": {"b": [{"c": None}]}}),
    st.just([TOO_LARGE, {"\ud800": TOO_LARGE}]),
    st.just(nested(lambda value: [value])),
    st.just(nested(lambda value: {"a": value})),
    st.just(nested(lambda value: {"result": {"steps": [{"type": "nested_tools", "results": [value]}]}})),
)


def places(value, path=()):
    """The path to every key and element of a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def written(document):
    return json.dumps(document).replace(json.dumps(TOO_LARGE), "1e400").encode()


def snapshot(document):
    return Snapshot(str(document.get("conversation_id")), written(document), READ_AT)


def all_rows(*documents):
    return {name: frame.to_dicts() for name, frame in flatten(map(snapshot, documents)).frames.items()}


@pytest.mark.parametrize("at", range(len(DOCUMENTS)))
def test_both_decoders_give_the_same_struct(at):
    document = DOCUMENTS[at]
    assert read_detail(json.dumps(document).encode()) == convert(DETAIL, document)


@given(st.data())
@settings(
    max_examples=examples(100),
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_a_mutated_document_affects_no_other_document(data):
    document = copy.deepcopy(DOCUMENTS[data.draw(st.integers(0, len(DOCUMENTS) - 1))])
    for _ in range(data.draw(st.integers(1, 4))):
        ways = list(places(document))
        where = ways[data.draw(st.integers(0, len(ways) - 1))]
        strange = copy.deepcopy(data.draw(STRANGE))
        holder = document
        for step in where[:-1]:
            holder = holder[step]
        change = data.draw(st.sampled_from(["replace", "drop", "add"]))
        if change == "add" and isinstance(holder, dict):
            holder[data.draw(st.one_of(st.just("never_seen_before"), TEXTS, ODD_TEXTS))] = strange
        elif change == "drop" and isinstance(holder, dict):
            del holder[where[-1]]
        else:
            holder[where[-1]] = strange

    other = detail(conversation_id="conv_other", transcript=[{"role": "user", "message": "kept"}])
    flattened = flatten([snapshot(document), snapshot(other)])

    ids = flattened.frames["conversations"]["conversation_id"].to_list()
    assert ids == [i for i in (snapshot(document).conversation_id, "conv_other") if i not in flattened.errors]
    alone = all_rows(other)
    for name, frame in flattened.frames.items():
        assert frame.filter(conversation_id="conv_other").to_dicts() == alone[name]
    if flattened.errors:  # only ids and start are required
        assert unreadable(document)


def unreadable(document):
    try:
        return read_detail(written(document)).conversation_id != document.get("conversation_id")
    except UnflattenableError as error:
        return any(word in str(error) for word in ("conversation_id", "start_time_unix_secs"))

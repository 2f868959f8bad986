"""No value of a document is in none of a column, ``extra`` or the list of exceptions, whatever is where.

Documents with every key of today's API are changed: a new key, or a value of another type, with a text that occurs
nowhere else. The text must be in a cell of the rows.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from polars import selectors

from tests.helpers.column_coverage import EXCEPTIONS, HISTORY, flat
from tests.helpers.draw_documents import Drawing, Step, current_api
from tests.helpers.examples import examples

MARK = "found nowhere else"
NEEDED = {("conversation_id",), ("agent_id",), ("metadata",), ("metadata", "start_time_unix_secs")}
FORMS: tuple[Any, ...] = (MARK, [MARK], {"key": MARK}, [{"key": [MARK]}], {"criteria_id": MARK}, [[None, MARK]])


def places(value: Any, way: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Ways to every value below a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield (*way, step)
        yield from places(item, (*way, step))


@cache
def documents() -> list[tuple[dict[str, Any], list[tuple[Step, ...]]]]:
    """Each document, and the ways to what may be changed in it."""
    drawn = [document for document, _ in Drawing(current_api(), first=1)]
    return [
        (document, [way for way in places(document) if way not in NEEDED and not {"headers", HISTORY} & {*way}])
        for document in drawn
    ]


assert all("headers" in path or HISTORY in path for path in EXCEPTIONS)


def changed(document: dict[str, Any], way: tuple[Step, ...], form: Any, *, is_new: bool) -> dict[str, Any]:
    """The document with ``form`` at the place; with ``is_new``, beside it under a key that no schema has."""
    copied = copy.deepcopy(document)
    holder: Any = copied
    for step in way[:-1]:
        holder = holder[step]
    if not is_new:
        holder[way[-1]] = copy.deepcopy(form)
    elif isinstance(holder, dict):
        holder["brand_new"] = copy.deepcopy(form)
    else:
        holder.append(copy.deepcopy(form))
    return copied


@given(st.data())
@settings(max_examples=examples(250))
def test_every_value_of_a_changed_document_is_in_a_cell(data: st.DataObject) -> None:
    document, ways = documents()[data.draw(st.integers(0, len(documents()) - 1))]
    way = data.draw(st.sampled_from(ways))
    form, is_new = data.draw(st.sampled_from(FORMS)), data.draw(st.booleans())
    frames = flat([changed(document, way, form, is_new=is_new)])
    cells = (
        cell for frame in frames.values() for column in frame.select(selectors.string()) for cell in column.drop_nulls()
    )
    assert any(MARK in cell for cell in cells), (way, form, is_new)

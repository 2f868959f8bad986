from __future__ import annotations

import json
from typing import Any

import pytest

METRIC = "metrics.data_collection_fill"


def _collected(rows: Any, call: str, field: str, value: object, declared: str | None = None, **row: object) -> None:
    """A field of a call with the value where the lake puts it."""
    typed = {
        "value_text": value if isinstance(value, str) else None,
        "value_number": float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None,
        "value_bool": value if isinstance(value, bool) else None,
    }
    of_it = {"conversation_id": call, "data_collection_id": field, "json_schema_type": declared}
    text = None if value is None else json.dumps(value)
    rows.add("data_collection_results", **(of_it | typed | {"value": text} | row))


def test_data_collection_fill(rows: Any) -> None:
    rows.seed("excluded_callers", "user_id,tester,ourselves")
    for number in range(1, 9):
        rows.call(f"c{number}", is_deleted=number == 8, agent_name="Front")
    rows.call("of_others", agent_id="a2", agent_name="Others")
    rows.call("open", status="in-progress")
    rows.call("tested", user_id="tester")
    values = ["b", "a", "b", None, "", " ", 3, "<redacted>"]
    for number, value in enumerate(values, 1):
        _collected(rows, f"c{number}", "name", value, "string")
    for call in ("open", "tested"):
        _collected(rows, call, "name", "b", "string")
    _collected(rows, "c1", "never", [])
    _collected(rows, "c2", "never", None)
    _collected(rows, "c1", "untold", {"street": "x"})
    key = {"workspace": "main", "agent_id": "a1", "agent_name": "Front"}
    nothing = {"n_filled": 0, "fill_rate": 0.0, "n_typed": 0, "n_of_declared_type": 0, "of_declared_type_rate": None}
    assert rows.model(METRIC) == [
        pytest.approx(key | row)
        for row in (
            {
                "data_collection_id": "name",
                "declared_type": "string",
                "n_asked": 8,
                "n_filled": 5,  # b, a, b, 3 and the redacted one
                "fill_rate": 5 / 8,
                "n_typed": 4,  # the redacted one cannot be compared
                "n_of_declared_type": 3,
                "of_declared_type_rate": 3 / 4,
                "n_values": 3,
                # a and 3 came once each: the text "a" (with its quote) sorts before 3
                "top_values": '[{"value": "b", "n": 2}, {"value": "a", "n": 1}, {"value": 3, "n": 1}]',
            },
            {"data_collection_id": "never", "declared_type": None, "n_asked": 2, "n_values": 0, "top_values": "[]"}
            | nothing,
            {
                "data_collection_id": "untold",
                "declared_type": None,
                "n_asked": 1,
                "n_filled": 1,
                "fill_rate": 1.0,
                "n_typed": 0,
                "n_of_declared_type": 0,
                "of_declared_type_rate": None,
                "n_values": 1,
                "top_values": '[{"value": {"street": "x"}, "n": 1}]',
            },
        )
    ]


def test_five_values_the_most_frequent_first_and_equals_by_their_text(rows: Any) -> None:
    values = ["f", "e", "e", 'say "d"', "c", "b", "a", "g", "g", "g"]
    for number, value in enumerate(values):
        rows.call(f"c{number}")
        _collected(rows, f"c{number}", "letter", value)
        _collected(rows, f"c{number}", "other", "always")
    actual, _ = rows.model(METRIC, "n_values", "top_values")
    assert actual["n_values"] == 7
    assert [(top["value"], top["n"]) for top in json.loads(actual["top_values"])] == [
        ("g", 3),
        ("e", 2),
        ("a", 1),
        ("b", 1),
        ("c", 1),
    ]


def test_declared_type_is_that_of_the_newest_call_and_each_value_is_compared_with_its_own(rows: Any) -> None:
    tomorrow = rows.day.replace(day=3)
    rows.call("c9")
    rows.call("c1", start_date=tomorrow)
    rows.call("c2", start_date=tomorrow)
    _collected(rows, "c9", "age", "ten", "string")
    _collected(rows, "c1", "age", "ten", "integer", start_date=tomorrow)
    _collected(rows, "c2", "age", 10, "number", start_date=tomorrow)
    columns = ("declared_type", "n_typed", "n_of_declared_type")
    assert rows.values(METRIC, *columns) == [("number", 3, 2)]


def test_fields_of_other_agents_and_workspaces_stand_apart(rows: Any) -> None:
    places = [("main", "a2", "string"), ("main", None, "number"), ("second", None, "boolean")]
    for workspace, agent, declared in places:
        for letter in "abc":
            call = f"{workspace}_{agent}_{letter}"
            rows.call(call, workspace=workspace, agent_id=agent)
            _collected(rows, call, "letter", letter, declared, workspace=workspace)
    actual = rows.model(METRIC, "workspace", "agent_id", "declared_type", "n_asked", "n_of_declared_type", "top_values")
    top = '[{"value": "a", "n": 1}, {"value": "b", "n": 1}, {"value": "c", "n": 1}]'
    assert [tuple(row.values()) for row in actual] == [
        ("main", "a2", "string", 3, 3, top),
        ("main", None, "number", 3, 0, top),
        ("second", None, "boolean", 3, 0, top),
    ]

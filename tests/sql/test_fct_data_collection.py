"""``marts.fct_data_collection``: collected fields."""

from __future__ import annotations

import json
from typing import Any


def _collected(rows: Any, field: str, value: object, declared: str | None, **row: object) -> None:
    """A field as the flattening writes it: JSON text, and the value in the column of its type."""
    by_type: dict[str, object] = {}
    if isinstance(value, bool):
        by_type["value_bool"] = value
    elif isinstance(value, str):
        by_type["value_text"] = value
    elif isinstance(value, int | float):
        by_type["value_number"] = float(value)
    text = None if value is None else json.dumps(value)
    rows.add(
        "data_collection_results", data_collection_id=field, value=text, json_schema_type=declared, **by_type, **row
    )


def test_data_collection_with_everything_and_nothing(rows: Any) -> None:
    rows.call(version_id="v1")
    rows.call("c2", agent_id=None, status="processing")
    _collected(rows, "name", "Ann", "string", rationale="She said so.")
    rows.add("data_collection_results", conversation_id="c2", data_collection_id="name")
    nothing = {
        "workspace": "main",
        "conversation_id": "c2",
        "scope_index": -1,
        "data_collection_id": "name",
        "start_date": rows.day,
        "scope": None,
        "source_agent_id": None,
        "source_branch_id": None,
        "agent_id": None,
        "agent_name": None,
        "version_id": None,
        "is_main": True,
        "declared_type": None,
        "value": None,
        "value_text": None,
        "value_number": None,
        "value_bool": None,
        "is_filled": False,
        "is_of_declared_type": None,
        "rationale": None,
        "is_finished": False,
        "is_counted": False,
    }
    assert rows.model("marts.fct_data_collection") == [
        nothing
        | {"conversation_id": "c1", "agent_id": "a1", "agent_name": None, "version_id": "v1", "declared_type": "string"}
        | {"value": '"Ann"', "value_text": "Ann", "is_filled": True, "is_of_declared_type": True}
        | {"rationale": "She said so.", "is_finished": True, "is_counted": True},
        nothing,
    ]


def test_data_collection_filled_and_of_the_declared_type(rows: Any) -> None:
    rows.call()
    fields: list[tuple[str, object, str | None, bool, bool | None]] = [
        # field, value, type asked for, filled, of that type
        ("a_text", "Ann", "string", True, True),
        ("b_blank", "  ", "string", False, None),
        ("c_empty", "", "string", False, None),
        ("d_no_list", [], "string", False, None),
        ("e_list", ["a"], "string", True, False),
        ("f_no_object", {}, "string", False, None),
        ("g_false", False, "boolean", True, True),
        ("h_word_for_true", "true", "boolean", True, False),
        ("i_zero", 0, "integer", True, True),
        ("j_whole", 12.0, "integer", True, True),
        ("k_part", 12.5, "integer", True, False),
        ("l_text_of_number", "12", "integer", True, False),
        ("m_number", 12.5, "number", True, True),
        ("n_bool_for_number", True, "number", True, False),
        ("o_null", None, "number", False, None),
        ("p_undeclared", "x", None, True, None),
        ("q_several_types", "x", '["string", "null"]', True, None),
        ("r_redacted", "<redacted>", "number", True, None),
        ("s_number_for_text", 7, "string", True, False),
    ]
    for field, value, declared, _, _ in fields:
        _collected(rows, field, value, declared)
    rows.add("data_collection_results", data_collection_id="t_json_null", value="null", json_schema_type="string")
    fields.append(("t_json_null", None, "string", False, None))
    assert rows.values("marts.fct_data_collection", "data_collection_id", "is_filled", "is_of_declared_type") == [
        (field, filled, fits) for field, _, _, filled, fits in fields
    ]

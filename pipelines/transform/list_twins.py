"""The list twins of the analysis: today's API sends each map of verdicts and of collected values as a list as well.

An entry of a list that is in the map or in the map of a scope is a repeat. One whose id the map lacks becomes an entry
of the map. Any other, such as a second verdict under an id, is kept in ``extra`` of the conversation.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from pipelines.transform.lenient_decode import add_extra

_TWINS = (("evaluation_criteria_results", "criteria_id"), ("data_collection_results", "data_collection_id"))
"""The name of a map, whose list is called so with ``_list``, and the id inside an entry."""

_EXTRA_KEY = "extra "
"""JSON name of ``EXTRA``."""


def read_list_twins(detail: Any) -> None:
    """Add to the maps of the analysis what only their lists have."""
    analysis = detail.analysis
    if analysis is None:
        return
    extra: dict[str, Any] = {}
    for name, id_name in _TWINS:
        entries = getattr(analysis, f"{name}_list")
        if entries:
            if getattr(analysis, name) is None:
                setattr(analysis, name, {})
            scopes = [getattr(scope, name) for scope in analysis.scoped or () if scope is not None]
            maps = [results for results in (getattr(analysis, name), *scopes) if results]
            for index in _read_list(entries, id_name, getattr(analysis, name), maps):
                extra[f"analysis.{name}_list[{index}]"] = _to_json(entries[index])
    if extra:
        add_extra(detail, extra)


def _read_list(entries: list[Any], id_name: str, results: dict[str, Any], maps: list[dict[str, Any]]) -> list[int]:
    """Add the entries that the map lacks; returns the indexes of those that are in no map and whose id is taken."""
    for results_of_scope in maps:
        for key, result in results_of_scope.items():
            if result is not None and getattr(result, id_name) is None:
                setattr(result, id_name, key)
    left_over = []
    for index, entry in enumerate(entries):
        if entry is None:
            continue
        entry_id = getattr(entry, id_name)
        # Almost every entry is that of its own id in the first map.
        if entry == results.get(entry_id) or any(entry in results_of_scope.values() for results_of_scope in maps):
            continue
        if entry_id is None or results.get(entry_id) is not None:
            left_over.append(index)
        else:
            results[entry_id] = entry
    return left_over


def _to_json(entry: Any) -> dict[str, Any]:
    """An entry as it came, without what is null."""
    members = _without_null(msgspec.to_builtins(entry))
    extra: dict[str, Any] = json.loads(members.pop(_EXTRA_KEY, "{}"))
    return extra | members


def _without_null(members: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _without_null(item) if isinstance(item, dict) else item
        for key, item in members.items()
        if item is not None
    }

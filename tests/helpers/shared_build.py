"""One build for all tests of a file whose hand-made rows go through models: planning is nearly all that a build takes.

A test is run twice. The first run ends where the test asks for a model: its rows so far become a case of one lake, in
workspaces and conversations of their own, whose names begin with the number of the case. All cases are built at once,
and in the second run, the test itself, each model has the rows of its case, under the names that the test gave them. A
test that asks again after it has added rows, or that needs other fixtures, builds alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sql.conftest import LakeRows, Row

Results = dict[str, list["Row"]]
"""Rows by model."""


class FirstRunOver(BaseException):
    """Ends a first run: no ``Exception``, so that no test takes it for one of a build."""


class SharedBuild:
    """The cases of a file, by what a lake has only once: its seeds."""

    def __init__(
        self, items: Iterable[pytest.Item], fixtures: frozenset[str], new_rows: Callable[[], LakeRows]
    ) -> None:
        """Run each test that needs none but ``fixtures`` up to its first model; ``new_rows`` is a lake of its own."""
        self._new_rows = new_rows
        self._lakes: dict[object, _SharedLake] = {}
        for item in items:
            if isinstance(item, pytest.Function):
                self._first_run(item, fixtures)

    def _first_run(self, item: pytest.Function, fixtures: frozenset[str]) -> None:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        if not set(item.fixturenames) <= fixtures | parameters.keys():
            return
        rows, keys = self._new_rows(), []
        project = rows.project

        def ask(*models: str) -> None:
            keys.extend(models)
            raise FirstRunOver

        rows.models = ask  # type: ignore[method-assign,assignment]
        rows.write = ask  # type: ignore[method-assign,assignment]
        try:
            item.obj(rows=rows, **deepcopy(parameters))
        except FirstRunOver:
            if rows.project is project and keys and all(map(rows.has_workspaces, keys)):
                self._lakes.setdefault(rows.seed_key, _SharedLake(self._new_rows())).add(rows, keys)
        except Exception:  # noqa: BLE001, S110 - the second run shows it
            pass

    def models(self, rows: LakeRows, *keys: str) -> Results | None:
        """The rows of models for the case that has exactly ``rows``; None if there is none."""
        lake = self._lakes.get(rows.seed_key)
        return lake.models(rows, *keys) if lake and all(map(rows.has_workspaces, keys)) else None


class _SharedLake:
    def __init__(self, lake: LakeRows) -> None:
        self._lake = lake
        self._cases: list[LakeRows] = []
        self._keys: dict[str, None] = {}
        """Models that the tests ask for first; a dict for its order."""
        self._results: Results = {}

    def add(self, case: LakeRows, keys: Iterable[str]) -> None:
        self._keys |= dict.fromkeys(keys)
        if not any(map(case.is_same, self._cases)):
            self._cases.append(case)

    def models(self, rows: LakeRows, *keys: str) -> Results | None:
        case = next(filter(rows.is_same, self._cases), None)
        if case is None:
            return None
        if not self._results:
            for other in self._cases:
                self._lake.add_case(other, self._prefix(other))
            self._results |= self._lake.models(*dict.fromkeys((*self._keys, *keys)))
        elif missing := set(keys) - self._results.keys():
            self._results |= self._lake.models(*missing)
        prefix = self._prefix(case)
        return {
            key: [_renamed_back(row, prefix) for row in self._results[key] if row["workspace"].startswith(prefix)]
            for key in keys
        }

    def _prefix(self, case: LakeRows) -> str:
        return f"case_{self._cases.index(case):03}_" if len(self._cases) > 1 else ""


def renamed(row: Row, prefix: str) -> Row:
    """A row of a case in the common lake."""
    return {
        name: prefix + value
        if value is not None and (name == "workspace" or name.endswith("conversation_id"))
        else value
        for name, value in row.items()
    }


def _renamed_back(value: Any, prefix: str) -> Any:
    """A copy of a value of a row, or of the row, with the names of its test."""
    if isinstance(value, str):
        return value.removeprefix(prefix)
    if isinstance(value, dict):
        return {name: _renamed_back(item, prefix) for name, item in value.items()}
    return [_renamed_back(item, prefix) for item in value] if isinstance(value, list) else value

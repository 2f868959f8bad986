"""The emulated API with wrong answers: for conversations by id, for list rows, for single tools and agents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.helpers.editing_app import Answer, Edit, EditingApp

LIST_PATH = "/v1/convai/conversations"
TOOLS_PATH = "/v1/convai/tools"

Spoil = Callable[[list[Any]], list[Any]]


@dataclass(kw_only=True)
class SpoilingApp(EditingApp):
    """An ASGI application that answers like another one, except for what is spoilt.

    ``details`` has answers by id of a conversation, ``prices`` by id of an agent. ``rows`` and ``tools`` replace the
    rows of a page, and are called for each.
    """

    details: dict[str, Answer] = field(default_factory=dict)
    prices: dict[str, Answer] = field(default_factory=dict)
    rows: Spoil = list
    tools: Spoil = list

    def _edit(self, path: str) -> Edit | None:
        if path.startswith(f"{LIST_PATH}/"):
            return self.details.get(path.rsplit("/", 1)[1])
        if path.endswith("/llm-usage/calculate"):
            return self.prices.get(path.split("/")[-3])
        if path == LIST_PATH:
            return partial(_spoil_page, "conversations", self.rows)
        return partial(_spoil_page, "tools", self.tools) if path == TOOLS_PATH else self.edits.get(path)


def _spoil_page(key: str, spoil: Spoil, page: Any) -> Any:
    return page | {key: spoil(page[key])} if key in page else page

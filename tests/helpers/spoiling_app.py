"""The emulated API with wrong answers: for conversations by id, for list rows, for single tools and agents."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

LIST_PATH = "/v1/convai/conversations"
TOOLS_PATH = "/v1/convai/tools"


@dataclass(frozen=True)
class Answer:
    """A response in place of that of the API: a status, a body (JSON unless bytes) and more headers."""

    status: int = 200
    body: Any = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def vendor(status: int, code: str = "some_error") -> Answer:
    """An error in the form of the vendor."""
    return Answer(status, {"detail": {"status": code, "message": "no"}})


@dataclass
class SpoilingApp:
    """An ASGI application that answers like another one, except for what is spoilt.

    ``details`` has answers by id of a conversation, ``prices`` by id of an agent. ``rows`` and ``tools`` replace the
    rows of a page, and are called for each.
    """

    app: Any
    details: dict[str, Answer] = field(default_factory=dict)
    prices: dict[str, Answer] = field(default_factory=dict)
    rows: Callable[[list[Any]], list[Any]] = list
    tools: Callable[[list[Any]], list[Any]] = list
    requests: Counter[str] = field(default_factory=Counter)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        self.requests[path] += 1
        if (answer := self._answer(path)) is not None:
            await respond(send, answer)
        elif path == LIST_PATH:
            await self._spoil_page(scope, receive, send, "conversations", self.rows)
        elif path == TOOLS_PATH:
            await self._spoil_page(scope, receive, send, "tools", self.tools)
        else:
            await self.app(scope, receive, send)

    def _answer(self, path: str) -> Answer | None:
        if path.startswith(f"{LIST_PATH}/"):
            return self.details.get(path.rsplit("/", 1)[1])
        if path.endswith("/llm-usage/calculate"):
            return self.prices.get(path.split("/")[-3])
        return None

    async def _spoil_page(
        self, scope: Any, receive: Any, send: Any, key: str, spoil: Callable[[list[Any]], list[Any]]
    ) -> None:
        messages: list[Mapping[str, Any]] = []

        async def keep(message: Mapping[str, Any]) -> None:
            messages.append(message)

        await self.app(scope, receive, keep)
        body = b"".join(message.get("body", b"") for message in messages[1:])
        page = json.loads(body)
        if key in page:
            page[key] = spoil(page[key])
        await respond(send, Answer(messages[0]["status"], page))


async def respond(send: Any, answer: Answer) -> None:
    headers = [(b"content-type", b"application/json"), *answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.content})

"""An API in front of the emulated one whose single answers a test replaces or edits, by path."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """A response in place of that of the API: a status, a body (JSON unless bytes) and more headers."""

    status: int = 200
    body: Any = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Edit = Answer | Callable[[Any], Any]
"""An answer in place of that of the API, or a function that changes the JSON of its answer."""


def vendor(status: int, code: str = "some_error") -> Answer:
    """An error in the form of the vendor."""
    return Answer(status, {"detail": {"status": code, "message": "no"}})


async def respond(send: Any, answer: Answer) -> None:
    headers = [(b"content-type", b"application/json"), *answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.content})


def intercept(app: Any, answer: Callable[[dict[str, Any]], Answer | None]) -> Callable[..., Any]:
    """An ASGI application that answers as another one does, except where ``answer`` gives an answer for a scope."""

    async def intercepted(scope: Any, receive: Any, send: Any) -> None:
        replacement = answer(scope) if scope["type"] == "http" else None
        if replacement is None:
            await app(scope, receive, send)
        else:
            await respond(send, replacement)

    return intercepted


@dataclass
class EditingApp:
    """``edits`` is by path, or by path and query string; ``requests`` counts the requests in the same way."""

    app: Any
    edits: dict[str, Edit] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path, query = scope["path"], scope["query_string"].decode()
        self.requests[f"{path}?{query}" if query else path] += 1
        edit = self.edits.get(f"{path}?{query}") or self._edit(path)
        if isinstance(edit, Answer):
            await respond(send, edit)
        elif edit is None:
            await self.app(scope, receive, send)
        else:
            messages: list[Any] = []

            async def keep(message: Any) -> None:
                messages.append(message)

            await self.app(scope, receive, keep)
            body = b"".join(message.get("body", b"") for message in messages[1:])
            await respond(send, Answer(messages[0]["status"], edit(json.loads(body))))

    def _edit(self, path: str) -> Edit | None:
        return self.edits.get(path)

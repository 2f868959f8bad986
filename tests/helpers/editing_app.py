"""An API in front of the emulated one whose single answers a test replaces or edits, by path."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.helpers.spoiling_app import Answer, respond

Edit = Answer | Callable[[Any], Any]
"""An answer in place of that of the API, or a function that changes the JSON of its answer."""


class EditingApp:
    """``edits`` is by path, or by path and query string; ``requests`` counts the requests in the same way."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.edits: dict[str, Edit] = {}
        self.requests: Counter[str] = Counter()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path, query = scope["path"], scope["query_string"].decode()
        self.requests[f"{path}?{query}" if query else path] += 1
        edit = self.edits.get(f"{path}?{query}", self.edits.get(path))
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

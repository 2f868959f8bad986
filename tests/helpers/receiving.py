"""A receiver of webhooks on a socket, with a home and a world of conversations behind it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipelines.emulator.generator.world import World
from pipelines.listener import base_url, listening
from pipelines.settings import Settings
from pipelines.usecases.context import Context
from pipelines.webhook.limits import Limits
from pipelines.webhook.receiver import Answer, create_app
from pipelines.webhook.server import create_server
from tests.helpers.signed_webhooks import sign
from warehouse.schema.activity import WEBHOOK_EVENTS
from warehouse.storage import activity_log, landing, quarantine

SECRET = "wsec_0123456789"  # noqa: S105 - of this test
UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
AT = int(UNTIL.timestamp())


class Receiving:
    """A home, a world of conversations and a receiver of their webhooks."""

    def __init__(self, folder: Path, limits: Limits | None = None, **settings: Any) -> None:
        self.now = UNTIL
        self.world = World(seed=9, conversations=40, days=2, until=UNTIL)
        self.context = Context(
            Settings(home=folder / "home", api_key="demo", **({"pii": "hash", "pii_key": "k" * 16} | settings)),
            lambda: self.now,
        )
        self.home = self.context.home.open()
        self.limits = limits or Limits()
        self.answers: list[Answer] = []
        self.app = create_app(self.context, [SECRET], self.answers.append, self.limits)
        self.url = ""

    def documents(self) -> list[dict[str, Any]]:
        return [document for document in self.world.details(UNTIL) if document["status"] == "done"]

    def post(self, body: Any, signature: str | None = None, **headers: str) -> tuple[int, str]:
        """Status and message of the response to a body; an iterator of parts is sent chunked."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        signature_header = {} if signature is None else {"ElevenLabs-Signature": signature}
        connection.request("POST", "/", body, signature_header | headers)
        answer = connection.getresponse()
        message = json.loads(answer.read())["status"]
        connection.close()
        return answer.status, message

    def send(self, event: Any, at: int = AT) -> tuple[int, str]:
        """Sign an event and post it."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        return self.post(body, sign(SECRET, body, at))

    def connect(self) -> socket.socket:
        address = urlsplit(self.url)
        return socket.create_connection((address.hostname, address.port), timeout=30)

    def landed(self) -> list[str]:
        return landing.snapshots(self.home)["conversation_id"].to_list()

    def events(self) -> list[dict[str, Any]]:
        return activity_log.latest_entries(self.home, WEBHOOK_EVENTS).drop("sequence").to_dicts()

    def quarantined(self) -> list[str]:
        return quarantine.current(self.home)["conversation_id"].to_list()

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve as the command does, from a thread."""
        with listening("127.0.0.1", 0) as listener:
            server = create_server(self.app, self.limits)
            thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
            thread.start()
            self.url = base_url(listener)
            try:
                yield
            finally:
                server.should_exit = True
                thread.join(30)

"""Real receivers of alerts on the loopback address: a webhook in Slack's form, and a mail server."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import AuthResult, LoginPassword

USER, PASSWORD = "robot", "mail-p@ssword"


@dataclass
class Slack:
    """A webhook; ``posts`` are the documents that it took, as it does while its ``status`` is 200."""

    url: str = ""
    status: int = 200
    posts: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def slack() -> Iterator[Slack]:
    receiver = Slack()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            document = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if receiver.status == 200:
                receiver.posts.append(document)
            self.send_response(receiver.status)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/services/T0/B0/hook-secret"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mailbox:
    """A mail server that wants a password; ``mails`` are those that it took."""

    url: str
    mails: list[EmailMessage] = field(default_factory=list)


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mailbox = Mailbox(f"smtp://{USER}:{PASSWORD.replace('@', '%40')}@127.0.0.1:{port}")

    class Handler(Message):
        def handle_message(self, message: EmailMessage) -> None:
            mailbox.mails.append(message)

    def authenticate(_server, _session, _envelope, _mechanism, data: LoginPassword) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()))

    controller = Controller(
        Handler(),
        hostname="127.0.0.1",
        port=port,
        authenticator=authenticate,
        auth_required=True,
        auth_require_tls=False,
    )
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()

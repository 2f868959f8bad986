"""Sends a text to people: by a webhook in the form of Slack's, and by mail.

An address may hold a secret (Slack's does), so no error shows it.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from urllib.parse import SplitResult, unquote, urlsplit

import httpx

from pipelines.errors import NotificationError

TIMEOUT_SECS = 20.0
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def post_to_webhook(url: str, text: str) -> None:
    """Post a text as Slack's incoming webhooks take it, as do those of Mattermost, Rocket.Chat and others.

    Raises:
        NotificationError: it did not answer with 2xx.
    """
    try:
        response = httpx.post(url, json={"text": text}, timeout=TIMEOUT_SECS)
    except (
        httpx.HTTPError,
        httpx.InvalidURL,
        ValueError,
        OSError,
    ) as error:  # a proxy or certificates of the environment
        raise NotificationError(f"The webhook for alerts cannot be reached ({type(error).__name__}).") from None
    if not response.is_success:
        raise NotificationError(f"The webhook for alerts answered {response.status_code}.")


def send_mail(server: str, sender: str, recipients: Sequence[str], subject: str, text: str) -> None:
    """Send a mail.

    Args:
        server: ``smtp://user:password@host:587``, which uses STARTTLS if the server offers it, or ``smtps://…:465``.
        sender: Address.
        recipients: Addresses.
        subject: One line.
        text: Plain text.

    Raises:
        NotificationError: the server refused it, or would get the password without encryption.
    """
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, ", ".join(recipients), " ".join(subject.split())
    message.set_content(text)
    parts, port = _parse_server(server)
    try:
        with _connect(parts.scheme, parts.hostname or "", port) as connection:
            if parts.username and parts.password:
                if not isinstance(connection.sock, ssl.SSLSocket) and parts.hostname not in LOOPBACK:
                    raise NotificationError("The mail server offers no encryption, so the password was not sent.")
                connection.login(unquote(parts.username), unquote(parts.password))
            connection.send_message(message)
    except (OSError, ValueError, smtplib.SMTPException) as error:  # ValueError: a password that is not ASCII
        raise NotificationError(f"The mail server for alerts did not take it ({type(error).__name__}).") from None


def _parse_server(server: str) -> tuple[SplitResult, int | None]:
    """The parts of the address, and its port.

    Raises:
        NotificationError: it is none; the errors of the library may quote a part of the password.
    """
    try:
        parts = urlsplit(server)
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    is_address = parts.scheme in {"smtp", "smtps"} and parts.hostname and parts.path in {"", "/"}
    if not is_address or parts.query or parts.fragment:
        raise NotificationError(
            "CONVOHOUSE_ALERT_SMTP is not smtp://USER:PASSWORD@HOST:PORT.",
            "Percent-encode what is special in a URL: %2F for a / in the password, %40 for an @.",
        )
    return parts, port


def _connect(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    tls = ssl.create_default_context()
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT_SECS, context=tls)
    connection = smtplib.SMTP(host, port or 587, timeout=TIMEOUT_SECS)
    connection.ehlo()
    if connection.has_extn("starttls"):
        connection.starttls(context=tls)
        connection.ehlo()
    return connection

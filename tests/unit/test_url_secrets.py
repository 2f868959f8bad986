"""A URL with a secret is refused whatever its characters are, in a message without it."""

from __future__ import annotations

import pytest

from pipelines.api.notifications import send_mail
from pipelines.errors import NotificationError, SettingsError
from pipelines.settings import load_settings
from warehouse.publish.target import parse_target
from warehouse.url_secrets import has_secret

SECRETIVE = [
    "postgresql://me:pa55word@db/bi",
    "postgresql://me:pa55/word@db/bi",
    "postgresql://me:pa55#word@db/bi",
    "postgresql://me:pa55?word@db/bi",
    "postgresql://me:1234/word@db/bi",
    "postgresql://me:pa55word@[db/bi",
    "postgresql://me:pa55word@h\u2100/bi",
    "postgresql:/me:pa55word@db/bi",
    "postgres:me:pa55word@db/bi",
    "postgresql://db/bi?PASSWORD=pa55word",
    "postgresql://db/bi?p%61ssword=pa55word",
    "postgresql://db/bi?sslmode=require&oauth_client_secret=pa55word",
    "postgresql://db/bi;password=pa55word",
    "host=db dbname=bi user=me password=pa55word",
    "host=db password = 'pa55word'",
    "s3://AKIA:pa55/word@bucket/x",
    "s3://pa55word@bucket/x",
    "az://pa55word@container/x",
    "gs://bucket/x?access_token=pa55word",
]
OPEN = [
    "postgresql://me@db:5432/bi",
    "postgresql://me%40corp@db/bi",
    "postgresql://me@[::1]:5432/bi",
    "postgresql://db/bi?sslmode=require&passfile=/etc/pgpass&sslkey=/etc/key",
    "s3://bucket/a@b",
    "gs://bucket/x",
    "az://container/x",
    "/data/a:b@c",
    "file:///data/a:b@c",
    "data",
]


@pytest.mark.parametrize("text", SECRETIVE)
def test_a_url_with_a_secret_is_refused_everywhere_without_a_word_of_it(text: str) -> None:
    assert has_secret(text)
    with pytest.raises(ValueError, match="must not hold a password") as refusal:
        parse_target(text, None)
    messages = [str(refusal.value)]
    for setting in ({"engine_into": text}, {"engine_lakes": ("lake", text)}, {"publish": {"bi": {"target": text}}}):
        with pytest.raises(SettingsError, match="must not hold a password") as wrong:
            load_settings(**setting)
        messages.append(str(wrong.value))
    assert not any("pa55" in message or "word@" in message or "1234" in message for message in messages)


@pytest.mark.parametrize("text", OPEN)
def test_a_url_without_a_secret_is_taken(text: str) -> None:
    assert parse_target(text, None).url
    assert load_settings(engine_into=text).engine_into == text


@pytest.mark.parametrize("host", ["db", "127.0.0.1", "[::1]"])
@pytest.mark.parametrize("password", ["pa55/word", "pa55#word", "pa55?word", "1234/word"])
def test_a_base_url_with_a_password_that_is_not_encoded_is_refused(host: str, password: str) -> None:
    with pytest.raises(SettingsError, match="must not hold a user name") as wrong:
        load_settings(base_url=f"https://me:{password}@{host}")
    assert "word" not in str(wrong.value).replace("password", "")


@pytest.mark.parametrize(
    "server",
    [
        "smtp://me:pa55/word@127.0.0.1:9",
        "smtp://me:1234/word@127.0.0.1:9",
        "smtp://me:pa55#word@127.0.0.1:9",
        "smtp://me:pa55?word@127.0.0.1:9",
        "smtp://me:pa55word@[127.0.0.1:9",
        "smtp://me:pa55word@h\u2100:9",
        "smtp://me:pa55word@127.0.0.1:99999",
        "me:pa55word@127.0.0.1:9",
        "http://127.0.0.1:9",
        "smtp://",
    ],
)
def test_the_address_of_a_mail_server_that_cannot_be_read_is_not_quoted(server: str) -> None:
    with pytest.raises(NotificationError, match="ALERT_SMTP is not smtp://USER") as wrong:
        send_mail(server, "a@example.com", ["b@example.com"], "subject", "text")
    assert "pa55" not in str(wrong.value)
    assert wrong.value.__suppress_context__ or wrong.value.__context__ is None

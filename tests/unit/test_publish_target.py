"""Which target a URL or a path means, in which format, and what its errors show."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.errors import PublishError
from warehouse.publish.target import Target, parse_target


@pytest.mark.parametrize(
    ("text", "format_", "url", "expected_format"),
    [
        ("s3://bucket", None, "s3://bucket", "delta"),
        ("s3a://bucket/a//", None, "s3://bucket/a", "delta"),
        ("gs://bucket/a/b", "delta", "gs://bucket/a/b", "delta"),
        ("az://container/a", None, "az://container/a", "delta"),
        ("postgresql://me@host:5432/bi", None, "postgresql://me@host:5432/bi", "postgres"),
        ("postgres://me@host/bi?sslmode=require", "postgres", "postgresql://me@host/bi?sslmode=require", "postgres"),
        ("/srv/a b", None, "file:///srv/a%20b", "delta"),
        ("file:///srv/a%20b", "csv", "file:///srv/a%20b", "csv"),
        ("/srv/x/../y", "parquet", "file:///srv/y", "parquet"),
        ("~/tables", None, "file:///home/me/tables", "delta"),
        ("C:tables", None, f"{Path.cwd().as_uri()}/C%3Atables", "delta"),
    ],
)
def test_a_target_by_its_url_or_path(
    text: str, format_: str | None, url: str, expected_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert parse_target(text, format_) == Target(url, expected_format)


@pytest.mark.parametrize(
    ("text", "format_", "message"),
    [
        ("s3:///a", None, "s3:///a has no bucket"),
        ("s3://bucket/a#b", None, "s3://bucket/a#b has a #; write %23 for it"),
        ("s3://bucket/a?versions=1", None, "it must not hold a password or key.*"),
        ("s3://bucket", "csv", "it takes the format delta, not csv"),
        ("postgresql://host/bi", "delta", "it takes the format postgres, not delta"),
        ("postgresql://host/", None, "it has no name of a database: postgresql://user@host/database"),
        ("/srv/tables", "postgres", "it takes the format delta or parquet or csv, not postgres"),
        ("http://host/a", None, "http:// is not supported; write a path, s3://, gs://, az:// or postgresql://"),
    ],
)
def test_what_is_no_target(text: str, format_: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        parse_target(text, format_)


def test_an_error_of_a_library_is_one_short_line_without_secrets() -> None:
    target = Target("s3://bucket", "delta", {"key": "a/b+c d", "pin": "1234", "allow_http": "yes"})
    text = "\x1b[31mno: a/b+c d,\n a%2Fb%2Bc%20d and  a%2Fb%2Bc+d; 1234, yes\x1b[0m"
    assert target.without_secrets(text) == "no: ***, *** and ***; ***, yes"
    assert target.without_secrets("x" * 599) == "x" * 599
    assert target.without_secrets("a" * 300 + "b" * 300) == "a" * 200 + " … " + "a" * 100 + "b" * 300


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError("no space."), "s3://bucket cannot be published to: no space."),
        (OSError("is it there?"), "s3://bucket cannot be published to: is it there?"),
        (OSError(), "s3://bucket cannot be published to: OSError."),
    ],
)
def test_an_error_of_a_library_says_what_to_do(error: OSError, message: str) -> None:
    with pytest.raises(PublishError) as raised, Target("s3://bucket", "delta").reporting(OSError):
        raise error
    assert raised.value.message == message
    assert raised.value.hint == "What is there stays readable. `convohouse publish` tries it again."

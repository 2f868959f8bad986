"""Where tables are published to, as a user writes it, and what a publication consists of."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote, urlsplit

from warehouse.errors import PublishError
from warehouse.url_secrets import REFUSAL, refuse_secret

if TYPE_CHECKING:  # `status` reads targets, and no tables
    from warehouse.publish.source import SourceTable

DELTA, POSTGRES, PARQUET, CSV = "delta", "postgres", "parquet", "csv"
FORMATS = (DELTA, PARQUET, CSV)
"""The forms of a folder; a database has its own."""
DEFAULT_SELECTION = {
    DELTA: ("lake", "marts", "metrics"),
    POSTGRES: ("marts", "metrics"),
    PARQUET: ("marts", "metrics"),
    CSV: ("marts", "metrics"),
}
OBJECT_STORES = {"s3": "s3", "s3a": "s3", "gs": "gs", "az": "az"}
DATABASES = ("postgresql", "postgres")
MAX_MESSAGE_LENGTH = 600
"""Characters of a library's error that are shown: it may quote a whole statement."""
MIN_SECRET_LENGTH = 4
"""Shorter values of credentials, such as "yes", are shown in errors: they would blank out half of a message."""

TERMINAL_COLORS = re.compile(r"\x1b\[[\d;]*m")

Progress = Callable[[int, int], None]
"""Called with the number of tables done and of all tables."""


@dataclass(frozen=True, slots=True)
class Target:
    """A target: ``url`` without secrets, and the format of the tables there.

    ``options`` are credentials and addresses, by their names in the target's own library.
    """

    url: str
    format: str
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def folder(self) -> Path:
        """The local folder of a target ``file://…``."""
        return Path(unquote(urlsplit(self.url).path))

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return self.url.startswith("file:")

    def without_secrets(self, text: str) -> str:
        """A text, such as an error of a library, as one short line, in which no value of the options is left."""
        for value in self.options.values():
            if len(value) >= MIN_SECRET_LENGTH:
                for spelling in (value, quote(value, safe=""), quote_plus(value)):
                    text = text.replace(spelling, "***")
        text = " ".join(TERMINAL_COLORS.sub("", text).split())
        return text if len(text) < MAX_MESSAGE_LENGTH else f"{text[:200]} … {text[200 - MAX_MESSAGE_LENGTH :]}"

    @contextmanager
    def reporting(self, *errors: type[Exception]) -> Iterator[None]:
        """Turn errors of a library into one that a person can act on, and that holds no secret.

        Raises:
            PublishError: one of them happened.
        """
        try:
            yield
        except errors as error:
            message = f"{self.url} cannot be published to: {self.without_secrets(str(error)) or type(error).__name__}"
            hint = "What is there stays readable. `convohouse publish` tries it again."
            raise PublishError(message if message.endswith("?") else f"{message.rstrip('.')}.", hint) from None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to a table: written, restored, unchanged or removed; ``n_files`` were written, none in a database.

    It is restored where its rows are those of the publication before, and somebody has deleted or changed some there.
    """

    table: str
    change: str
    n_rows: int
    n_files: int = 0


WRITTEN, RESTORED, UNCHANGED, REMOVED = "written", "restored", "unchanged", "removed"


@dataclass(frozen=True, slots=True)
class Publication:
    """What to bring to a target.

    ``former`` are tables that an earlier publication may have left there, ``published`` those of a complete one.
    ``purges`` says that no earlier version may stay, because something was erased or redacted. A dry run writes
    nothing. ``temporary`` is a folder of the home.
    """

    tables: tuple[SourceTable, ...]
    now: datetime
    temporary: Path
    former: tuple[str, ...]
    published: tuple[str, ...]
    purges: bool
    is_dry_run: bool

    @property
    def obsolete(self) -> tuple[str, ...]:
        """Tables that may be there and are no longer published."""
        return tuple(name for name in self.former if name not in {table.key for table in self.tables})

    @property
    def new(self) -> tuple[str, ...]:
        """Tables that no publication has left there yet: what has their names is of somebody else."""
        return tuple(table.key for table in self.tables if table.key not in self.former)


def parse_target(text: str, format_: str | None) -> Target:
    """The target that a user named by a URL or a path.

    Raises:
        ValueError: it is not a target that we can write, or it holds a password.
    """
    refuse_secret(text)
    parts = urlsplit(text)
    if parts.scheme in DATABASES:
        return Target(_database_url(text), _require(format_, POSTGRES, (POSTGRES,)))
    if parts.scheme in OBJECT_STORES:
        if parts.query:
            raise ValueError(REFUSAL)
        if not parts.netloc:
            raise ValueError(f"{text} has no bucket")
        if parts.fragment:
            raise ValueError(f"{text} has a #; write %23 for it")
        url = f"{OBJECT_STORES[parts.scheme]}://{parts.netloc}/{parts.path.strip('/')}".rstrip("/")
        return Target(url, _require(format_, DELTA, (DELTA,)))
    if parts.scheme and parts.scheme != "file" and "://" in text:
        raise ValueError(f"{parts.scheme}:// is not supported; write a path, s3://, gs://, az:// or postgresql://")
    path = Path(unquote(parts.path)) if parts.scheme == "file" else Path(text).expanduser()
    return Target(Path(os.path.abspath(path)).as_uri(), _require(format_, DELTA, FORMATS))  # noqa: PTH100 - links stay


def _require(format_: str | None, default: str, allowed: Iterable[str]) -> str:
    format_ = format_ or default
    if format_ not in allowed:
        raise ValueError(f"it takes the format {' or '.join(allowed)}, not {format_}")
    return format_


def _database_url(text: str) -> str:
    parts = urlsplit(text)
    if not parts.path.strip("/"):
        raise ValueError("it has no name of a database: postgresql://user@host/database")
    return parts._replace(scheme="postgresql").geturl()

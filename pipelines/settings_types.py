"""The types of single settings: what a URL, a zone, a name may be, and the tables of ``convohouse.toml``."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from warehouse.publish.target import Target, parse_target
from warehouse.storage.home import RESERVED_WORKSPACE
from warehouse.url_secrets import refuse_secret

DEFAULT_BASE_URL = "https://api.elevenlabs.io"


def _without_slash(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        message = "must start with http:// or https://"
        raise ValueError(message)
    if {"@", "?", "#"} & set(value):
        message = "must not hold a user name, password, query or fragment: it is shown in messages"
        raise ValueError(message)
    return value.rstrip("/")


def _without_secret(value: str) -> str:
    refuse_secret(value)
    return value


def _check_zone(value: str) -> str:
    try:
        ZoneInfo(value)
        is_zone = value[:1].isupper()  # localtime and right/… are files of a machine, which DuckDB does not know
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: Europe is a folder
        is_zone = False
    if not is_zone:
        message = f"{value!r} is not an IANA time zone such as Europe/Berlin"
        raise ValueError(message)
    return value


def _check_name(value: str) -> str:
    if value == RESERVED_WORKSPACE:
        message = f"{RESERVED_WORKSPACE!r} is reserved; choose another name"
        raise ValueError(message)
    return value


Url = Annotated[str, AfterValidator(_without_slash)]
StoreUrl = Annotated[str, AfterValidator(_without_secret)]
"""A folder, or the URL of one in an object store."""
Zone = Annotated[str, AfterValidator(_check_zone)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$"), AfterValidator(_check_name)]
"""A workspace's name is part of file names."""
Days = Annotated[int, Field(ge=0)]
Owner = Annotated[str, Field(pattern=r"^(team:[A-Za-z0-9_-]+|[^@\s]+@[^@\s]+\.[^@\s]+)$")]
Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
"""Only upper case, so that a key that was written here by mistake is refused, and never printed."""


class Workspace(BaseModel):
    """One of several workspaces: a table ``[workspaces.<name>]`` of ``convohouse.toml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key_variable: Variable
    base_url: Url = DEFAULT_BASE_URL
    timezone: Zone | None = None


class PublishTarget(BaseModel):
    """A target of ``convohouse publish``: a table ``[publish.<name>]`` of ``convohouse.toml``.

    ``credentials`` are options by their names in the target's own library, instead of ``publish_credentials``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: str
    format: Literal["delta", "parquet", "csv"] | None = None
    tables: tuple[str, ...] = ()
    credentials: dict[str, SecretStr] = {}

    def parsed(self) -> Target:
        """The target, without credentials."""
        return parse_target(self.target, self.format)

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.parsed()
        return self

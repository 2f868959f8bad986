"""Reads the environment of the process; no other module does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from io import StringIO
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import NamedTuple

from dotenv.parser import parse_stream
from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, TomlConfigSettingsSource
from pydantic_settings import SettingsError as SourceError


def variables(settings: type[BaseSettings]) -> dict[str, str | None]:
    """Variables of the environment, then of the settings' ``.env``, by name in lower case."""
    return {**DotEnvSettingsSource(settings).env_vars, **EnvSettingsSource(settings).env_vars}


def dagster_home() -> Path | None:
    """The folder that ``DAGSTER_HOME`` names, if it is set."""
    value = os.environ.get("DAGSTER_HOME")  # noqa: TID251 - this module reads the environment
    return Path(value) if value else None


def ensure_user_folder() -> None:
    """Name a folder for a user who has none, as in a container: libraries look for it when they are imported.

    It is the root, where such a user can write nothing, and where nobody else can either.
    """
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = "/"  # noqa: TID251 - see above


def child_environment(**additions: str) -> dict[str, str]:
    """The environment for a process of ours, with additions."""
    return {**os.environ, **additions}  # noqa: TID251 - this module reads the environment


def env_file_problem(settings: type[BaseSettings]) -> str | None:
    """Why ``.env`` cannot be read, or which line sets nothing and is no comment: its setting would be the default."""
    file = Path(str(settings.model_config["env_file"]))
    if not file.is_file():
        return None
    try:
        statements = list(parse_stream(StringIO(file.read_text(encoding="utf-8-sig"))))
    except (OSError, UnicodeDecodeError) as error:
        return f"{file} cannot be read: {getattr(error, 'strerror', None) or error}."
    lines = [s.original.line for s in statements if s.error or (s.key is not None and s.value is None)]
    return f"Line {lines[0]} of {file} sets nothing." if lines else None


def origins(settings: type[BaseSettings]) -> dict[str, str]:
    """The source of each setting that is not a default, by name; a source that cannot be read is skipped."""
    origin_by_name: dict[str, str] = {}
    for name, source in (
        ("convohouse.toml", TomlConfigSettingsSource),
        (".env", DotEnvSettingsSource),
        ("environment", EnvSettingsSource),
    ):
        with suppress(SourceError, TOMLDecodeError, UnicodeDecodeError):
            keys = {key.lower() for key in source(settings)()}
            origin_by_name |= {key: name for key, field in settings.model_fields.items() if keys & _names(key, field)}
    return origin_by_name


VARIABLES = "the environment"
"""Source of names that other programs may set as well."""


class UnknownName(NamedTuple):
    """A name that looks like a setting and is none, its source, and names of settings there, by the field's name."""

    name: str
    source: str
    candidates: Mapping[str, str]


def unknown_names(settings: type[BaseSettings]) -> list[UnknownName]:
    """Names that are not settings: with a misspelt name, the default would apply."""
    prefix = settings.model_config["env_prefix"]
    fields = settings.model_fields
    keys = {name for key, field in fields.items() for name in _names(key, field)}
    variables = {key: max(_names(key, field) - {key}, default=prefix + key).upper() for key, field in fields.items()}
    unknown = [
        UnknownName(key, "convohouse.toml", {key: key for key in fields})
        for key in TomlConfigSettingsSource(settings).toml_data
        if key.lower() not in keys
    ]
    for source, values in ((".env", DotEnvSettingsSource(settings)), (VARIABLES, EnvSettingsSource(settings))):
        names = {name.upper() for name in values.env_vars} - set(variables.values())
        unknown += [UnknownName(name, source, variables) for name in sorted(names) if name.startswith(prefix)]
    return unknown


def _names(key: str, field: FieldInfo) -> set[str]:
    """The names that a setting can have in a source."""
    alias = field.validation_alias
    return {key, *(str(choice).lower() for choice in (alias.choices if isinstance(alias, AliasChoices) else ()))}

"""Reads the TOML files beside this module into typed objects; an error names the file and the key."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Collection, Iterable
from importlib.resources import files
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of what the files hold: immutable, and strict about keys."""


class DataFileError(ValueError):
    """A data file is not what its loader expects."""


def read(file: str, kind: type[T]) -> T:
    """Read ``file`` of this package as a ``kind``.

    Raises:
        DataFileError: it is no TOML, or a key is missing, unknown or of the wrong type.
    """
    return parse(file, files(__package__).joinpath(file).read_text(encoding="utf-8"), kind)


def parse(file: str, text: str, kind: type[T]) -> T:
    """Parse the ``text`` of ``file`` as a ``kind``.

    Raises:
        DataFileError: as ``read``.
    """
    try:
        return msgspec.convert(tomllib.loads(text), type=kind)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DataFileError(f"{file}: {error}") from None


def check_names(key: str, names: Iterable[str], allowed: Collection[str]) -> None:
    """Check the names at ``key`` against those that exist; for ``__post_init__``, whose errors ``parse`` completes.

    Raises:
        ValueError: one does not exist.
    """
    unknown = sorted(set(names) - set(allowed))
    if unknown:
        raise ValueError(f"{key}: unknown {', '.join(map(repr, unknown))}")


def check_template(key: str, template: str, variables: Collection[str]) -> None:
    """Check that a template uses no other than the given variables.

    Raises:
        ValueError: it does, or its braces do not match.
    """
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise ValueError(f"{key}: {error} in {template!r}") from None
    check_names(key, names, variables)

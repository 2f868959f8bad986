"""Errors about the data at rest, each with a hint for the user.

``ConvohouseError`` is the base class of every error that this product raises on purpose. It is in the lowest layer, so
that ``warehouse`` never imports ``pipelines``. Errors of the API and of settings are in ``pipelines.errors``.
"""

from __future__ import annotations

from pathlib import Path


class ConvohouseError(Exception):
    """An error that a person can act on: ``message`` says what happened, ``hint`` what to do.

    ``exit_code`` is that of the command line: 1 for incomplete work or failed checks, 2 for usage, 3 for API or key.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        end = "" if not self.hint or self.message.endswith((".", "!", "?")) else "."  # one of a library has none
        return f"{self.message}{end} {self.hint}".rstrip()


class HomeError(ConvohouseError):
    """The home folder cannot be used: it is not writable, or holds something else."""

    exit_code = 2


class MissingPackageError(ConvohouseError):
    """A package that a command needs is not installed: one of an extra, or, without one, a package of its own."""

    exit_code = 2

    def __init__(self, *packages: str, extra: str | None) -> None:
        verb = "is" if len(packages) == 1 else "are"
        install = f"Install the extra: pip install 'convohouse[{extra}]'." if extra else None
        super().__init__(
            f"{', '.join(packages)} {verb} not installed.", install or f"Install it: pip install {' '.join(packages)}."
        )


class LockedError(ConvohouseError):
    """Another run is writing to the home folder."""


class SchemaError(ConvohouseError):
    """A frame or a file does not have the columns that ``warehouse.schema`` declares."""


class ModelError(ConvohouseError):
    """A SQL model cannot be read, ordered or built."""


class QueryError(ConvohouseError):
    """A query of the user failed; the message is DuckDB's own."""

    exit_code = 2


class NothingBuiltError(ConvohouseError):
    """The warehouse was queried before the first build."""

    exit_code = 2


class EmptyHomeError(NothingBuiltError):
    """The folder is not a home: nothing was copied into it yet, or another one was meant."""

    def __init__(self, root: Path) -> None:
        super().__init__(
            f"{root} holds nothing yet.",
            "`convohouse sync` fills it, `convohouse demo` shows how; --home names another folder.",
        )


class EngineError(ConvohouseError):
    """An engine cannot be reached, or could not do what was asked; the message names the model and is the engine's."""


class StoreError(EngineError):
    """An object store that an engine reads or writes cannot be reached, or refuses the credentials."""


class PublishError(ConvohouseError):
    """A target cannot be published to: it cannot be reached, refuses the credentials, or has something else there."""

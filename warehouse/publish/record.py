"""The targets that a home is published to: ``published.json``, without secrets, so that an erasure can reach them all.

A target is in the record before the first byte is there. ``removed`` is the fingerprint of what was erased and redacted
when it was last brought up to date: while it differs from the current one, the target may have what no longer is here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from warehouse.errors import HomeError
from warehouse.storage import landing, parquet
from warehouse.storage.home import Home


class RecordedTarget(msgspec.Struct, frozen=True):
    """A target of the record.

    Attributes:
        url: Where it is, without secrets.
        format: Of the tables there.
        selection: Tables and schemas that the user chose.
        tables: What may be there, also of a publication that was killed.
        removed: See above; None until the first publication is complete.
        published_at: End of the latest complete publication.
        problem: Why the latest publication failed, without secrets; None if it did not.
        failed_at: When it failed.
    """

    url: str
    format: str
    selection: tuple[str, ...]
    tables: tuple[str, ...] = ()
    removed: str | None = None
    published_at: datetime | None = None
    problem: str | None = None
    failed_at: datetime | None = None

    @property
    def identity(self) -> tuple[str, str]:
        """A folder can have tables in several formats."""
        return self.url, self.format


class _Record(msgspec.Struct):
    targets: tuple[RecordedTarget, ...] = ()


def read_targets(home: Home) -> tuple[RecordedTarget, ...]:
    """Every target that was ever published to and not forgotten.

    Raises:
        HomeError: the record is damaged.
    """
    file = _file(home)
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Record).targets
    except FileNotFoundError:
        return ()
    except msgspec.DecodeError as error:
        raise HomeError(f"{file} cannot be read: {error}.", "Correct it: it has the targets of `publish`.") from error


def find_target(home: Home, url: str, format_: str) -> RecordedTarget | None:
    """The record of a target."""
    return next((target for target in read_targets(home) if target.identity == (url, format_)), None)


def put_target(home: Home, target: RecordedTarget) -> None:
    """Add a target, or replace what the record has of it."""
    targets = {other.identity: other for other in read_targets(home)} | {target.identity: target}
    _write(home, tuple(targets.values()))


def put_problem(home: Home, url: str, format_: str, problem: str, now: datetime) -> None:
    """Record why a publication failed, of a target that is in the record."""
    target = find_target(home, url, format_)
    if target is not None:
        put_target(home, msgspec.structs.replace(target, problem=problem, failed_at=now))


def forget_target(home: Home, url: str, format_: str) -> bool:
    """Remove a target from the record; whether it was there."""
    targets = read_targets(home)
    remaining = tuple(target for target in targets if target.identity != (url, format_))
    if len(remaining) < len(targets):
        _write(home, remaining)
    return len(remaining) < len(targets)


def removed_fingerprint(home: Home) -> str:
    """Of all conversations that were erased or redacted, as the landing has them."""
    rows = landing.redactions_and_tombstones(home.all_workspaces)
    return hashlib.sha256(rows.write_json().encode()).hexdigest()


def pending_targets(home: Home) -> tuple[RecordedTarget, ...]:
    """The targets that may still have what was erased or redacted here."""
    targets = read_targets(home)
    if not targets:
        return ()
    removed = removed_fingerprint(home)
    return tuple(target for target in targets if target.removed != removed)


def _file(home: Home) -> Path:
    return home.root / "published.json"


def _write(home: Home, targets: Sequence[RecordedTarget]) -> None:
    with parquet.replacing(home, _file(home)) as temporary:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(_Record(tuple(targets))), indent=1) + b"\n")
    parquet.sync_folder(home.root)

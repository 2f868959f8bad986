"""The targets that a home is published to: ``published.json``, without secrets, so that an erasure can reach them all.

A target is in the record before the first byte is there. ``removed`` is the fingerprint of what was erased and redacted
when it was last brought up to date: while it differs from the current one, the target may have what no longer is here.

A target leaves the record by ``forget_target``. One that leaves it in another way, as by the deletion of the file, is
still in a copy beside the landing: it is lost, and named by every erasure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec

from warehouse.errors import HomeError
from warehouse.publish.target import Target, parse_target
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
    return tuple(_read(_file(home)).values())


def lost_targets(home: Home) -> tuple[RecordedTarget, ...]:
    """Targets that were published to and that nobody has told us to forget, yet the record no longer has them.

    Nothing is published there unasked, as somebody may have wanted that; but no erasure passes over them in silence.

    Raises:
        HomeError: the record or its copy is damaged.
    """
    targets = _read(_file(home))
    return tuple(target for identity, target in _read(_copy(home)).items() if identity not in targets)


def named_target(home: Home, text: str, format_: str | None) -> Target:
    """The target of a URL or path; without a format, that in which it was published to, if it was in one alone.

    Raises:
        ValueError: see ``parse_target``.
    """
    target = parse_target(text, format_)
    formats = [recorded.format for recorded in _all_targets(home) if recorded.url == target.url]
    return replace(target, format=formats[0]) if format_ is None and len(formats) == 1 else target


def find_target(home: Home, url: str, format_: str) -> RecordedTarget | None:
    """The record of a target, also of a lost one."""
    return next((target for target in _all_targets(home) if target.identity == (url, format_)), None)


def _all_targets(home: Home) -> tuple[RecordedTarget, ...]:
    return (*read_targets(home), *lost_targets(home))


def put_target(home: Home, target: RecordedTarget) -> None:
    """Add a target, or replace what the record has of it."""
    targets = _read(_file(home))
    new_targets = {target.identity: target}
    _write(home, _copy(home), _read(_copy(home)) | targets | new_targets)
    _write(home, _file(home), targets | new_targets)


def put_problem(home: Home, url: str, format_: str, problem: str, now: datetime) -> None:
    """Record why a publication failed, of a target that is in the record."""
    target = find_target(home, url, format_)
    if target is not None:
        put_target(home, msgspec.structs.replace(target, problem=problem, failed_at=now))


def forget_target(home: Home, url: str, format_: str) -> bool:
    """Remove a target from the record and its copy; whether it was there."""
    was_there = False
    for file in (_copy(home), _file(home)):
        targets = _read(file)
        if targets.pop((url, format_), None) is not None:
            _write(home, file, targets)
            was_there = True
    return was_there


def removed_fingerprint(home: Home) -> str:
    """Of all conversations that were erased or redacted, as the landing has them."""
    rows = landing.redactions_and_tombstones(home.all_workspaces)
    return hashlib.sha256(rows.write_json().encode()).hexdigest()


def pending_targets(home: Home) -> tuple[RecordedTarget, ...]:
    """The targets of the record that may still have what was erased or redacted here."""
    return _pending(home, read_targets(home))


def pending_lost_targets(home: Home) -> tuple[RecordedTarget, ...]:
    """The lost targets that may still have what was erased or redacted here."""
    return _pending(home, lost_targets(home))


def _pending(home: Home, targets: Sequence[RecordedTarget]) -> tuple[RecordedTarget, ...]:
    if not targets:
        return ()
    removed = removed_fingerprint(home)
    return tuple(target for target in targets if target.removed != removed)


def _file(home: Home) -> Path:
    return home.root / "published.json"


def _copy(home: Home) -> Path:
    """A second record, which also has what somebody has removed from the first; written before it."""
    return home.landing / "published.json"


def _read(file: Path) -> dict[tuple[str, str], RecordedTarget]:
    try:
        return {target.identity: target for target in msgspec.json.decode(file.read_bytes(), type=_Record).targets}
    except FileNotFoundError:
        return {}
    except msgspec.DecodeError as error:
        raise HomeError(f"{file} cannot be read: {error}.", "Correct it: it has the targets of `publish`.") from error


def _write(home: Home, file: Path, targets: Mapping[tuple[str, str], RecordedTarget]) -> None:
    with parquet.replacing(home, file) as temporary:
        record = _Record(tuple(targets.values()))
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
    parquet.sync_folder(file.parent)

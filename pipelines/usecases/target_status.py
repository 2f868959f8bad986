"""What became of each target of ``publish``: when it was brought up to date, and what it lacks or still has.

Read from the home folder alone, so it neither waits for a target nor says how one is at this moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipelines.settings import Settings
from pipelines.usecases.status import built_at
from warehouse.publish import record
from warehouse.publish.record import RecordedTarget
from warehouse.storage.home import Home


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """A target of the settings or of an earlier publication.

    ``published_at`` is the end of its latest complete publication. ``is_behind``: the warehouse was built since, or
    nothing was published yet. ``is_pending``: it may still have what was erased or redacted here. ``problem`` is why
    the latest publication failed, at ``failed_at``. ``is_lost``: ``published.json`` no longer has it.
    """

    name: str | None
    target: str
    format: str
    published_at: datetime | None = None
    is_behind: bool = True
    is_pending: bool = False
    problem: str | None = None
    failed_at: datetime | None = None
    is_lost: bool = False


def read_target_statuses(home: Home, settings: Settings) -> tuple[TargetStatus, ...]:
    """The targets of the settings, then those of the record, then lost ones; one never reached has only its name.

    Raises:
        HomeError: the record is damaged.
    """
    names = {}
    for name, config in settings.publish.items():
        target = record.named_target(home, config.target, config.format)
        names[target.url, target.format] = name
    lost_targets = {entry.identity: entry for entry in record.lost_targets(home)}
    all_targets = {entry.identity: entry for entry in record.read_targets(home)} | lost_targets
    pending_identities = {
        entry.identity for entry in (*record.pending_targets(home), *record.pending_lost_targets(home))
    }
    warehouse_built_at = built_at(home)
    return tuple(
        _status(
            names.get(identity),
            all_targets[identity],
            warehouse_built_at,
            is_pending=identity in pending_identities,
            is_lost=identity in lost_targets,
        )
        if identity in all_targets
        else TargetStatus(names.get(identity), *identity)
        for identity in {**names, **all_targets}
    )


def _status(
    name: str | None, entry: RecordedTarget, warehouse_built_at: datetime | None, *, is_pending: bool, is_lost: bool
) -> TargetStatus:
    published_at = entry.published_at
    is_behind = published_at is None or (warehouse_built_at is not None and warehouse_built_at > published_at)
    return TargetStatus(
        name, *entry.identity, published_at, is_behind, is_pending, entry.problem, entry.failed_at, is_lost
    )

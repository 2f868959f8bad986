"""What the tests of account data share: a clock that a test moves on, and what is in the lake."""

from __future__ import annotations

from datetime import UTC, datetime

from warehouse.schema.operations import QUARANTINE
from warehouse.storage import lake

NIGHT = datetime(2026, 11, 21, 2, tzinfo=UTC)


class Night:
    """A clock that a test moves on."""

    def __init__(self):
        self.now = NIGHT

    def __call__(self):
        return self.now


def rows(context, table, **where):
    return lake.read(context.home, table).filter(**where).to_dicts()


def quarantined(context):
    return dict(lake.read(context.home, QUARANTINE).select("conversation_id", "reason").rows())


def rename(name):
    return lambda agent: agent | {"name": name}

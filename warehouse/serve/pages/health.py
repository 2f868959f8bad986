"""Data health: from the list to the mart by day, what is quarantined, what is new to the schema, and the last runs."""

from __future__ import annotations

from warehouse.serve.pages.selection import Reader, Row

DAYS = """
select
    start_date,
    cast(sum(n_listed) as bigint) as n_listed,
    cast(sum(n_detailed) as bigint) as n_detailed,
    cast(sum(n_flattened) as bigint) as n_flattened,
    cast(sum(n_in_mart) as bigint) as n_in_mart,
    cast(sum(n_open) as bigint) as n_open,
    cast(sum(n_settling) as bigint) as n_settling,
    cast(sum(n_settled) as bigint) as n_settled,
    cast(coalesce(sum(n_deleted), 0) as bigint) as n_deleted,
    cast(coalesce(sum(n_quarantined), 0) as bigint) as n_quarantined,
    cast(sum(n_missing) as bigint) as n_missing
from metrics.sync_health
group by all
order by start_date desc
"""

QUARANTINE = """
select workspace, conversation_id, fetched_at, reason, error
from staging.stg_quarantine
order by fetched_at desc, conversation_id
limit 50
"""

DRIFT = """
select workspace, path, value, kind, n_conversations, first_seen_at, last_seen_at, example_id
from staging.stg_unknown_fields
order by last_seen_at desc, path, value, workspace
limit 50
"""

RUNS = """
select workspace, started_at, outcome, n_listed, n_fetched, n_landed, n_gone, elapsed_secs, error
from staging.stg_sync_runs
order by started_at desc, workspace
limit 20
"""


def days(reader: Reader) -> list[Row]:
    """Conversations by day and how far they came, newest day first."""
    return reader.rows(DAYS)


def quarantine(reader: Reader) -> list[Row]:
    """Documents that are quarantined, latest first."""
    return reader.rows(QUARANTINE)


def drift(reader: Reader) -> list[Row]:
    """What the schema does not know, latest first."""
    return reader.rows(DRIFT)


def runs(reader: Reader) -> list[Row]:
    """The last runs."""
    return reader.rows(RUNS)

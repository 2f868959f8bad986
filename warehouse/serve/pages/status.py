"""What the head of every page says: as of when the data is, whether that is fresh, and whether it is complete."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from warehouse.serve.pages.selection import NONE, Reader
from warehouse.storage.freshness import last_full_listing_at
from warehouse.storage.home import Home

AGENTS = "select workspace, agent_id, agent_name from marts.dim_agents where agent_id is not null"
VALUES = """
select 'channel' as kind, channel as value, count(*) as n from marts.fct_conversations group by all
union all
select 'language' as kind, main_language as value, count(*) as n from marts.fct_conversations group by all
union all
select 'workspace' as kind, workspace as value, 0 as n from marts.fct_conversations group by all
order by kind, n desc, value
"""
VERSIONS = """
select workspace, agent_id, version_id, cast(min(started_at) as date) as first_date
from marts.fct_conversations
group by all
order by agent_id, first_date desc, version_id
"""
STATUS = """
select
    workspace,
    min(start_date) as first_date,
    max(start_date) as last_date,
    cast(sum(n_missing) as bigint) as n_missing,
    cast(coalesce(sum(n_quarantined), 0) as bigint) as n_quarantined
from metrics.sync_health
group by all
order by workspace
"""
LAST_RUN = """
select workspace, outcome
from staging.stg_sync_runs
qualify row_number() over (partition by workspace order by started_at desc) = 1
"""


@dataclass(frozen=True, slots=True)
class DataStatus:
    """The data as a whole; ``as_of`` is the earliest time of the workspaces, None if one has never been listed.

    ``newest_listing_at`` is the latest of these times.
    ``stale_workspaces`` were last listed longer ago than they may; ``incomplete_runs`` are workspaces whose last run
    did not get everything.
    """

    as_of: datetime | None
    newest_listing_at: datetime | None
    first_date: date | None
    last_date: date | None
    stale_workspaces: tuple[str, ...]
    incomplete_runs: tuple[str, ...]
    n_missing: int
    n_quarantined: int
    workspaces: tuple[str, ...]

    @property
    def is_stale(self) -> bool:
        """Whether a workspace is."""
        return bool(self.stale_workspaces)

    @property
    def is_complete(self) -> bool:
        """Whether all that was listed is here, and every last run was complete."""
        return not (self.n_missing or self.n_quarantined or self.incomplete_runs)


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen in the filter: values, or labels by value; ``NONE`` for conversations without one.

    ``version_agents`` are the labels of the agents of versions. ``agents_of`` has the agents of a workspace,
    ``versions_of`` the versions of an agent that have answered; of None they have all.
    """

    workspaces: tuple[str, ...]
    agents: dict[str, str]
    channels: tuple[str, ...]
    languages: tuple[str, ...]
    versions: dict[str, str]
    version_agents: dict[str, str]
    agents_of: Mapping[str | None, AbstractSet[str]]
    versions_of: Mapping[str | None, AbstractSet[str]]


def read_status(home: Home, reader: Reader, *, now: datetime, fresh_for: timedelta) -> DataStatus:
    """The status at a time.

    How fresh a workspace is, the records of its runs say: the warehouse was built before its own run ended.
    """
    rows = reader.rows(STATUS)
    times = {row["workspace"]: last_full_listing_at(home.for_workspace(row["workspace"]), now=now) for row in rows}
    known_times = [time for time in times.values() if time is not None]
    return DataStatus(
        as_of=min(known_times) if known_times and len(known_times) == len(times) else None,
        newest_listing_at=max(known_times, default=None),
        first_date=min((row["first_date"] for row in rows), default=None),
        last_date=max((row["last_date"] for row in rows), default=None),
        stale_workspaces=tuple(
            workspace for workspace, time in times.items() if time is None or now - time > fresh_for
        ),
        incomplete_runs=tuple(row["workspace"] for row in reader.rows(LAST_RUN) if row["outcome"] != "complete"),
        n_missing=sum(row["n_missing"] for row in rows),
        n_quarantined=sum(row["n_quarantined"] for row in rows),
        workspaces=tuple(row["workspace"] for row in rows),
    )


def read_choices(reader: Reader) -> Choices:
    """Everything that the filter offers."""
    values: dict[str, list[str]] = {"channel": [], "language": [], "workspace": []}
    for row in reader.rows(VALUES):
        values[row["kind"]].append(row["value"] or NONE)
    labels = agent_labels(reader)
    agents_of, versions_of = defaultdict[str | None, set[str]](set), defaultdict[str | None, set[str]](set)
    versions, version_agents = {}, {}
    for row in reader.rows(AGENTS):
        agents_of[row["workspace"]].add(row["agent_id"])
    for row in reader.rows(VERSIONS):
        agent_id, version_id = row["agent_id"] or NONE, row["version_id"] or NONE
        versions[version_id] = version_label(row["version_id"], row["first_date"])
        version_agents[version_id] = labels.get(agent_id, "")
        agents_of[row["workspace"]].add(agent_id)
        versions_of[agent_id].add(version_id)
    for parts in (agents_of, versions_of):
        parts[None] = set().union(*parts.values())
    if NONE in agents_of[None]:
        labels[NONE] = "agent not given"
    return Choices(
        workspaces=tuple(values["workspace"]),
        agents=labels,
        channels=tuple(values["channel"]),
        languages=tuple(values["language"]),
        versions=dict(sorted(versions.items(), key=lambda item: item[0] == NONE)),
        version_agents=version_agents,
        agents_of=agents_of,
        versions_of=versions_of,
    )


def agent_labels(reader: Reader) -> dict[str, str]:
    """The name of each agent, with the end of its id where several have the same; its id if it has no name."""
    names = {row["agent_id"]: row["agent_name"] for row in reader.rows(AGENTS)}
    counts = Counter(names.values())
    labels = {
        agent_id: agent_id if not name else name if counts[name] == 1 else f"{name} (…{agent_id[-4:]})"
        for agent_id, name in names.items()
    }
    return dict(sorted(labels.items(), key=lambda item: item[1].casefold()))


def version_label(version_id: str | None, first_date: date | None) -> str:
    """A version by the day of its first conversation, as it has no name, and the end of its id."""
    if version_id is None:
        return "version not given"
    since = f"since {first_date.day} {first_date:%b %Y}, " if first_date else ""
    return f"{since}…{version_id[-4:]}"

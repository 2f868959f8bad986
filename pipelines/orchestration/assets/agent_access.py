"""The probe of the agents: an asset and a job of its own, in no schedule, and a warning where callers meet nobody."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import polars as pl

from pipelines.orchestration.asset_keys import KINDS, asset_key
from pipelines.orchestration.table_metadata import table_schema
from pipelines.usecases.agent_access import check_agents, known_agents
from pipelines.usecases.context import Context, Progress
from warehouse.errors import ConvohouseError
from warehouse.schema.activity import AGENT_ACCESS
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage import activity_log, lake
from warehouse.storage.home import Home

GROUP = "upstream"
"""What asks the API for more than conversations, and so only when it is wanted."""
ACCESS = asset_key("landing.agent_access")
REACHABLE_CHECK = "agents_with_calls_can_be_reached"
RECENT = timedelta(days=7)


@dg.asset(
    key=ACCESS,
    group_name=GROUP,
    kinds=KINDS["landing"],
    metadata={"dagster/column_schema": table_schema(AGENT_ACCESS)},
    check_specs=[
        dg.AssetCheckSpec(
            REACHABLE_CHECK,
            asset=ACCESS,
            description="Every agent that had calls in the last week of data can be reached.",
        )
    ],
)
def agent_access(
    workspace_context: dg.ResourceParam[Context], progress: dg.ResourceParam[Progress]
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Whether each agent can be reached: a signed URL and a token are asked for, and neither is kept."""
    workspace_contexts = workspace_context.workspaces()
    try:
        found = [row for each in workspace_contexts for row in check_agents(each, known_agents(each.home), progress)]
    except ConvohouseError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    reached = {row.agent_id for row in found if row.is_reachable}
    n_agents = len({row.agent_id for row in found})
    yield dg.MaterializeResult(asset_key=ACCESS, metadata={"n_agents": n_agents, "n_reachable": len(reached)})
    lost = [agent_id for each in workspace_contexts for agent_id in unreachable_agents(each.home)]
    yield dg.AssetCheckResult(
        check_name=REACHABLE_CHECK,
        asset_key=ACCESS,
        passed=not lost,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"agents": ", ".join(lost)},
    )


access_job = dg.define_asset_job(
    "access", dg.AssetSelection.assets(ACCESS), description="Ask of every agent whether it can be reached."
)


def unreachable_agents(home: Home) -> list[str]:
    """Agents with calls in the last week of data that could be reached in no way when they were probed last, sorted."""
    calls = lake.read(home, CONVERSATIONS, ["agent_id", "start_time_at"])
    recent = calls.filter(pl.col("start_time_at") >= pl.col("start_time_at").max() - RECENT)
    latest = (
        activity_log.latest_entries(home, AGENT_ACCESS)
        .filter(pl.col("asked_at") == pl.col("asked_at").max().over("agent_id"))
        .group_by("agent_id")
        .agg(pl.col("is_reachable").any())
    )
    lost = latest.filter(~pl.col("is_reachable")).join(recent, "agent_id", "semi")
    return lost["agent_id"].sort().to_list()

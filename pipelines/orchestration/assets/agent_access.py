"""The access check of the agents, with its own job, which no schedule runs."""

from collections.abc import Iterator

import dagster as dg

from pipelines.orchestration.asset_keys import KINDS, asset_key
from pipelines.orchestration.run_session import errors_as_failures
from pipelines.orchestration.table_metadata import table_schema
from pipelines.usecases.agent_access import check_agents, known_agents, unreachable_agents
from pipelines.usecases.context import Context, Progress
from warehouse.schema.activity import AGENT_ACCESS

GROUP = "upstream"
ACCESS = asset_key("landing.agent_access")
REACHABLE_CHECK = "agents_with_calls_can_be_reached"


@dg.asset(
    key=ACCESS,
    group_name=GROUP,
    kinds=KINDS["landing"],
    metadata={"dagster/column_schema": table_schema(AGENT_ACCESS)},
    check_specs=[
        dg.AssetCheckSpec(
            REACHABLE_CHECK,
            asset=ACCESS,
            description="Every agent that had conversations in the last week of data can be reached.",
        )
    ],
)
def agent_access(
    app_context: dg.ResourceParam[Context], progress: dg.ResourceParam[Progress]
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Whether each agent can be reached, one row per agent, way and time of the request.

    A signed URL and a token are requested for each agent; neither is stored. The key needs the scope `convai_write`.

    If this fails, the API was down or refused the key. If its check warns, callers of the listed agents cannot start a
    conversation; lake.agent_access has the vendor's reason.
    """
    workspaces = app_context.workspaces()
    with errors_as_failures():
        rows = [
            row for workspace in workspaces for row in check_agents(workspace, known_agents(workspace.home), progress)
        ]
    reachable_ids = {row.agent_id for row in rows if row.is_reachable}
    n_agents = len({row.agent_id for row in rows})
    yield dg.MaterializeResult(asset_key=ACCESS, metadata={"n_agents": n_agents, "n_reachable": len(reachable_ids)})
    unreachable_ids = [agent_id for workspace in workspaces for agent_id in unreachable_agents(workspace.home)]
    yield dg.AssetCheckResult(
        check_name=REACHABLE_CHECK,
        asset_key=ACCESS,
        passed=not unreachable_ids,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"agents": ", ".join(unreachable_ids)},
    )


access_job = dg.define_asset_job(
    "access", dg.AssetSelection.assets(ACCESS), description="Checks for every agent whether callers can reach it."
)

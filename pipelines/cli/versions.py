"""``convohouse versions``: the versions of the agents, what was changed, when and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipelines.cli.agents import agent_labels, agents_arguments
from pipelines.cli.options import Options, exit_with, help_epilog, pass_options, shared_options
from pipelines.cli.progress import show_progress
from pipelines.cli.render import emit, print_all_rows, table

if TYPE_CHECKING:
    from pipelines.usecases.context import Context

COLUMNS = {
    "agent": "agent",
    "version_id": "version",
    "branch": "branch",
    "committed_at": "published",
    "author_name": "by",
    "description": "description",
    "changes": "changed",
    "n_calls": "calls",
}
ROWS = """
    select * from marts.dim_agent_versions
    order by workspace, agent_id, committed_at desc nulls last, version_id
"""


@click.command(
    epilog=help_epilog(
        {
            "convohouse versions": "all agents, as of the last sync",
            "convohouse versions NAME --sync": "fetch the agents from the API first, and build the warehouse",
            'convohouse query "from metrics.version_comparison"': "what a version changed in the numbers",
            'convohouse query "from lake.agent_configs"': "every configuration that an agent had",
        },
        {
            0: "listed",
            1: "a check failed: the warehouse stays as it was; or an agent could not be fetched",
            2: "there is no warehouse yet, or a setting is wrong",
            3: "the API or its key",
        },
    )
)
@agents_arguments
@click.option("--sync", "is_sync", is_flag=True, help="Fetch agents from the API first; the key needs convai_read.")
@shared_options
@pass_options
def versions(options: Options, agents: tuple[str, ...], option_agents: tuple[str, ...], is_sync: bool) -> None:
    """List versions of agents: when, by whom, what was changed.

    AGENT is the name or the id of an agent. A change is a path of the configuration that differs from the version
    before. Versions that only appear in conversations have neither time nor author.
    """
    from pipelines.usecases.agents import resolve_agents
    from warehouse.serve.query import query
    from warehouse.serve.value_format import plural

    context = options.context()
    problems = _sync(options, context) if is_sync else ()
    agent_ids = resolve_agents(context.home, (*agents, *option_agents))
    rows = [row for row in query(context.home, ROWS).to_dicts() if not agent_ids or row["agent_id"] in agent_ids]
    if options.is_json:
        emit({"versions": rows, "problems": list(problems)})
    elif rows:
        labels = agent_labels(context.home)
        layout = table([row | _labels(row, labels) for row in rows], COLUMNS)
        print_all_rows(options, layout)
    options.say(f"\n{plural(len(rows), 'version')}.")
    for problem in problems:
        options.say(f"  - {problem}")
    exit_with(1 if problems else 0)


def _labels(row: dict[str, object], labels: dict[str, str]) -> dict[str, object]:
    """The name of the agent, the branch with its share, and the changed paths without their common beginning."""
    import json

    agent_id, share = row["agent_id"], row["branch_live_percentage"]
    branch = row["branch_name"] if share is None else f"{row['branch_name']} ({share:g} %)"
    paths = json.loads(str(row["changes"])) if row["changes"] else []
    return {
        "agent": labels.get(str(agent_id), agent_id),
        "branch": branch,
        "changes": ", ".join(path.removeprefix("conversation_config.") for path in paths) or None,
    }


def _sync(options: Options, context: Context) -> tuple[str, ...]:
    """Fetch the agents of each workspace, and build; gives the errors and the failed checks."""
    from pipelines.usecases.account_data import AgentsCopy
    from pipelines.usecases.sync_reference_data import copy_and_build
    from warehouse.serve.value_format import plural

    def copy(workspace: Context) -> list[str]:
        result = AgentsCopy(workspace, show).fetch_and_land()
        options.say(f"{workspace.settings.workspace}: {plural(result.n_listed, 'agent')} fetched")
        return [f"{item}: {error}" for item, error in result.errors.items()]

    with show_progress(options) as show:
        return copy_and_build(context, "versions", copy, show)

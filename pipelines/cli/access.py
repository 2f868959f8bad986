"""``convohouse access``: whether a conversation can be started with each agent."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipelines.cli.agents import agent_labels, agents_arguments
from pipelines.cli.options import Options, exit_with, help_epilog, pass_options, shared_options
from pipelines.cli.progress import show_progress
from pipelines.cli.render import emit, table

if TYPE_CHECKING:
    from pipelines.usecases.agent_access import AccessCheck

COLUMNS = {
    "agent": "agent",
    "way": "way",
    "reachable": "reachable",
    "latency_secs": "after",
    "reason": "reason",
}


@click.command(
    epilog=help_epilog(
        {
            "convohouse access": "every agent that ever had a conversation",
            "convohouse access NAME": "one agent, by its name or its id",
            'convohouse query "from lake.agent_access"': "the results of all checks",
        },
        {
            0: "all can be reached",
            1: "one cannot: the reason is shown",
            2: "there is no agent to check",
            3: "the key is refused, or the API is down",
        },
    )
)
@agents_arguments
@shared_options
@pass_options
def access(options: Options, agents: tuple[str, ...], option_agents: tuple[str, ...]) -> None:
    """Check whether agents can be reached.

    Requests a signed URL and a token for each agent, as a web page does before a conversation. No conversation starts,
    and neither the URL nor the token is stored or shown, only whether they came, how long it took, and why not. The key
    needs the scope convai_write.
    """
    from pipelines.errors import UsageError
    from pipelines.usecases.agent_access import check_agents, known_agents
    from pipelines.usecases.agents import resolve_agents

    names = (*agents, *option_agents)
    context = options.context() if names else options.context_with_data()
    agent_ids = resolve_agents(context.home, names, allow_unseen=True)
    contexts = context.workspaces()
    checks: list[AccessCheck] = []
    for workspace in contexts:
        workspace_agents = known_agents(workspace.home)
        selection = [agent for agent in agent_ids if len(contexts) == 1 or agent in workspace_agents]
        if agent_ids and not selection:
            continue
        with show_progress(options) as show:
            checks += (
                check_agents(workspace, selection or workspace_agents, show) if selection or workspace_agents else ()
            )
    if not checks:
        raise UsageError("There is no agent to check.", "Name one, or run `convohouse sync` first.")
    if options.is_json:
        emit({"probes": [asdict(check) for check in checks]})
    else:
        labels = agent_labels(context.home)
        rows = [
            asdict(check)
            | {
                "agent": labels.get(check.agent_id, check.agent_id),
                "reachable": "yes" if check.is_reachable else "no",
            }
            for check in checks
        ]
        click.echo(table(rows, COLUMNS, prose=("reason",)).text)
    exit_with(0 if all(check.is_reachable for check in checks) else 1)

"""``convohouse access``: can every agent be reached?"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, emit, finish, pass_options, shared, teach
from pipelines.cli.progress import showing

if TYPE_CHECKING:
    from pipelines.usecases.agent_access import AccessCheck


@click.command(
    epilog=teach(
        {
            "convohouse access": "every agent that ever had a call",
            "convohouse access agent_01": "one agent",
            'convohouse query "from lake.agent_access"': "all that was ever found",
        },
        {
            0: "all can be reached",
            1: "one cannot: the reason is named",
            2: "there is no agent to ask for",
            3: "the key is refused, or the API is down",
        },
    )
)
@click.argument("agents", nargs=-1, metavar="[AGENT…]")
@shared
@pass_options
def access(options: Options, agents: tuple[str, ...]) -> None:
    """Probe whether agents can be reached.

    Asks the API for a signed URL and a token of each agent, as a web page does that begins a conversation. No
    conversation is begun, and neither URL nor token is kept or shown: only whether they came, after how long, and
    why not. The key needs the scope convai_write.
    """
    from pipelines.errors import UsageError
    from pipelines.usecases.agent_access import check_agents, known_agents

    found: list[AccessCheck] = []
    contexts = options.context().workspaces()
    if agents and len(contexts) > 1:
        contexts = tuple(each for each in contexts if set(agents) & set(known_agents(each.home)))
    for context in contexts:
        own = [each for each in agents if len(contexts) == 1 or each in known_agents(context.home)] or known_agents(
            context.home
        )
        with showing(options) as show:
            found += check_agents(context, own, show) if own else ()
    if not found:
        raise UsageError("There is no agent to ask for.", "Name one, or run `convohouse sync` first.")
    if options.is_json:
        emit({"probes": [asdict(each) for each in found]})
    else:
        click.echo(_text(found))
    finish(0 if all(each.is_reachable for each in found) else 1)


def _text(found: list[AccessCheck]) -> str:
    from pipelines.cli.text_table import table_text

    rows = [
        (each.agent_id, each.way, "yes" if each.is_reachable else "no", f"{each.latency_secs:.3f} s", each.reason or "")
        for each in found
    ]
    return table_text(("agent", "way", "reachable", "after", "reason"), rows, right=("after",))

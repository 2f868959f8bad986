"""``convohouse find``: conversations by what was said in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipelines.cli.agents import agent_labels
from pipelines.cli.options import (
    AGENT_HELP,
    SINCE_HELP,
    UNTIL_HELP,
    Options,
    help_epilog,
    pass_options,
    shared_options,
)
from pipelines.cli.render import echo, emit

if TYPE_CHECKING:
    from pipelines.usecases.upstream_search import UpstreamHit
    from warehouse.serve.search import SearchHit


@click.command(
    epilog=help_epilog(
        {
            "convohouse find refund": "conversations about it",
            "convohouse find late train --since 30d": "both words, in the last thirty days",
            "convohouse find cafe --agent NAME --limit 3": "finds café as well",
            "convohouse find refund --upstream": "search at the API, which has the newest ones",
        },
        {0: "searched, also if nothing was found", 2: "no word, a wrong date, or no warehouse yet", 3: "the API"},
    )
)
@click.argument("words", nargs=-1, required=True, metavar="WORD…")
@click.option("--agent", metavar="AGENT", help=AGENT_HELP)
@click.option("--since", metavar="WHEN", help=SINCE_HELP)
@click.option("--until", metavar="WHEN", help=UNTIL_HELP)
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="Conversations to show at most."
)
@click.option("--upstream", is_flag=True, help="Search at the API, with its own rules, instead of in the warehouse.")
@shared_options
@pass_options
def find(
    options: Options,
    words: tuple[str, ...],
    *,
    agent: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    upstream: bool,
) -> None:
    """Find conversations by what was said in them.

    Finds conversations in which all the words occur, in any of their turns, and shows the turn that has most of them.
    The best matches come first (BM25). Case and accents do not matter, and the beginning of a word is enough: refund
    finds Refunds. Open conversations and those of excluded callers, which no metric counts, are found too.
    """
    from pipelines.errors import UsageError
    from pipelines.extract.time_window import parse_moments
    from pipelines.usecases.agents import resolve_agent
    from warehouse.serve.search import Scope
    from warehouse.serve.search_terms import search_terms

    text = " ".join(words).encode(errors="surrogateescape").decode(errors="replace")
    if not search_terms(text):
        raise UsageError(f"There is no word in {text!r}.", "Give at least one word.")
    context = options.context()
    since_at, until_at = parse_moments(since, until, context.clock())
    scope = Scope(resolve_agent(context.home, agent, allow_unseen=upstream), since_at, until_at)
    if upstream:
        from pipelines.usecases.upstream_search import search_upstream

        rows = [
            row for workspace in context.workspaces() for row in search_upstream(workspace, text, scope, limit=limit)
        ]
        _print_upstream(options, rows, agent_labels(context.home))
    else:
        from warehouse.serve.search import search

        hits = search(context.home, text, scope, limit=limit)
        _print_hits(options, hits, agent_labels(context.home))


def _print_hits(options: Options, hits: Sequence[SearchHit], labels: Mapping[str, str]) -> None:
    from warehouse.serve.value_format import format_value, moment, plural

    if options.is_json:
        emit({"calls": [asdict(hit) for hit in hits]})
        return
    for hit in hits:
        agent = format_value(labels.get(hit.agent_id or "", hit.agent_id))
        echo(f"{hit.conversation_id}  {moment(hit.started_at)}  {agent}")
        echo(f"  {format_value(hit.role)}: {format_value(hit.snippet)}")
    n_found = plural(len(hits), "conversation")
    options.say(f"{n_found}; `convohouse show ID` shows one" if hits else "no conversation has all the words")


def _print_upstream(options: Options, rows: Sequence[UpstreamHit], labels: Mapping[str, str]) -> None:
    from warehouse.serve.value_format import format_value, moment, plural

    if options.is_json:
        emit({"calls": [asdict(row) for row in rows]})
        return
    for row in rows:
        agent = format_value(row.agent_name or labels.get(row.agent_id or "", row.agent_id))
        echo(f"{row.conversation_id}  {moment(row.started_at)}  {agent}")
        echo(f"  {format_value(row.title)}")
    options.say(f"{plural(len(rows), 'conversation')} at the API" if rows else "the API found no conversation")

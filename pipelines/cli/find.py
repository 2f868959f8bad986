"""``convohouse find``: calls by what was said."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, emit, moment, pass_options, plural, shared, teach

if TYPE_CHECKING:
    from pipelines.usecases.upstream_search import UpstreamHit
    from warehouse.serve.search import SearchHit


@click.command(
    epilog=teach(
        {
            "convohouse find refund": "the calls that are about it",
            "convohouse find late train --since 30d": "both words, in the last thirty days",
            "convohouse find cafe --agent agent_01 --limit 3": "finds café as well",
            "convohouse find refund --upstream": "ask the API, which knows what is not copied yet",
        },
        {0: "searched, also where nothing was found", 2: "no word, a wrong date, or no warehouse yet", 3: "the API"},
    )
)
@click.argument("words", nargs=-1, required=True, metavar="WORD…")
@click.option("--agent", metavar="ID", help="Only calls of this agent.")
@click.option("--since", metavar="WHEN", help="Only calls that started at or after: 2026-01-01, an ISO time, or 7d.")
@click.option("--until", metavar="WHEN", help="Only calls that started before.")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="Calls to show at most.")
@click.option("--upstream", is_flag=True, help="Search at the API, by its own rules, and not in the warehouse.")
@shared
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
    """Find calls by what was said in them.

    A call is found that has all the words, in any of its turns, and shown with the turn that has the most of them;
    those first in which they are rare and frequent (BM25). A word is found without regard to case and accents, from
    its beginning on: refund finds Refunds.
    """
    from pipelines.errors import UsageError
    from pipelines.extract.time_window import parse_moment
    from warehouse.serve.search import Scope
    from warehouse.serve.search_terms import search_terms

    text = " ".join(words).encode(errors="surrogateescape").decode(errors="replace")
    if not search_terms(text):
        raise UsageError(f"There is no word in {text!r}.", "Give a word or more.")
    context = options.context()
    since_at, until_at = (None if when is None else parse_moment(when, context.clock()) for when in (since, until))
    scope = Scope(agent, since_at, until_at)
    if upstream:
        from pipelines.usecases.upstream_search import search_upstream

        _show_listed(
            options, [row for each in context.workspaces() for row in search_upstream(each, text, scope, limit=limit)]
        )
    else:
        from warehouse.serve.search import search as search_here

        _show(options, search_here(context.home, text, scope, limit=limit))


def _show(options: Options, hits: list[SearchHit]) -> None:
    if options.is_json:
        emit({"calls": [asdict(hit) for hit in hits]})
        return
    from pipelines.cli.text_table import plain

    for hit in hits:
        click.echo(f"{hit.conversation_id}  {moment(hit.started_at)}  {plain(hit.agent_id)}")
        click.echo(f"  {plain(hit.role)}: {plain(hit.snippet)}")
    options.say(f"{plural(len(hits), 'call')}; `convohouse show ID` shows one" if hits else "no call has all the words")


def _show_listed(options: Options, rows: list[UpstreamHit]) -> None:
    if options.is_json:
        emit({"calls": [asdict(row) for row in rows]})
        return
    from pipelines.cli.text_table import plain

    for row in rows:
        click.echo(f"{row.conversation_id}  {moment(row.started_at)}  {plain(row.agent_id)}")
        click.echo(f"  {plain(row.title)}")
    options.say(f"{plural(len(rows), 'call')} at the API" if rows else "the API finds none")

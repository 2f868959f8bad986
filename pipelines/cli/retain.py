"""``convohouse retain``: erase conversations that are older than a retention rule allows."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipelines.cli.confirm import is_confirmed
from pipelines.cli.erase import target_lines
from pipelines.cli.options import AGENT_HELP, Options, exit_with, help_epilog, pass_options, shared_options
from pipelines.cli.progress import show_progress
from pipelines.cli.render import emit
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.usecases.context import Context
    from pipelines.usecases.erasure import ErasureResult
    from pipelines.usecases.retention import Selection, Where

WHERE = {"here": "here", "upstream": "at the API", "both": "here and at the API"}


@click.command(
    epilog=help_epilog(
        {
            "convohouse retain --older-than 90d --dry-run": "how many would be erased",
            "convohouse retain --older-than 90d --yes": "erase them here",
            "convohouse retain --older-than 30d --only failed --both --yes": "failed ones, also at the API",
            "convohouse retain --older-than 365d --upstream --yes": "only at the API",
        },
        {
            0: "done, or it was a dry run",
            1: "too large a share, the warehouse was not rebuilt, or a target was not reached",
            2: "the rule or the agent is wrong, or the home folder holds nothing yet",
            3: "the API did not delete some; those are not erased here either",
        },
    )
)
@click.option(
    "--older-than", required=True, metavar="AGE", help="Conversations that started before: 90d (days ago) or a date."
)
@click.option("--agent", metavar="AGENT", help=AGENT_HELP)
@click.option("--only", type=click.Choice(["failed", "done"]), help="Only conversations that ended with this status.")
@click.option("--here", "where", flag_value="here", default="here", help="Erase them on this machine [default].")
@click.option("--upstream", "where", flag_value="upstream", help="Delete them only at the API.")
@click.option("--both", "where", flag_value="both", help="At the API first, then here.")
@click.option(
    "--max-share",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Share of all conversations that may be erased at once [default: CONVOHOUSE_RETAIN_MAX_SHARE].",
)
@click.option("--dry-run", is_flag=True, help="Only show what would be erased.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shared_options
@pass_options
def retain(
    options: Options,
    *,
    older_than: str,
    agent: str | None,
    only: str | None,
    where: Where,
    max_share: float | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Erase conversations that are older than a rule allows.

    On this machine, erases them like `convohouse erase`: from landing, lake, warehouse and recordings, and no sync
    brings them back. A rule that selects more than half of all conversations (CONVOHOUSE_RETAIN_MAX_SHARE) is rejected
    before anything changes. Without --yes and without a terminal, nothing changes either.
    """
    from pipelines.extract.time_window import parse_moment
    from pipelines.usecases.agents import resolve_agent
    from pipelines.usecases.retention import Rule, select_expired
    from warehouse.serve.value_format import format_number, plural

    if re.fullmatch(r"0+d", older_than.strip()):
        raise UsageError(
            "0d is not an age: every conversation is older.", "Give at least a day, such as 365d, or a date."
        )
    context = options.context_with_data()
    share = context.settings.retain_max_share if max_share is None else max_share
    rule = Rule(parse_moment(older_than, context.clock()), resolve_agent(context.home, agent), only)
    selection = select_expired(context, rule, max_share=share, where=where)
    share_text = format_number(selection.share, "share of 1")
    count = f"{len(selection.all_ids):,} of {plural(selection.n_all, 'conversation')} ({share_text})"
    condition = "started" if only is None else f"ended as {only} and started"
    options.say(f"{count} {condition} before {rule.before:%Y-%m-%d %H:%M} UTC")
    is_asked = bool(selection.all_ids) or yes  # with --yes, a run that finds nothing is not a dry run
    if is_asked and is_confirmed(f"Erase them {WHERE[where]}, for good?", yes=yes, is_dry_run=dry_run):
        _erase(options, context, selection, where)
        return
    if selection.all_ids:
        options.say("a dry run: nothing is changed; --yes erases")
    if options.is_json:
        emit(
            {
                "is_dry_run": True,
                "before": rule.before,
                "n_all": selection.n_all,
                "share": selection.share,
                "ids": selection.all_ids,
            }
        )


def _erase(options: Options, context: Context, selection: Selection, where: Where) -> None:
    from pipelines.usecases.erasure import ErasureResult, erase, is_unfinished
    from pipelines.usecases.retention import apply_upstream
    from warehouse.serve.value_format import plural

    if where == "upstream":
        deleted, failed = apply_upstream(context, selection)
        options.say(f"{plural(len(deleted), 'conversation')} deleted at the API; the next sync notices it")
        _say_failed(options, failed)
        if options.is_json:
            emit({"is_dry_run": False, "upstream": deleted, "failed": failed})
        exit_with(3 if failed else 0)
    result = ErasureResult((), (), {}, (), {})
    if selection.all_ids or is_unfinished(context):  # an earlier run may have been stopped: nothing of it is selected
        with show_progress(options) as show:
            result = erase(context, selection.all_ids, is_upstream=where == "both", progress=show)
    if options.is_json:
        emit({"is_dry_run": False, **asdict(result)})
    options.say(_describe(result))
    _say_failed(options, result.failed)
    for problem in result.problems:
        options.say(f"warehouse.duckdb was not rebuilt and may still hold them: {problem}")
    for line in target_lines(result):
        options.say(line)
    exit_with(3 if result.failed else 1 if result.problems or any(result.targets.values()) else 0)


def _say_failed(options: Options, failed: dict[str, str]) -> None:
    for conversation_id, reason in failed.items():
        options.say(f"{conversation_id}: not erased: {reason}")


def _describe(result: ErasureResult) -> str:
    from warehouse.serve.value_format import plural

    n_rows = sum(sum(receipt.lake.values()) for receipt in result.receipts)
    n_snapshots = sum(receipt.landing["n_readings"] for receipt in result.receipts)
    counts = f"{plural(n_snapshots, 'snapshot')}, {plural(n_rows, 'row')} of the lake"
    return f"{plural(len(result.receipts), 'conversation')} erased: {counts}"

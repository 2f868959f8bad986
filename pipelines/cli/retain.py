"""``convohouse retain``: what is older than a rule allows goes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipelines.cli.confirm import is_wanted
from pipelines.cli.options import Options, emit, finish, pass_options, plural, shared, teach
from pipelines.cli.progress import showing

if TYPE_CHECKING:
    from pipelines.usecases.context import Context
    from pipelines.usecases.erasure import ErasureResult
    from pipelines.usecases.retention import Selection

WHERE = {"here": "here", "upstream": "at the API", "both": "here and at the API"}


@click.command(
    epilog=teach(
        {
            "convohouse retain --older-than 90d --dry-run": "how many calls would go",
            "convohouse retain --older-than 90d --yes": "erase them here",
            "convohouse retain --older-than 30d --only failed --both --yes": "failed ones, at the API too",
            "convohouse retain --older-than 365d --upstream --yes": "at the API alone",
        },
        {
            0: "done, or it was a dry run",
            1: "the rule takes too large a share, or the warehouse could not be built anew",
            2: "the rule makes no sense",
            3: "the API did not delete some; those are not erased here either",
        },
    )
)
@click.option("--older-than", required=True, metavar="AGE", help="Calls that began before: 90d (days ago) or a date.")
@click.option("--agent", metavar="ID", help="Only calls of this agent.")
@click.option("--only", type=click.Choice(["failed", "done"]), help="Only calls that ended so.")
@click.option("--here", "where", flag_value="here", default="here", help="Erase them on this machine [default].")
@click.option("--upstream", "where", flag_value="upstream", help="Delete them at the API alone.")
@click.option("--both", "where", flag_value="both", help="At the API first, then here.")
@click.option(
    "--max-share", type=click.FloatRange(0, 1), metavar="SHARE", help="Share of all calls that may go at once."
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shared
@pass_options
def retain(
    options: Options,
    *,
    older_than: str,
    agent: str | None,
    only: str | None,
    where: str,
    max_share: float | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Erase calls that are older than a rule allows.

    What goes here goes as by `convohouse erase`: landing, lake, warehouse and recordings, and no sync brings it back.
    A rule that takes more than half of all calls (CONVOHOUSE_RETAIN_MAX_SHARE) is stopped before anything is touched.
    Without --yes, and without a terminal to ask on, nothing is touched either.
    """
    from pipelines.extract.time_window import parse_moment
    from pipelines.usecases.retention import Rule, select_expired

    context = options.context()
    share = context.settings.retain_max_share if max_share is None else max_share
    rule = Rule(parse_moment(older_than, context.clock()), agent, only)
    chosen = select_expired(context, rule, max_share=share, is_upstream_only=where == "upstream")
    count = f"{len(chosen.all_ids):,} of {plural(chosen.n_all, 'call')} ({chosen.share:.1%})"
    options.say(
        f"{count} {'began' if only is None else f'ended as {only} and began'} before {rule.before:%Y-%m-%d %H:%M} UTC"
    )
    if chosen.all_ids and is_wanted(f"Erase them {WHERE[where]}, for good?", yes=yes, is_dry_run=dry_run):
        _carry_out(options, context, chosen, where)
        return
    if chosen.all_ids:
        options.say("a dry run: nothing is touched; --yes erases")
    if options.is_json:
        emit(
            {
                "is_dry_run": True,
                "before": rule.before,
                "n_all": chosen.n_all,
                "share": chosen.share,
                "ids": chosen.all_ids,
            }
        )


def _carry_out(options: Options, context: Context, chosen: Selection, where: str) -> None:
    from pipelines.usecases.retention import apply_locally, apply_upstream

    if where == "upstream":
        told, failed = apply_upstream(context, chosen)
        options.say(f"{plural(len(told), 'call')} deleted at the API; the next sync notices it")
        _tell_failed(options, failed)
        if options.is_json:
            emit({"is_dry_run": False, "upstream": told, "failed": failed})
        finish(3 if failed else 0)
    with showing(options) as show:
        done = apply_locally(context, chosen, is_upstream=where == "both", progress=show)
    if options.is_json:
        emit({"is_dry_run": False, **asdict(done)})
    options.say(_receipt(done))
    _tell_failed(options, done.failed)
    for problem in done.problems:
        options.say(f"warehouse.duckdb is not built anew and may still hold them: {problem}")
    finish(3 if done.failed else 1 if done.problems else 0)


def _tell_failed(options: Options, failed: dict[str, str]) -> None:
    for conversation_id, why in failed.items():
        options.say(f"{conversation_id}: not erased: {why}")


def _receipt(done: ErasureResult) -> str:
    rows = sum(sum(receipt.lake.values()) for receipt in done.receipts)
    readings = sum(receipt.landing["n_readings"] for receipt in done.receipts)
    return (
        f"{plural(len(done.receipts), 'call')} erased: {plural(readings, 'reading')}, {plural(rows, 'row')} of the lake"
    )

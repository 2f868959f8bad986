"""``convohouse erase``: delete conversations everywhere, with a receipt."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, exit_with, help_epilog, pass_options, shared_options
from pipelines.cli.progress import show_progress
from pipelines.cli.render import emit
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.usecases.erasure import ErasureResult, Receipt

NOUNS = {
    "n_readings": "snapshot",
    "n_segments": "segment",
    "n_list_rows": "list row",
    "n_listings": "listing",
    "n_quarantined": "quarantined item",
    "n_recordings": "recording",
}
"""What a receipt counts in the landing, by its key."""


@click.command(
    epilog=help_epilog(
        {
            "convohouse erase conv_01": "on this machine; no later sync brings it back",
            "convohouse erase conv_01 conv_02 --upstream": "also at the API, and there first",
            "convohouse --json erase conv_01 --yes": "the receipt for programs",
        },
        {
            0: "all are erased",
            1: "an id is unknown, the warehouse could not be rebuilt, or a target not reached",
            2: "not confirmed (without a terminal, --yes is needed), or the home folder holds nothing yet",
            3: "the API did not delete one, which is then not erased here either",
        },
    )
)
@click.argument("ids", nargs=-1, required=True, metavar="ID…")
@click.option("--upstream", is_flag=True, help="Delete them at the API first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shared_options
@pass_options
def erase(options: Options, ids: tuple[str, ...], upstream: bool, yes: bool) -> None:
    """Erase conversations permanently, with a receipt for each.

    Removes them from the landing, the lake, the quarantine, the recordings, the warehouse and all targets of
    `convohouse publish`, whatever CONVOHOUSE_ON_UPSTREAM_DELETE says. Only the id and the day of each are kept, so that
    no later sync brings it back. The warehouse is rebuilt; programs that have the old file open can read it until they
    close it. You can repeat the command at any time, also after an interruption.
    """
    from pipelines.usecases.erasure import erase as erase_everywhere

    context = options.context_with_data()
    if not yes and not _is_confirmed(ids, is_upstream=upstream):
        options.say("nothing was erased")
        exit_with(2)
    with show_progress(options) as show:
        result = erase_everywhere(context, ids, is_upstream=upstream, progress=show)
    if options.is_json:
        emit(asdict(result))
    else:
        for line in result_lines(result):
            options.say(line)
    is_incomplete = result.unknown or result.problems or any(result.targets.values())
    exit_with(3 if result.failed else 1 if is_incomplete else 0)


def _is_confirmed(ids: tuple[str, ...], *, is_upstream: bool) -> bool:
    """Ask on the terminal.

    Raises:
        UsageError: there is no terminal.
    """
    from warehouse.serve.value_format import plural

    if not sys.stdin.isatty():
        raise UsageError("Erasing cannot be undone, and there is no terminal to ask on.", "Give --yes.")
    where = "here and at the API" if is_upstream else "here"
    return click.confirm(f"Erase {plural(len(set(ids)), 'conversation')} {where}, for good?", err=True)


def result_lines(result: ErasureResult) -> Iterator[str]:
    """What was erased, what was not and why."""
    from warehouse.serve.value_format import plural

    for receipt in result.receipts:
        yield f"{receipt.conversation_id}: erased{_upstream(receipt)}"
        landing = (plural(number, NOUNS[name]) for name, number in receipt.landing.items() if number)
        lake = (f"{plural(number, 'row')} of {table}" for table, number in receipt.lake.items() if number)
        yield f"  landing  {', '.join(landing) or 'nothing'}"
        yield f"  lake     {', '.join(lake) or 'nothing'}"
    for conversation_id in result.unknown:
        yield f"{conversation_id!r}: not in this home folder, nothing to erase"
    for conversation_id, reason in result.failed.items():
        yield f"{conversation_id}: not erased: {reason}"
    for problem in result.problems:
        yield f"warehouse.duckdb was not rebuilt and may still hold it: {problem}"
    yield from target_lines(result)


def target_lines(result: ErasureResult) -> Iterator[str]:
    """A line for each target that was published to."""
    for target, problem in result.targets.items():
        if problem is None:
            yield f"{target}: erased there too"
        else:
            yield f"{target}: not reached, it may still have what was erased. {problem}"


def _upstream(receipt: Receipt) -> str:
    texts = {"deleted": ", deleted at the API", "not_found": ", no longer at the API"}
    return texts.get(receipt.upstream or "", "")

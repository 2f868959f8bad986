"""``convohouse erase``: conversations leave every place, and a receipt says which."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, emit, finish, pass_options, plural, shared, teach
from pipelines.cli.progress import showing
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.usecases.erasure import ErasureResult, Receipt


@click.command(
    epilog=teach(
        {
            "convohouse erase conv_01": "from this machine; no later sync brings it back",
            "convohouse erase conv_01 conv_02 --upstream": "at the API as well, and there first",
            "convohouse --json erase conv_01 --yes": "the receipt for programs",
        },
        {
            0: "all are erased",
            1: "an id is unknown, or the warehouse could not be built anew",
            2: "not confirmed: --yes is needed where nobody can be asked",
            3: "the API did not delete one, which is not erased here either",
        },
    )
)
@click.argument("ids", nargs=-1, required=True, metavar="ID…")
@click.option("--upstream", is_flag=True, help="Delete them at the API first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shared
@pass_options
def erase(options: Options, ids: tuple[str, ...], upstream: bool, yes: bool) -> None:
    """Erase conversations for good, and say what went where.

    They leave the landing, the lake, the quarantine and the warehouse, whatever the policy for deletions is. Of each
    only its id and its day are kept, so that no later sync brings it back. The warehouse is built anew; who still
    reads the old file keeps it until then. Can be repeated at any time, also after it was stopped.
    """
    from pipelines.usecases.erasure import erase as carry_out

    context = options.context()
    if not yes and not _is_confirmed(ids, is_upstream=upstream):
        options.say("nothing is erased")
        finish(1)
    with showing(options) as show:
        done = carry_out(context, ids, is_upstream=upstream, progress=show)
    if options.is_json:
        emit(asdict(done))
    else:
        for line in _lines(done):
            options.say(line)
    finish(3 if done.failed else 1 if done.unknown or done.problems else 0)


def _is_confirmed(ids: tuple[str, ...], *, is_upstream: bool) -> bool:
    """Ask.

    Raises:
        UsageError: nobody is there to be asked.
    """
    if not sys.stdin.isatty():
        raise UsageError("Erasing cannot be undone, and there is no terminal to ask on.", "Give --yes.")
    where = "here and at the API" if is_upstream else "here"
    return click.confirm(f"Erase {plural(len(set(ids)), 'conversation')} {where}, for good?", err=True)


def _lines(done: ErasureResult) -> Iterator[str]:
    for receipt in done.receipts:
        yield f"{receipt.conversation_id}: erased{_told(receipt)}"
        yield f"  landing  {_counts(receipt.landing)}"
        yield f"  lake     {_counts(receipt.lake)}"
    for conversation_id in done.unknown:
        yield f"{conversation_id!r}: unknown here, nothing to erase"
    for conversation_id, why in done.failed.items():
        yield f"{conversation_id}: not erased: {why}"
    for problem in done.problems:
        yield f"warehouse.duckdb is not built anew and may still hold it: {problem}"


def _told(receipt: Receipt) -> str:
    told = {"deleted": ", deleted at the API", "not_found": ", no longer at the API"}
    return told.get(receipt.upstream or "", "")


def _counts(counts: dict[str, int]) -> str:
    said = (f"{number:,} {name.removeprefix('n_')}" for name, number in counts.items() if number)
    return ", ".join(said) or "nothing"

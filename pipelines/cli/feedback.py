"""``convohouse feedback``: rate conversations with a thumb, one or a reviewed batch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.confirm import is_confirmed
from pipelines.cli.options import Options, exit_with, help_epilog, pass_options, shared_options
from pipelines.cli.progress import show_progress
from pipelines.cli.render import emit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.usecases.context import Context
    from pipelines.usecases.feedback import FeedbackResult

MAX_SHOWN = 20
"""Thumbs that are listed before they are sent."""


@click.command(
    epilog=help_epilog(
        {
            "convohouse feedback conv_01 like": "shows what would be sent; asks on a terminal",
            "convohouse feedback conv_01 dislike --yes": "a thumb down, without asking",
            "convohouse feedback conv_01 clear --yes": "remove the thumb",
            "convohouse feedback --from reviewed.csv --yes": "a batch: columns conversation_id and feedback",
        },
        {
            0: "all were sent, or it was a dry run",
            1: "an id is unknown at the API",
            2: "the file, an id or a value is wrong: nothing was sent",
            3: "the API or the key refused some; the others were sent",
        },
    )
)
@click.argument("conversation_id", required=False, metavar="[ID]")
@click.argument("verdict", required=False, type=click.Choice(["like", "dislike", "clear"]))
@click.option(
    "--from",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A CSV or Parquet file with the columns conversation_id and feedback.",
)
@click.option("--yes", is_flag=True, help="Send without asking. Without it, and without a terminal, nothing is sent.")
@shared_options
@pass_options
def feedback(options: Options, conversation_id: str | None, verdict: str | None, file: Path | None, yes: bool) -> None:
    """Send thumbs up and down to the API.

    A thumb that was sent before is not sent again; one that failed is. lake.feedback_sent records what was sent, when,
    and the response, and the next sync fetches those conversations again. The key needs the scope convai_write. You can
    stop and repeat the command at any time.
    """
    from pipelines.usecases.feedback import unsent_feedback
    from pipelines.usecases.workspace_lookup import group_by_workspace
    from warehouse.serve.value_format import plural

    verdicts = _read_verdicts(conversation_id, verdict, file)
    batches = [
        (context, {conversation: verdicts[conversation] for conversation in ids})
        for context, ids in group_by_workspace(options.context(), verdicts)
    ]
    due: dict[str, str] = {}
    for context, batch in batches:
        due |= unsent_feedback(context.home, batch)
    for line in _plan(verdicts, due):
        options.say(line)
    if due and is_confirmed(f"Send {plural(len(due), 'thumb')}?", yes=yes):
        _send(options, batches)
        return
    if due:
        options.say("a dry run: nothing was sent; --yes sends")
    if options.is_json:
        before = [conversation for conversation in verdicts if conversation not in due]
        if yes:  # all were sent before
            emit({"is_dry_run": False, "sent": [], "before": before, "failed": {}})
        else:
            emit({"is_dry_run": True, "to_send": due, "before": before})


def _read_verdicts(conversation_id: str | None, verdict: str | None, file: Path | None) -> dict[str, str]:
    from pipelines.usecases.feedback_file import read_feedback_file

    if file is not None and conversation_id is None:
        return read_feedback_file(file)
    if file is not None or conversation_id is None or verdict is None:
        raise click.UsageError("Give an ID and like, dislike or clear, or a file with --from.")
    return {conversation_id: verdict}


def _plan(verdicts: Mapping[str, str], due: Mapping[str, str]) -> Iterator[str]:
    from warehouse.serve.value_format import plural

    for conversation_id, verdict in list(due.items())[:MAX_SHOWN]:
        yield f"{conversation_id}: {verdict}"
    if len(due) > MAX_SHOWN:
        yield f"… and {len(due) - MAX_SHOWN:,} more"
    if n_before := len(verdicts) - len(due):
        yield f"{plural(n_before, 'thumb')} sent before"


def _send(options: Options, batches: list[tuple[Context, dict[str, str]]]) -> None:
    from pipelines.usecases.feedback import submit_feedback
    from warehouse.serve.value_format import plural

    results: list[FeedbackResult] = []
    with show_progress(options) as show:
        for context, batch in batches:
            results.append(submit_feedback(context, batch, progress=show))
    reasons = {conversation: reason for result in results for conversation, reason in result.failed.items()}
    sent_ids = [conversation for result in results for conversation in result.sent]
    for conversation_id, reason in reasons.items():
        options.say(f"{conversation_id}: not sent: {reason}")
    options.say(f"{plural(len(sent_ids), 'thumb')} sent; the next sync fetches those conversations again")
    if options.is_json:
        before = [conversation for result in results for conversation in result.sent_before]
        emit({"is_dry_run": False, "sent": sent_ids, "before": before, "failed": reasons})
    exit_with(3 if any(result.is_refused for result in results) else 1 if reasons else 0)

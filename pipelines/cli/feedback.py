"""``convohouse feedback``: thumbs for conversations, one or a reviewed batch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.confirm import is_wanted
from pipelines.cli.options import Options, emit, finish, pass_options, plural, shared, teach
from pipelines.cli.progress import showing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.usecases.context import Context
    from pipelines.usecases.feedback import FeedbackResult

SHOWN = 20


@click.command(
    epilog=teach(
        {
            "convohouse feedback conv_01 like": "what would be sent; asks on a terminal",
            "convohouse feedback conv_01 dislike --yes": "a thumb down, at once",
            "convohouse feedback conv_01 clear --yes": "take the thumb back",
            "convohouse feedback --from reviewed.csv --yes": "a batch: columns conversation_id and feedback",
        },
        {
            0: "all is sent, or it was a dry run",
            1: "an id is unknown at the API",
            2: "the file, an id or a verdict is wrong: nothing is sent",
            3: "the API or the key refused some; the others are sent",
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
    help="A CSV or Parquet file of verdicts.",
)
@click.option("--yes", is_flag=True, help="Send without asking; without it, and without a terminal, nothing is sent.")
@shared
@pass_options
def feedback(options: Options, conversation_id: str | None, verdict: str | None, file: Path | None, yes: bool) -> None:
    """Send thumbs up and down to the API.

    A verdict that was sent before is not sent again; one that failed is. What was sent, when, and the answer are kept
    in lake.feedback_sent, and the next sync reads those conversations again. The key needs the scope convai_write.
    Can be stopped and repeated at any time.
    """
    from pipelines.usecases.feedback import unsent_feedback
    from pipelines.usecases.workspace_lookup import group_by_workspace

    wanted = _wanted(conversation_id, verdict, file)
    batches = [
        (context, {each: wanted[each] for each in ids})
        for context, ids in group_by_workspace(options.context(), wanted)
    ]
    due = {each: told for context, batch in batches for each, told in unsent_feedback(context.home, batch).items()}
    for line in _plan(wanted, due):
        options.say(line)
    if due and is_wanted(f"Send {plural(len(due), 'verdict')}?", yes=yes):
        _send(options, batches)
        return
    if due:
        options.say("a dry run: nothing is sent; --yes sends")
    if options.is_json:
        emit({"is_dry_run": True, "to_send": due, "before": [each for each in wanted if each not in due]})


def _wanted(conversation_id: str | None, verdict: str | None, file: Path | None) -> dict[str, str]:
    from pipelines.usecases.feedback_file import read_feedback_file

    if file is not None and conversation_id is None:
        return read_feedback_file(file)
    if file is not None or conversation_id is None or verdict is None:
        raise click.UsageError("Give an ID and like, dislike or clear, or a file with --from.")
    return {conversation_id: verdict}


def _plan(wanted: Mapping[str, str], due: Mapping[str, str]) -> Iterator[str]:
    for conversation_id, verdict in list(due.items())[:SHOWN]:
        yield f"{conversation_id}: {verdict}"
    if len(due) > SHOWN:
        yield f"… and {len(due) - SHOWN:,} more"
    if before := len(wanted) - len(due):
        yield f"{plural(before, 'verdict')} sent before"


def _send(options: Options, batches: list[tuple[Context, dict[str, str]]]) -> None:
    from pipelines.usecases.feedback import submit_feedback

    done: list[FeedbackResult] = []
    with showing(options) as show:
        for context, batch in batches:
            done.append(submit_feedback(context, batch, progress=show))
    failed = {each: why for part in done for each, why in part.failed.items()}
    sent = [each for part in done for each in part.sent]
    for conversation_id, why in failed.items():
        options.say(f"{conversation_id}: not sent: {why}")
    options.say(f"{plural(len(sent), 'verdict')} sent; the next sync reads them back")
    if options.is_json:
        before = [each for part in done for each in part.sent_before]
        emit({"is_dry_run": False, "sent": sent, "before": before, "failed": failed})
    finish(3 if any(part.is_refused for part in done) else 1 if failed else 0)

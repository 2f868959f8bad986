"""``convohouse audio``: download the recordings into the home folder."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import (
    AGENT_HELP,
    SINCE_HELP,
    UNTIL_HELP,
    Options,
    exit_with,
    help_epilog,
    pass_options,
    shared_options,
)
from pipelines.cli.progress import show_progress
from pipelines.cli.render import emit

if TYPE_CHECKING:
    from pipelines.usecases.audio import DownloadResult

UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


class Bytes(click.ParamType[int]):
    """A size on disk, such as 5GB, in powers of 1000."""

    name = "SIZE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse the text to bytes."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?b?)", str(value).strip().lower())
        unit = match[2].removesuffix("b") + "b" if match and match[2] not in {"", "b"} else ""
        if match is None or unit not in UNITS:
            self.fail(f"{value!r} is not a size on disk; write it as 500MB or 5GB.", param, ctx)
        return int(float(match[1]) * UNITS[unit])


@click.command(
    epilog=help_epilog(
        {
            "convohouse audio --since 7d": "of the last seven days",
            "convohouse audio --agent NAME --sample 50": "of 50 conversations, always the same ones",
            "convohouse audio --budget 20GB": "as many as fit",
            'convohouse query "from lake.audio_files"': "files, sizes and hashes",
        },
        {
            0: "all are there, except those that the API does not have",
            1: "some failed, or did not fit the budget",
            2: "a date, the agent or the budget is wrong, or the home folder holds nothing yet",
            3: "the API or its key",
        },
    )
)
@click.option("--since", metavar="WHEN", help=SINCE_HELP)
@click.option("--until", metavar="WHEN", help=UNTIL_HELP)
@click.option("--agent", metavar="AGENT", help=AGENT_HELP)
@click.option(
    "--sample", type=click.IntRange(1), metavar="N", help="Only this many conversations, always the same ones."
)
@click.option(
    "--budget", type=Bytes(), default="5GB", show_default=True, help="Maximum size of all recordings together on disk."
)
@shared_options
@pass_options
def audio(
    options: Options, *, since: str | None, until: str | None, agent: str | None, sample: int | None, budget: int
) -> None:
    """Download the recordings of conversations as MP3 files.

    Saves the recordings of conversations in the lake as audio/start_date=…/ID.mp3. A file is complete or does not
    exist, and none is downloaded twice; you can stop the command at any time. Erasing a conversation removes its
    recording. The home folder stays locked while the command runs: a sync that starts in this time ends at once and
    says so.
    """
    from pipelines.extract.time_window import parse_moments
    from pipelines.usecases.agents import resolve_agent
    from pipelines.usecases.audio import download_audio
    from warehouse.storage.audio import AudioSelection

    since_at, until_at = parse_moments(since, until, options.now())
    context = options.context_with_data()
    choice = AudioSelection(since_at, until_at, resolve_agent(context.home, agent), sample)
    results: dict[str, DownloadResult] = {}
    with show_progress(options) as show:
        for workspace in context.workspaces():
            name = workspace.settings.workspace
            results[name] = download_audio(workspace, choice, budget_bytes=budget, progress=show)
    if options.is_json:
        emit({"workspaces": {name: asdict(result) for name, result in results.items()}})
    for result in results.values():
        _report(options, result)
    exit_with(1 if any(result.failed or result.n_left for result in results.values()) else 0)


def _report(options: Options, result: DownloadResult) -> None:
    from warehouse.serve.value_format import plural, size

    options.say(
        f"{plural(result.n_saved, 'recording')} saved, {result.n_before:,} there before, {result.n_missing:,} missing "
        f"at the API; all take {size(result.total_bytes)}"
    )
    for conversation_id, reason in result.failed.items():
        options.say(f"{conversation_id}: not saved: {reason}")
    if result.n_left:
        options.say(f"{plural(result.n_left, 'recording')} did not fit: raise --budget, or erase some")

"""``convohouse audio``: the recordings, beside the lake."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, emit, finish, pass_options, plural, shared, size, teach
from pipelines.cli.progress import showing

if TYPE_CHECKING:
    from pipelines.usecases.audio import DownloadResult

UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


class Bytes(click.ParamType[int]):
    """An amount of disk, such as 5GB, in powers of 1000."""

    name = "SIZE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?b?)", str(value).strip().lower())
        unit = found[2].removesuffix("b") + "b" if found and found[2] not in {"", "b"} else ""
        if found is None or unit not in UNITS:
            self.fail(f"{value!r} is no amount of disk; write it as 500MB or 5GB.", param, ctx)
        return int(float(found[1]) * UNITS[unit])


@click.command(
    epilog=teach(
        {
            "convohouse audio --since 7d": "of the last seven days",
            "convohouse audio --agent agent_01 --sample 50": "of fifty calls, the same ones each time",
            "convohouse audio --budget 20GB": "as many as fit",
            'convohouse query "from lake.audio_files"': "files, sizes and hashes",
        },
        {
            0: "all are there, but for those that the API does not have",
            1: "some failed, or did not fit the budget",
            2: "a date or the budget is wrong",
            3: "the API or its key",
        },
    )
)
@click.option("--since", metavar="WHEN", help="Only calls that started at or after: 2026-01-01, an ISO time, or 7d.")
@click.option("--until", metavar="WHEN", help="Only calls that started before.")
@click.option("--agent", metavar="ID", help="Only calls of this agent.")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Only so many calls, always the same ones.")
@click.option("--budget", type=Bytes(), default="5GB", show_default=True, help="What all recordings may take on disk.")
@shared
@pass_options
def audio(
    options: Options, *, since: str | None, until: str | None, agent: str | None, sample: int | None, budget: int
) -> None:
    """Save the recordings of calls as MP3 files.

    Of calls in the lake that have one, into audio/start_date=…/ID.mp3, streamed, and each whole or not there. What is
    there is not fetched again; it can be stopped at any moment. Erasing a call removes its recording. It holds the
    home folder while it runs: a sync that begins meanwhile ends at once and says so.
    """
    from pipelines.extract.time_window import parse_moment
    from pipelines.usecases.audio import download_audio
    from warehouse.storage.audio import AudioSelection

    context = options.context()
    since_at, until_at = (None if when is None else parse_moment(when, context.clock()) for when in (since, until))
    done: dict[str, DownloadResult] = {}
    with showing(options) as show:
        for each in context.workspaces():
            choice = AudioSelection(since_at, until_at, agent, sample)
            done[each.settings.workspace] = download_audio(each, choice, budget_bytes=budget, progress=show)
    if options.is_json:
        emit({"workspaces": {name: asdict(found) for name, found in done.items()}})
    for found in done.values():
        _tell(options, found)
    finish(1 if any(found.failed or found.n_left for found in done.values()) else 0)


def _tell(options: Options, found: DownloadResult) -> None:
    options.say(
        f"{plural(found.n_saved, 'recording')} saved, {found.n_before:,} there before, {found.n_missing:,} missing at "
        f"the API; all take {size(found.total_bytes)}"
    )
    for conversation_id, why in found.failed.items():
        options.say(f"{conversation_id}: not saved: {why}")
    if found.n_left:
        options.say(f"{plural(found.n_left, 'recording')} did not fit: raise --budget, or erase some")

"""``convohouse reprocess``: the lake and the warehouse again, from what is landed."""

from __future__ import annotations

import click

from pipelines.cli.options import Options, pass_options, shared, teach
from pipelines.cli.progress import duration, showing
from pipelines.cli.sync import new_run_id, report


@click.command(
    epilog=teach(
        {
            "convohouse reprocess": "everything that is landed",
            "convohouse reprocess --since 2026-01-01 --until 2026-02-01": "the days of January",
        },
        {
            0: "everything landed is in the warehouse",
            1: "incomplete, or a check failed: each problem is named",
            2: "a date, a setting or the home folder is wrong",
        },
    )
)
@click.option("--since", metavar="WHEN", help="Only days with calls that started at or after: 2026-01-01, or 7d.")
@click.option("--until", metavar="WHEN", help="Only days with calls that started before [default: now].")
@shared
@pass_options
def reprocess(options: Options, since: str | None, until: str | None) -> None:
    """Flatten anew what is landed, and build; no API, no key.

    Each document is flattened anew, a whole day at a time. The rows come out the same unless the code has changed.
    """
    from pipelines.extract.time_window import parse_moment
    from pipelines.usecases import sync

    context = options.context()
    now = context.clock()
    since_at, until_at = (parse_moment(text, now) if text else None for text in (since, until))
    with showing(options) as show:
        done = sync.reprocess(context, run_id=new_run_id(now), since=since_at, until=until_at, progress=show)
    facts = [(name, f"{done.run[f'n_{name}']:,}") for name in ("flattened", "quarantined")]
    facts.append(("time", duration(done.run["elapsed_secs"])))
    report(options, done, "complete: all that is landed is in the warehouse", facts)

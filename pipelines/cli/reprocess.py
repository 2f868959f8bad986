"""``convohouse reprocess``: rebuild the lake and the warehouse from the landing."""

from __future__ import annotations

import click

from pipelines.cli.options import Options, help_epilog, pass_options, shared_options
from pipelines.cli.progress import show_progress
from pipelines.cli.sync import new_run_id, report


@click.command(
    epilog=help_epilog(
        {
            "convohouse reprocess": "everything in the landing",
            "convohouse reprocess --since 2026-01-01 --until 2026-02-01": "the days of January",
        },
        {
            0: "everything in the landing is in the warehouse",
            1: "incomplete, or a check failed: each problem is named",
            2: "a date, a setting or the home folder is wrong",
        },
    )
)
@click.option(
    "--since", metavar="WHEN", help="Only days with conversations that started at or after: 2026-01-01, or 7d."
)
@click.option("--until", metavar="WHEN", help="Only days with conversations that started before [default: now].")
@shared_options
@pass_options
def reprocess(options: Options, since: str | None, until: str | None) -> None:
    """Flatten the landing again, and rebuild the warehouse.

    A full refresh of the lake, day by day, without the API and without a key. The rows are the same as before unless
    the code has changed. If the settings or rules of masking have changed, the landing is masked again first.
    """
    from pipelines.extract.time_window import parse_moments
    from pipelines.usecases import sync
    from warehouse.serve.value_format import duration

    now = options.now()
    since_at, until_at = parse_moments(since, until, now)
    context = options.context_with_data()
    with show_progress(options) as show:
        result = sync.reprocess(context, run_id=new_run_id(now), since=since_at, until=until_at, progress=show)
    facts = [(name, f"{result.run[f'n_{name}']:,}") for name in ("flattened", "quarantined")]
    facts.append(("time", duration(result.run["elapsed_secs"])))
    report(options, result, "complete: everything in the landing is in the warehouse", facts)

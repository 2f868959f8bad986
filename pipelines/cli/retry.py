"""``convohouse retry``: fetch quarantined conversations again."""

from __future__ import annotations

import click

from pipelines.cli.options import Options, help_epilog, pass_options, shared_options
from pipelines.cli.progress import show_progress
from pipelines.cli.sync import new_run_id, report, run_facts


@click.command(
    epilog=help_epilog(
        {
            "convohouse status": "what is quarantined, and why",
            "convohouse retry": "fetch it again, and build",
        },
        {
            0: "the quarantine is empty",
            1: "it is not: each conversation is named with the reason",
            2: "a setting or the home folder is wrong",
            3: "the API or its key",
        },
    )
)
@shared_options
@pass_options
def retry(options: Options) -> None:
    """Fetch quarantined conversations again.

    A conversation that cannot be fetched, landed or flattened is quarantined, and the others are not affected. The next
    sync tries it again too; this command fetches nothing else.
    """
    from pipelines.usecases import sync

    context = options.context_with_data()
    with show_progress(options) as show:
        result = sync.retry(context, run_id=new_run_id(context.clock()), progress=show)
    report(options, result, "complete: the quarantine is empty", run_facts(result.run))

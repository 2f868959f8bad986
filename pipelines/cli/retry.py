"""``convohouse retry``: what stands aside in quarantine, once more."""

from __future__ import annotations

import click

from pipelines.cli.options import Options, pass_options, shared, teach
from pipelines.cli.progress import showing
from pipelines.cli.sync import new_run_id, report, run_facts


@click.command(
    epilog=teach(
        {
            "convohouse status": "what stands aside, and why",
            "convohouse retry": "read it again, and build",
        },
        {
            0: "nothing stands aside any more",
            1: "some still does: each conversation is named with the reason",
            2: "a setting or the home folder is wrong",
            3: "the API or its key",
        },
    )
)
@shared
@pass_options
def retry(options: Options) -> None:
    """Read again what stands aside in quarantine.

    An answer that was no document, or one that could not be flattened, costs itself alone and is set aside by name.
    The next sync tries it again as well; this reads nothing else.
    """
    from pipelines.usecases import sync

    context = options.context()
    with showing(options) as show:
        done = sync.retry(context, run_id=new_run_id(context.clock()), progress=show)
    report(options, done, "complete: nothing stands aside", run_facts(done.run))

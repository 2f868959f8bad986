"""``convohouse report``: the overview as one file, for mail, chat and archives."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from pipelines.cli.extras import require_page_packages
from pipelines.cli.options import AGENT_HELP, Options, help_epilog, pass_options, shared_options
from pipelines.cli.render import emit, require_folder


@click.command(
    epilog=help_epilog(
        {
            "convohouse report": "the last 7 days that are over, as report.html",
            "convohouse report --since 28d --out month.png": "as a picture",
            "convohouse report --agent NAME --with-conversations": "with what was said in the failed ones",
        },
        {0: "written", 2: "an option is wrong, there is no warehouse or no conversation yet, or the extra is missing"},
    )
)
@click.option(
    "--since",
    metavar="DAYS",
    default="7d",
    show_default=True,
    help="The last days that are over, such as 7d, or all days since a date such as 2026-11-01.",
)
@click.option("--agent", metavar="AGENT", help=AGENT_HELP)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("report.html"),
    show_default=True,
    help="File to write, ending in .html or .png.",
)
@click.option(
    "--with-conversations",
    is_flag=True,
    help="Add titles and judges' reasons of failed conversations; without it, the file has numbers only.",
)
@shared_options
@pass_options
def report(options: Options, *, since: str, agent: str | None, out: Path, with_conversations: bool) -> None:
    """Write the overview as one file that needs no network.

    It contains the six numbers, what changed from the period before, what needs attention, and the charts by day: the
    same charts and numbers as `convohouse serve`, from the same SQL.
    """
    require_page_packages()
    require_folder(out)
    from pipelines.page.app import Site
    from pipelines.page.report import ReportScope, write_report
    from pipelines.usecases.agents import resolve_agent

    settings = options.settings()
    site = Site(options.home_folder(), settings.clock(), timedelta(hours=settings.fresh_hours))
    scope = ReportScope(since, resolve_agent(site.home, agent), with_conversations=with_conversations)
    period = write_report(site, out, scope)
    if options.is_json:
        emit({"file": out, "first_date": period.first, "last_date": period.last})
    options.say(f"{out} shows {period.first} to {period.last}.")

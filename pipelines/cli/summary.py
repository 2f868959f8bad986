"""``convohouse summary``: the six facts that sum up the warehouse."""

from __future__ import annotations

import click

from pipelines.cli.options import Options, help_epilog, pass_options, shared_options
from pipelines.cli.render import emit
from pipelines.cli.text_table import aligned, terminal_width


@click.command(
    epilog=help_epilog(
        {
            "convohouse summary": "six lines: conversations, success, cost, waiting, tools",
            "convohouse --home demo summary": "of the demo",
            "convohouse summary --json": "the raw numbers, for programs",
            "convohouse summary --format slack": "the body of a request to a Slack webhook",
        },
        {0: "printed", 2: "there is no warehouse yet, or a setting is wrong"},
    )
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "slack"]),
    default="text",
    show_default=True,
    help="For a terminal, for a chat or document in Markdown, or for a Slack webhook.",
)
@shared_options
@pass_options
def summary(options: Options, *, form: str) -> None:
    """Summarize the warehouse in six facts.

    How many conversations there are, how many succeeded, what they cost, how long callers wait for an answer, and the
    slowest tool. All days and all agents count; `convohouse metrics` has the same numbers by agent and day.
    """
    from warehouse.serve.summary import markdown_summary, read_summary, slack_summary, summary_facts

    numbers = read_summary(options.home_folder())
    if options.is_json:
        emit(numbers)
    elif form == "markdown":
        click.echo(markdown_summary(numbers))
    elif form == "slack":
        emit({"text": slack_summary(numbers)})
    else:
        click.echo(aligned(summary_facts(numbers), terminal_width()))

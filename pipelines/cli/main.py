"""``convohouse``: the commands, and how every error ends: one clear line, one hint, an exit code, no traceback.

Only click is imported here and in the modules of the commands; each imports what it needs when it runs.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn, TextIO

import click

from pipelines.cli.access import access
from pipelines.cli.audio import audio
from pipelines.cli.build import build, check
from pipelines.cli.demo import demo
from pipelines.cli.doctor import doctor
from pipelines.cli.drift import drift
from pipelines.cli.emulate import emulate
from pipelines.cli.erase import erase
from pipelines.cli.explain import explain
from pipelines.cli.feedback import feedback
from pipelines.cli.find import find
from pipelines.cli.interrupts import gentle
from pipelines.cli.metrics import metrics
from pipelines.cli.options import Options, shared, teach
from pipelines.cli.prices import prices
from pipelines.cli.query import query
from pipelines.cli.reprocess import reprocess
from pipelines.cli.retain import retain
from pipelines.cli.retry import retry
from pipelines.cli.show import show
from pipelines.cli.status import status
from pipelines.cli.sync import sync
from pipelines.cli.tables import tables
from pipelines.cli.tools import tools
from pipelines.cli.webhook import webhook
from warehouse.errors import ConvohouseError, QueryError

INTERRUPTED = 130
"""Exit code of a program that Ctrl-C ended, by the custom of shells."""


class InOrder(click.Group):
    """A group that lists its commands in the order in which a newcomer needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which the commands were added."""
        del ctx
        return list(self.commands)


@click.group(
    cls=InOrder,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=teach(
        {
            "convohouse demo": "everything once, on emulated calls, without a key",
            "convohouse doctor": "is all in place?",
            "convohouse sync": "copy what is new or has changed",
            'convohouse query "from marts.dim_agents"': "ask the warehouse",
        },
        {
            0: "fine",
            1: "incomplete, or a check failed",
            2: "what was asked for makes no sense",
            3: "the API or its key",
        },
    ),
)
@click.version_option(package_name="convohouse", prog_name="convohouse", message="%(prog)s %(version)s")
@shared
def cli() -> None:
    """Copy every conversation of your ElevenLabs agents into Parquet and DuckDB, and ask about them.

    Settings are read from the environment, .env and convohouse.toml: ELEVENLABS_API_KEY, ELEVENLABS_BASE_URL and
    CONVOHOUSE_*; `convohouse doctor` shows them. Options such as --home may stand before or after the command.
    """


for _command in (
    demo,
    sync,
    status,
    query,
    metrics,
    explain,
    find,
    show,
    tables,
    build,
    reprocess,
    retry,
    check,
    drift,
    erase,
    retain,
    feedback,
    audio,
    access,
    webhook,
    tools,
    prices,
    doctor,
    emulate,
):
    cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        _say_what_cannot_be_encoded(stream)
    options = Options()
    try:
        code = _run(arguments, options)
    except Exception as error:  # noqa: BLE001 - the last handler: a person gets a line, whatever went wrong
        if options.is_debug:
            traceback.print_exc()
        code = _tell(error)
    sys.exit(code)


def _run(arguments: Sequence[str] | None, options: Options) -> int:
    try:
        with gentle():
            code = cli.main(arguments, prog_name="convohouse", obj=options, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; what was read is kept", err=True)
        sys.stdout.flush()
        os._exit(INTERRUPTED)  # at once: a thread may still be at work, and to be killed does it no harm
    return code if isinstance(code, int) else 0


def _tell(error: Exception) -> int:
    """Say what went wrong and what to do; give the exit code. DuckDB's words keep their lines, which point."""
    match error:
        case ConvohouseError():
            said, hint, code = error.message, error.hint, error.exit_code
        case OSError():
            what = (error.strerror or str(error) or type(error).__name__).rstrip(".")
            said = f"{error.filename}: {what}." if error.filename else f"{what}."
            hint, code = "Make room, or make it writable, then run again.", 1
        case _:
            said = f"{type(error).__name__}: {error}"
            hint, code = "This should not happen: run it again with --debug and report what it shows.", 1
    click.echo(f"error: {said.strip() if isinstance(error, QueryError) else ' '.join(said.split())}", err=True)
    if hint:
        click.echo(hint, err=True)
    return code


def _say_what_cannot_be_encoded(stream: TextIO) -> None:
    """Print a replacement where a terminal's encoding lacks a character, not an error."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")

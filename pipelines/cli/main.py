"""``convohouse``: the commands, and how errors are reported: one line, one hint, an exit code, no traceback.

The modules of the commands import only click at import, so that ``--help`` is fast; a command imports the rest when it
runs.
"""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, TextIO

import click

from pipelines.cli.access import access
from pipelines.cli.audio import audio
from pipelines.cli.bill import bill
from pipelines.cli.build import build, check
from pipelines.cli.contract import contract
from pipelines.cli.demo import demo
from pipelines.cli.dev import dev
from pipelines.cli.doctor import doctor
from pipelines.cli.drift import drift
from pipelines.cli.emulate import emulate
from pipelines.cli.erase import erase
from pipelines.cli.explain import explain
from pipelines.cli.feedback import feedback
from pipelines.cli.find import find
from pipelines.cli.interrupts import defer_interrupts
from pipelines.cli.mcp import mcp
from pipelines.cli.metrics import metrics
from pipelines.cli.options import Options, help_epilog, shared_options
from pipelines.cli.prices import prices
from pipelines.cli.publish import publish
from pipelines.cli.query import query
from pipelines.cli.render import emit
from pipelines.cli.report import report
from pipelines.cli.reprocess import reprocess
from pipelines.cli.retain import retain
from pipelines.cli.retry import retry
from pipelines.cli.serve import serve
from pipelines.cli.show import show
from pipelines.cli.status import status
from pipelines.cli.summary import summary
from pipelines.cli.sync import sync
from pipelines.cli.tables import tables
from pipelines.cli.text_table import terminal_width, wrap_lines
from pipelines.cli.tools import tools
from pipelines.cli.versions import versions
from pipelines.cli.webhook import webhook
from warehouse.errors import ConvohouseError, QueryError
from warehouse.serve.value_format import escape_invisible

INTERRUPTED = 130
"""Exit code of a program that Ctrl-C ended, by the convention of shells."""

NEW_OBJECTS_PER_COLLECTION = 50_000
"""New objects after which Python looks for cycles, 700 by default: JSON has none, and looking takes 3 % of a sync."""


class OrderedGroup(click.Group):
    """A group that lists its commands in the order in which a new user needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which the commands were added."""
        del ctx
        return list(self.commands)


@click.group(
    cls=OrderedGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=help_epilog(
        {
            "convohouse demo": "everything once, on emulated conversations, without a key",
            "convohouse doctor": "is everything set up?",
            "convohouse sync": "copy what is new or has changed",
            'convohouse query "from marts.dim_agents"': "query the warehouse in SQL",
        },
        {
            0: "success",
            1: "incomplete, or a check failed",
            2: "an option, a setting or the home folder is wrong",
            3: "the API or its key",
        },
    ),
)
@click.version_option(package_name="convohouse", prog_name="convohouse", message="%(prog)s %(version)s")
@shared_options
def cli() -> None:
    """Copy every conversation of your ElevenLabs agents into Parquet and DuckDB, and query them.

    Settings are read from the environment, .env and convohouse.toml: ELEVENLABS_API_KEY, ELEVENLABS_BASE_URL and
    CONVOHOUSE_*; `convohouse doctor` shows them. --home, --json and --debug may be given before or after the command.
    """


for _command in (
    demo,
    sync,
    status,
    summary,
    serve,
    report,
    query,
    metrics,
    explain,
    find,
    show,
    tables,
    contract,
    build,
    publish,
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
    mcp,
    tools,
    prices,
    versions,
    bill,
    dev,
    doctor,
    emulate,
):
    cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line, by default that of the process, and end the process with its exit code."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        _replace_unencodable(stream)
    gc.set_threshold(NEW_OBJECTS_PER_COLLECTION)
    options = Options()
    try:
        code = _run(arguments, options)
        sys.stdout.flush()
    except Exception as error:  # noqa: BLE001 - the last handler: every error ends as a line
        if options.is_debug:
            traceback.print_exc()
        code = report_error(error, is_json=options.is_json)
    if arguments is None:
        _end_process(code)
    sys.exit(code)


def _end_process(code: int) -> NoReturn:
    """End this process at once: Python would first free all objects one by one, which takes 0.15 s after a sync."""
    with suppress(OSError, ValueError):  # of a full disk, which was reported, or a closed stream
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _run(arguments: Sequence[str] | None, options: Options) -> int:
    try:
        with defer_interrupts():
            code = cli.main(arguments, prog_name="convohouse", obj=options, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        if options.is_json or "--json" in (sys.argv[1:] if arguments is None else arguments):
            _emit_error(error.format_message(), "", error.exit_code)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; nothing that was fetched is lost", err=True)
        sys.stdout.flush()
        os._exit(INTERRUPTED)  # at once: a thread may still be working, and killing it does no harm
    return code if isinstance(code, int) else 0


def report_error(error: Exception, *, is_json: bool = False) -> int:
    """Say what went wrong and what to do, with ``is_json`` as data as well; returns the exit code.

    DuckDB's messages keep their line breaks, because they point at a place in the SQL.
    """
    match error:
        case ConvohouseError():
            message, hint, code = error.message, error.hint, error.exit_code
        case OSError():
            reason = (error.strerror or str(error) or type(error).__name__).rstrip(".")
            message = f"{error.filename}: {reason}." if error.filename else f"{reason}."
            is_path_wrong = isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError)
            remedy = "Check the path" if is_path_wrong else "Free some disk space, or make it writable"
            if isinstance(error, PermissionError):
                remedy = "Give this user access, or become the user whose file it is"
            hint, code = f"{remedy}, then run the command again.", 1
        case _:
            message = f"{type(error).__name__}: {error}"
            hint, code = "This is a bug: run the command again with --debug and report the output.", 1
    width = terminal_width(sys.stderr)
    if isinstance(error, QueryError):
        click.echo(escape_invisible(f"error: {message.strip()}"), err=True)
    else:
        click.echo(wrap_lines(f"error: {' '.join(message.split())}", width), err=True)
    if hint:
        click.echo(wrap_lines(hint, width), err=True)
    if is_json:
        _emit_error(message, hint, code)
    return code


def _emit_error(message: str, hint: str, code: int) -> None:
    """An error as the JSON object of a command that could give no other."""
    emit({"error": {"message": message, "hint": hint, "exit_code": code}})


def _open_closed_streams() -> None:
    """Drop what is written to a closed stream (``>&-``), whose number the next file that is opened would get."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for the process


def _replace_unencodable(stream: TextIO) -> None:
    """Print a replacement for a character that the terminal's encoding does not have, instead of failing."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")


if __name__ == "__main__":  # python -m pipelines.cli.main
    main()

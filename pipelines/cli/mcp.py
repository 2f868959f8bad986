"""``convohouse mcp``: the warehouse as tools for assistants, over the Model Context Protocol."""

from __future__ import annotations

from contextlib import suppress

import click

from pipelines.cli.options import Options, help_epilog, pass_options, port_option, shared_options
from pipelines.cli.render import emit


@click.command(
    epilog=help_epilog(
        {
            "convohouse mcp": "over standard input and output, started by a client",
            "convohouse mcp --http": "over HTTP, for programs of this machine",
            "convohouse mcp --transcripts": "with what was said",
            "convohouse mcp --http --host 0.0.0.0": "for others, with CONVOHOUSE_MCP_TOKEN",
        },
        {0: "ended by the client, Ctrl-C or SIGTERM", 2: "a setting or option is wrong, or the port is in use"},
    )
)
@click.option("--http", "is_http", is_flag=True, help="Serve over HTTP instead of standard input and output.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@port_option(8768)
@click.option(
    "--transcripts", "has_transcripts", is_flag=True, help="Allow answers with what was said and who said it."
)
@click.option(
    "--max-rows",
    type=click.IntRange(1, 100_000),
    default=1000,
    show_default=True,
    help="Maximum number of rows in an answer.",
)
@click.option(
    "--max-secs", type=click.FloatRange(0.1, 600), default=20, show_default=True, help="Maximum seconds of a query."
)
@shared_options
@pass_options
def mcp(
    options: Options,
    *,
    is_http: bool,
    host: str,
    port: int,
    has_transcripts: bool,
    max_rows: int,
    max_secs: float,
) -> None:
    """Let assistants query the warehouse (Model Context Protocol).

    The tools list and explain metrics, give a metric by agent and time with its n, describe tables, run a SELECT, and
    say how fresh the copy is. Everything is read-only. Without --transcripts, no answer contains what was said or who
    said it, not even with SQL, and the lake cannot be read; with it, conversations can be found and shown. Over HTTP,
    hosts other than this machine need the setting CONVOHOUSE_MCP_TOKEN, which clients send as a bearer token.
    """
    from pipelines.errors import SettingsError
    from pipelines.listener import MIN_TOKEN_LENGTH, is_loopback
    from warehouse.errors import MissingPackageError

    context = options.context()
    setting = context.settings.mcp_token
    token = setting.get_secret_value().strip() if setting else ""
    try:
        from pipelines.mcp_server import server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        raise MissingPackageError("mcp", extra="mcp") from error
    from pipelines.mcp_server.answers import Answers
    from warehouse.serve.query import AnswerLimits

    answers = Answers(context, AnswerLimits(max_rows, max_secs), has_transcripts)
    if not is_http:
        server.serve_stdio(answers)
        return
    if not is_loopback(host) and not token:
        raise SettingsError(
            f"{host} can be reached from other machines, and no token is set.",
            "Set CONVOHOUSE_MCP_TOKEN to a long random text that the clients send.",
        )
    if token and len(token) < MIN_TOKEN_LENGTH:
        raise SettingsError(f"The token is shorter than {MIN_TOKEN_LENGTH} characters.", "Choose a longer one.")

    def announce(url: str) -> None:
        if options.is_json:
            emit({"url": url})
        options.say(f"Answering assistants at {url}. Ctrl-C stops.")

    with suppress(KeyboardInterrupt):
        server.serve_http(answers, host, port, token=token or None, on_ready=announce)
    options.say("Server stopped.")

"""``convohouse serve``: the page to look at."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import click

from pipelines.cli.extras import require_page_packages
from pipelines.cli.options import Options, help_epilog, pass_options, port_option, shared_options
from pipelines.cli.render import emit


@click.command(
    epilog=help_epilog(
        {
            "convohouse serve": "for this machine, at http://127.0.0.1:8767",
            "convohouse --home demo serve": "of the demo",
            "convohouse serve --host 0.0.0.0": "for others, with the token in CONVOHOUSE_PAGE_TOKEN",
        },
        {0: "ended by Ctrl-C or SIGTERM", 2: "no token for another host, the port is in use, or the extra is missing"},
    )
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; another one needs a token.")
@port_option(8767)
@click.option(
    "--token",
    metavar="TEXT",
    help="Gives access to the page; 16 characters or more. Others on this machine see the arguments of a command: "
    "prefer CONVOHOUSE_PAGE_TOKEN.",
)
@shared_options
@pass_options
def serve(options: Options, *, host: str, port: int, token: str | None) -> None:
    """Show the warehouse as pages in a browser, until Ctrl-C.

    Ten pages: overview, money, outcomes, speed, tools, agents, conversations, one conversation, data health, and a
    catalogue of every number. The address contains the filter, so you can share a link. Only the warehouse is read, and
    each request opens it again, so a new build shows at once. Without a token, only this machine can see the pages. The
    connection is not encrypted: for other machines, put a TLS proxy in front of it.
    """
    require_page_packages()
    from pipelines.errors import UsageError
    from pipelines.listener import MIN_TOKEN_LENGTH, is_loopback
    from pipelines.page.app import Site, create_app
    from pipelines.page.server import serve as serve_app

    settings = options.settings()
    token = token or (settings.page_token.get_secret_value() if settings.page_token else None)
    if token is None and not is_loopback(host):
        raise UsageError(
            f"{host} can be reached from other machines, and no token is set.",
            "Set CONVOHOUSE_PAGE_TOKEN, or give --token.",
        )
    if token is not None and len(token) < MIN_TOKEN_LENGTH:
        raise UsageError(f"The token is shorter than {MIN_TOKEN_LENGTH} characters.", "Choose a longer one.")
    site = Site(options.home_folder(), settings.clock(), timedelta(hours=settings.fresh_hours))

    def announce(url: str) -> None:
        if options.is_json:
            emit({"url": url})
        options.say(f"The page of {site.home.root} is at {url}/. Ctrl-C stops.")

    with suppress(KeyboardInterrupt):
        serve_app(create_app(site, token=token), host, port, on_ready=announce)
    options.say("Page stopped.")

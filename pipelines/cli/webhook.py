"""``convohouse webhook``: receive what the API sends after each call."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, emit, pass_options, shared, teach

if TYPE_CHECKING:
    from pipelines.usecases.context import Context
    from pipelines.webhook.receiver import Answer


@click.command(
    epilog=teach(
        {
            "convohouse webhook --port 8766": "on this machine, behind your proxy, which does TLS",
            "convohouse webhook --host 0.0.0.0": "on every address of this machine",
            "convohouse sync": "brings into the warehouse what was landed",
        },
        {0: "ended by Ctrl-C", 2: "no secret is set, or the port is in use"},
    )
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8766, show_default=True, help="0 takes a free one.")
@click.option("--workspace", metavar="NAME", help="Whose webhooks they are, where several workspaces are set up.")
@shared
@pass_options
def webhook(options: Options, *, host: str, port: int, workspace: str | None) -> None:
    """Receive post-call webhooks until Ctrl-C.

    Each is verified with the secret in ELEVENLABS_WEBHOOK_SECRET, lands like a conversation that was fetched, and is
    answered with 200 once it is on the disk. Forged, stale and repeated ones are refused. May run beside a sync, which
    stays the source of truth: it reads the conversation again, and what no webhook told of.
    """
    from pipelines.errors import SettingsError
    from pipelines.webhook.receiver import create_app
    from pipelines.webhook.server import serve

    context = _context(options, workspace)
    secret = context.settings.webhook_secret
    if secret is None or not secret.get_secret_value().strip():
        raise SettingsError(
            "No webhook secret is set.",
            "Set ELEVENLABS_WEBHOOK_SECRET to the one that the API showed with the webhook.",
        )
    context.home.open()

    def announce(url: str) -> None:
        if options.is_json:
            emit({"url": url})
        options.say(f"Webhooks are received at {url}/ and landed in {context.home.root}. Ctrl-C ends it.")

    def tell(answer: Answer) -> None:
        options.say(f"{answer.status} {answer.message}")

    app = create_app(context, secret.get_secret_value().strip(), tell)
    with suppress(KeyboardInterrupt):  # not raised where the shell has us ignore the signal
        serve(app, host, port, on_ready=announce)
    options.say("Receiver stopped.")


def _context(options: Options, workspace: str | None) -> Context:
    """The context of the workspace.

    Raises:
        UsageError: there is none of that name, or several and none is named.
    """
    from pipelines.errors import UsageError

    contexts = {context.settings.workspace: context for context in options.context().workspaces()}
    if workspace is None and len(contexts) == 1:
        return next(iter(contexts.values()))
    if workspace not in contexts:
        raise UsageError("Name the workspace whose webhooks they are.", f"Give --workspace: {', '.join(contexts)}.")
    return contexts[workspace]

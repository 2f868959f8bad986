"""``convohouse webhook``: receive the webhooks that the API sends after each conversation."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import Options, help_epilog, pass_options, port_option, shared_options
from pipelines.cli.render import emit

if TYPE_CHECKING:
    from pipelines.usecases.context import Context
    from pipelines.webhook.receiver import Answer


@click.command(
    epilog=help_epilog(
        {
            "convohouse webhook --port 8766": "on this machine, behind a proxy that does TLS",
            "convohouse webhook --host 0.0.0.0": "on every address of this machine",
            "convohouse sync": "brings what was landed into the warehouse",
        },
        {0: "ended by Ctrl-C or SIGTERM; open requests were answered", 2: "no secret is set, or the port is in use"},
    )
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@port_option(8766)
@click.option("--workspace", metavar="NAME", help="Workspace that sends the webhooks; needed if there are several.")
@shared_options
@pass_options
def webhook(options: Options, *, host: str, port: int, workspace: str | None) -> None:
    """Receive post-call webhooks until Ctrl-C.

    Each webhook is verified with the secret in ELEVENLABS_WEBHOOK_SECRET, landed like a fetched conversation, and
    answered with 200 once it is on disk. Forged and stale webhooks are rejected; repeated ones land once. The receiver
    can run during a sync. The sync remains the source of truth: it fetches these conversations again, and those without
    a webhook. GET /health says whether webhooks can be landed. The log has one line per request, without its content.
    """
    from pipelines.errors import SettingsError
    from pipelines.usecases.masking_state import require_hidden, start_masking
    from pipelines.webhook.receiver import create_app
    from pipelines.webhook.server import serve

    context = _context(options, workspace)
    setting = context.settings.webhook_secret
    parts = setting.get_secret_value().split(",") if setting else []
    secrets = [secret for part in parts if (secret := part.strip())]
    if not secrets:
        raise SettingsError(
            "No webhook secret is set.",
            "Set ELEVENLABS_WEBHOOK_SECRET to the secret that the API showed when the webhook was created.",
        )
    require_hidden(context)
    context.home.open()
    start_masking(context)

    def announce(url: str) -> None:
        if options.is_json:
            emit({"url": url})
        options.say(f"Receiving webhooks at {url}/ and landing them in {context.home.root}. Ctrl-C stops.")

    def report(answer: Answer) -> None:
        at = context.clock().isoformat(timespec="seconds")
        options.say(f"{at} {answer.sender} {answer.status} {answer.message} ({answer.n_bytes:,} bytes)")

    app = create_app(context, secrets, report)
    with suppress(KeyboardInterrupt):  # not raised if the shell makes us ignore the signal
        serve(app, host, port, on_ready=announce)
    options.say("Receiver stopped.")


def _context(options: Options, workspace: str | None) -> Context:
    """The context of the workspace.

    Raises:
        UsageError: there is none of that name, or there are several and none is named.
    """
    from pipelines.errors import UsageError

    contexts = {context.settings.workspace: context for context in options.context().workspaces()}
    if workspace is None and len(contexts) == 1:
        return next(iter(contexts.values()))
    if workspace not in contexts:
        message = (
            f"There is no workspace {workspace!r}." if workspace else "Name the workspace that sends the webhooks."
        )
        raise UsageError(message, f"Give --workspace: {', '.join(contexts)}.")
    return contexts[workspace]

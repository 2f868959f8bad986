"""``convohouse emulate``: an emulated API on this machine, without a key and without cost."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, time, timedelta

import click

from pipelines.cli.options import Options, help_epilog, pass_options, port_option
from pipelines.cli.render import emit

KEY = "demo"


@click.command(
    epilog=help_epilog(
        {
            "convohouse emulate": "1,200 conversations of 42 days",
            "convohouse emulate --faults 429=0.1,5xx=0.05": "with rate limits and server errors",
            "convohouse --json emulate --port 0": "its address for programs",
        },
        {0: "stopped by Ctrl-C", 2: "the port is in use, or an option is wrong"},
    )
)
@port_option(8765)
@click.option(
    "--conversations", default=1200, show_default=True, type=click.IntRange(1), help="About how many conversations."
)
@click.option("--days", default=42, show_default=True, type=click.IntRange(1), help="Days over which they are spread.")
@click.option("--seed", default=7, show_default=True, help="Another seed gives other conversations.")
@click.option("--faults", default="", metavar="TEXT", help="Shares of faults, such as 429=0.08,5xx=0.08,reset=0.03.")
@click.option(
    "--now", "frozen", default=None, metavar="TIME", help="ISO time at which the clock is stopped [default: live]."
)
@pass_options
def emulate(
    options: Options, *, port: int, conversations: int, days: int, seed: int, faults: str, frozen: str | None
) -> None:
    """Serve an emulated API on this machine, until Ctrl-C.

    It serves everything that convohouse requests: conversations, tools, agents, batches, tags and the bill. The
    conversations are realistic, and --faults produces errors.
    """
    from pipelines.emulator.generator.world import World
    from pipelines.emulator.server.app import create_app
    from pipelines.emulator.server.faults import Faults
    from pipelines.emulator.server.serve import serve_forever

    moment = None if frozen is None else _moment(frozen)
    injected_faults = Faults.parse(faults)
    clock = options.settings().clock() if moment is None else lambda: moment
    world = World(seed=seed, conversations=conversations, days=days, until=_next_midnight(clock()))

    def announce(url: str) -> None:
        if options.is_json:
            emit({"base_url": url, "api_key": KEY})
        options.say(f"Emulated API at {url}, key {KEY!r}. Ctrl-C stops it. To use it:")
        options.say(f"  export ELEVENLABS_BASE_URL={url} ELEVENLABS_API_KEY={KEY}")

    with suppress(KeyboardInterrupt):  # not raised if the shell makes us ignore the signal; the server ends anyway
        serve_forever(create_app(world, clock=clock, key=KEY, faults=injected_faults), port=port, ready=announce)
    options.say("Emulator stopped.")


def _moment(text: str) -> datetime:
    """Parse an ISO time; without an offset it is UTC.

    Raises:
        UsageError: it is no ISO time.
    """
    from pipelines.errors import UsageError

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--now {text!r} is no ISO time.", "Write it as 2026-11-21T12:00:00.") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _next_midnight(moment: datetime) -> datetime:
    """The end of the day of ``moment``, so that conversations keep arriving; midnight itself ends the day before."""
    midnight = datetime.combine(moment.date(), time(), UTC)
    return midnight if moment == midnight else midnight + timedelta(days=1)

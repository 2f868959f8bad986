"""``convohouse dev``: Dagster with its page on this machine; the home folder of a demo brings its emulated API."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import click

from pipelines.cli.demo import WORLD_FILE, DemoWorld
from pipelines.cli.emulate import KEY
from pipelines.cli.options import Options, exit_with, help_epilog, pass_options, shared_options

MODULE, DAGSTER = "pipelines.definitions", "pipelines.orchestration.dagster_dev"
PACKAGES = Path(__file__).parents[2]
"""Where Python finds our packages: by default it would look in the folder of the command first."""


@click.command(
    epilog=help_epilog(
        {
            "convohouse dev": "Dagster's page at http://localhost:3000",
            "convohouse --home demo dev": "the same with the data of a demo, and without a key",
        },
        {0: "stopped by Ctrl-C", 2: "a setting is wrong, or the port is in use"},
    )
)
@click.option("--port", default=3000, show_default=True, type=click.IntRange(1, 65535), help="Port of the page.")
@shared_options
@pass_options
def dev(options: Options, *, port: int) -> None:
    """Start Dagster with its page, until Ctrl-C.

    With the home folder of a demo, it also starts the demo's emulated API, with conversations up to now, so everything
    can be materialized without a key. Dagster keeps its runs in the folder that DAGSTER_HOME names, by default
    `.dagster` in the current folder.
    """
    from pipelines.environment import child_environment
    from pipelines.listener import listening
    from pipelines.orchestration.instance_folder import instance_folder

    settings = options.settings()
    folder = instance_folder(Path.cwd())
    with listening("127.0.0.1", port):
        pass  # Dagster would take another port, without a word of it here
    with _emulated_api(options) as variables:
        options.say(f"Dagster's page: http://localhost:{port}. Its runs are kept in {folder}. Ctrl-C stops it.")
        if not variables and settings.api_key is None and not settings.workspaces:
            options.say("No API key is set: the schedule nightly skips its ticks until there is one.")
        folders = {"DAGSTER_HOME": str(folder), "CONVOHOUSE_HOME": str(settings.home.absolute())}
        folders["PYTHONSAFEPATH"] = "1"  # else a file here, such as gql.py, would be imported in place of a package
        command = [sys.executable, "-W", "ignore", "-m", DAGSTER, "dev", "-m", MODULE, "-d", str(PACKAGES)]
        command += ["--port", str(port)]
        # In a group of its own: Ctrl-C would also end the servers of Dagster's own process, which would start one again
        process = subprocess.Popen(command, env=child_environment(**folders, **variables), process_group=0)  # noqa: S603 - ours
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: process.send_signal(signal.SIGINT))
        process.wait()
    exit_with(0 if process.returncode == 0 else 1)


@contextmanager
def _emulated_api(options: Options) -> Iterator[dict[str, str]]:
    """Serve the API of a demo; yields the variables by which it is used, none if the home folder is not a demo's."""
    from pipelines.emulator.server.app import create_app
    from pipelines.emulator.server.serve import running

    settings = options.settings()
    file = settings.home / WORLD_FILE
    if not file.is_file():
        yield {}
        return
    demo, clock = DemoWorld.read(file), settings.clock()
    world = demo.until(clock().date() + timedelta(days=demo.days))
    with running(create_app(world, clock=clock, key=KEY)) as url:
        options.say(f"The emulated API of this demo is at {url}.")
        yield {"ELEVENLABS_BASE_URL": url, "ELEVENLABS_API_KEY": KEY}

"""Starts Superset on this machine with a warehouse, imports the dashboard, and prints where it is: ``make superset``.

It runs in convohouse's environment and starts Superset's own. Its state (users, charts that you add, its secret key) is
in ``--state``; starting it again keeps it and brings the bundle up to date.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SUPERSET = ROOT / ".venv" / "superset" / "bin" / "superset"
CONVOHOUSE = [sys.executable, "-c", "from pipelines.cli.main import main; main()"]
USER = "admin"
DASHBOARD = "superset/dashboard/convohouse/"


def main() -> None:
    """Prepare the state, then become the server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=Path("demo"), help="Home folder with the warehouse.")
    parser.add_argument("--port", type=int, default=8088)
    parser.add_argument("--state", type=Path, default=SUPERSET.parents[1] / "state")
    arguments = parser.parse_args()
    if not (arguments.home / "warehouse.duckdb").exists():
        sys.exit(f"There is no warehouse in {arguments.home}: run `make demo`, or name your home folder.")
    print("Superset is being prepared, which takes about a minute.", file=sys.stderr)
    password = prepare(arguments.home.resolve(), arguments.state.resolve())
    print(f"http://127.0.0.1:{arguments.port}/{DASHBOARD} (user {USER}, password {password})", flush=True)
    server = ["run", "--host", "127.0.0.1", "--port", str(arguments.port), "--with-threads"]
    os.execve(SUPERSET, [str(SUPERSET), *server], environment(arguments.state.resolve()))


def prepare(home: Path, state: Path) -> str:
    """Create or update Superset's database and import the bundle; returns the user's password."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    password, key = (_secret(state / name) for name in ("password", "secret_key"))
    (state / "superset_config.py").write_text(
        f"SECRET_KEY = {key!r}\n"
        f"SQLALCHEMY_DATABASE_URI = {f'sqlite:///{state}/superset.db'!r}\n"
        "TALISMAN_ENABLED = False  # no HTTPS on this machine\n"
    )
    bundle = state / "convohouse.zip"
    subprocess.run([*CONVOHOUSE, "--home", home, "contract", "superset", "--output", bundle], check=True, cwd=ROOT)
    user = ["--username", USER, "--firstname", "Local", "--lastname", "User", "--email", "local@example.com"]
    for command in (
        ["db", "upgrade"],
        ["fab", "create-admin", *user, "--password", password],
        ["init"],
        ["import-dashboards", "--path", str(bundle), "--username", USER],
    ):
        done = subprocess.run([SUPERSET, *command], env=environment(state), capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"superset {command[0]} failed:\n{done.stderr[-5000:]}")
    return password


def _secret(path: Path) -> str:
    """A random text that is made once."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text()


def environment(state: Path) -> dict[str, str]:
    """The variables of Superset's processes."""
    return dict(os.environ) | {  # noqa: TID251 - of this script
        "SUPERSET_CONFIG_PATH": str(state / "superset_config.py"),
        "SUPERSET_HOME": str(state),
        "FLASK_APP": "superset.app:create_app()",
    }


if __name__ == "__main__":
    main()

"""Wrong input: an exit code, one clear line and a hint, no traceback, nothing half-written."""

from __future__ import annotations

import errno
import json
import shlex
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.faults import Faults
from pipelines.emulator.server.serve import running
from tests.helpers.run_cli import Ended, run
from warehouse.storage.home import Home
from warehouse.storage.lock import write_lock

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
KEY = {"ELEVENLABS_API_KEY": "demo"}
WEBHOOKS = {"ELEVENLABS_WEBHOOK_SECRET": "wsec_1"}
HASTY = {"CONVOHOUSE_REQUEST_DEADLINE_SECS": "0.2"}


ON_A_FILE = [
    [*command, "--home", "taken"]
    for command in (["sync"], ["build"], ["check"], ["status"], ["drift"], ["query", "select 1"], ["bill", "--sync"])
]


def assert_refused(ended: Ended, code: int, *words: str, lines: int = 2) -> None:
    said = ended.err.splitlines()
    assert (ended.code, ended.out, len(said)) == (code, b"", lines), ended.err
    assert said[0].startswith("error: ")
    assert [word for word in words if word not in ended.err] == []
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "settings", "code", "words"),
    [
        (["sync"], {}, 3, ["No API key", "ELEVENLABS_API_KEY", "convohouse demo"]),
        (["sync", "--since", "yesterday"], KEY, 2, ["'yesterday' is not a date", "2026-01-31", "7d"]),
        (["sync", "--since", "0001-01-01T00:00+14:00"], KEY, 2, ["is not a date"]),
        (["sync", "--since", ""], KEY, 2, ["'' is not a date"]),
        (["sync", "--until", "2026-02-30"], KEY, 2, ["'2026-02-30' is not a date"]),
        (["sync", "--since", "2026-02-01", "--until", "2026-01-01"], KEY, 2, ["window is empty", "--until"]),
        (["sync", "--since", "2999-01-01"], KEY, 2, ["window is empty", "the default of --until is now"]),
        (["find", "train", "--since", "2026-02-01", "--until", "2026-01-01"], {}, 2, ["window is empty"]),
        (["audio", "--since", "2026-02-01", "--until", "2026-01-01"], {}, 2, ["window is empty"]),
        (["reprocess", "--since", "2026-02-01", "--until", "2026-01-01"], {}, 2, ["window is empty"]),
        (["sync", "--home", "taken/below"], KEY, 2, ["taken/below", "Not a directory", "--home"]),
        (["build", "--home", "taken/below"], KEY, 2, ["taken/below", "--home"]),
        *((command, KEY, 2, ["error: taken is not a folder.", "--home"]) for command in ON_A_FILE),
        (["status", "--home", "a?b"], {}, 2, ["a?b cannot be a home folder"]),
        (["drift", "--home", "foreign"], {}, 2, ["foreign is not empty and is not a convohouse home"]),
        (["query", "select 1", "--home", "foreign"], {}, 2, ["foreign is not empty and is not a convohouse home"]),
        (["sync", "--home", "foreign"], KEY, 2, ["foreign is not empty and is not a convohouse home"]),
        (["demo", "--home", "foreign"], KEY, 2, ["foreign is not empty and is not a convohouse home"]),
        (["sync"], KEY | {"CONVOHOUSE_CONCURRENCY": "many"}, 2, ["concurrency", "convohouse doctor"]),
        (["status"], {"CONVOHOUSE_REREAD_DAYS": "1;7"}, 2, ["wrong: reread_days: it is not JSON.", "[1, 7, 30]"]),
        (["sync"], KEY | {"CONVOHOUSE_PII": "hash"}, 2, ["pii_key", "needs CONVOHOUSE_PII_KEY"]),
        (["sync"], KEY | {"CONVOHOUSE_PII": "hash", "CONVOHOUSE_PII_KEY": "short"}, 2, ["16 characters or more"]),
        (["sync"], KEY | {"CONVOHOUSE_PII": "hush"}, 2, ["pii", "'keep' or 'hash'"]),
        (["sync"], KEY | {"CONVOHOUSE_TIMEZONE": "Mars/Olympus"}, 2, ["timezone: 'Mars/Olympus' is", "Europe/Berlin"]),
        (["tables", "fct_turnz"], {}, 2, ["no table 'fct_turnz'", "Did you mean fct_turns?"]),
        (["emulate", "--now", "noon"], {}, 2, ["--now 'noon' is no ISO time"]),
        (["emulate", "--faults", "429=2"], {}, 2, ["not between 0 and 1"]),
    ],
)
def test_wrong_input_is_refused_and_nothing_is_written(
    arguments: list[str], settings: dict[str, str], code: int, words: list[str], tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "notes.txt").write_text("mine")
    assert_refused(run(tmp_path, *arguments, **settings), code, *words)
    files = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*")}
    assert files == {"taken", "foreign", "foreign/notes.txt"}


@pytest.mark.parametrize(
    "command",
    [
        *(
            "build",
            "build --into tables",
            "check",
            "query 'select 1' --format csv",
            "metrics",
            "find hello",
            "show conv_1",
        ),
        *("summary", "report", "tools", "versions", "bill", "prices", "access", "audio", "publish", "publish out"),
        *("publish out --forget", "erase conv_1 --yes", "retain --older-than 90d --yes", "retry", "reprocess"),
    ],
)
def test_a_command_that_works_on_what_is_there_refuses_a_folder_that_holds_nothing(
    command: str, tmp_path: Path
) -> None:
    ended = run(tmp_path, *shlex.split(command), "--home", "typo", **KEY)
    assert (ended.code, ended.out) == (2, b"")
    assert ended.err == (
        "error: typo holds nothing yet.\n"
        "`convohouse sync` fills it, `convohouse demo` shows how; --home names another folder.\n"
    )
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    "command", ["check", "query 'select 1'", "metrics", "find hello", "show conv_1", "summary", "tools", "publish out"]
)
def test_a_command_that_reads_the_warehouse_refuses_a_home_without_one(command: str, tmp_path: Path) -> None:
    Home(tmp_path / "data").open()
    ended = run(tmp_path, *shlex.split(command))
    assert (ended.code, ended.out) == (2, b"")
    assert ended.err == "error: There is no warehouse in data yet.\nRun `convohouse sync`, or `convohouse build`.\n"


@pytest.mark.parametrize("command", ["status", "drift", "tables", "explain agent_daily.n_calls", "contract odcs"])
def test_a_command_that_describes_answers_of_a_folder_that_holds_nothing(command: str, tmp_path: Path) -> None:
    ended = run(tmp_path, *shlex.split(command), "--home", "typo")
    assert ended.code == 0
    says_so = b"typo holds nothing yet. `convohouse sync` fills it" in ended.out + ended.err.encode()
    assert says_so == (command in {"status", "drift"})
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["sync", "--json"], 3, ["No API key", "ELEVENLABS_API_KEY"]),
        (["--json", "sync", "--since", "yesterday"], 2, ["'yesterday' is not a date", "7d"]),
        (["check", "--json"], 2, ["data holds nothing yet"]),
        (["sync", "--nonsense", "--json"], 2, ["No such option"]),
        (["sync", "--json", "--nonsense"], 2, ["No such option"]),
    ],
)
def test_an_error_with_json_is_one_object_on_standard_output_and_the_same_lines_beside_it(
    arguments: list[str], code: int, words: list[str], tmp_path: Path
) -> None:
    ended = run(tmp_path, *arguments)
    error = ended.data["error"]
    assert (ended.code, error["exit_code"], list(ended.data)) == (code, code, ["error"])
    assert [word for word in words if word not in f"{error['message']} {error['hint']}"] == []
    assert " ".join(ended.err.split()).replace("Error: ", "error: ").count(" ".join(error["message"].split())) == 1


def test_debug_shows_the_traceback_and_the_same_lines(tmp_path: Path) -> None:
    ended = run(tmp_path, "sync", "--debug")
    assert ended.code == 3
    assert ended.err.startswith("Traceback")
    assert ended.err.splitlines()[-2] == "error: No API key is set."


@pytest.mark.parametrize(
    "arguments",
    [
        ["bogus"],
        ["sync", "--bogus"],
        ["query"],
        ["query", " "],
        ["query", "select 1", "--output", "no/where.csv"],
        ["emulate", "--port", "99999"],
        [],
    ],
)
def test_what_click_refuses_is_a_usage_error(arguments: list[str], tmp_path: Path) -> None:
    ended = run(tmp_path, *arguments)
    assert (ended.code, ended.out) == (2, b"")
    assert ended.err.startswith("Usage: convohouse")


def test_a_setting_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "convohouse.toml").write_text("= 3")
    assert_refused(run(tmp_path, "status"), 2, "convohouse.toml", "Correct the file")


async def _html(_scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"<html>hello</html>"})


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    with running(create_app(World(conversations=4, days=1, until=UNTIL), clock=lambda: UNTIL)) as url:
        yield url


def assert_nothing_landed(folder: Path) -> None:
    landed = {file.relative_to(folder / "data" / "landing").parts[0] for file in folder.rglob("landing/**/*.parquet")}
    assert landed == {"runs"}
    assert not (folder / "data" / "warehouse.duckdb").exists()


def test_a_wrong_key(api: str, tmp_path: Path) -> None:
    ended = run(tmp_path, "sync", ELEVENLABS_API_KEY="sk_secret", ELEVENLABS_BASE_URL=api)
    said = [line for line in ended.err.splitlines() if not line.startswith("list: ")]
    assert_refused(Ended(ended.code, ended.out, "\n".join(said)), 3, "401", "the key is wrong", "ELEVENLABS_API_KEY")
    assert "sk_secret" not in ended.err
    assert_nothing_landed(tmp_path)


def test_a_host_that_is_not_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    assert_refused(
        run(tmp_path, "sync", **KEY, **HASTY, ELEVENLABS_BASE_URL=url), 3, "no answer from 127.0.0.1", "network"
    )
    assert_nothing_landed(tmp_path)


def test_a_host_that_is_not_the_api(tmp_path: Path) -> None:
    with running(_html) as url:
        ended = run(tmp_path, "sync", **KEY, **HASTY, ELEVENLABS_BASE_URL=url)
    assert_refused(ended, 3, "text/html", "does not look like the ElevenLabs API", "ELEVENLABS_BASE_URL")
    assert_nothing_landed(tmp_path)


def test_an_api_that_is_down(tmp_path: Path) -> None:
    world = World(conversations=4, days=1, until=UNTIL)
    with running(create_app(world, clock=lambda: UNTIL, faults=Faults(server_error=1))) as url:
        ended = run(tmp_path, "sync", **KEY, **HASTY, ELEVENLABS_BASE_URL=url)
    assert_refused(ended, 3, "run again later; what is landed stays")
    assert_nothing_landed(tmp_path)


@pytest.mark.parametrize("command", ["dev", "emulate", "serve", "webhook"])
def test_a_port_in_use(command: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run(tmp_path, command, "--port", str(port), **WEBHOOKS)
    assert_refused(ended, 2, f"Port {port} of 127.0.0.1 is in use", "--port")


@pytest.mark.parametrize("folder", ["/nowhere/dagster", "dagster"])
@pytest.mark.parametrize("command", ["dev", "demo"])
def test_a_dagster_home_that_is_no_folder(command: str, folder: str, tmp_path: Path) -> None:
    (tmp_path / "dagster").mkdir()
    ended = run(tmp_path, command, DAGSTER_HOME=folder)
    assert ended.code == 2
    message = f"error: DAGSTER_HOME is {folder}, which is not the absolute path of an existing folder."
    assert ended.err.splitlines() == [message, "Create the folder, or unset the variable."]
    assert [path.name for path in tmp_path.iterdir()] == ["dagster"]  # no home is begun


@pytest.mark.parametrize(
    "arguments",
    [
        ["sync"],
        ["feedback", "conv_1", "like", "--yes"],
        ["tools", "--sync"],
        ["versions", "--sync"],
        ["bill", "--sync"],
        ["prices", "agent_1"],
        ["access", "agent_1"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_without_a_key_no_home_is_begun(arguments: list[str], tmp_path: Path) -> None:
    ended = run(tmp_path, *arguments)
    assert (ended.code, "error: No API key is set." in ended.err) == (3, True), ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_this_user_may_not_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    Home(tmp_path / "data").open()
    monkeypatch.setattr("warehouse.storage.lock.FileLock.acquire", refuse)
    assert_refused(run(tmp_path, "build"), 2, "data cannot be written: Permission denied.", "make it writable")


@pytest.mark.parametrize("host", ["192.0.2.1", "999.1.1.1", "nosuch.invalid"])
def test_a_host_that_is_no_address_of_this_machine(host: str, tmp_path: Path) -> None:
    ended = run(tmp_path, "serve", "--host", host, "--token", "0123456789abcdef")
    assert_refused(ended, 2, f"{host} is not an address of this machine", "--host")


def test_a_workspace_that_sends_no_webhooks_is_named(tmp_path: Path) -> None:
    ended = run(tmp_path, "webhook", "--workspace", "nope", **WEBHOOKS)
    assert_refused(ended, 2, "There is no workspace 'nope'.", "Give --workspace: main.")


@pytest.mark.parametrize("command", ["sync", "build"])
def test_a_second_writer_learns_who_holds_the_lock(command: str, tmp_path: Path) -> None:
    home = Home(tmp_path / "data").open()
    with write_lock(home, what="backfill", now=UNTIL):
        ended = run(tmp_path, command, **KEY)
    assert_refused(ended, 1, "Another run is writing to data: backfill, process", "since 2026-11-22", "Wait")


def test_the_demo_refuses_a_home_of_real_conversations(tmp_path: Path) -> None:
    home = Home(tmp_path / "data").open()
    (home.landing / "start_date=2026-11-21").mkdir()
    (home.landing / "start_date=2026-11-21" / "a.parquet").write_bytes(b"calls")
    assert_refused(
        run(tmp_path, "demo", "--home", "data"), 2, "data holds conversations that are not a demo's", "--home"
    )


def test_the_demo_refuses_the_home_of_another_demo(tmp_path: Path) -> None:
    home = Home(tmp_path / "demo").open()
    noted = {"seed": 1, "conversations": 20, "days": 2, "first_until": "2026-11-20"}
    (home.root / "demo.json").write_text(json.dumps(noted))
    assert_refused(run(tmp_path, "demo"), 2, "demo holds another demo", "--seed 1 --conversations 20 --days 2")
    ended = run(tmp_path, "demo", "--seed", "1", "--conversations", "20", "--days", "2", "--until", "2026-11-19")
    assert_refused(
        ended,
        2,
        "demo has the night of 2026-11-20: a demo only moves forward in time",
        "--until 2026-11-20",
    )
    (home.root / "demo.json").write_text("{}")
    assert_refused(run(tmp_path, "demo"), 2, "demo.json is not a file of a demo", "--home")

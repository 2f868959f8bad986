"""The commands on a small emulated API: the output for people and for programs."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from tests.helpers.day import midnight
from tests.helpers.run_cli import Ended, run
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage import lake
from warehouse.storage.home import Home

UNTIL = midnight()
KEY = {"ELEVENLABS_API_KEY": "demo"}


@pytest.fixture(scope="module")
def world() -> World:
    return World(conversations=40, days=3, until=UNTIL)


@pytest.fixture(scope="module")
def api(world: World) -> Iterator[str]:
    with running(create_app(world, clock=lambda: UNTIL)) as url:
        yield url


@pytest.fixture(scope="module")
def first(api: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    folder = tmp_path_factory.mktemp("first")
    return folder, run(folder, "sync", **KEY, ELEVENLABS_BASE_URL=api)


@pytest.fixture(scope="module")
def filled(first: tuple[Path, Ended]) -> Path:
    return first[0]


@pytest.fixture(scope="module")
def n_calls(world: World) -> int:
    return len(list(world.visible(UNTIL)))


def test_sync_says_what_it_did(first: tuple[Path, Ended], n_calls: int) -> None:
    ended = first[1]
    said = ended.err.split("\n\n")[1].splitlines()
    assert (ended.code, ended.out) == (0, b"")
    assert said[:5] == [
        "complete: everything listed is in the warehouse",
        f"  listed       {n_calls} conversations",
        f"  to fetch     {n_calls} new, 0 open, 0 changed, 0 missing, 0 due, 0 asked",
        f"  fetched      {n_calls}: {n_calls} landed, 0 unchanged, 0 deleted",
        "  quarantined  0",
    ]
    stages = [line.split(":")[0] for line in ended.err.split("\n\n")[0].splitlines()]
    stages = list(dict.fromkeys(stages))
    side_by_side = [sorted(stages[1:3]), sorted(stages[4:9])]
    assert side_by_side == [["fetch", "tools"], ["agents", "batches", "bill", "prices", "tags"]]
    assert [stages[0], stages[3], *stages[9:]] == ["list", "flatten", "build", "check"]
    assert f"fetch: {n_calls} of {n_calls} conversations" in ended.err


def test_status_counts_what_is_there(filled: Path, n_calls: int) -> None:
    ended = run(filled, "status", "--json")
    assert (ended.code, ended.err, ended.data["exists"]) == (0, "", True)
    (workspace,) = ended.data["workspaces"]
    assert workspace["workspace"] == "main"
    counts = [workspace[name] for name in ("n_listed", "n_landed", "n_in_lake", "n_behind", "n_deleted")]
    assert counts == [*(n_calls,) * 3, 0, 0]
    assert (workspace["states"]["open"], sum(workspace["states"].values())) == (3, n_calls)
    assert workspace["wanted"]["open"] == 3
    assert (workspace["quarantine"], workspace["runs"][0]["outcome"]) == ([], "complete")
    assert all(n_bytes > 0 for n_bytes in workspace["sizes"].values())


def test_status_for_people(filled: Path, n_calls: int) -> None:
    said = run(filled, "status").text
    assert f"  conversations  {n_calls} with" in said
    assert "3 open, " in said
    assert "\n  listed until   2" in said
    assert "  next sync      fetches 3 open" in said
    assert "\nLast runs:\nstarted" in said


@pytest.mark.parametrize("arguments", [["status"], ["status", "--json"]])
def test_status_of_an_empty_folder_succeeds_and_creates_nothing(arguments: list[str], tmp_path: Path) -> None:
    ended = run(tmp_path, *arguments)
    assert (ended.code, list(tmp_path.iterdir())) == (0, [])
    assert ended.data["exists"] is False if "--json" in arguments else ended.text.startswith("data holds nothing yet")


def test_check_and_build_pass(filled: Path) -> None:
    checked = run(filled, "check", "--json")
    assert (checked.code, checked.data["failed"]) == (0, [])
    built = run(filled, "--json", "build")
    rows = {model["model"]: model["n_rows"] for model in built.data["models"]}
    assert (built.code, built.data["is_swapped"], built.data["failed"]) == (0, True, [])
    assert rows["marts.fct_conversations"] == run(filled, "status", "--json").data["workspaces"][0]["n_in_lake"]


def test_a_failing_check_is_named_with_a_row(filled: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "data")
    subprocess.run(["cp", "-r", str(filled / "data"), str(home.root)], check=True)  # noqa: S603, S607 - test folders
    lost = min(home.files(home.table(CONVERSATIONS), lake.DAY_FOLDERS))
    conversation_id = pl.read_parquet(lost)["conversation_id"][0]
    pl.read_parquet(lost).filter(pl.col("conversation_id") != conversation_id).write_parquet(lost)
    checked = run(tmp_path, "check")
    assert checked.code == 1
    assert "landed_is_in_lake" in checked.text
    assert conversation_id in checked.text
    assert checked.text.split("\n")[0].split() == ["check", "asserts", "rows", "for", "example"]
    data = run(tmp_path, "check", "--json").data
    n_passed = data["n_checks"] - len(data["failed"])
    assert checked.err == f"{n_passed:,} of {data['n_checks']:,} checks passed\n"
    built = run(tmp_path, "build", "--json")
    assert (built.code, built.data["is_swapped"]) == (1, False)
    failed = {check["check"] for check in built.data["failed"]}
    assert failed >= {"marts_fct_turns_references_conversation_id", "lake_has_recorded_rows"}


def test_query_answers_in_every_form(filled: Path, tmp_path: Path) -> None:
    sql = "select 'ü' as a, count(*) as n from marts.fct_conversations where not is_finished"
    assert run(filled, "query", sql).text == "a  n\nü  3\n"
    assert run(filled, "query", sql, "--format", "csv").out == "a,n\nü,3\n".encode()
    assert run(filled, "query", sql, "--json").data == [{"a": "ü", "n": 3}]
    parquet = run(filled, "query", sql, "--format", "parquet").out
    assert pl.read_parquet(io.BytesIO(parquet)).rows() == [("ü", 3)]
    assert run(filled, "query", "-", stdin=f"{sql}\n").text == "a  n\nü  3\n"
    for name in ("a.csv", "a.json", "a.parquet", "a.txt"):
        ended = run(filled, "query", sql, "--output", str(tmp_path / name))
        assert (ended.code, ended.out, ended.err) == (0, b"", f"1 row written to {tmp_path / name}\n")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.csv", "a.json", "a.parquet", "a.txt"]
    assert (tmp_path / "a.csv").read_text() == "a,n\nü,3\n"
    assert (tmp_path / "a.txt").read_text() == "a  n\nü  3\n"


def test_query_writes_no_table_into_a_file_that_another_program_would_take_for_its_own(
    filled: Path, tmp_path: Path
) -> None:
    for name in ("a.xlsx", "a.CSV.gz"):
        ended = run(filled, "query", "select 1 as a", "--output", str(tmp_path / name))
        assert (ended.code, list(tmp_path.iterdir())) == (2, [])
        assert (
            f"{name} ends in .{name.rpartition('.')[2]}: write .csv, .json or .parquet, or give --format." in ended.err
        )
    assert run(filled, "query", "select 1 as a", "--format", "csv", "--output", str(tmp_path / "a.dat")).code == 0
    assert run(filled, "query", "select 2 as a", "--output", str(tmp_path / "A.CSV")).code == 0
    assert [(tmp_path / name).read_text() for name in ("a.dat", "A.CSV")] == ["a\n1\n", "a\n2\n"]


def test_query_writes_into_a_device_and_does_not_replace_it(filled: Path, tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to("/dev/null")
    assert run(filled, "query", "select 1", "--format", "csv", "--output", str(tmp_path / "null")).code == 0
    assert [file.is_char_device() for file in tmp_path.iterdir()] == [True]


def test_query_says_how_many_rows_a_table_leaves_out(filled: Path) -> None:
    ended = run(filled, "query", "select unnest(range(1000)) as n")
    assert len(ended.text.splitlines()) == 41
    assert ended.err == "(1,000 rows; the first 40 are shown; --format csv gives all)\n"


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("selec", ["Parser Error", "LINE 1: selec"]),
        ("select x from marts.fct_turns", ["Binder Error", "convohouse tables"]),
        ("delete from marts.fct_turns", ["read-only", "convohouse build"]),
        ("select interval 1 day", ["INTERVAL", "Cast it to text"]),
        ("select {'a': interval 1 day} as b", ["b is of type STRUCT"]),
        (
            "select case when n < 99999 then n else cast('x' || n as int) end from range(100000) t(n)",
            ["Conversion Error"],
        ),
        ("select \udcff", ["error: "]),
    ],
)
def test_query_shows_the_error_of_duckdb(sql: str, words: list[str], filled: Path, tmp_path: Path) -> None:
    ended = run(filled, "query", sql, "--output", str(tmp_path / "a.csv"))
    assert (ended.code, ended.out, list(tmp_path.iterdir())) == (2, b"", [])
    assert [word for word in words if word not in ended.err] == []


def test_a_query_does_not_import_pyarrow_which_takes_a_tenth_of_a_second(filled: Path) -> None:
    code = (
        "import sys, pipelines.cli.main as m\n"
        'sql = "select \'interval\' as \\"UNION\\", n from range(3) t(n)"\n'
        "try: m.main(['query', sql, '--format', 'csv'])\n"
        "finally: print({'pyarrow', 'numpy', 'pandas'} & set(sys.modules))\n"
    )
    environment = os.environ | {"CONVOHOUSE_HOME": str(filled / "data")}  # noqa: TID251 - a process of its own
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stderr == ""
    assert done.stdout == "UNION,n\ninterval,0\ninterval,1\ninterval,2\nset()\n"


def test_columns_of_one_name_get_others(filled: Path) -> None:
    assert run(filled, "query", "select 1 as n, 2 as N", "--format", "csv").out == b"n,N_1\n1,2\n"


def test_a_closed_pipe_is_no_error(filled: Path) -> None:
    code = "from pipelines.cli.main import main; main()"
    sql = "select unnest(range(1000000)) as n"
    command = [sys.executable, "-c", code, "query", sql, "--format", "csv"]
    environment = os.environ | {"CONVOHOUSE_HOME": str(filled / "data")}  # noqa: TID251 - a process of its own
    with subprocess.Popen(  # noqa: S603 - ours
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.read(4) == b"n\n0\n"
        process.stdout.close()
        assert process.stderr.read() == b""


def test_tables_lists_what_there_is_and_what_it_means(filled: Path, n_calls: int) -> None:
    listed = {table["name"]: table for table in run(filled, "tables", "--json").data["tables"]}
    assert listed["lake.conversations"]["n_rows"] == listed["marts.fct_conversations"]["n_rows"] == n_calls
    assert listed["staging.stg_turns"]["n_rows"] is None
    turns = run(filled, "tables", "lake.turns", "--json").data
    message = next(column for column in turns["columns"] if column["name"] == "message")
    assert (message["type"], message["path"]) == ("text", "transcript[].message")
    facts = run(filled, "tables", "fct_conversations", "--json").data
    cost = next(column for column in facts["columns"] if column["name"] == "cost_usd")
    assert (facts["name"], cost["type"], cost["unit"], cost["path"]) == (
        "marts.fct_conversations",
        "double",
        "US dollars",
        None,
    )
    assert "cost_usd" in run(filled, "tables", "fct_conversations").text


def test_tables_counts_no_rows_that_an_incremental_build_has_replaced(tmp_path: Path) -> None:
    with duckdb.connect(Home(tmp_path / "data").open().warehouse) as connection:
        connection.execute("create schema marts; create table marts.fct_conversations as select * from range(5) t(n)")
        connection.execute("delete from marts.fct_conversations where n < 3")
        connection.execute("insert into marts.fct_conversations values (0)")
    listed = {table["name"]: table["n_rows"] for table in run(tmp_path, "tables", "--json").data["tables"]}
    assert (listed["marts.fct_conversations"], listed["marts.fct_turns"]) == (3, None)


def test_a_summary_adds_money_up_in_decimals(tmp_path: Path) -> None:
    with duckdb.connect(Home(tmp_path / "data").open().warehouse) as connection:
        connection.execute("create schema metrics; create schema marts")
        connection.execute(
            "create table metrics.agent_daily as select date '2026-11-21' as start_date, 1 as n_calls, 0 as n_open, "
            "1 as n_success, 0 as n_failure, 10 as cost_credits, 0.1::double as cost_usd, 1.0 as cost_usd_coverage "
            "from range(3)"
        )
        connection.execute("create table marts.fct_turns (wait_secs double, is_counted boolean)")
        connection.execute(
            "create table marts.fct_tool_calls (tool_name text, latency_secs double, is_counted boolean)"
        )
    summary = run(tmp_path, "summary", "--json").data
    assert (summary["cost_usd"], summary["cost_usd_per_success"]) == (0.3, 0.3 / 3)  # and not 0.30000000000000004


def test_tables_needs_no_data(tmp_path: Path) -> None:
    ended = run(tmp_path, "tables")
    assert (ended.code, list(tmp_path.iterdir())) == (0, [])
    assert "lake.turns" in ended.text
    assert "metrics.agent_daily" in ended.text


def findings(ended: Ended) -> dict[str, tuple[str, bool]]:
    return {finding["name"]: (finding["said"], not finding["problem"]) for finding in ended.data["findings"]}


def test_doctor_finds_everything_set_up_and_never_shows_the_key(api: str, filled: Path, tmp_path: Path) -> None:
    (tmp_path / "convohouse.toml").write_text("concurrency = 3\n")
    (tmp_path / ".env").write_text("CONVOHOUSE_LOOKBACK_DAYS=5\n")
    settings = KEY | {"ELEVENLABS_BASE_URL": api, "CONVOHOUSE_HOME": str(filled / "data")}
    ended = run(tmp_path, "doctor", "--json", **settings)
    values = findings(ended)
    assert (ended.code, ended.data["is_ok"]) == (0, True)
    assert values["api_key"] == ("set  (environment)", True)
    assert values["concurrency"] == ("3  (convohouse.toml)", True)
    assert values["lookback_days"] == ("5  (.env)", True)
    assert values["timezone"] == ("UTC  (default)", True)
    assert values["home folder"] == ("holds data", True)
    assert values["api"] == ("answers, the key works", True)
    assert list(tmp_path.glob("data")) == []


@pytest.mark.parametrize(
    ("arguments", "settings", "problem"),
    [
        (["--offline"], {}, (3, "api_key", "not set")),
        (["--offline", "--home", "f"], KEY, (2, "home folder", "f is not empty and is not a convohouse home.")),
        (["--offline", "--home", "f/a/b"], KEY, (2, "home folder", "f/a is not a folder")),
        (["--offline"], KEY | {"CONVOHOUSE_CONCURRENCY": "0"}, (2, "settings", "concurrency")),
        ([], KEY | {"CONVOHOUSE_CONCURRENCY": "0"}, (2, "settings", "concurrency")),
        (["--offline"], {"CONVOHOUSE_REREAD_DAYS": "1,7"}, (2, "settings", "reread_days: it is not JSON.")),
        ([], {"ELEVENLABS_API_KEY": "sk_wrong"}, (3, "api", "the key is wrong")),
    ],
)
def test_doctor_names_the_problem(
    arguments: list[str], settings: dict[str, str], problem: tuple[int, str, str], api: str, tmp_path: Path
) -> None:
    code, name, said = problem
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "a").write_text("mine")
    ended = run(tmp_path, "doctor", *arguments, "--json", **settings, ELEVENLABS_BASE_URL=api)
    values, is_ok = findings(ended)[name]
    assert (ended.code, is_ok) == (code, False)
    assert said in values
    assert "sk_wrong" not in ended.text
    shown = run(tmp_path, "doctor", *arguments, **settings, ELEVENLABS_BASE_URL=api)
    assert f"problem  {name}" in shown.text
    assert shown.err == "\nProblems: 1.\n"

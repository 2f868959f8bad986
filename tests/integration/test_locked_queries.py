"""A query reads the warehouse and its lake: no other file, no environment, and it writes nothing."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from tests.helpers.run_cli import run
from tests.helpers.small_lake import fill
from warehouse.build.runner import build
from warehouse.connection import execute_with_memory_retry, open_warehouse, sql_literal
from warehouse.errors import QueryError
from warehouse.serve.query import query
from warehouse.storage.home import Home

pytestmark = pytest.mark.usefixtures("few_models")

KEY = "sk_0123456789abcdef"

NOT_SELECTED = [
    "copy (select 1) to {file}",
    "copy (pivot lake.turns on role using count(*)) to {file}",
    "with a as (copy (select 1) to {file}) from a",
    "with a as (copy lake.turns to {file}), b as (pivot lake.turns on role using count(*)) from b",
    "pivot (with a as (copy lake.turns to {file}) from a) on count",
    "(with a as (copy lake.turns to {file}) from a) union all select 1",
    "with a as materialized (copy lake.turns to {file}) select 1; -- b",
    "with a as (with b as (copy lake.turns to {file}) from b) from a",
    "with a as (delete from marts.fct_turns returning 1) from a",
    "explain analyze copy (select 1) to {file}",
    "export database {file}",
    "attach {file} as other",
    "select 1; copy (select 1) to {file}",
    "select 1) ; copy (select 1) to {file}; select (1",
    "create temp table a as select 1",
    "set enable_external_access = true",
    "set variable convohouse_home = '/'",
    "reset lock_configuration",
    "install httpfs",
    "load httpfs",
    "create secret (type s3)",
    "call enable_logging(storage = 'file', storage_path = {file})",
    "pragma database_list",
    "checkpoint",
    "-- nothing",
]
UNREACHABLE = [
    "from read_text('/proc/self/environ')",
    "from read_text({secret})",
    "from read_text({lake} || '/../../secret.env')",
    "from {secret}",
    "from read_parquet({other})",
    "from glob('/etc/*')",
    "from read_csv('https://example.com/a.csv')",
    "from duckdb_secrets()",
    "select getenv('ELEVENLABS_API_KEY')",
    "from sql",
    "from statements",
]
SELECTED = {
    "select count(*) from lake.turns": [(15,)],
    "from lake.turns select count(*); -- of all workspaces": [(15,)],
    "with a as (select 1 as b) from a order by b": [(1,)],
    "values (1), (2)": [(1,), (2,)],
    "pivot lake.turns on role using count(*) group by workspace order by workspace": [("main", 9), ("second", 6)],
    "pivot (select role from lake.turns) on role using count(*);": [(15,)],
    "pivot (select role from lake.turns) on role in ('user', 'agent') using count(*); -- both": [(15, 0)],
    "(select 1 as a) union all (with b as (select 2) from b) order by a desc": [(2,), (1,)],
    "with recursive a as (select 1 as b union all select b + 1 from a where b < 3) from a": [(1,), (2,), (3,)],
    """select '"type":"COPY_QUERY_NODE"' as a""": [('"type":"COPY_QUERY_NODE"',)],
    "select column_name from (describe lake.turns) limit 1": [("workspace",)],
    "select 1 from (show all tables) limit 1": [(1,)],
    "select 1 from (summarize lake.turns) limit 1": [(1,)],
}


@pytest.fixture
def few_keys():
    return ("marts.fct_conversations", "marts.fct_turns", "marts.dim_agents")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("locked")
    (folder / "secret.env").write_text(f"ELEVENLABS_API_KEY={KEY}\n")
    pl.DataFrame({"a": [KEY]}).write_parquet(folder / "other.parquet")
    home = Home(folder / "home [1]*").open()
    fill(home)
    assert build(home).is_swapped
    return home


def tree(home):
    files = [path for path in home.root.parent.rglob("*") if path.is_file()]
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


@pytest.mark.parametrize("sql", NOT_SELECTED)
def test_what_is_no_select_is_refused_and_writes_nothing(sql, home):
    with open_warehouse(home):  # to open it again takes longer than to refuse a statement
        before = tree(home)
        for folder in (home.root.parent, home.lake, home.lake / "turns", home.temporary):
            with pytest.raises(QueryError):
                query(home, sql.format(file=sql_literal(str(folder / "written.parquet"))))
            assert tree(home) == before, folder


@pytest.mark.parametrize("sql", UNREACHABLE)
def test_no_other_file_is_read_and_no_environment(sql, home, monkeypatch):
    monkeypatch.setenv("ELEVENLABS_API_KEY", KEY)
    names = {"secret": home.root.parent / "secret.env", "other": home.root.parent / "other.parquet", "lake": home.lake}
    with pytest.raises(QueryError) as caught:
        query(home, sql.format(**{name: sql_literal(str(path)) for name, path in names.items()}))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("sql", SELECTED)
def test_every_form_of_select_is_answered(sql, home):
    assert query(home, sql).rows() == SELECTED[sql]


def test_a_home_behind_a_link_and_a_copied_one_are_read(home, tmp_path):
    (tmp_path / "link").symlink_to(home.root)
    shutil.copytree(home.root, tmp_path / "copy")
    for name in ("link", "copy"):
        place = Home(tmp_path / name)
        assert query(place, "select count(*) as n from lake.turns")["n"].item() == 15
        with pytest.raises(QueryError, match="Permission Error"):
            query(place, f"from read_text({sql_literal(str(home.root.parent / 'secret.env'))})")


def test_a_lake_that_is_not_there_names_the_command_that_rebuilds_it(home, tmp_path):
    copy = Home(shutil.copytree(home.root, tmp_path / "copy"))
    shutil.rmtree(copy.lake)
    with pytest.raises(QueryError, match="No files found") as missing:
        query(copy, "from lake.turns")
    assert missing.value.hint == (
        "A file of the lake is missing or damaged: `convohouse sync` rebuilds it from the landing."
    )


@pytest.mark.parametrize(
    ("sql", "message", "hint"),
    [
        ("selct 1", "Parser Error", "Write tables with their schema, such as marts.fct_conversations."),
        ("select cast('x' as integer)", "Conversion Error: Could not convert string 'x'", ""),
        (
            "select list(repeat('word', 1000)) from range(1000000)",
            "Out of Memory Error: ",
            "Ask for fewer rows, columns or days.",
        ),
    ],
)
def test_what_to_do_fits_the_error(sql, message, hint, home):
    with pytest.raises(QueryError) as failure:
        query(home, sql)
    assert failure.value.message.startswith(message)
    assert "SET " not in failure.value.message
    assert failure.value.hint == hint


def test_connections_of_one_process_can_be_opened_at_once(home):
    def count(_number):
        return query(home, "select count(*) as n from lake.turns")["n"].item()

    with open_warehouse(home) as first, ThreadPoolExecutor(8) as threads:
        assert list(threads.map(count, range(24))) == [15] * 24
        with open_warehouse(home) as second:
            assert second.execute("select count(*) from lake.turns").fetchall() == [(15,)]
            statement = "select quantile_cont(i, 0.5) from range(60_000_001) as numbers(i)"
            assert execute_with_memory_retry(first, statement) == [(30_000_000.0,)]


def test_the_command_says_what_a_query_can_do(home, tmp_path):
    written = run(tmp_path, "--home", str(home.root), "query", f"copy (select 1) to '{tmp_path}/a.csv'")
    assert (written.code, written.out, list(tmp_path.iterdir())) == (2, b"", [])
    assert "one SELECT" in written.err
    read = run(tmp_path, "--home", str(home.root), "query", "from read_text('/etc/hosts')")
    assert (read.code, read.out) == (2, b"")
    assert "no other file" in read.err

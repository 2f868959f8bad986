"""Published to a real S3 server and a real PostgreSQL; kills at every step; readers meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread, Timer

import duckdb
import polars as pl
import pyarrow as pa
import pytest
import s3fs
from deltalake import DeltaTable

from pipelines.usecases.erasure import erase
from pipelines.usecases.publish import choose_jobs, publish
from tests.conftest import FEW
from tests.helpers import kill_publish, postgres, s3
from tests.helpers.disk_contents import contents
from tests.helpers.published import delta_rows, home_rows, in_order, small_copies, words_in
from tests.helpers.run_cli import run
from warehouse.models.project import read_project
from warehouse.publish import record
from warehouse.publish.postgres import _loadable, column_name

pytestmark = [pytest.mark.usefixtures("few_models"), pytest.mark.timeout(400)]

SOME = ("marts", "metrics", "lake.turns", "lake.deletions")
PASSWORD = {"password": "s3cret pass"}


@pytest.fixture
def few_keys():
    return FEW


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    return small_copies(tmp_path_factory.mktemp("copies"))


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    with s3.server(tmp_path_factory.mktemp("s3")) as options:
        yield options


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with postgres.server(tmp_path_factory.mktemp("postgres") / "server") as url:
        yield url


@pytest.fixture
def database(server, request):
    """A new database; its URL."""
    name = f"of_{abs(hash(request.node.name))}"
    with postgres.connect(server) as connection:
        connection.execute(f"create database {name}")
    return server.rpartition("/")[0] + f"/{name}"


@pytest.fixture
def home(copies):
    copies.put("first", keeps_record=False)
    return copies.home


def names(copies):
    return [name for name in copies.names if {name, name.partition(".")[0]} & set(SOME)]


def publish_to(context, target, selection=SOME):
    (result, *_) = publish(context, choose_jobs(context, target, selection=selection))
    return result


def database_rows(url, name, like):
    """Rows of a table of a database, as psycopg reads them, in the types of a frame."""
    with postgres.connect(url) as connection:
        rows = connection.execute(f"select * from {name}").fetchall()  # noqa: S608 - ours
    return in_order(pl.DataFrame(rows, like.schema, orient="row"))


def test_an_object_store_has_every_table_and_no_secret_and_loses_what_is_erased(copies, home, bucket, tmp_path):
    target = f"s3://{s3.BUCKET}/a/b"
    settings = {"CONVOHOUSE_HOME": str(home.root), "CONVOHOUSE_PUBLISH_CREDENTIALS": json.dumps(bucket)}
    selection = ["--tables", "lake,marts,metrics"]
    first = run(tmp_path, "publish", target, "--json", *selection, **settings)
    copies.put("second")
    second = run(tmp_path, "publish", target, *selection, **settings)
    again = run(tmp_path, "publish", target, "--json", "--debug", **settings)

    assert (first.code, second.code, again.code) == (0, 0, 0), first.err + second.err + again.err
    assert {table["change"] for table in again.data["targets"][0]["tables"]} == {"unchanged"}
    for name in copies.names:
        assert delta_rows(target, name, bucket).equals(home_rows(home, name)), name
    turns = home_rows(home, "lake.turns")
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        keys = {"key": bucket["aws_access_key_id"], "secret": bucket["aws_secret_access_key"]}
        connection.register_filesystem(s3fs.S3FileSystem(**keys, endpoint_url=bucket["aws_endpoint_url"]))
        current = DeltaTable(f"{target}/lake/turns", storage_options=bucket).file_uris()
        assert in_order(connection.read_parquet(current).pl()).equals(turns)

    before = contents(s3.download(bucket, tmp_path / "before"))
    ended = run(tmp_path, "erase", copies.conversation_id, "--yes", "--json", **settings)
    after = contents(s3.download(bucket, tmp_path / "after"))
    assert (ended.code, ended.data["targets"]) == (0, {target: None})
    assert len(words_in(before, copies.words)) > 20
    assert words_in(after, copies.words) == set()
    for place in (after, contents(home.root), first.out, first.err.encode(), second.err.encode(), again.err.encode()):
        assert s3.SECRET.encode() not in place


def test_a_store_that_refuses_or_is_away_is_a_problem_without_the_secret(copies, home, bucket, tmp_path):
    settings = {"CONVOHOUSE_HOME": str(home.root)}
    away = bucket | {"aws_endpoint_url": "http://127.0.0.1:9", "max_retries": "1"}
    for target, options in ((f"s3://{s3.BUCKET}/x", away), ("s3://no-such-bucket/x", bucket)):
        ended = run(tmp_path, "publish", target, CONVOHOUSE_PUBLISH_CREDENTIALS=json.dumps(options), **settings)
        assert (ended.code, f"{target}: pending: {target} cannot be published to" in ended.err) == (1, True), ended.err
        assert s3.SECRET not in ended.err


def test_a_database_has_every_table_with_types_comments_and_keys(copies, home, database, tmp_path):
    settings = {"CONVOHOUSE_HOME": str(home.root), "CONVOHOUSE_PUBLISH_CREDENTIALS": json.dumps(PASSWORD)}
    ended = run(tmp_path, "publish", database, "--tables", "lake,marts,metrics", "--json", **settings)
    assert ended.code == 0, ended.err
    for name in copies.names:
        expected = home_rows(home, name)
        assert database_rows(database, name, expected).equals(expected), name
    header = read_project().by_key["marts.fct_conversations"].header
    with postgres.connect(database) as connection:
        described = connection.execute(
            "select attname, format_type(atttypid, null), col_description(attrelid, attnum) from pg_attribute "
            "where attrelid = 'marts.fct_conversations'::regclass and attnum > 0 order by attnum"
        ).fetchall()
        assert {name: text for name, _, text in described} == header.columns
        types = {name: type_ for name, type_, _ in described}
        assert [types[name] for name in ("conversation_id", "started_at", "local_start_at", "start_date")] == [
            "text",
            "timestamp with time zone",
            "timestamp without time zone",
            "date",
        ]
        assert {types[name] for name in ("cost_credits", "call_duration_secs")} <= {"bigint", "double precision"}
        comment = "select obj_description('marts.fct_conversations'::regclass)"
        assert connection.execute(comment).fetchall() == [(header.description,)]
        expected = home_rows(home, "lake.conversations").columns
        stored = connection.execute("select * from lake.conversations limit 0").description
        assert [column.name for column in stored] == [column_name(name) for name in expected]
        long_name = "a" * 70
        assert column_name(long_name) == "a" * 54 + "_" + sha256(long_name.encode()).hexdigest()[:8]
        keys = dict(
            connection.execute(
                "select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint "
                "where contype in ('p', 'u') and connamespace = any(array['marts', 'metrics', 'lake']::regnamespace[])"
            ).fetchall()
        )
        assert keys.keys() == set(copies.names)
        assert keys["marts.fct_conversations"] == f"PRIMARY KEY ({', '.join(header.grain)})"


def writers(connection, copies):
    """The transactions that have written the rows of each table."""
    return {
        name: {writer for (writer,) in connection.execute(f"select distinct xmin::text from {name}")}  # noqa: S608
        for name in names(copies)
    }


def test_a_database_changes_in_one_step_and_keeps_grants_and_unchanged_tables(copies, home, database):
    context = copies.context(publish_credentials=PASSWORD)
    publish_to(context, database)
    totals = "select (select count(*) from marts.fct_turns), (select count(*) from marts.fct_conversations)"
    with postgres.connect(database) as connection:
        connection.execute("create role analyst")
        connection.execute("grant select on marts.fct_turns to analyst with grant option")
        connection.execute("grant select on marts.dim_agents to public")
        connection.execute("create view public.mine as select count(*) as n from marts.fct_turns")
        # as if an earlier version had written it
        connection.execute("alter table marts.dim_agents rename column agent_name to name")
        connection.execute("update convohouse.published set fingerprint = 'x' where name = 'marts.dim_agents'")
        before, counts_before = writers(connection, copies), connection.execute(totals).fetchall()
        seen, ended = [], Event()

        def look():
            with postgres.connect(database) as reader:
                while not ended.is_set():
                    seen.extend(reader.execute(totals).fetchall())

        thread = Thread(target=look)
        thread.start()
        copies.put("second")
        with postgres.connect(database) as slow, postgres.connect(database) as older:
            slow.execute("begin")
            slow.execute("select 1 from marts.dim_agents limit 1")  # which has to be replaced
            Timer(1.0, slow.execute, ["commit"]).start()
            older.execute("begin isolation level repeatable read")
            older.execute("select from marts.fct_turns")
            result = publish_to(context, database)
            assert older.execute(totals).fetchall() == counts_before
        ended.set()
        thread.join()
        after, counts_after = writers(connection, copies), connection.execute(totals).fetchall()
        assert connection.execute("select n from mine").fetchone() == counts_after[0][:1]
        grants = connection.execute(
            "select table_name, grantee, privilege_type, is_grantable from information_schema.role_table_grants "
            "where table_schema = 'marts' and grantee in ('analyst', 'PUBLIC') order by 1, 2"
        ).fetchall()
        connection.execute("drop owned by analyst")
        connection.execute("drop role analyst")
    assert grants == [("dim_agents", "PUBLIC", "SELECT", "NO"), ("fct_turns", "analyst", "SELECT", "YES")]
    changes = {outcome.table: outcome.change for outcome in result.tables}
    assert changes["marts.fct_turns"] == changes["marts.dim_agents"] == "written"
    assert before["marts.fct_turns"] < after["marts.fct_turns"]  # rows that are the same are not written again
    unchanged = {name for name, change in changes.items() if change == "unchanged"}
    assert unchanged
    assert {name: after[name] for name in unchanged} == {name: before[name] for name in unchanged}
    assert counts_before != counts_after
    assert set(seen) <= {*counts_before, *counts_after}
    for name in names(copies):
        rows = home_rows(home, name)
        assert database_rows(database, name, rows).equals(rows)

    assert {outcome.change for outcome in publish_to(context, database).tables} == {"unchanged"}


def test_what_is_erased_leaves_the_files_of_a_database_and_views_on_it_stay(copies, home, database):
    context = copies.context(publish_credentials=PASSWORD)
    publish_to(context, database)
    copies.put("second")
    publish_to(context, database)
    with postgres.connect(database) as connection:
        connection.execute("create view public.mine as select count(*) as n from marts.fct_turns")

    def stored():  # all files of the database
        with postgres.connect(database) as connection:
            connection.execute("checkpoint")
            (path,) = connection.execute(
                "select current_setting('data_directory') || '/base/' || oid from pg_database "
                "where datname = current_database()"
            ).fetchone()
        return contents(Path(path))

    assert len(words_in(stored(), copies.words)) > 10
    assert erase(context, [copies.conversation_id]).targets == {database: None}
    assert words_in(stored(), copies.words) == set()
    for name in names(copies):
        rows = home_rows(home, name)
        assert database_rows(database, name, rows).equals(rows)
    with postgres.connect(database) as connection:
        (n_turns,) = connection.execute("select n from mine").fetchone()
    assert n_turns == home_rows(home, "marts.fct_turns").height


def test_a_database_that_refuses_is_a_problem_and_what_is_not_ours_stays(copies, home, database):
    wrong = publish_to(copies.context(publish_credentials={"password": "not-the-s3cret"}), database)
    assert "password authentication failed" in wrong.problem
    assert "s3cret" not in wrong.problem
    context = copies.context(publish_credentials=PASSWORD)
    with postgres.connect(database) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.dim_agents (mine int)")
        assert "has a table marts.dim_agents that convohouse has not created" in publish_to(context, database).problem
        assert record.read_targets(home) == ()
        connection.execute("drop table marts.dim_agents")
        publish_to(context, database)
        # a view of a user's own on a table that has to be replaced: named, and everything is as it was
        connection.execute("create view public.mine as select count(*) as n from marts.fct_turns")
        connection.execute("alter table marts.fct_turns add column theirs int")
        before = connection.execute("select n from mine").fetchall()
        copies.put("second")
        problem = publish_to(context, database).problem
        assert "mine" in problem, problem
        assert connection.execute("select n from mine").fetchall() == before
        connection.execute("drop view public.mine")
    assert publish_to(context, database).problem is None


def test_the_character_that_a_database_cannot_store_is_left_out():
    schema = pa.schema([("text", pa.string()), ("n", pa.int64())])
    batch = pa.RecordBatch.from_pydict({"text": ["a\0b", None], "n": [1, 2]}, schema=schema)
    assert _loadable(batch, schema).to_pydict() == {"text": ["ab", None], "n": [1, 2]}


DELTA_POINTS = {
    "an upload": ("warehouse.publish.object_store:Store.upload", 3, ""),
    "before a commit": ("warehouse.publish.delta:_DeltaTable._commit", 2, ""),
    "before old files go": ("warehouse.publish.delta:_DeltaTable._vacuum", 2, ""),
    "before it is recorded": ("warehouse.publish.record:put_target", 2, ""),
}
FILE_POINTS = {
    "a file": ("warehouse.publish.files:_write_table", 3, ""),
    "before a rename": ("pathlib:Path.replace", 4, "/.convohouse-"),
}
DATABASE_POINTS = {
    "a table": ("warehouse.publish.postgres:_load", 3, ""),
    "between two tables": ("warehouse.publish.postgres:_merge", 3, ""),
    "before the commit": ("adbc_driver_manager.dbapi:Cursor.execute", 1, "commit"),
}


def die(home, point, *arguments):
    """Run the command until it dies."""
    environment = os.environ | {"CONVOHOUSE_HOME": str(home.root)}  # noqa: TID251 - a process of its own
    environment |= {
        "CONVOHOUSE_PUBLISH_CREDENTIALS": json.dumps(PASSWORD),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    function, number, word = point
    command = [sys.executable, kill_publish.__file__, function, str(number), word, *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, timeout=300, check=False)  # noqa: S603 - ours
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


def assert_whole(rows_of, nights):
    """Each table is as on one of the nights; returns the names of those that are as on the second."""
    are_new = set()
    for name, rows in nights["second"].items():
        actual = rows_of(name)
        assert actual.equals(rows) or actual.equals(nights["first"][name]), name
        if actual.equals(rows) and not actual.equals(nights["first"][name]):
            are_new.add(name)
    return are_new


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("kind", "point"),
    [
        *(("delta", point) for point in DELTA_POINTS),
        *(("parquet", point) for point in FILE_POINTS),
        *(("postgres", point) for point in DATABASE_POINTS),
    ],
)
def test_killed_at_any_point_readers_see_whole_tables_and_the_next_publication_completes(
    kind, point, copies, tmp_path, request
):
    home = copies.home
    points = {"delta": DELTA_POINTS, "parquet": FILE_POINTS, "postgres": DATABASE_POINTS}[kind]
    target = request.getfixturevalue("database") if kind == "postgres" else str(tmp_path / "target")
    context, format_ = copies.context(publish_credentials=PASSWORD), None if kind == "postgres" else kind
    selection = ("marts", "metrics")
    jobs = choose_jobs(context, target, format_=format_, selection=selection)
    (first,) = publish(context, jobs)
    tables = [outcome.table for outcome in first.tables]
    nights = {"first": {name: home_rows(home, name) for name in tables}}
    copies.put("second")
    nights["second"] = {name: home_rows(home, name) for name in tables}

    def rows_of(name):
        if kind == "delta":
            return delta_rows(target, name)
        if kind == "parquet":
            return in_order(pl.read_parquet(f"{target}/{name}.parquet"))
        return database_rows(target, name, nights["second"][name])

    die(home, points[point], "publish", target)

    are_new = assert_whole(rows_of, nights)
    assert kind != "postgres" or not are_new
    (result,) = publish(context, jobs)
    assert result.problem is None
    for name, rows in nights["second"].items():
        assert rows_of(name).equals(rows), name
    assert [file for file in home.temporary.rglob("*") if file.is_file()] == []
    if kind == "parquet":
        assert not [file for file in (tmp_path / "target").iterdir() if file.name.startswith(".")]
    (recorded,) = record.read_targets(home)
    assert (recorded.tables, recorded.removed) == (tuple(tables), record.removed_fingerprint(home))


def test_an_erasure_that_is_killed_before_old_files_go_is_finished_by_the_next_publication(copies, home, tmp_path):
    target, context = tmp_path / "target", copies.context()
    copies.put("second")
    publish_to(context, str(target))
    copies.put("first")
    die(home, ("pathlib:Path.replace", 3, ".parquet.part"), "publish", str(target))
    copies.put("second")
    publish_to(context, str(target))
    assert list(target.rglob("*.parquet.part")) != []  # of files that are not written again
    die(home, DELTA_POINTS["before old files go"], "erase", copies.conversation_id, "--yes")
    assert words_in(contents(target), copies.words) != set()
    assert len(record.pending_targets(home)) == 1
    publish_to(context, str(target))
    assert words_in(contents(target), copies.words) == set()
    assert list(target.rglob("*.part")) == []


def test_readers_of_delta_lake_see_the_table_before_or_after(copies, home, tmp_path):
    target, context = str(tmp_path / "target"), copies.context()
    publish_to(context, target)
    nights, seen, ended = [home_rows(home, "marts.fct_turns")], [], Event()

    def look():
        while not ended.is_set():
            seen.append(delta_rows(target, "marts.fct_turns"))

    thread = Thread(target=look)
    thread.start()
    for night in ("second", "first", "second"):
        copies.put(night)
        publish_to(context, target)
        nights.append(home_rows(home, "marts.fct_turns"))
    ended.set()
    thread.join()
    assert len(seen) > 3
    assert all(any(rows.equals(night) for night in nights) for rows in seen)

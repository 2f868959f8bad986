"""Published to a real PostgreSQL: in one step, and without what was erased."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread, Timer

import psycopg
import pyarrow as pa
import pytest

from pipelines.usecases.erasure import erase
from pipelines.usecases.publish import choose_jobs, publish
from tests.helpers import postgres
from tests.helpers.disk_contents import contents, words_in
from tests.helpers.published import (
    database_rows,
    home_rows,
    publish_to,
    rows_by_table,
    selected,
)
from tests.helpers.reference_docs import ROOT
from tests.helpers.run_cli import run
from warehouse.models.project import read_project
from warehouse.publish import record
from warehouse.publish.postgres import _loadable
from warehouse.publish.postgres_tables import column_name

pytestmark = [pytest.mark.usefixtures("few_models"), pytest.mark.timeout(400)]


def test_a_database_has_every_table_with_types_comments_and_keys(copies, home, database, tmp_path):
    settings = {"CONVOHOUSE_HOME": str(home.root), "CONVOHOUSE_PUBLISH_CREDENTIALS": json.dumps(postgres.CREDENTIALS)}
    ended = run(tmp_path, "publish", database, "--tables", "lake,marts,metrics", "--json", **settings)
    assert ended.code == 0, ended.err
    for name, expected in rows_by_table(home, copies.names).items():
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


def test_a_dry_run_of_other_tables_leaves_the_database_as_it_is(copies, home, database):
    context = copies.context(publish_credentials=postgres.CREDENTIALS)
    publish_to(context, database, selection=("marts.dim_agents", "lake.agents"))
    recorded = record.read_targets(home)
    with postgres.connect(database) as connection:
        before = states(connection)
        jobs = choose_jobs(context, database, selection=("lake.agents", "lake.deletions"))
        (result,) = publish(context, jobs, is_dry_run=True)
        assert {outcome.table: outcome.change for outcome in result.tables} == {
            "marts.dim_agents": "removed",
            "lake.agents": "unchanged",
            "lake.deletions": "written",
        }
        assert (states(connection), record.read_targets(home)) == (before, recorded)


def states(connection):
    """The tables of a database, and what it says of those that were published."""
    tables = "select schemaname, tablename from pg_tables where schemaname !~ '^(pg_|information_schema)' order by 1, 2"
    return [connection.execute(sql).fetchall() for sql in (tables, "select * from convohouse.published order by name")]


def writers(connection, copies):
    """The transactions that have written the rows of each table."""
    return {
        name: {writer for (writer,) in connection.execute(f"select distinct xmin::text from {name}")}  # noqa: S608
        for name in selected(copies)
    }


def test_a_database_changes_in_one_step_and_keeps_grants_and_unchanged_tables(copies, home, database):
    context = copies.context(publish_credentials=postgres.CREDENTIALS)
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
                while not ended.wait(0.02):
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
    for name, rows in rows_by_table(home, selected(copies)).items():
        assert database_rows(database, name, rows).equals(rows)

    assert {outcome.change for outcome in publish_to(context, database).tables} == {"unchanged"}


def test_the_role_that_docs_connect_creates_reads_also_what_is_published_later_and_writes_nothing(
    copies, home, database
):
    page = (ROOT / "docs" / "connect.md").read_text(encoding="utf-8").partition("## PostgreSQL for dashboards")[2]
    context = copies.context(publish_credentials=postgres.CREDENTIALS)
    publish_to(context, database, selection=("marts.dim_agents", "metrics.anomalies"))
    with postgres.connect(database) as owner:
        for statement in re.findall(r"```sql\n(.*?)```", page, re.DOTALL)[0].strip().rstrip(";").split(";"):
            owner.execute(statement)
        try:
            publish_to(context, database, selection=("marts", "metrics", "lake.deletions"))
            as_reader = database.replace(f"//{postgres.USER}@", "//dashboards@")
            with psycopg.connect(as_reader, password="…", autocommit=True) as reader:  # noqa: S106 - of the page
                for name in ("marts.dim_agents", "marts.fct_turns", "metrics.anomalies", "metrics.agent_daily"):
                    counts = [place.execute(f"select count(*) from {name}").fetchone() for place in (reader, owner)]  # noqa: S608
                    assert counts[0] == counts[1], name
                for refused in ("delete from marts.fct_turns", "select from lake.deletions", "create table marts.x ()"):
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        reader.execute(refused)
        finally:
            owner.execute("drop owned by dashboards")
            owner.execute("drop role dashboards")


def test_what_is_erased_leaves_the_files_of_a_database_and_views_on_it_stay(copies, home, database):
    context = copies.context(publish_credentials=postgres.CREDENTIALS)
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
    for name, rows in rows_by_table(home, selected(copies)).items():
        assert database_rows(database, name, rows).equals(rows)
    with postgres.connect(database) as connection:
        (n_turns,) = connection.execute("select n from mine").fetchone()
    assert n_turns == home_rows(home, "marts.fct_turns").height


def test_a_database_that_refuses_is_a_problem_and_what_is_not_ours_stays(copies, home, database):
    wrong = publish_to(copies.context(publish_credentials={"password": "not-the-s3cret"}), database)
    assert "password authentication failed" in wrong.problem
    assert "s3cret" not in wrong.problem
    context = copies.context(publish_credentials=postgres.CREDENTIALS)
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


@pytest.mark.parametrize("erases", [False, True])
def test_columns_that_a_later_version_adds_leave_views_and_grants_as_they_are(erases, copies, home, database):
    context = copies.context(publish_credentials=postgres.CREDENTIALS)
    publish_to(context, database)
    with postgres.connect(database) as connection:
        # as an earlier version has left it: without a column in the middle, and one at the end
        connection.execute("alter table marts.fct_turns drop column role, drop column start_date cascade")
        connection.execute("update convohouse.published set fingerprint = 'x' where name = 'marts.fct_turns'")
        connection.execute("grant select on marts.fct_turns to public")
        connection.execute("create view public.mine as select count(*) as n from marts.fct_turns")
        if erases:
            assert erase(context, [copies.conversation_id]).targets == {database: None}
        else:
            copies.put("second")
            assert publish_to(context, database).problem is None
        rows = home_rows(home, "marts.fct_turns")
        assert connection.execute("select n from mine").fetchone() == (rows.height,)
        privileges = "select has_table_privilege('public', 'marts.fct_turns', 'select')"
        assert connection.execute(privileges).fetchone() == (True,)
        statistics = (
            "select attname from pg_attribute where attrelid = 'marts.fct_turns'::regclass and attstattarget = 0"
        )
        assert ("role",) in connection.execute(statistics).fetchall()
    assert database_rows(database, "marts.fct_turns", rows).equals(rows)
    assert {outcome.change for outcome in publish_to(context, database).tables} == {"unchanged"}


def test_the_character_that_a_database_cannot_store_is_left_out():
    schema = pa.schema([("text", pa.string()), ("n", pa.int64())])
    batch = pa.RecordBatch.from_pydict({"text": ["a\0b", None], "n": [1, 2]}, schema=schema)
    assert _loadable(batch, schema).to_pydict() == {"text": ["ab", None], "n": [1, 2]}

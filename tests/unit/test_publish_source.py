"""The parts of the tables that are published: which rows each has, and when its fingerprint changes."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.helpers import small_lake
from warehouse.publish.source import Source, select_tables, table_names
from warehouse.schema.operations import AGENTS
from warehouse.schema.transcript import TURNS
from warehouse.storage import lake
from warehouse.storage.home import Home

OCTOBER, NOVEMBER = date(2026, 10, 30), date(2026, 11, 2)
ROWS = """
create or replace table marts.daily as
from (values (date '2026-11-02', 'b', 2), (date '2026-11-01', 'c', 3), (date '2026-10-30', 'a', 1), {})
as rows(start_date, k, n)
"""


def header(*columns, grain=("k",)):
    comments = {name: f"What {name} is." for name in columns}
    return SimpleNamespace(
        header=SimpleNamespace(description="Rows.", grain=grain, columns=comments, column_comments=comments)
    )


@pytest.fixture
def source(tmp_path):
    home = Home(tmp_path / "home").open()
    small_lake.fill(home)
    by_key = {
        "marts.daily": header("start_date", "k", "n"),
        "marts.plain": header("k", "n", grain=("n", "k")),
        "metrics.empty": header("start_date", "k"),
    }
    models = [SimpleNamespace(key=key, schema=key.partition(".")[0]) for key in ("staging.a", *reversed(by_key))]
    with duckdb.connect() as connection:
        connection.execute("create schema marts; create schema metrics")
        connection.execute(ROWS.format("(null, 'd', 4)"))
        connection.execute("create table marts.plain as from (values ('b', 1), ('a', 1), (null, 0)) t(k, n)")
        connection.execute("create table metrics.empty(start_date date, k text)")
        yield Source(connection, home, SimpleNamespace(by_key=by_key, models=models))


def parts(table):
    return [(part.label, part.n_rows, part.days) for part in table.parts]


def exported(source, table, folder):
    rows = {}
    for part in table.parts:
        source.export(table, part, folder / "part.parquet")
        rows[part.label] = pq.read_table(folder / "part.parquet").to_pylist()
    return rows


def test_a_model_with_days_has_a_part_for_each_month_and_one_of_rows_without_a_day(source, tmp_path):
    table = source.table("marts.daily")
    assert parts(table) == [
        ("all", 1, None),
        ("2026-10", 1, (OCTOBER, OCTOBER)),
        ("2026-11", 2, (date(2026, 11, 1), NOVEMBER)),
    ]
    assert exported(source, table, tmp_path) == {
        "all": [{"start_date": None, "k": "d", "n": 4}],
        "2026-10": [{"start_date": OCTOBER, "k": "a", "n": 1}],
        "2026-11": [{"start_date": NOVEMBER, "k": "b", "n": 2}, {"start_date": date(2026, 11, 1), "k": "c", "n": 3}],
    }
    assert (table.n_rows, table.comments["n"], table.schema.field("k").type) == (4, "What n is.", pa.string())


def test_only_the_fingerprint_of_a_part_that_changed_changes(source):
    before = source.table("marts.daily")
    source._connection.execute(ROWS.format("(null, 'd', 5)"))
    after = source.table("marts.daily")
    is_same = [part.fingerprint == other.fingerprint for part, other in zip(before.parts, after.parts, strict=True)]
    assert (is_same, before.fingerprint == after.fingerprint) == ([False, True, True], False)
    source._project.by_key["marts.daily"].header.column_comments["n"] = "What else n is."
    described = source.table("marts.daily")
    assert not {part.fingerprint for part in after.parts} & {part.fingerprint for part in described.parts}


def test_a_model_without_days_is_one_part_and_an_empty_one_none(source, tmp_path):
    table, empty = source.table("marts.plain"), source.table("metrics.empty")
    assert (parts(table), parts(empty), empty.n_rows) == ([("all", 3, None)], [], 0)
    rows = [{"k": None, "n": 0}, {"k": "a", "n": 1}, {"k": "b", "n": 1}]
    assert exported(source, table, tmp_path) == {"all": rows}
    assert [row for batch in source.batches(table) for row in batch.to_pylist()] == rows
    source.export_all(table, tmp_path / "all.parquet")
    assert pq.read_table(tmp_path / "all.parquet").to_pylist() == rows
    assert (source.has_nulls(table), source.has_nulls(source.table("lake.agents"))) == (True, False)


def test_a_table_of_the_lake_has_a_part_for_each_file_and_none_for_its_schema_file(source, tmp_path):
    turns, agents = source.table("lake.turns"), source.table("lake.agents")
    first, second, third = small_lake.DAYS
    assert parts(turns) == [
        (f"{first}.main", 3, (first, first)),
        (f"{first}.second", 3, (first, first)),
        (f"{second}.main", 3, (second, second)),
        (f"{third}.main", 3, (third, third)),
        (f"{third}.second", 3, (third, third)),
    ]
    assert parts(agents) == [("main", 1, None), ("second", 1, None)]
    assert [len(rows) for rows in exported(source, turns, tmp_path).values()] == [3] * 5
    home = source._home.for_workspace("main")
    source.export(agents, agents.parts[0], tmp_path / "agents.parquet")
    assert (tmp_path / "agents.parquet").read_bytes() == home.file(home.table(AGENTS)).read_bytes()
    types = [turns.schema.field(name).type for name in ("message", "turn_index", "start_date")]
    assert types == [pa.string(), pa.int64(), pa.date32()]
    assert (agents.primary_key, turns.description) == (AGENTS.key, f"One row per {TURNS.grain}.")
    assert (home.table(AGENTS) / lake.SCHEMA_FILE).is_file()


def test_tables_are_chosen_by_name_or_schema_in_the_order_of_schemas(source):
    names = table_names(source._project)
    assert names[-3:] == ("marts.daily", "marts.plain", "metrics.empty")
    assert source.names() == names
    assert all(name.startswith("lake.") for name in names[:-3])
    assert names[:-3] == tuple(sorted(names[:-3]))
    assert select_tables(names, ("metrics", "marts.plain")) == ("marts.plain", "metrics.empty")
    with pytest.raises(KeyError, match=r"^'marts\.other'$"):
        select_tables(names, ("marts.daily", "marts.other"))

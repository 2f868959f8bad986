"""What somebody has deleted or changed at a target is noticed by the next publication, and written again."""

from __future__ import annotations

import shutil

import pytest

from tests.helpers import postgres
from tests.helpers.published import database_rows, delta_rows, delta_table, publish_to, rows_by_table
from tests.helpers.run_cli import run

pytestmark = pytest.mark.usefixtures("few_models")

TURNS, CALLS, AGENTS = "lake.turns", "marts.fct_conversations", "lake.agents"
NAMES = (TURNS, CALLS, AGENTS)


def changes(result):
    assert result.problem is None
    return {outcome.table: outcome.change for outcome in result.tables}


def expected(restored):
    return {name: "restored" if name in restored else "unchanged" for name in NAMES}


def test_lost_files_of_delta_lake_are_written_again(context, tmp_path):
    target = tmp_path / "delta"
    publish_to(context, target, selection=NAMES)
    versions = {name: delta_table(target, name).version() for name in NAMES}
    turns, others = sorted((target / "lake" / "turns").glob("*.parquet"))[:2]
    turns.unlink()
    others.write_bytes(others.read_bytes()[:100])
    shutil.rmtree(target / "marts")

    dry_run = run(tmp_path, "publish", str(target), "--dry-run", "--json", CONVOHOUSE_HOME=str(context.home.root))
    assert {table["table"]: table["change"] for table in dry_run.data["targets"][0]["tables"]} == expected(
        [TURNS, CALLS]
    )
    result = publish_to(context, target, selection=NAMES)

    assert changes(result) == expected([TURNS, CALLS])
    assert {outcome.table: outcome.n_files for outcome in result.tables}[TURNS] == 2
    assert {name: delta_table(target, name).version() for name in NAMES} == versions
    for name, rows in rows_by_table(context.home, NAMES).items():
        assert delta_rows(str(target), name).equals(rows), name
    assert changes(publish_to(context, target, selection=NAMES)) == expected([])


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_files_that_were_deleted_or_changed_are_written_again(format_, context, tmp_path):
    target = tmp_path / "files"
    choice = {"selection": NAMES, "format_": format_}
    publish_to(context, target, **choice)
    before = {file.name: file.read_bytes() for file in target.iterdir() if file.suffix != ".json"}
    turns, calls = target / f"{TURNS}.{format_}", target / f"{CALLS}.{format_}"
    turns.unlink()
    content = bytearray(before[calls.name])
    content[len(content) // 2] ^= 1  # of the same size
    calls.write_bytes(content)

    assert changes(publish_to(context, target, **choice)) == expected([TURNS, CALLS])
    assert {file.name: file.read_bytes() for file in target.iterdir() if file.suffix != ".json"} == before
    shutil.rmtree(target)
    assert changes(publish_to(context, target, **choice)) == expected(NAMES)
    assert changes(publish_to(context, target, **choice)) == expected([])


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_a_file_whose_time_alone_has_changed_is_not_written_again(format_, context, tmp_path, monkeypatch):
    target, copy = tmp_path / "files", tmp_path / "copy"
    choice = {"selection": NAMES, "format_": format_}
    publish_to(context, target, **choice)
    shutil.copytree(target, copy, copy_function=shutil.copyfile)  # without times
    target.rename(tmp_path / "away")
    copy.rename(target)
    inodes = {file.name: file.stat().st_ino for file in target.glob(f"*.{format_}")}
    assert changes(publish_to(context, target, **choice)) == expected([])
    assert {file.name: file.stat().st_ino for file in target.glob(f"*.{format_}")} == inodes
    monkeypatch.delattr("warehouse.publish.files.file_sha256")  # the new times are in the state: no file is read again
    assert changes(publish_to(context, target, **choice)) == expected([])


def test_lost_rows_and_tables_of_a_database_are_written_again(copies, home, database):
    context = copies.context(publish_credentials=postgres.CREDENTIALS)
    publish_to(context, database, selection=NAMES)
    with postgres.connect(database) as connection:
        connection.execute("delete from lake.turns where turn_index = 1")
        connection.execute("drop table marts.fct_conversations")

    assert changes(publish_to(context, database, selection=NAMES)) == expected([TURNS, CALLS])
    for name, rows in rows_by_table(home, NAMES).items():
        assert database_rows(database, name, rows).equals(rows), name
    assert changes(publish_to(context, database, selection=NAMES)) == expected([])
    with postgres.connect(database) as connection:
        connection.execute("drop schema lake, marts, convohouse cascade")
    assert changes(publish_to(context, database, selection=NAMES)) == expected(NAMES)

"""Tables published to Delta Lake and to files: exact, not written twice, and without what was erased."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import duckdb
import msgspec
import polars as pl
import pyarrow.dataset as ds
import pytest

from pipelines.emulator.server.serve import running
from pipelines.usecases import sync
from pipelines.usecases.erasure import erase
from pipelines.usecases.publish import choose_jobs, forget, publish
from tests.helpers.disk_contents import contents, words_in
from tests.helpers.published import (
    changes,
    commits,
    delta_rows,
    delta_table,
    home_rows,
    in_order,
    publish_to,
    rows_by_table,
    selected,
)
from tests.helpers.run_cli import run
from warehouse.models.project import read_project
from warehouse.publish import record, source
from warehouse.publish.object_store import _open
from warehouse.publish.target import parse_target

pytestmark = pytest.mark.usefixtures("few_models")


def assert_published(context, names, target):
    """Tables of a Delta target are those of the home, to the last row and type."""
    for name, expected in rows_by_table(context.home, names).items():
        assert delta_rows(str(target), name).equals(expected), name


def test_every_table_is_read_from_delta_lake_as_it_is_here(context, copies, tmp_path):
    target = tmp_path / "delta"
    result = publish_to(context, target, selection=())
    assert result.problem is None
    assert changes(result) == dict.fromkeys(copies.names, "written")
    assert_published(context, copies.names, target)

    table = delta_table(target, "marts.fct_conversations")
    expected = home_rows(context.home, "marts.fct_conversations")
    header = read_project().by_key["marts.fct_conversations"].header
    assert table.metadata().description == header.description
    assert {field.name: field.metadata["comment"] for field in table.schema().fields} == header.columns
    assert in_order(pl.DataFrame(ds.dataset(table.file_uris()).to_table())).equals(expected)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        rows = connection.read_parquet(table.file_uris()).pl()
    assert in_order(rows).equals(expected)


def test_a_second_publication_writes_nothing(context, copies, tmp_path):
    target = tmp_path / "delta"
    publish_to(context, target)
    files = {file: file.stat().st_mtime_ns for file in target.rglob("*") if file.is_file()}
    assert changes(publish_to(context, target)) == dict.fromkeys(selected(copies), "unchanged")
    assert {file: file.stat().st_mtime_ns for file in target.rglob("*") if file.is_file()} == files


def test_a_night_writes_only_files_with_other_rows_and_no_commit_adds_what_it_removes(context, copies, tmp_path):
    target = tmp_path / "delta"
    publish_to(context, target)
    names = selected(copies)
    before = {name: set(delta_table(target, name).file_uris()) for name in names}
    first_night = rows_by_table(context.home, names)
    copies.put("second")

    result = publish_to(context, target)

    assert_published(context, selected(copies), target)
    for outcome in result.tables:
        table = delta_table(target, outcome.table)
        assert outcome.n_files == len(set(table.file_uris()) - before[outcome.table])
        assert (outcome.change == "unchanged") == (table.version() == 0)
        # earlier versions stay for a week
        earlier = pl.scan_delta(str(target / outcome.table.replace(".", "/")), version=0).collect()
        assert in_order(earlier).equals(first_night[outcome.table])
        for actions in commits(table, target / outcome.table.replace(".", "/")):
            paths = [action[kind]["path"] for action in actions for kind in ("add", "remove") if kind in action]
            assert len(paths) == len(set(paths))
    n_kept = sum(len(uris & set(delta_table(target, name).file_uris())) for name, uris in before.items())
    assert n_kept >= 5


def test_rows_that_come_back_are_read_again(context, copies, tmp_path):
    target = tmp_path / "delta"
    for night in ("first", "second", "first"):
        copies.put(night)
        publish_to(context, target)
        assert_published(context, selected(copies), target)
    assert delta_table(target, "marts.fct_conversations").vacuum(0, enforce_retention_duration=False) != []
    assert_published(context, selected(copies), target)


def test_another_description_is_a_new_version_with_the_same_rows(context, copies, tmp_path, monkeypatch):
    target = tmp_path / "delta"
    publish_to(context, target)
    describe = source._with_comments
    monkeypatch.setattr(source, "_with_comments", lambda schema, texts: describe(schema, dict.fromkeys(texts, "New.")))
    assert set(changes(publish_to(context, target)).values()) == {"written"}
    assert_published(context, selected(copies), target)
    for name in selected(copies):
        table = delta_table(target, name)
        assert (table.version(), {field.metadata["comment"] for field in table.schema().fields}) == (1, {"New."})
        for actions in commits(table, target / name.replace(".", "/")):
            paths = [action[kind]["path"] for action in actions for kind in ("add", "remove") if kind in action]
            assert len(paths) == len(set(paths))
    assert set(changes(publish_to(context, target)).values()) == {"unchanged"}


def test_another_description_of_a_table_is_published_with_its_rows(context, copies, tmp_path, monkeypatch):
    target, selection = tmp_path / "delta", ("marts.dim_agents",)
    publish_to(context, target, selection=selection)
    define, table_of = source._definition, source.SourceTable
    monkeypatch.setattr(source, "_definition", lambda key, _text, schema: define(key, "New.", schema))
    monkeypatch.setattr(source, "SourceTable", lambda key, _text, *others: table_of(key, "New.", *others))
    for change in ("written", "unchanged"):
        assert changes(publish_to(context, target, selection=selection)) == {"marts.dim_agents": change}
        assert delta_table(target, "marts.dim_agents").metadata().description == "New."
        assert_published(context, selection, target)
    delta_table(target, "marts.dim_agents").alter.set_table_description("Old.")
    assert changes(publish_to(context, target, selection=selection)) == {"marts.dim_agents": "unchanged"}
    assert delta_table(target, "marts.dim_agents").metadata().description == "New."


def test_a_table_that_the_last_publication_had_and_a_later_version_has_not_hinders_neither_publishing_nor_forgetting(
    context, home, tmp_path
):
    target = tmp_path / "csv"
    publish_to(context, target, format_="csv", selection=("marts.dim_agents",))
    (entry,) = record.read_targets(home)
    record.put_target(home, msgspec.structs.replace(entry, selection=("marts.dim_agents", "marts.of_before")))
    assert changes(publish_to(context, target, selection=())) == {"marts.dim_agents": "unchanged"}
    assert forget(context, str(target))
    assert record.read_targets(home) == ()


def test_what_is_erased_leaves_every_file_of_every_version(context, copies, tmp_path):
    targets = {format_: tmp_path / format_ for format_ in ("delta", "parquet", "csv")}
    for night in ("first", "second"):
        copies.put(night)
        for format_, target in targets.items():
            publish_to(context, target, format_=format_, selection=("lake", "marts", "metrics"))
    words = copies.words
    for target in targets.values():
        assert len(words_in(contents(target), words)) > 20

    result = erase(context, [copies.conversation_id])

    assert (result.problems, result.targets) == ((), {target.as_uri(): None for target in targets.values()})
    for target in targets.values():
        content = contents(target)
        assert words_in(content, words) == set()
        assert copies.conversation_id.encode() in content  # in lake.deletions
    assert_published(context, copies.names, targets["delta"])
    assert record.pending_targets(context.home) == ()


def test_a_redaction_of_a_sync_reaches_what_was_published(context, copies, tmp_path):
    target, nights = tmp_path / "delta", copies.nights
    copies.put("second")
    publish_to(context, target)
    before = words_in(contents(target), copies.words)
    nights.world.delete(copies.conversation_id, nights.now)
    with running(nights.app) as url:
        online = nights.context(url, confirm_deletion_hours=0)
        for run_id in ("deleted 1", "deleted 2", "deleted 3"):
            nights.now += timedelta(milliseconds=1)
            assert sync.sync(online, run_id=run_id).problems == ()
    after, at_home = (words_in(contents(folder), copies.words) for folder in (target, context.home.root))
    assert len(before - at_home) > 5
    assert after <= at_home  # what a redaction keeps
    assert_published(context, selected(copies), target)
    assert record.pending_targets(context.home) == ()


SESSION = """
import sys, duckdb
with duckdb.connect(sys.argv[1], read_only=True) as session:
    for _ in sys.stdin:
        tables = ("fct_turns", "marts.fct_turns", "lake.turns")
        print([session.execute(f"select count(*) from {table}").fetchone()[0] for table in tables], flush=True)
"""
"""A tool that has the warehouse open, and counts turns whenever it is asked: in a table, and in a view on the lake."""


def test_an_open_session_keeps_its_tables_over_a_night_and_a_new_one_sees_the_new(context, copies):
    nights = copies.nights
    before = home_rows(context.home, "marts.fct_turns").height
    command = [sys.executable, "-c", SESSION, str(context.home.warehouse)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as session:  # noqa: S603 - ours

        def count():
            session.stdin.write("count\n")
            session.stdin.flush()
            return json.loads(session.stdout.readline())

        assert count() == [before, before, before]
        with running(nights.app) as url:
            assert sync.sync(nights.context(url), run_id="a night").problems == ()
        after = home_rows(context.home, "marts.fct_turns").height
        assert after > before
        assert count() == [before, before, after]  # views on the lake read the files that are there
        session.stdin.close()
    reconnected = subprocess.run(command, input="count\n", capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert json.loads(reconnected.stdout) == [after, after, after]


def test_a_target_that_cannot_be_reached_is_named_and_stays_pending(context, copies, tmp_path):
    home, target, away = context.home.root, tmp_path / "delta", tmp_path / "away"
    conversation_id, words = copies.conversation_id, copies.words
    copies.put("second")
    publish_to(context, target)
    target.rename(away)
    target.write_text("a file, where the folder was")

    ended = run(tmp_path, "erase", conversation_id, "--yes", "--json", CONVOHOUSE_HOME=str(home))

    assert ended.code == 1
    assert list(ended.data["targets"]) == [target.as_uri()]
    assert "Not a directory" in ended.data["targets"][target.as_uri()]
    said = run(tmp_path, "erase", conversation_id, "--yes", CONVOHOUSE_HOME=str(home))
    assert (said.code, f"{target.as_uri()}: not reached" in said.err) == (1, True)
    with running(copies.nights.app) as url:
        result = sync.sync(copies.nights.context(url), run_id="next")
    assert [problem for problem in result.problems if "may still have what was erased" in problem]
    (stale,) = run(tmp_path, "status", "--json", CONVOHOUSE_HOME=str(home)).data["targets"]
    assert (stale["target"], stale["format"], stale["is_pending"]) == (target.as_uri(), "delta", True)
    assert "Not a directory" in stale["problem"]
    assert stale["published_at"] <= stale["failed_at"]
    said = run(tmp_path, "status", CONVOHOUSE_HOME=str(home)).text
    assert f"\n{target.as_uri()}  delta " in said
    assert "may still have what was erased or redacted; failed 2" in said

    named = run(tmp_path, "publish", str(target), "--json", CONVOHOUSE_HOME=str(home))
    # tried once, though it is pending too
    assert (named.code, [result["target"] for result in named.data["targets"]]) == (1, [target.as_uri()])

    target.unlink()
    away.rename(target)
    assert words_in(contents(target), words) != set()
    other = run(
        tmp_path, "publish", str(tmp_path / "other"), "--json", CONVOHOUSE_HOME=str(home)
    )  # and the pending one
    assert (other.code, [result["target"] for result in other.data["targets"]]) == (
        0,
        [(tmp_path / "other").as_uri(), target.as_uri()],
    )
    assert words_in(contents(target), words) == set()
    published_at = record.read_targets(context.home)[0].published_at
    for mins, is_behind in ((-1, False), (1, True)):
        built_at = (published_at + timedelta(minutes=mins)).timestamp()
        os.utime(context.home.warehouse, (built_at, built_at))
        (configured, *others) = run(
            tmp_path,
            "status",
            "--json",
            CONVOHOUSE_HOME=str(home),
            CONVOHOUSE_PUBLISH=json.dumps({"bi": {"target": "postgresql://db/bi"}}),
        ).data["targets"]
        assert configured == {
            "name": "bi",
            "target": "postgresql://db/bi",
            "format": "postgres",
            "published_at": None,
            "is_behind": True,
            "is_pending": False,
            "is_lost": False,
            "problem": None,
            "failed_at": None,
        }
        assert {(other["target"], other["is_behind"], other["is_pending"], other["problem"]) for other in others} == {
            (path.as_uri(), is_behind, False, None) for path in (target, tmp_path / "other")
        }


def test_fewer_tables_leave_none_behind_in_delta_lake(context, copies, tmp_path):
    target = tmp_path / "delta"
    publish_to(context, target, selection=("marts", "lake.turns"))
    shutil.rmtree(target / "marts" / "dim_agents")
    result = publish_to(context, target, selection=("lake.turns",))
    assert changes(result) == dict.fromkeys(selected(copies, "marts"), "removed") | {"lake.turns": "unchanged"}
    assert [folder.name for folder in target.glob("*/*")] == ["turns"]


def test_a_table_that_a_later_version_no_longer_has_is_removed(context, tmp_path):
    target = tmp_path / "delta"
    publish_to(context, target, selection=("marts.dim_agents",))
    shutil.copytree(target / "marts" / "dim_agents", target / "marts" / "old")
    (recorded,) = record.read_targets(context.home)
    names = ("marts.dim_agents", "marts.old")
    record.put_target(context.home, msgspec.structs.replace(recorded, selection=names, tables=names))
    (result,) = publish(context, choose_jobs(context))
    assert (result.problem, changes(result)) == (None, {"marts.old": "removed", "marts.dim_agents": "unchanged"})
    assert [folder.name for folder in target.glob("*/*")] == ["dim_agents"]


def test_files_are_where_the_log_is_also_below_an_encoded_path():
    target = replace(parse_target("s3://bucket/a%20b c/ü", None), options={"aws_region": "eu-central-1"})
    _, path = _open(target)
    assert path == "bucket/a b c/ü"


def test_what_is_not_ours_is_neither_overwritten_nor_recorded(context, tmp_path):
    foreign = tmp_path / "delta" / "marts" / "dim_agents"
    foreign.mkdir(parents=True)
    (foreign / "thesis.txt").write_text("mine")
    result = publish_to(context, tmp_path / "delta")
    assert "has something else" in result.problem
    pl.DataFrame({"a": [1]}).write_delta(str(tmp_path / "theirs" / "marts" / "dim_agents"))
    assert "has something else" in publish_to(context, tmp_path / "theirs").problem
    files = tmp_path / "files"
    files.mkdir()
    (files / "marts.dim_agents.csv").write_text("mine")
    assert "is not of convohouse" in publish_to(context, files, format_="csv").problem
    assert "is in the home folder" in publish_to(context, context.home.root / "out").problem
    assert record.read_targets(context.home) == ()
    assert [(foreign / "thesis.txt").read_text(), (files / "marts.dim_agents.csv").read_text()] == ["mine", "mine"]
    assert sorted(path.name for path in (tmp_path / "delta").rglob("*") if path.is_file()) == ["thesis.txt"]

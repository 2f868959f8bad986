"""Tables published to plain files: written only where rows differ, and with every value."""

from __future__ import annotations

import json

import polars as pl
import pytest

from tests.helpers.published import (
    changes,
    home_rows,
    in_order,
    publish_to,
    rows_by_table,
    selected,
)

pytestmark = pytest.mark.usefixtures("few_models")


def test_files_are_replaced_only_if_their_rows_are_others(context, copies, tmp_path):
    target = tmp_path / "files"
    result = publish_to(context, target, format_="csv")
    names = selected(copies)
    assert changes(result) == dict.fromkeys(names, "written")
    assert sorted(file.name for file in target.iterdir()) == sorted(["convohouse.json", *(f"{n}.csv" for n in names)])
    for name, expected in rows_by_table(context.home, names).items():
        rows = pl.read_csv(target / f"{name}.csv", infer_schema_length=None)
        assert (rows.columns, rows.height) == (expected.columns, expected.height)
    cost = pl.read_csv(target / "marts.fct_conversations.csv", infer_schema_length=None)["cost_credits"].sum()
    assert cost == home_rows(context.home, "marts.fct_conversations")["cost_credits"].sum()

    inodes = {file: file.stat().st_ino for file in target.glob("*.csv")}
    (target / ".convohouse-left").write_text("by a killed process")
    result = publish_to(context, target)  # in the format of the last time
    assert (result.format, set(changes(result).values())) == ("csv", {"unchanged"})
    assert {file: file.stat().st_ino for file in target.iterdir() if file.suffix == ".csv"} == inodes
    assert not (target / ".convohouse-left").exists()

    result = publish_to(context, target, selection=("marts.dim_agents",))
    assert changes(result) == dict.fromkeys(names, "removed") | {"marts.dim_agents": "unchanged"}
    assert sorted(file.name for file in target.iterdir()) == ["convohouse.json", "marts.dim_agents.csv"]
    assert changes(publish_to(context, target, selection=())) == {"marts.dim_agents": "unchanged"}


def test_parquet_files_have_every_value_and_type(context, copies, tmp_path):
    result = publish_to(context, tmp_path / "new" / "files", format_="parquet")
    assert {"marts.fct_turns", "lake.turns"} <= changes(result).keys()
    for name, expected in rows_by_table(context.home, changes(result)).items():
        rows = pl.read_parquet(tmp_path / "new" / "files" / f"{name}.parquet", glob=False)
        assert in_order(rows).equals(expected), name


def test_a_folder_can_have_the_tables_in_both_formats(context, tmp_path):
    target = tmp_path / "files"
    choice = {"selection": ("marts.dim_agents",)}
    for format_ in ("csv", "parquet"):
        assert changes(publish_to(context, target, format_=format_, **choice)) == {"marts.dim_agents": "written"}
    for format_ in ("csv", "parquet"):
        assert changes(publish_to(context, target, format_=format_, **choice)) == {"marts.dim_agents": "unchanged"}
    publish_to(context, target, format_="csv", selection=("marts.fct_conversations",))
    names = ["convohouse.json", "marts.dim_agents.parquet", "marts.fct_conversations.csv"]
    assert sorted(file.name for file in target.iterdir()) == names


def test_files_of_a_state_that_names_tables_are_ours(context, tmp_path):
    """As written before files of both formats were told apart; also where the home no longer knows the target."""
    target, choice = tmp_path / "files", {"format_": "csv", "selection": ("marts.dim_agents",)}
    publish_to(context, target, **choice)
    file, state = target / "marts.dim_agents.csv", target / "convohouse.json"
    rows, written = file.read_bytes(), json.loads(state.read_text())
    fingerprint = written["tables"][file.name].split()[0]
    file.write_text("of that time")
    (target / "marts.dim_agents.xlsx").write_text("of somebody else")
    state.write_text(json.dumps({"tables": {"marts.dim_agents": fingerprint}}))
    (context.home.root / "published.json").unlink()
    assert changes(publish_to(context, target, **choice)) == {"marts.dim_agents": "written"}
    assert file.read_bytes() == rows
    assert json.loads(state.read_text())["tables"].keys() == {file.name}
    assert (target / "marts.dim_agents.xlsx").read_text() == "of somebody else"


def test_a_file_of_somebody_else_stays_also_beside_the_other_format(context, tmp_path):
    target = tmp_path / "files"
    publish_to(context, target, format_="parquet", selection=("marts.dim_agents",))
    (target / "marts.dim_agents.csv").write_text("of somebody else")
    problem = publish_to(context, target, format_="csv", selection=("marts.dim_agents",)).problem
    assert "marts.dim_agents.csv is not of convohouse" in problem
    assert (target / "marts.dim_agents.csv").read_text() == "of somebody else"

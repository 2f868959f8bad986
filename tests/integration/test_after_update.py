"""Between an update and the first build after it, the warehouse has the tables and columns of the version before."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.helpers.kept_home import copy_by_links
from tests.helpers.run_cli import run
from tests.integration.conftest import Copied

EARLIER = (
    "alter table marts.fct_llm_usage drop column is_total",
    "alter table marts.fct_conversations drop column outcome",
    "alter table marts.fct_conversations drop column is_reached",
    "alter table metrics.cost_reconciliation drop column bill_unit",
    "drop table marts.dim_agent_versions",
)
"""What makes a warehouse like one of an earlier version."""


@pytest.fixture(scope="module")
def folder(three_days: Copied, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home whose warehouse was built by an earlier version."""
    folder = tmp_path_factory.mktemp("updated")
    copy_by_links(three_days.folder / "data", folder / "data")
    file = folder / "data" / "warehouse.duckdb"
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content)
    with duckdb.connect(str(file)) as connection:
        for statement in EARLIER:
            connection.execute(statement)
        connection.execute("checkpoint")
    return folder


@pytest.mark.parametrize(
    "arguments",
    [("show", "ID"), ("report", "--since", "2d"), ("check",), ("publish", "files", "--format", "csv", "--dry-run")],
    ids=lambda arguments: arguments[0],
)
def test_what_reads_a_table_of_this_version_says_that_a_build_is_due(
    arguments: tuple[str, ...], folder: Path, three_days: Copied
) -> None:
    conversation_id = next(iter(three_days.world.details(three_days.until)))["conversation_id"]
    ended = run(folder, *(conversation_id if part == "ID" else part for part in arguments), **three_days.settings)
    said = " ".join(ended.err.split())
    assert ended.code == 2, said
    assert "was built by another version of convohouse: " in said
    assert "Run `convohouse build`." in said


@pytest.mark.parametrize(
    "arguments", [("versions",), ("bill",), ("query", "select outcome from marts.fct_conversations")]
)
def test_a_query_for_what_is_not_there_names_the_build(arguments: tuple[str, ...], folder: Path) -> None:
    ended = run(folder, *arguments)
    assert (ended.code, "after an update, `convohouse build` adds new ones." in ended.err) == (2, True), ended.err

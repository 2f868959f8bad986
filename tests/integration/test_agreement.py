"""One agent's week has the same numbers, to the last digit, through every way out of the warehouse."""

from __future__ import annotations

import pytest

from tests.helpers import agreement, postgres
from tests.helpers.agreement_home import SCORECARD, publish_scorecard
from tests.helpers.run_cli import run

READERS = ("DuckDB", "Polars on Delta", "PyArrow on Delta", "PostgreSQL", "MCP")
"""chDB, DuckDB 1 and Superset are in tests/engines; the page is in tests/page/test_page_numbers.py."""


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("agreement")
    with postgres.server(folder / "postgres") as url:
        yield publish_scorecard(folder, url), url


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_has_the_numbers(reader, published):
    row, url = published
    places = {"DuckDB": str(row.home.warehouse), "PostgreSQL": url, "MCP": str(row.home.root)}
    place = places.get(reader, str(row.delta))
    assert agreement.READERS[reader](place, row.agent, str(row.week)) == row.numbers


def test_the_commands_have_the_numbers(published, tmp_path):
    row, _ = published
    sql = agreement.SELECT.format(table=SCORECARD, agent=row.agent, week=row.week)
    answer = run(tmp_path, "query", sql, "--json", CONVOHOUSE_HOME=str(row.home.root))
    assert [tuple(line[name] for name in agreement.COLUMNS) for line in answer.data] == [row.numbers]
    answer = run(
        tmp_path, "metrics", "agent_scorecard", "--agent", row.agent, "--json", CONVOHOUSE_HOME=str(row.home.root)
    )
    rows = [line for line in answer.data if line["week_start_date"] == str(row.week)]
    assert [tuple(line[name] for name in agreement.COLUMNS) for line in rows] == [row.numbers]

"""What a home has, what a target has of it, and the words by which an erased conversation would show."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from glob import escape
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from deltalake import DeltaTable

from pipelines.emulator.server.serve import running
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from pipelines.usecases.publish import TargetResult, choose_jobs, publish
from tests.helpers import postgres
from tests.helpers.few_models import FEW, few_built
from tests.helpers.kept_home import copy_by_links
from tests.helpers.nights import NIGHT, Nights
from warehouse.models.project import read_project
from warehouse.publish.postgres_tables import column_name
from warehouse.publish.source import table_names
from warehouse.storage.home import Home

SOME = ("marts", "metrics", "lake.conversations", "lake.turns", "lake.deletions", "lake.agents")
"""Published by the tests that are not about every table."""


class Copies:
    """A home on two nights, the second with new and changed conversations.

    Both are put in the folder in which they were built, by links to the same files: a build there has nothing to do.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self.home = folder, Home(folder / "home [1]")
        self.nights = Nights(self.home.root, conversations=60, days=3)
        with running(self.nights.app) as url:
            sync.sync(self.nights.context(url), run_id="1")
            copy_by_links(self.home.root, folder / "first")
            self.nights.now += NIGHT
            sync.sync(self.nights.context(url), run_id="2")
            copy_by_links(self.home.root, folder / "second")
        self.names = tables(self.home)
        self.documents = self.nights.documents()
        self.conversation_id = self.nights.finished()
        self.words = unique_words(self.documents, self.conversation_id)

    def put(self, night: str, *, keeps_record: bool = True) -> None:
        """Make the home what it was on a night; what was published to is as before, or nothing."""
        record = self.home.root / "published.json"
        kept = record.read_bytes() if record.exists() and keeps_record else None
        shutil.rmtree(self.home.root)
        copy_by_links(self._folder / night, self.home.root)
        if kept is not None:
            record.write_bytes(kept)

    def context(self, **settings: Any) -> Context:
        """To work on the home without the API."""
        return self.nights.context("http://127.0.0.1:9", **settings)


def small_copies(folder: Path) -> Copies:
    """With the few models that tests of a copy build; for a fixture of a module."""
    with few_built(*FEW):
        return Copies(folder)


def tables(home: Home) -> tuple[str, ...]:
    """Every table of a home that can be published."""
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        rows = connection.execute(
            "select schema_name || '.' || table_name from (select schema_name, table_name from duckdb_tables() "
            "union all select schema_name, view_name from duckdb_views())"
        ).fetchall()
    built = {name for (name,) in rows}
    return tuple(name for name in table_names(read_project()) if name in built)


def publish_to(context: Context, target: Path | str, **choice: Any) -> TargetResult:
    """Publish some tables to a target; the result of this target."""
    (result, *_) = publish(context, choose_jobs(context, str(target), **({"selection": SOME} | choice)))
    return result


def changes(result: TargetResult) -> dict[str, str]:
    """What happened to each table."""
    return {outcome.table: outcome.change for outcome in result.tables}


def selected(copies: Copies, *schemas: str) -> list[str]:
    """The tables that ``publish_to`` publishes, of some schemas or of all."""
    return [name for name in copies.names if {name, name.partition(".")[0]} & set(schemas or SOME)]


def home_rows(home: Home, name: str) -> pl.DataFrame:
    """Rows of a table of a home, sorted by all columns."""
    return rows_by_table(home, [name])[name]


def rows_by_table(home: Home, names: Iterable[str]) -> dict[str, pl.DataFrame]:
    """As ``home_rows``, of several tables."""
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set variable convohouse_home = $home", {"home": escape(str(home.root))})
        return {name: in_order(connection.sql(f"from {name}").pl()) for name in names}


def delta_rows(target: str, name: str, options: dict[str, str] | None = None) -> pl.DataFrame:
    """Rows of a table of a Delta target as Polars reads them, sorted by all columns."""
    return in_order(pl.scan_delta(f"{target}/{name.replace('.', '/')}", storage_options=options).collect())


def database_rows(url: str, name: str, like: pl.DataFrame) -> pl.DataFrame:
    """Rows of a table of a database, as psycopg reads them, in the columns and types of a frame."""
    columns = ", ".join(f'"{column_name(column)}"' for column in like.columns)
    with postgres.connect(url) as connection:
        rows = connection.execute(f"select {columns} from {name}").fetchall()  # noqa: S608 - ours
    return in_order(pl.DataFrame(rows, like.schema, orient="row"))


def delta_table(target: Path, name: str) -> DeltaTable:
    return DeltaTable(target / name.replace(".", "/"))


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Sorted by all columns, with the types that every reader gives."""
    zoned = [name for name, type_ in rows.schema.items() if isinstance(type_, pl.Datetime) and type_.time_zone]
    return rows.with_columns(pl.col(zoned).dt.convert_time_zone("UTC")).sort(pl.all(), nulls_last=True)


def commits(table: DeltaTable, folder: Path) -> Iterator[list[dict[str, Any]]]:
    """The actions of each commit of a table's log."""
    for file in sorted((folder / "_delta_log").glob("*.json")):
        yield [json.loads(line) for line in file.read_text().splitlines()]


def unique_words(documents: dict[str, Any], conversation_id: str) -> set[str]:
    """Texts of a conversation that no other has."""
    document = documents[conversation_id]
    others = json.dumps([other for name, other in documents.items() if name != conversation_id], ensure_ascii=False)
    candidates = {text for text in _texts(document) if len(text) > 8 and text not in conversation_id}
    return {text for text in candidates if json.dumps(text, ensure_ascii=False)[1:-1] not in others}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(item)

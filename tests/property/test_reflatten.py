"""The lake is a function of the landing: rebuilt, it is the same to the byte, however snapshots were interleaved."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipelines.emulator.generator.world import World
from pipelines.transform.flatten import Snapshot, flatten
from pipelines.transform.refresh_lake import refresh_lake
from tests.helpers.examples import examples
from tests.helpers.landed_files import snapshot_of
from tests.helpers.sample_documents import READ_AT
from warehouse.schema.registry import BY_NAME
from warehouse.storage import landing
from warehouse.storage.home import Home

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
DOCUMENTS = list(World(seed=5, conversations=16, days=2, until=UNTIL).details(UNTIL))
PHASES = [Phase.explicit, Phase.generate]


def snapshots():
    """Every conversation once; some have a second snapshot: changed, with an unknown field, unchanged, or gone."""
    for n, document in enumerate(DOCUMENTS):
        first = UNTIL + timedelta(seconds=n)
        second = first + timedelta(days=1)
        yield snapshot_of(document, first)
        if n % 4 == 0:
            yield snapshot_of(
                document | {"status": "melted", "brand_new": n, "transcript": document["transcript"][:2]}, second
            )
        elif n % 4 == 1:
            yield snapshot_of(document, second, "unchanged")
        elif n % 4 == 2:
            yield snapshot_of(document, second, "gone", content_sha256=None)


SNAPSHOTS = list(snapshots())


def files(home):
    """The bytes of every file of the lake."""
    return {str(file.relative_to(home.lake)): file.read_bytes() for file in home.lake.rglob("*") if file.is_file()}


def refresh(home, *, full_refresh=False):
    return refresh_lake(home, reread_days=(1, 7), full_refresh=full_refresh).n_flattened


@pytest.fixture(scope="module")
def built_at_once(tmp_path_factory):
    """The files of the lake, built at once from the snapshots in order."""
    home = Home(tmp_path_factory.mktemp("once") / "home").open()
    landing.land_documents(home, SNAPSHOTS)
    assert refresh(home) == len(DOCUMENTS)
    return files(home)


def interleaved(order):
    """Snapshots in an order in which those of a conversation follow one another in time, as they are read."""
    waiting = {}
    for row in sorted(order, key=lambda row: row["fetched_at"]):
        waiting.setdefault(row["conversation_id"], []).append(row)
    return [waiting[row["conversation_id"]].pop(0) for row in order]


@given(order=st.permutations(SNAPSHOTS).map(interleaved), cuts=st.sets(st.integers(1, len(SNAPSHOTS) - 1), max_size=1))
@settings(max_examples=examples(3), phases=PHASES)
def test_the_lake_is_the_same_to_the_byte_in_any_interleaving_of_snapshots(built_at_once, order, cuts):
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home").open()
        bounds = [0, *sorted(cuts), len(order)]
        for begin, end in pairwise(bounds):
            landing.land_documents(home, order[begin:end])
            refresh(home)
        assert files(home) == built_at_once
        assert refresh(home, full_refresh=True) == len(DOCUMENTS)
        assert files(home) == built_at_once


def rows(documents):
    """Rows of each table, sorted by key as they are written."""
    flattened = flatten(
        Snapshot(document["conversation_id"], json.dumps(document).encode(), READ_AT) for document in documents
    )
    assert flattened.errors == {}
    return {name: frame.sort(BY_NAME[name].key).rows() for name, frame in flattened.frames.items()}


@cache
def rows_in_order():
    return rows(DOCUMENTS)


@given(order=st.permutations(DOCUMENTS))
@settings(max_examples=examples(10), phases=PHASES)
def test_rows_do_not_depend_on_the_order_of_documents(order):
    assert rows(order) == rows_in_order()


@given(size=st.integers(1, len(DOCUMENTS)))
@settings(max_examples=examples(4), phases=PHASES)
def test_rows_do_not_depend_on_the_number_of_documents_per_call(size):
    parts = [rows(DOCUMENTS[at : at + size]) for at in range(0, len(DOCUMENTS), size)]
    together = {name: [row for part in parts for row in part[name]] for name in rows_in_order()}
    assert {name: sorted(rows, key=repr) for name, rows in together.items()} == {
        name: sorted(rows, key=repr) for name, rows in rows_in_order().items()
    }

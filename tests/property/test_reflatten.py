"""The lake is a function of what is landed: made again, it is the same to the byte, in whatever order that came."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipelines.emulator.generator.world import World
from pipelines.transform.flatten import Snapshot, flatten
from pipelines.transform.refresh_lake import refresh_lake
from tests.helpers.sample_documents import READ_AT
from warehouse.schema.registry import BY_NAME
from warehouse.storage import landing
from warehouse.storage.home import Home

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
DOCUMENTS = list(World(seed=5, conversations=16, days=2, until=UNTIL).details(UNTIL))
PHASES = [Phase.explicit, Phase.generate]


def landed(document, at, kind="document"):
    """A reading, as the landing keeps it."""
    start = datetime.fromtimestamp(document["metadata"]["start_time_unix_secs"], UTC)
    return {
        "conversation_id": document["conversation_id"],
        "start_date": start.date(),
        "start_time_at": start,
        "ended_at": start,
        "status": document["status"],
        "kind": kind,
        "fetched_at": at,
        "content_sha256": None if kind == "gone" else f"sha of {at}",
        "payload": json.dumps(document).encode() if kind == "document" else None,
    }


def readings():
    """Every conversation once; some changed at a second reading, with what nobody knows, unchanged, or gone."""
    for n, document in enumerate(DOCUMENTS):
        first = UNTIL + timedelta(seconds=n)
        second = first + timedelta(days=1)
        yield landed(document, first)
        if n % 4 == 0:
            yield landed(
                document | {"status": "melted", "brand_new": n, "transcript": document["transcript"][:2]}, second
            )
        elif n % 4 == 1:
            yield landed(document, second, "unchanged") | {"content_sha256": f"sha of {first}"}
        elif n % 4 == 2:
            yield landed(document, second, "gone")


READINGS = list(readings())


def files(home):
    """Every file of the lake, whole."""
    return {str(file.relative_to(home.lake)): file.read_bytes() for file in home.lake.rglob("*") if file.is_file()}


def refresh(home, *, anew=False):
    return refresh_lake(home, reread_days=(1, 7), full_refresh=anew).n_flattened


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    """The lake's files, made in one go of readings in order."""
    home = Home(tmp_path_factory.mktemp("once") / "home").open()
    landing.land_documents(home, READINGS)
    assert refresh(home) == len(DOCUMENTS)
    return files(home)


@given(order=st.permutations(READINGS), cuts=st.sets(st.integers(1, len(READINGS) - 1), max_size=1))
@settings(max_examples=3, deadline=None, phases=PHASES)
def test_the_lake_is_the_same_to_the_byte_whatever_the_order_in_which_readings_came(made_once, order, cuts):
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home").open()
        bounds = [0, *sorted(cuts), len(order)]
        for begin, end in pairwise(bounds):
            landing.land_documents(home, order[begin:end])
            refresh(home)
        assert files(home) == made_once
        assert refresh(home, anew=True) == len(DOCUMENTS)
        assert files(home) == made_once


def rows(documents):
    """Rows of each table in the order of its key, in which they are written."""
    made = flatten(
        Snapshot(each["conversation_id"], json.dumps(each).encode(), "sha", READ_AT, READ_AT, "open")
        for each in documents
    )
    assert made.errors == {}
    return {name: frame.sort(BY_NAME[name].key).rows() for name, frame in made.frames.items()}


IN_ORDER = rows(DOCUMENTS)


@given(order=st.permutations(DOCUMENTS))
@settings(max_examples=10, deadline=None, phases=PHASES)
def test_rows_do_not_know_in_what_order_documents_came(order):
    assert rows(order) == IN_ORDER


@given(size=st.integers(1, len(DOCUMENTS)))
@settings(max_examples=4, deadline=None, phases=PHASES)
def test_rows_do_not_know_how_many_came_together(size):
    parts = [rows(DOCUMENTS[at : at + size]) for at in range(0, len(DOCUMENTS), size)]
    together = {name: [row for part in parts for row in part[name]] for name in IN_ORDER}
    assert {name: sorted(found, key=repr) for name, found in together.items()} == {
        name: sorted(found, key=repr) for name, found in IN_ORDER.items()
    }

"""Make tables of a file of documents, a line each, on one core: ``python flatten.py WHO FILE FOLDER PROCESSES``.

``convohouse`` flattens and writes as the sync does; ``floor`` only decodes into structs, and ``writing`` only writes
frames that are finished; ``duckdb`` and ``polars`` read the file with their own JSON readers, with the schema that they
find, and write one nested table. Prints the processor seconds of the work, without imports and reading of the file, of
all processes; then the wall seconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec
import polars as pl

from pipelines.transform.decode import read_detail
from pipelines.transform.flatten import Flattened, Snapshot, flatten
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.storage import lake
from warehouse.storage.home import Home

READ_AT = datetime(2026, 11, 22, tzinfo=UTC)
DAY = READ_AT.date()
DAY_OF = 1000
"""Documents in one day: a partition of each table."""


def snapshots(lines: list[bytes]) -> list[Snapshot]:
    ids = (msgspec.json.decode(line)["conversation_id"] for line in lines)
    return [Snapshot(conversation_id, line, READ_AT) for conversation_id, line in zip(ids, lines, strict=True)]


def write(home: Home, flattened: Flattened) -> None:
    for table in DOCUMENT_TABLES:
        lake.overwrite_partition(home, table, DAY, flattened.frames[table.name])


def convohouse(lines: list[bytes], folder: Path) -> Callable[[], object]:
    days = [snapshots(lines[begin : begin + DAY_OF]) for begin in range(0, len(lines), DAY_OF)]
    home = Home(folder).open()
    return lambda: [write(home, flatten(day)) for day in days]


def floor(lines: list[bytes], folder: Path) -> Callable[[], object]:
    del folder

    def work() -> None:
        for line in lines:
            read_detail(line)

    return work


def writing(lines: list[bytes], folder: Path) -> Callable[[], object]:
    home = Home(folder).open()
    days = [flatten(snapshots(lines[begin : begin + DAY_OF])) for begin in range(0, len(lines), DAY_OF)]
    return lambda: [_write_frames(home, flattened) for flattened in days]


def _write_frames(home: Home, flattened: Flattened) -> None:
    for name, frame in flattened.frames.items():
        frame.write_parquet(home.temporary / f"{name}.parquet", compression="zstd", compression_level=3)


def by_duckdb(lines: list[bytes], folder: Path) -> Callable[[], object]:
    file = _file(lines, folder)
    query = f"copy (from read_json('{file}', format = 'newline_delimited', maximum_object_size = 100000000))"
    connection = duckdb.connect()
    connection.execute("set threads = 1")
    return lambda: connection.execute(f"{query} to '{folder}/nested.parquet' (compression zstd, compression_level 3)")


def by_polars(lines: list[bytes], folder: Path) -> Callable[[], object]:
    file = _file(lines, folder)
    target = folder / "nested.parquet"
    return lambda: pl.read_ndjson(file, infer_schema_length=None).write_parquet(target, compression_level=3)


def _file(lines: list[bytes], folder: Path) -> Path:
    file = folder / "documents.ndjson"
    file.write_bytes(b"\n".join(lines))
    return file


READERS = {"convohouse": convohouse, "floor": floor, "writing": writing, "duckdb": by_duckdb, "polars": by_polars}


def measure(who: str, source: Path, folder: Path, share: slice) -> tuple[float, float, float]:
    """Processor seconds of the work on some lines of the file, and when it began and ended."""
    lines = source.read_bytes().splitlines()[share]
    folder.mkdir(parents=True, exist_ok=True)
    work = READERS[who](lines, folder)
    cpu, started = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, started, time.perf_counter()


def main() -> None:
    who, source, folder, processes = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    shares = [slice(at, None, processes) for at in range(processes)]
    folders = [folder / str(at) for at in range(processes)]
    if processes == 1:
        results = [measure(who, source, folder, shares[0])]
    else:
        with ProcessPoolExecutor(processes) as pool:
            results = list(pool.map(measure, [who] * processes, [source] * processes, folders, shares))
    cpu, started, ended = zip(*results, strict=True)
    print(sum(cpu), max(ended) - min(started))


if __name__ == "__main__":
    main()

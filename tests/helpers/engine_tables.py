"""Compare two builds of ``warehouse.engines``, table by table, row by row and with types."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from warehouse.models.project import Model

REL_TOL = 1e-12
"""Percentiles are interpolated in another order of operations: their last digit may differ. All else is exact."""


def current_folders(target: Path) -> dict[str, Path]:
    """Folder by qualified name of each table of the current build."""
    tables = json.loads((target / "current.json").read_text(encoding="utf-8"))["tables"]
    return {key: target / folder for key, folder in tables.items()}


def read(folder: Path) -> pl.DataFrame:
    """The rows of a table, in any order."""
    return pl.read_parquet(folder / "*.parquet", hive_partitioning=False)


def differences(models: Iterable[Model], left: Mapping[str, Path], right: Mapping[str, Path]) -> dict[str, str]:
    """What differs between the tables in some folders, by qualified name; empty if all are equal."""
    if left.keys() != right.keys():
        return {"tables": f"{sorted(left.keys() ^ right.keys())} are only in one build"}
    grains = {model.key: list(model.header.grain) for model in models}
    texts = {}
    for key, folder in left.items():
        try:
            assert_frame_equal(
                read(folder).sort(grains[key]), read(right[key]).sort(grains[key]), rel_tol=REL_TOL, abs_tol=0
            )
        except AssertionError as error:
            texts[key] = str(error)
    return texts

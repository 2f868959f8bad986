"""A home that is made once and put back for each test, by links to the same files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path


class KeptHome:
    """A home in the folder in which it was made, where a build has nothing to do.

    ``make`` is called by the first ``put``. So the fixture of a module needs no patch that other tests would see, and
    what is made has what the fixtures of a test have patched.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.kept = root, root.with_name(f"{root.name} as it was made")

    def put(self, make: Callable[[], object]) -> None:
        """Make the home, or make it again what it was then."""
        if self.kept.exists():
            shutil.rmtree(self.root, ignore_errors=True)
            copy_by_links(self.kept, self.root)
        else:
            make()
            copy_by_links(self.root, self.kept)


def copy_by_links(source: Path, target: Path) -> None:
    """Copy a home; files of data are never written to but replaced, so that a link is a copy of them."""
    shutil.copytree(source, target, copy_function=_link)


def _link(source: str, target: str) -> None:
    if source.endswith((".parquet", ".duckdb")):
        os.link(source, target)
    else:
        shutil.copy2(source, target)

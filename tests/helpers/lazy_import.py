"""Modules that take long to import and that few tests need.

Every worker imports every file of tests, so what a file imports at its top is imported in all of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any


def lazy_import(name: str) -> Callable[[], Any]:
    """A function that returns the module, imported by its first call; warnings of the import are not ours to mend."""

    @cache
    def module() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(name)

    return module

"""Modules that take long to import and that few tests need.

Every worker imports every file of tests, so what a file imports at its top is imported in all of them.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any


class Late:
    """A module that is imported when it is first used; whatever it warns of on import is not ours to mend."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(import_module(self._name), attribute)

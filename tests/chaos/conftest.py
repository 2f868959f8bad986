"""Options of the nights: ``--seed`` repeats a run, ``--troubles`` limits it to some."""

from __future__ import annotations

from secrets import randbelow

import pytest

from tests.chaos.troubles import TROUBLES


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=randbelow(10**6), help="Seed of the nights.")
    parser.addoption("--nights", type=int, default=60, help="Number of nights.")
    parser.addoption("--troubles", default=",".join(TROUBLES), help="Names of the troubles, separated by commas.")

"""What every kind of test uses: a recorded payload by name, the rows of a document in one call, a small warehouse."""

from __future__ import annotations

import atexit
import gc
import json
import os
import sys
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling, Scheduling

from pipelines.transform.flatten import Snapshot, flatten
from tests.helpers import day, examples
from tests.helpers.empty_files import keep_empty_files
from tests.helpers.few_models import (
    FEW,
    OPTIMIZERS_OF_A_BUILD,
    READERS_OF_THE_PROJECT,
    SLOW_OPTIMIZERS,
    reader_of,
)
from tests.helpers.sample_documents import READ_AT, RECORDED, id_of
from tests.helpers.small_builds import hide_comments

settings.register_profile("without time limits", deadline=None)
settings.load_profile("without time limits")
gc.disable()  # until the tests are collected: nearly all that is imported stays


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine", default="duckdb", help="Engine of the hand-worked cases of tests/sql: or sail, or sc://…"
    )
    parser.addoption("--today", type=date.fromisoformat, default=day.TODAY, metavar="DATE", help="Day of the tests.")
    parser.addoption("--few-examples", action="store_true", help="A tenth of the examples that hypothesis tries.")


def pytest_configure(config: pytest.Config) -> None:
    # DuckDB takes a main module without a file, as a worker of xdist has, for a terminal, and shows its progress there;
    # the client of Spark takes it for a doctest of its own.
    sys.modules["__main__"].__dict__.setdefault("__file__", __file__)
    config.addinivalue_line("markers", "whole_build: builds all models, or syncs often; left out by make test-fast")
    hide_comments()
    keep_empty_files()
    day.set_today(config.getoption("--today"))
    if config.getoption("--few-examples"):
        examples.try_few()
    os.fsync = lambda _descriptor: None  # no power cut here: a kill loses nothing that was written


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return OneWorkerPerFile(config, log)


TOGETHER = (
    *("tests/dagster/", "tests/page/", "tests/browser/", "tests/integration/agents/", "tests/integration/publish/"),
    "tests/integration/test_cli_",
)
"""Beginnings of the names of files that share a fixture of the session."""


class OneWorkerPerFile(LoadFileScheduling):
    """A file's tests run in one worker, as they share what its fixtures build; so do all of Dagster, and all pages."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        scope = next((beginning for beginning in TOGETHER if file.startswith(beginning)), file)
        return "tests/page/" if scope == "tests/browser/" else scope  # they share a home


def pytest_collection_finish() -> None:
    """What is imported by now stays to the end: no collection of garbage looks at it again.

    Libraries that count their objects at the end of the process call what is still there a leak.
    """
    gc.freeze()
    atexit.register(gc.unfreeze)
    gc.set_threshold(100_000)  # a tenth of the time goes into looking again at what the libraries keep
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """No context and no command, in this process or in one of its own, takes the time from the wall."""
    os.environ["CONVOHOUSE_NOW"] = day.now().isoformat()  # noqa: TID251 - as a user sets it


@pytest.fixture
def recorded() -> Callable[[str], bytes]:
    """A recorded payload by name, as bytes."""
    return lambda name: (RECORDED / f"{name}.json").read_bytes()


@pytest.fixture
def flat() -> Callable[..., dict[str, list[dict[str, Any]]]]:
    """Flatten documents (bytes or plain JSON): the rows of every table, without their nulls."""

    def rows(*documents: Any) -> dict[str, list[dict[str, Any]]]:
        payloads = [
            document if isinstance(document, bytes) else json.dumps(document).encode() for document in documents
        ]
        flattened = flatten(Snapshot(id_of(document), document, READ_AT) for document in payloads)
        assert flattened.errors == {}
        return {
            name: [{key: value for key, value in row.items() if value is not None} for row in frame.to_dicts()]
            for name, frame in flattened.frames.items()
        }

    return rows


@pytest.fixture
def every_model() -> None:
    """For a test among those of ``few_models`` that looks at all models."""


@pytest.fixture
def few_keys() -> tuple[str, ...]:
    """The models of ``few_models``, with those that their checks refer to; a folder or file may have another one."""
    return FEW


@pytest.fixture
def few_models(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, few_keys: tuple[str, ...]) -> None:
    """Builds in this process make the few models that somebody looks at there, and what these read.

    For tests whose subject is the copy: every model in every build would be most of their time. All of them stand in
    the tests of the whole way, of what is not to be in any file, of every command and of Dagster's job.
    """
    if every_model.__name__ in request.fixturenames:
        return
    read_few = reader_of(*few_keys)
    for module in READERS_OF_THE_PROJECT:
        monkeypatch.setattr(f"{module}.read_project", read_few)
    monkeypatch.setattr(OPTIMIZERS_OF_A_BUILD, SLOW_OPTIMIZERS)

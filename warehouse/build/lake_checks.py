"""Checks of the lake, which can run before any model is built."""

from __future__ import annotations

from warehouse.build.materialize import materialize
from warehouse.connection import connect
from warehouse.models.checks import CheckResult, run
from warehouse.models.data_quality import check_complete, schema_checks
from warehouse.models.project import Project
from warehouse.storage.home import Home
from warehouse.storage.identity import check_identities

NO_MODELS = Project((), (), ())


def check_lake(home: Home) -> tuple[CheckResult, ...]:
    """Whether the lake has the keys and values that its schema promises, then whether anything listed is missing.

    Every table must have a file (``lake.ensure_schema_files``).

    Raises:
        HomeError: two workspaces have the same conversations.
    """
    check_identities(home)
    with connect(temporary=home.temporary) as connection:
        materialize(connection, home, NO_MODELS)
        by_schema = run(connection, schema_checks())
    return (*by_schema, *check_complete(home))

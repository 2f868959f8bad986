"""Which runs are of this code location: an instance of Dagster can have several, each with a home folder of its own."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg
from dagster._core.definitions.definitions_load_context import DefinitionsLoadContext, DefinitionsLoadType

from pipelines.orchestration.asset_keys import PREFIX

_TAG = "convohouse/asset_prefix"
LOCATION_TAG = {_TAG: "".join(PREFIX)} if PREFIX else {}
"""The tag of nightly runs, as a schedule does not know the name of its location; empty without a prefix."""


def is_in_run() -> bool:
    """Whether this is the process of a run, which loads definitions that its code location has loaded before.

    Dagster says so in no public way; its version is pinned.
    """
    return DefinitionsLoadContext.get().load_type == DefinitionsLoadType.RECONSTRUCTION


def has_prefix(run: dg.DagsterRun) -> bool:
    """Whether a nightly run has the prefix of this location, or has none like it."""
    return run.tags.get(_TAG, "") == "".join(PREFIX)


def location_of(context: dg.SensorEvaluationContext) -> str | None:
    """The name of the location of a sensor."""
    origin = context.code_location_origin
    return origin.location_name if origin else None


def runs_of(records: Iterable[dg.RunRecord], location: str | None) -> list[dg.RunRecord]:
    """The runs of a location, and those without one, which a process of its own has started."""
    origins = ((record, record.dagster_run.remote_job_origin) for record in records)
    return [record for record, origin in origins if origin is None or origin.location_name == location]

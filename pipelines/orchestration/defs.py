"""Everything that Dagster is told, with resources that a test can replace."""

from __future__ import annotations

import dagster as dg

from pipelines.orchestration.jobs import backfill, nightly, nightly_schedule
from pipelines.orchestration.lake import lake_tables
from pipelines.orchestration.landing import conversation_details, conversation_list
from pipelines.orchestration.models import models_asset
from pipelines.settings import load_settings
from pipelines.site import Progress, Site, silent
from warehouse.models import read_project


def build_defs(*, site: Site | None = None, progress: Progress = silent) -> dg.Definitions:
    """The definitions: assets, checks, jobs, schedule.

    Loading them reads settings and ``sql/`` and touches nothing else: no network, no key, no home folder.

    Args:
        site: Where the work is done and with what; by default, what the settings say.
        progress: Told how far a run is.

    Raises:
        SettingsError: a setting is wrong.
        ModelError: a SQL model cannot be read.
    """
    site = site or Site(load_settings())
    return dg.Definitions(
        assets=[conversation_list, conversation_details, lake_tables, models_asset(read_project())],
        jobs=[nightly, backfill],
        schedules=[nightly_schedule(site.settings.timezone)],
        resources={"site": site, "progress": progress},
        executor=dg.in_process_executor,  # six trivial assets take 15 s in it and 49 s in a process each
    )

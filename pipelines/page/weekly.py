"""The report of a week, into ``reports/`` of the home folder."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pipelines.page.app import Site
from pipelines.page.report import ReportScope, write_report
from pipelines.usecases.context import Context
from warehouse.serve.pages.selection import Period

FOLDER = "reports"


def write_weekly_report(context: Context) -> tuple[Path, Period]:
    """Write the report of the last seven days that are over, and say where and of which days.

    The file is named by the day on which it is written; a second one of that day replaces it.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: the warehouse cannot be opened.
        OSError: the file cannot be written.
    """
    folder = context.home.root / FOLDER
    site = Site(context.home, context.clock, timedelta(hours=context.settings.fresh_hours))
    file = folder / f"week-{context.clock().date()}.html"
    if context.home.warehouse.exists():
        folder.mkdir(exist_ok=True)
    return file, write_report(site, file, ReportScope())

"""The overview as one file: HTML with its charts as SVG, or a picture. It needs no network and has no script."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vl_convert
from markupsafe import Markup

from pipelines.errors import UsageError
from pipelines.page import filter as page_filter
from pipelines.page.app import Site
from pipelines.page.chart import Chart
from pipelines.page.palette import LIGHT, follow_scheme, resolve
from pipelines.page.render import render, stylesheet
from pipelines.page.views import outcomes, overview
from pipelines.page.views.base import Visit
from warehouse.serve.pages.selection import Period, open_reader, require_conversations, select
from warehouse.serve.pages.status import read_choices, read_status

PICTURE_FONT = "Liberation Sans, Arial, sans-serif"
CHART_WIDTH = 552
PICTURE_SCALE = 2
_IDS = re.compile(r'(id="|url\(#|href="#)')


@dataclass(frozen=True, slots=True)
class ReportScope:
    """What a report is about: ``since`` is a number of days (``7d``) or a date; one agent, or all."""

    since: str = "7d"
    agent_id: str | None = None
    with_conversations: bool = False

    def parameters(self) -> dict[str, str]:
        """As the parameters of a page.

        Raises:
            UsageError: ``since`` is neither days nor a date; a date that is wrong is found later.
        """
        days = re.fullmatch(r"([1-9]\d{0,3})d", self.since)
        if not days and not re.fullmatch(r"\d{4}-\d\d-\d\d", self.since):
            raise UsageError(f"--since {self.since!r} is neither days nor a date.", "Write 7d or 2026-11-21.")
        parameters = {"days": days[1]} if days else {"from": self.since}
        return parameters | ({"agent": self.agent_id} if self.agent_id else {})


def write_report(site: Site, out: Path, scope: ReportScope) -> Period:
    """Write the report as HTML or PNG, by the ending of ``out``, and say which days it shows.

    Raises:
        UsageError: the ending or the scope is wrong.
        NothingBuiltError: there is no warehouse yet, or no conversation in it.
        QueryError: the warehouse cannot be opened.
        OSError: the file cannot be written.
    """
    if out.suffix.lower() not in (".html", ".png"):
        raise UsageError(f"A report is written as .html or .png, not as {out.name!r}.", "Name it report.html.")
    if out.suffix.lower() == ".png" and scope.with_conversations:
        raise UsageError("A picture has no conversations.", "Write an .html file, or omit --with-conversations.")
    values = _values(site, scope)
    content = picture(values) if out.suffix.lower() == ".png" else html(values).encode()
    temporary = out.with_name(f".{out.name}.{uuid.uuid4().hex}")
    try:
        temporary.write_bytes(content)
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)
    period: Period = values["period"]
    return period


def _values(site: Site, scope: ReportScope) -> dict[str, Any]:
    with open_reader(site.home) as reader:
        require_conversations(reader)
        status = read_status(site.home, reader, now=site.clock(), fresh_for=site.fresh_for)
        choices = read_choices(reader)
        filter_ = page_filter.parse(scope.parameters(), reader, choices, status.newest_listing_at)
        visit = Visit(site.home, select(reader, filter_.selection), filter_, choices, status, {})
        values = overview.build(visit)
        failures = outcomes.failed_conversations(visit) if scope.with_conversations else []
    return values | {
        "status": status,
        "filter": filter_,
        "period": filter_.period,
        "agent": choices.agents.get(scope.agent_id or ""),
        "failures": failures,
        "written_at": site.clock(),
    }


def html(values: dict[str, Any]) -> str:
    """The report as HTML; its charts follow light and dark."""
    charts = [{"chart": chart, "svg": Markup(follow_scheme(chart_svg(chart)))} for chart in values["charts"]]  # noqa: S704 -- SVG of vl-convert, which escapes texts
    return render("report.html", **values | {"charts": charts, "style": Markup(stylesheet())})  # noqa: S704 -- our own


def picture(values: dict[str, Any]) -> bytes:
    """The report as PNG."""
    charts = [{"chart": chart, "svg": Markup(chart_svg(chart))} for chart in values["charts"]]  # noqa: S704 -- as above
    svg = render("report.svg", **values | {"charts": charts, "colours": LIGHT, "font": PICTURE_FONT})
    png: bytes = vl_convert.svg_to_png(svg, scale=PICTURE_SCALE)
    return png


def chart_svg(chart: Chart) -> str:
    """A chart as SVG in the colours of ``LIGHT``, without links and texts on pointing; its ids are its own."""
    spec = resolve(chart.filled())
    for layer in [spec, *spec.get("layer", [])]:
        for channel in ("href", "tooltip"):
            layer.get("encoding", {}).pop(channel, None)
    spec["config"]["font"] = PICTURE_FONT
    svg: str = vl_convert.vegalite_to_svg(spec | {"width": CHART_WIDTH})
    return _IDS.sub(lambda match: f"{match[0]}{chart.name}-", svg)

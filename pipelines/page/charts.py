"""The charts as Vega-Lite specifications, by altair: each has one place, whichever form shows it.

A chart is drawn from rows of plain values. Columns that charts read: ``day`` (ISO date), ``value``, ``series``,
``label``, ``n``, ``url`` (where a mark leads), ``tip`` (its text on pointing). Specifications are made once, without
rows, as altair checks them against its schema.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import altair as alt

from pipelines.page.chart import DAY, Spec
from pipelines.page.palette import CATEGORIES
from warehouse.serve.pages.measures import FEW

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
HEIGHT = 190
MAX_BAR = 72
"""Pixels of the bar of a day, if there are few."""
FORMATS = {
    "share of 1": ".0%",
    "US dollars": "$,.2~f",
    "seconds": ",.3~f",
    "minutes": ",.0f",
    "count": ",.3~r",
    "credits": ",.0f",
}
"""Numbers at an axis, by the unit of ``metrics.catalog``."""
SHARE_LABEL = "replace(datum.label, '%', ' %')"
"""As all texts of the page write a share."""
DOLLAR_LABEL = (
    "datum.value % 1 == 0 ? format(datum.value, '$,.0f') : "
    "format(datum.value, abs(datum.value * 100 % 1 - 0.5) > 0.499 ? '$,.2f' : '$,.4~f')"
)
"""Whole dollars, cents, or as many decimals as it takes: $6, $0.40, $0.005."""
CLOCK_STEPS, MAX_CLOCK_STEPS = (10, 15, 30, 60, 120, 300, 600, 1800, 3600), 6
"""Seconds between the labels of a time line, and at most how many of them."""
CLOCK_LABEL = "floor(datum.value / 60) + ':' + format(datum.value % 60, '02d')"
NARROW = {"hour": 22, "text": 34, "head": 110}
"""Pixels of a cell of a heat map below which hours are left out, it has no text, and its head is not level."""


def _format(unit: str) -> str:
    return next((text for name, text in FORMATS.items() if unit.startswith(name)), ",.2~f")


def _finish(chart: alt.Chart | alt.LayerChart | alt.FacetChart, height: int | dict[str, int] = HEIGHT) -> Spec:
    styled = chart.properties(width="container", height=height, background="transparent").configure(
        font=FONT,
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        padding={"left": 2, "right": 6, "top": 6, "bottom": 2},
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            labelColor="token:muted",
            titleColor="token:muted",
            gridColor="token:rule",
            domainColor="token:rule",
            tickColor="token:rule",
            labelFontSize=11,
            titleFontSize=11,
            titleFontWeight="normal",
            labelPadding=5,
        ),
        axisY=alt.AxisConfig(domain=False, ticks=False, tickCount=4, labelLimit=190),
        axisX=alt.AxisConfig(grid=False, labelFlush=False),
        legend=alt.LegendConfig(
            labelColor="token:ink",
            titleColor="token:muted",
            labelFontSize=11,
            orient="top",
            title=None,
            symbolSize=70,
            symbolType="square",
            offset=6,
            padding=0,
            columnPadding=12,
            labelLimit=220,
        ),
        text=alt.MarkConfig(color="token:ink"),
    )
    spec: Spec = styled.to_dict()
    spec.pop("data", None)
    return spec | {"data": {"name": "rows"}}


def _base() -> alt.Chart:
    return alt.Chart(alt.NamedData(name="rows"))


def _days() -> alt.X:
    # a day is a text: as a time, a browser would shift it by its own time zone
    axis = alt.Axis(title=None, labelExpr=DAY, labelAngle=0, labelOverlap="parity", labelSeparation=8, ticks=False)
    return alt.X("day:O", sort="ascending", axis=axis)


def _values(unit: str) -> alt.Y:
    return alt.Y("value:Q", axis=_axis(unit), scale=alt.Scale(zero=True, nice=True))


def _axis(unit: str, **options: Any) -> alt.Axis:
    if unit == "seconds":
        options["labelExpr"] = "datum.label + ' s'"
    if unit == "share of 1":
        options["labelExpr"] = SHARE_LABEL
    if unit.startswith("US dollars"):
        options["labelExpr"] = DOLLAR_LABEL
    return alt.Axis(format=_format(unit), title=None, **options)


def _bar_width() -> alt.ExprRef:
    return alt.ExprRef(f"min({MAX_BAR}, bandwidth('x') * 0.75)")


@cache
def trend(unit: str, *, has_versions: bool) -> Spec:
    """A measure by day; days with a small n are hollow and grey, and a version that begins a dashed line."""
    starts = (
        _base()
        .transform_filter("datum.kind == 'version'")
        .mark_rule(color="token:muted", strokeWidth=1.5, strokeDash=[3, 3])
        .encode(x=_days(), href="url:N", tooltip="tip:N")
    )
    numbers = _base().transform_filter("datum.kind != 'version'")
    line = numbers.mark_line(color="token:accent", strokeWidth=2, interpolate="linear").encode(
        x=_days(), y=_values(unit)
    )
    points = numbers.mark_point(filled=True, size=46, strokeWidth=1.6, opacity=1).encode(
        x=_days(),
        y=_values(unit),
        href="url:N",
        tooltip="tip:N",
        stroke=alt.condition(f"datum.n < {FEW}", alt.value("token:neutral"), alt.value("token:accent")),
        fill=alt.condition(f"datum.n < {FEW}", alt.value("token:paper"), alt.value("token:accent")),
    )
    return _finish(starts + line + points if has_versions else line + points)


@cache
def columns(unit: str) -> Spec:
    """An amount by day."""
    return _finish(
        _base()
        .mark_bar(color="token:accent", width=_bar_width())
        .encode(x=_days(), y=_values(unit), href="url:N", tooltip="tip:N")
    )


@cache
def stacked_days(unit: str, names: tuple[str, ...], colours: tuple[str, ...] = CATEGORIES) -> Spec:
    """An amount by day, in parts; ``names`` in the order of the stack, from the bottom, with their ``colours``."""
    return _finish(
        _base()
        .mark_bar(width=_bar_width())
        .encode(
            x=_days(),
            y=alt.Y("value:Q", stack="zero", axis=_axis(unit)),
            color=_series(names, colours),
            order=alt.Order("y:Q"),
            href="url:N",
            tooltip="tip:N",
        )
    )


@cache
def lines(unit: str, names: tuple[str, ...]) -> Spec:
    """Several measures by day."""
    return _finish(
        _base()
        .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=30, filled=True))
        .encode(x=_days(), y=_values(unit), color=_series(names), href="url:N", tooltip="tip:N")
    )


@cache
def bars(unit: str, n_bars: int, names: tuple[str, ...], colours: tuple[str, ...]) -> Spec:
    """An amount by label, in the order of the rows and in parts, which have ``names`` and ``colours``."""
    return _finish(
        _base()
        .mark_bar(height={"band": 0.66})
        .encode(
            x=alt.X("value:Q", axis=_axis(unit, tickCount=4), stack="zero"),
            y=alt.Y("label:N", sort=None, axis=alt.Axis(title=None, labelColor="token:ink")),
            color=_series(names, colours),
            order=alt.Order("y:Q"),
            href="url:N",
            tooltip="tip:N",
        ),
        max(60, 26 * n_bars),
    )


@cache
def heat_map(
    columns_order: tuple[str, ...], n_rows: int, *, share: bool = True, good: str = "high", is_labelled: bool = False
) -> Spec:
    """A share or an amount by label and column, with the column ``text`` in the cells if ``is_labelled``."""
    # of the element around the chart: the width of a cell is found in several steps, and only the first makes room
    width = f"containerSize()[0] * 0.68 / {len(columns_order)}" if columns_order else "0"
    is_narrow = f"{width} < {NARROW['head' if is_labelled else 'hour']}"
    axis = alt.Axis(
        title=None,
        orient="top",
        labelAngle=alt.ExprRef(f"{is_narrow} ? 40 : 0") if is_labelled else 0,
        labelAlign=alt.ExprRef(f"{is_narrow} ? 'right' : 'center'") if is_labelled else alt.Undefined,
        # on a small screen, every third of the hours of a day
        labelExpr=alt.Undefined if is_labelled else f"{is_narrow} && +datum.label % 3 ? '' : datum.label",
        labelFlush=False,
        labelLimit=120,
        labelOverlap=False,
    )
    x = alt.X("x:N", sort=list(columns_order), scale=alt.Scale(domain=list(columns_order)), axis=axis)
    y = alt.Y("label:N", sort=None, axis=alt.Axis(title=None, labelColor="token:ink"))
    scale = _heat_scale(share=share, good=good)
    cells = (
        _base()
        .mark_rect(stroke="token:paper", strokeWidth=2)
        .encode(
            x=x,
            y=y,
            color=alt.Color("value:Q", scale=scale, legend=None),
            opacity=alt.condition(f"datum.n < {FEW}", alt.value(0.45), alt.value(1)),
            href="url:N",
            tooltip="tip:N",
        )
    )
    if not is_labelled:
        return _finish(cells, max(70, 30 * n_rows + 24))
    texts = (
        _base()
        .mark_text(fontSize=12)
        .encode(
            x=x,
            y=y,
            text=alt.condition(f"bandwidth('x') < {NARROW['text']}", alt.value(""), "text:N"),
            href="url:N",
            tooltip="tip:N",
        )
    )
    return _finish(cells + texts, max(70, 34 * n_rows + 40))


def _heat_scale(*, share: bool, good: str) -> alt.Scale:
    # by default colours are mixed by hue: in the dark, grey and vermilion would give violet
    if good == "high":
        colours = ["token:paleBad", "token:panel", "token:paleGood"]
        return alt.Scale(domain=[0.2, 0.6, 1], range=colours, clamp=True, interpolate="rgb")
    colours = ["token:panel", "token:bad"]
    domain = [0, 1] if share else alt.Undefined
    return alt.Scale(domain=domain, range=colours, interpolate="rgb")


@cache
def forecast(*, interval: bool, budget: bool) -> Spec:
    """Cost of the month added up, with its expected rest, and the band and the budget where there is one."""
    band = (
        _base()
        .transform_filter("datum.kind == 'expected'")
        .mark_area(color="token:band")
        .encode(x=_days(), y=alt.Y("low:Q", axis=_axis("US dollars")), y2="high:Q")
    )
    spent = (
        _base()
        .transform_filter("datum.kind == 'spent'")
        .mark_line(color="token:accent", strokeWidth=2.5)
        .encode(x=_days(), y="value:Q", tooltip="tip:N")
    )
    expected = (
        _base()
        .transform_filter("datum.kind == 'expected'")
        .mark_line(color="token:accent", strokeWidth=1.5, strokeDash=[4, 3])
        .encode(x=_days(), y="value:Q", tooltip="tip:N")
    )
    layers = [band, spent, expected] if interval else [spent, expected]
    if budget:
        rule = (
            _base()
            .transform_filter("datum.kind == 'budget'")
            .mark_line(color="token:bad", strokeWidth=1.5)
            .encode(x=_days(), y="value:Q", tooltip="tip:N")
        )
        layers.append(rule)
    return _finish(alt.layer(*layers))


@cache
def positions(unit: str, title: str) -> Spec:
    """A share by a running number, one line a series."""
    return _finish(
        _base()
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("x:Q", axis=alt.Axis(title=title, format="d", tickMinStep=1), scale=alt.Scale(domainMin=1)),
            y=_values(unit),
            color=alt.Color(
                "series:N", scale=alt.Scale(range=list(CATEGORIES)), legend=alt.Legend(symbolType="stroke")
            ),
            tooltip="tip:N",
        )
    )


def _series(names: tuple[str, ...], colours: tuple[str, ...] = CATEGORIES) -> alt.Color:
    return alt.Color(
        "series:N", sort=list(names), scale=alt.Scale(domain=list(names), range=list(colours[: len(names)]))
    )


def wait_line(last_secs: float) -> Spec:
    """Waits of one conversation on its time line, from its start to ``last_secs`` or a little more."""
    step = next((step for step in CLOCK_STEPS if last_secs <= MAX_CLOCK_STEPS * step), CLOCK_STEPS[-1])
    return _wait_line(step, math.ceil(last_secs / step))


@cache
def _wait_line(step: int, n_steps: int) -> Spec:
    times = [step * number for number in range(n_steps + 1)]
    return _finish(
        _base()
        .mark_bar(width=6)
        .encode(
            x=alt.X(
                "x:Q",
                axis=alt.Axis(title=None, labelExpr=CLOCK_LABEL, values=times, labelOverlap="greedy"),
                scale=alt.Scale(domain=[0, times[-1]], nice=False, padding=4),
            ),
            y=_values("seconds"),
            color=alt.condition("datum.kind == 'long'", alt.value("token:bad"), alt.value("token:accent")),
            href="url:N",
            tooltip="tip:N",
        ),
        110,
    )

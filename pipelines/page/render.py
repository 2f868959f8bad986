"""The templates, with everything escaped, and the filters that they use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import vl_convert
from jinja2 import Environment, FunctionLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from pipelines.page import palette, text
from pipelines.page.chart import Columns
from warehouse.serve.value_format import clock, moment, plural

_FILES = files("pipelines.page")
DOLLARS = "US dollars"
_CODE = re.compile("`([^`]+)`")


def _template(name: str) -> str | None:
    file = _FILES / "templates" / name
    return file.read_text(encoding="utf-8") if file.is_file() else None


def _visible(value: object) -> object:
    """Every text that a template shows, whoever wrote it; markup is ours, and its texts were shown this way."""
    return text.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def code(value: str) -> Markup:
    """One of our own notes, with what is between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text.visible(value)))))  # noqa: S704 -- escaped


def column_decimals(rows: Sequence[dict[str, Any]], columns: Columns) -> dict[str, int]:
    """Decimals of the columns of a table that hold dollars, so that their points are below each other."""
    decimals = {}
    for name, (_, unit) in columns.items():
        values = [row[name] for row in rows]
        if unit == "change":
            is_dollars = any(value["unit"].startswith(DOLLARS) for value in values)
            values = [value["value"] for value in values]
        else:
            is_dollars = unit.startswith(DOLLARS)
        if is_dollars:
            decimals[name] = text.dollar_decimals(values)
    return decimals


@cache
def environment() -> Environment:
    """The environment of all templates; their names are ours, none comes from a URL."""
    env = Environment(
        loader=FunctionLoader(_template),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "code": code,
        "number": text.number,
        "change": text.change,
        "day": text.day,
        "words": text.words,
        "language": text.language,
        "clock": clock,
        "moment": moment,
        "minute": text.minute,
        "duration": text.length,
        "plural": plural,
    }
    env.globals |= {"days": text.days, "column_decimals": column_decimals}
    return env


def render(template: str, **values: Any) -> str:
    """A template as HTML."""
    return environment().get_template(template).render(**values)


@cache
def stylesheet() -> str:
    """The style of all pages."""
    return palette.css() + (_FILES / "static" / "page.css").read_text(encoding="utf-8")


@cache
def script() -> str:
    """Our own JavaScript."""
    return (_FILES / "static" / "page.js").read_text(encoding="utf-8")


@cache
def chart_library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that needs no network, from vl-convert."""
    return str(vl_convert.javascript_bundle(None))  # type: ignore[arg-type]  # its stub has no optional argument

"""The colours of the page, light and dark, and how charts name them.

A chart names a colour ``token:accent``. The browser replaces it by the value of the CSS variable ``--accent``, so that
a chart follows light and dark; a report replaces it here. Names of agents and other data are not colours, whatever they
look like. Good and bad are teal and vermilion, which all kinds of colour vision tell apart, and never the only sign of
a meaning; the pale ones are behind texts of ink. What is drawn has a contrast of at least 3 to 1 to the paper, texts of
4.5 to 1 (WCAG 2.2 AA).
"""

from __future__ import annotations

import re
from typing import Any

LIGHT = {
    "paper": "#fcfbf8",
    "panel": "#f3f1eb",
    "ink": "#1c1c1a",
    "muted": "#66635b",
    "rule": "#dcd8ce",
    "accent": "#1f5fa8",
    "good": "#00715f",
    "bad": "#b3400f",
    "warn": "#8a5a00",
    "neutral": "#8f8b80",
    "band": "#cfdeef",
    "paleGood": "#7cbfb0",
    "paleBad": "#e8a37f",
    "c1": "#1f5fa9",
    "c2": "#3f97ad",
    "c3": "#c08518",
    "c4": "#b3401f",
    "c5": "#7a5aa6",
    "c6": "#6f9a4d",
    "c7": "#c7798f",
    "c8": "#8c897f",
}
DARK = {
    "paper": "#17181b",
    "panel": "#202226",
    "ink": "#e9e7e1",
    "muted": "#a5a299",
    "rule": "#3a3c42",
    "accent": "#86b8f2",
    "good": "#55c7ae",
    "bad": "#f5946a",
    "warn": "#e2b04f",
    "neutral": "#85837c",
    "band": "#2c4564",
    "paleGood": "#2a7061",
    "paleBad": "#9c4a26",
    "c1": "#6ba5e8",
    "c2": "#6cc4d6",
    "c3": "#e8b65a",
    "c4": "#ee8561",
    "c5": "#b095dc",
    "c6": "#9ac574",
    "c7": "#e29bb0",
    "c8": "#8c8a84",
}
CATEGORIES = tuple(f"token:c{number}" for number in range(1, 9))

PREFIX = "token:"
DATA = ("datasets", "domain", "sort")
"""Parts of a chart that hold names of agents, models and tools; ``page.js`` has the same."""


def css() -> str:
    """The variables of both schemes."""
    light, dark = ("".join(f"--{name}:{value};" for name, value in colours.items()) for colours in (LIGHT, DARK))
    return (
        f":root{{color-scheme:light dark;{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    )


def resolve(spec: Any) -> Any:
    """A chart with the colours of ``LIGHT`` in place of their names."""
    if isinstance(spec, dict):
        return {name: part if name in DATA else resolve(part) for name, part in spec.items()}
    if isinstance(spec, list):
        return [resolve(part) for part in spec]
    is_colour = isinstance(spec, str) and spec.startswith(PREFIX)
    return LIGHT[spec.removeprefix(PREFIX)] if is_colour else spec


def follow_scheme(svg: str) -> str:
    """An SVG of ``LIGHT`` colours that takes the CSS variables instead; each colour has one name."""
    names = {value: name for name, value in reversed(LIGHT.items())}
    return re.sub(
        r'"(#[0-9a-f]{6})"', lambda match: f'"var(--{names[match[1]]})"' if match[1] in names else match[0], svg
    )

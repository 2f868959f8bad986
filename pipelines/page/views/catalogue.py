"""The catalogue: every metric and column, what it means, and where it comes from, down to the API's JSON."""

from __future__ import annotations

from functools import cache
from typing import Any

from pipelines.page.views.base import View, Visit
from warehouse.models.project import PUBLIC_SCHEMAS, Project, read_project
from warehouse.schema.types import unit_of
from warehouse.serve.explain import Explanation, explain, suggest, targets

GOOD = {"high": "higher is better", "low": "lower is better", "neither": ""}
MAX_NAME_LENGTH = 200


@cache
def project() -> Project:
    """The models of ``sql/``, which do not change while the page runs."""
    return read_project()


@cache
def explanation(name: str) -> Explanation | None:
    """The explanation of a model or column; None if there is none of that name."""
    refs = targets(project(), name)
    return explain(project(), refs[0]) if refs else None


def build(visit: Visit) -> dict[str, Any]:
    """The values of the list, limited to a text that was searched for."""
    text = visit.filter.values.get("q", "")[:MAX_NAME_LENGTH]
    search_words = text.casefold().split()
    models = [model for schema in reversed(PUBLIC_SCHEMAS) for model in project().models if model.schema == schema]
    groups = []
    for model in models:
        metrics = [
            {
                "column": column,
                "name": metric.name,
                "unit": metric.unit,
                "good": GOOD[metric.direction],
                "description": model.header.columns[column],
                "url": f"/catalogue/{model.key}.{column}",
            }
            for column, metric in model.header.metrics.items()
            if _fits(search_words, model.key, column, metric.name, model.header.columns[column])
        ]
        columns = [
            {"column": column, "description": text_, "unit": unit_of(column), "url": f"/catalogue/{model.key}.{column}"}
            for column, text_ in model.header.columns.items()
            if column not in model.header.metrics and _fits(search_words, model.key, column, text_)
        ]
        if (
            metrics
            or (columns and (search_words or model.schema == "marts"))
            or (search_words and _fits(search_words, model.key))
        ):
            groups.append(
                {
                    "model": model.key,
                    "description": model.header.description,
                    "metrics": metrics,
                    "columns": columns,
                    "url": f"/catalogue/{model.key}",
                }
            )
    return {"groups": groups, "text": text, "charts": []}


def _fits(search_words: list[str], *texts: str) -> bool:
    together = " ".join(texts).casefold()
    return all(word in together for word in search_words)


def build_entry(visit: Visit) -> dict[str, Any]:
    """The values of one entry."""
    name = visit.path["name"][:MAX_NAME_LENGTH]
    entry = explanation(name)
    if entry is None:
        similar = suggest(project(), name)
        return {"entry": None, "name": name, "similar": similar, "http_status": 404, "charts": []}
    return {
        "entry": entry,
        "name": entry.name,
        "good": GOOD[entry.metric.direction] if entry.metric else "",
        "columns": [
            {"column": column, "description": text, "unit": unit_of(column)} for column, text in entry.columns.items()
        ],
        "charts": [],
    }


VIEW = View("Catalogue", "/catalogue", "catalogue.html", build, has_filter=False)
ENTRY = View("Catalogue", "/catalogue/{name}", "entry.html", build_entry, has_filter=False)

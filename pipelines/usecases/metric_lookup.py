"""Which model and metric a name means, and whether its rows can be limited to an agent or to a time."""

from __future__ import annotations

from pipelines.errors import UsageError
from warehouse.serve.metrics import MetricModel
from warehouse.suggestions import did_you_mean, suggest_column


def find_metric(models: dict[str, MetricModel], name: str) -> tuple[MetricModel, str | None]:
    """The model of that name, and the column of a metric's id.

    Raises:
        UsageError: there is none.
    """
    front, _, column = name.lower().removeprefix("metrics.").partition(".")
    if front in models and (not column or column in models[front].columns):
        return models[front], column or None
    owners = [model.name for model in models.values() if front in model.columns and not column]
    if owners:
        hint = f"It is a column of {', '.join(owners)}: write {owners[0]}.{front} or the like."
        raise UsageError(f"{name!r} needs its model.", hint)
    columns = {model.name: model.columns for model in models.values()}
    meant = did_you_mean(suggest_column(name.removeprefix("metrics."), columns))
    raise UsageError(f"There is no model or metric {name!r}.", f"{meant}`convohouse metrics` lists them.")


def check_filter(models: dict[str, MetricModel], model: MetricModel, *, has_agent: bool, has_dates: bool) -> None:
    """Refuse an option for which the model has no column.

    Raises:
        UsageError: it has none.
    """
    if has_agent and "agent_id" not in model.columns:
        names = ", ".join(candidate.name for candidate in models.values() if "agent_id" in candidate.columns)
        raise UsageError(f"{model.name} has no agent_id for --agent.", f"These models have it: {names}.")
    if has_dates and model.date is None:
        names = ", ".join(candidate.name for candidate in models.values() if candidate.date)
        raise UsageError(f"{model.name} has no date for --since and --until.", f"These models have one: {names}.")

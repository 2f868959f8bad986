"""Asset checks: every check of the lake and of the models in Dagster's terms.

Checks of a table with the same group are one check in Dagster, which names what fails and its columns. There are 800 of
them otherwise, and logging one takes 9 ms, longer than most take to run.

Dagster's log gets counts only, never failing rows: they can hold what people said, and an erased conversation must
leave no trace there. ``convohouse check`` shows the rows. For an unknown field the log has its path, its kind and the
id of one conversation, never a value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import dagster as dg

from pipelines.orchestration.asset_keys import asset_key
from pipelines.transform.schema_drift import new_unknown
from warehouse.models.checks import Check, CheckResult
from warehouse.schema.operations import UNKNOWN_FIELDS
from warehouse.storage.home import Home

UNKNOWN_FIELDS_CHECK = dg.AssetCheckSpec(
    "nothing_unknown_is_new",
    asset=asset_key(f"lake.{UNKNOWN_FIELDS.name}"),
    description="In the last run, the API sent no new key, type or enum value that the schema does not know. "
    "A warning: the values are stored all the same, and lake.unknown_fields lists them.",
)
_MAX_SAMPLE_ROWS = 10


def check_specs(checks: Iterable[Check]) -> Iterator[dg.AssetCheckSpec]:
    """The declarations of checks; none is ``blocking``, as a step with a failed check fails and so blocks the next."""
    groups: defaultdict[dg.AssetCheckKey, list[str]] = defaultdict(list)
    for check in checks:
        groups[_key(check)].append(check.description)
    for key, descriptions in groups.items():
        yield dg.AssetCheckSpec(key.name, asset=key.asset_key, description=" ".join(dict.fromkeys(descriptions)))


def check_evaluations(
    results: Iterable[CheckResult], selected_keys: Collection[dg.AssetCheckKey]
) -> Iterator[dg.AssetCheckEvaluation]:
    """Evaluations of the selected checks, except those of which nothing was run again.

    A failed one names the columns and has the SQL that selects its failing rows.
    """
    groups: defaultdict[dg.AssetCheckKey, list[CheckResult]] = defaultdict(list)
    for result in results:
        groups[_key(result.check)].append(result)
    for key, group_results in groups.items():
        if key in selected_keys and not all(result.is_reused for result in group_results):
            yield _evaluation(key, [result for result in group_results if not result.is_passed])


def _key(check: Check) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(asset_key(check.model), check.group or check.name)


def _evaluation(key: dg.AssetCheckKey, failed_results: Collection[CheckResult]) -> dg.AssetCheckEvaluation:
    metadata: dict[str, Any] = {"n_failing": sum(result.n_failing for result in failed_results)}
    if columns := dict.fromkeys(column for result in failed_results for column in result.check.columns):
        metadata["failing_columns"] = ", ".join(columns)
    if queries := [f"```sql\n{result.check.sql}\n```" for result in failed_results if result.check.sql]:
        metadata["failing_rows"] = dg.MetadataValue.md("\n\n".join(queries))
    description = " ".join(f"{result.check.description} Failing rows: {result.n_failing}." for result in failed_results)
    return evaluation(key, is_passed=not failed_results, metadata=metadata, description=description)


def evaluation(
    key: dg.AssetCheckKey,
    *,
    is_passed: bool,
    metadata: dict[str, Any],
    description: str = "",
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckEvaluation:
    """The outcome of a check, to be logged: one that is yielded as a result costs a second event, an output."""
    return dg.AssetCheckEvaluation(
        key.asset_key,
        key.name,
        passed=is_passed,
        metadata=metadata,
        description=description or None,
        severity=severity,
    )


def check_unknown_fields(home: Home) -> dg.AssetCheckEvaluation:
    """Whether the last run saw new unknown fields; only a warning, because their values are stored all the same."""
    new_fields, _ = new_unknown(home)
    metadata: dict[str, Any] = {"n_new": new_fields.height}
    if not new_fields.is_empty():
        sample = new_fields.select("path", "kind", "example_id").head(_MAX_SAMPLE_ROWS).to_dicts()
        metadata["new_fields"] = dg.MetadataValue.table([dg.TableRecord(field) for field in sample])
    return evaluation(
        UNKNOWN_FIELDS_CHECK.key,
        is_passed=new_fields.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )

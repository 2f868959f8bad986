"""Asset checks: every check of the lake and of the models in Dagster's terms.

Dagster's log gets counts only, never failing rows: they can hold what people said, and an erased conversation must
leave no trace there. ``convohouse check`` shows the rows. For an unknown field the log has its path, its kind and the
id of one conversation, never a value.
"""

from __future__ import annotations

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


def check_spec(check: Check, *, blocking: bool = True) -> dg.AssetCheckSpec:
    """The declaration of a check; if a blocking one fails, Dagster skips the assets downstream of its table."""
    return dg.AssetCheckSpec(check.name, asset=asset_key(check.model), description=check.description, blocking=blocking)


def check_results(
    results: Iterable[CheckResult], selected: Collection[dg.AssetCheckKey]
) -> Iterator[dg.AssetCheckResult]:
    """Results of the selected checks; a failed one has the SQL that selects its failing rows."""
    for result in results:
        check = result.check
        if dg.AssetCheckKey(asset_key(check.model), check.name) in selected:
            metadata: dict[str, Any] = {"n_failing": result.n_failing}
            if check.sql and not result.is_passed:
                metadata["failing_rows"] = dg.MetadataValue.md(f"```sql\n{check.sql}\n```")
            yield dg.AssetCheckResult(
                passed=result.is_passed, asset_key=asset_key(check.model), check_name=check.name, metadata=metadata
            )


def check_unknown_fields(home: Home) -> dg.AssetCheckResult:
    """Whether the last run saw new unknown fields; only a warning, because their values are stored all the same."""
    new_fields, _ = new_unknown(home)
    metadata: dict[str, Any] = {"n_new": new_fields.height}
    if not new_fields.is_empty():
        sample = new_fields.select("path", "kind", "example_id").head(_MAX_SAMPLE_ROWS).to_dicts()
        metadata["new_fields"] = dg.MetadataValue.table([dg.TableRecord(field) for field in sample])
    return dg.AssetCheckResult(
        passed=new_fields.is_empty(),
        asset_key=UNKNOWN_FIELDS_CHECK.asset_key,
        check_name=UNKNOWN_FIELDS_CHECK.name,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )

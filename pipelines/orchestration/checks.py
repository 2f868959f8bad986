"""Asset checks: each check of the lake and of the models, as Dagster shows it.

Only counts go into Dagster's log, never the failing rows: they can hold what people said, and a conversation that is
erased must leave no trace there. ``convohouse check`` shows them. Of an unknown field the log has its path, its kind
and the id of a conversation, never a value.
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
    description="The API sent no key, type or word for the first time that the schema does not know. It is kept.",
)
_MAX_SAMPLE_ROWS = 10


def check_spec(check: Check, *, blocking: bool = True) -> dg.AssetCheckSpec:
    """A check as Dagster declares it; a blocking one keeps what stands on its table from being made."""
    return dg.AssetCheckSpec(check.name, asset=asset_key(check.model), description=check.about, blocking=blocking)


def check_results(
    found: Iterable[CheckResult], selected: Collection[dg.AssetCheckKey]
) -> Iterator[dg.AssetCheckResult]:
    """What the selected checks found, as Dagster logs it, with the SQL that shows the failing rows."""
    for result in found:
        check = result.check
        if dg.AssetCheckKey(asset_key(check.model), check.name) in selected:
            metadata: dict[str, Any] = {"n_failing": result.n_failing}
            if check.sql and not result.is_passed:
                metadata["failing_rows"] = dg.MetadataValue.md(f"```sql\n{check.sql}\n```")
            yield dg.AssetCheckResult(
                passed=result.is_passed, asset_key=asset_key(check.model), check_name=check.name, metadata=metadata
            )


def check_unknown_fields(home: Home) -> dg.AssetCheckResult:
    """Whether the last run saw unknown fields for the first time: a warning, since none of them is lost."""
    new, _ = new_unknown(home)
    metadata: dict[str, Any] = {"n_new": new.height}
    if not new.is_empty():
        first = new.select("path", "kind", "example_id").head(_MAX_SAMPLE_ROWS).to_dicts()
        metadata["new_fields"] = dg.MetadataValue.table([dg.TableRecord(field) for field in first])
    return dg.AssetCheckResult(
        passed=new.is_empty(),
        asset_key=UNKNOWN_FIELDS_CHECK.asset_key,
        check_name=UNKNOWN_FIELDS_CHECK.name,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )

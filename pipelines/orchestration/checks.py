"""Asset checks: each check of the lake and of the models, as Dagster shows it.

Only counts go into Dagster's log, never the failing rows: they can hold what people said, and a conversation that is
erased must leave no trace there. ``convohouse check`` shows them.
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from pipelines import steps
from pipelines.orchestration.doing import doing, fail, has_models_after
from pipelines.orchestration.keys import key_of
from warehouse.checks import COMPLETENESS, schema_checks
from warehouse.lake_checks import check_lake
from warehouse.model_checks import Check, CheckResult


def spec_of(check: Check, *, blocking: bool = True) -> dg.AssetCheckSpec:
    """A check as Dagster declares it."""
    return dg.AssetCheckSpec(check.name, asset=key_of(check.model), description=check.about, blocking=blocking)


def result_of(result: CheckResult) -> dg.AssetCheckResult:
    """What a check found, as Dagster logs it."""
    check = result.check
    metadata: dict[str, dg.MetadataValue] = {"n_failing": dg.MetadataValue.int(result.n_failing)}
    if check.sql and not result.is_passed:
        metadata["failing_rows"] = dg.MetadataValue.md(f"```sql\n{check.sql}\n```")
    return dg.AssetCheckResult(
        passed=result.is_passed, asset_key=key_of(check.model), check_name=check.name, metadata=metadata
    )


@dg.multi_asset_check(
    name="lake_checks",
    description="The lake is as its schema says, which blocks the models, and nothing that was listed is missing.",
    specs=[*map(spec_of, schema_checks()), *(spec_of(check, blocking=False) for check in COMPLETENESS)],
)
def lake_checks(
    context: dg.AssetCheckExecutionContext, site: dg.ResourceParam[steps.Site]
) -> Iterator[dg.AssetCheckResult]:
    """Check the lake; without models after it, this is the end of the run."""
    ...

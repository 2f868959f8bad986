"""Asset checks: each check of the lake and of the models, as Dagster shows it.

Only counts go into Dagster's log, never the failing rows: they can hold what people said, and a conversation that is
erased must leave no trace there. ``convohouse check`` shows them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import dagster as dg

from pipelines.orchestration.keys import key_of
from warehouse.model_checks import Check, CheckResult


def spec_of(check: Check, *, blocking: bool = True) -> dg.AssetCheckSpec:
    """A check as Dagster declares it; a blocking one keeps what stands on its table from being made."""
    return dg.AssetCheckSpec(check.name, asset=key_of(check.model), description=check.about, blocking=blocking)


def results_of(found: Iterable[CheckResult], selected: Collection[dg.AssetCheckKey]) -> Iterator[dg.AssetCheckResult]:
    """What the selected checks found, as Dagster logs it, with the SQL that shows the failing rows."""
    for result in found:
        check = result.check
        if dg.AssetCheckKey(key_of(check.model), check.name) in selected:
            metadata: dict[str, Any] = {"n_failing": result.n_failing}
            if check.sql and not result.is_passed:
                metadata["failing_rows"] = dg.MetadataValue.md(f"```sql\n{check.sql}\n```")
            yield dg.AssetCheckResult(
                passed=result.is_passed, asset_key=key_of(check.model), check_name=check.name, metadata=metadata
            )

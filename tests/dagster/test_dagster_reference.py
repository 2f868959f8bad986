"""The assets of reference data: what they land, and that an API error is a warning."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg
import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.orchestration.assets.reference_data import (
    AGENTS,
    AGENTS_CHECK,
    BATCHES,
    BATCHES_CHECK,
    BILLS,
    BILLS_CHECK,
    PRICES,
    PRICES_CHECK,
    TAGS,
    TAGS_CHECK,
    TOOLS,
    TOOLS_CHECK,
    agents,
    batches,
    bills,
    prices,
    tags,
    tools,
)
from pipelines.settings import Settings
from pipelines.usecases.context import Context, no_progress
from warehouse.schema.operations import SYNC_RUNS
from warehouse.schema.reference_data import LANDED_TOOLS, REFERENCE_TABLES
from warehouse.storage import lake
from warehouse.storage.landing_reference_data import item_rows, price_rows

pytestmark = pytest.mark.usefixtures("few_models")

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def materialize(tmp_path):
    """Run the assets against an emulator whose key has no scope for some paths."""

    def run(*denied):
        app = create_app(World(conversations=5, days=1, until=NOW), clock=lambda: NOW, denied=denied)
        with running(app) as url:
            app_context = Context(Settings(home=tmp_path / "home", base_url=url, api_key="demo"), clock=lambda: NOW)
            result = dg.materialize(
                [tools, prices, agents, batches, tags, bills],
                resources={"app_context": app_context, "progress": no_progress},
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
        return app_context, result, checks

    return run


def test_tools_land_and_prices_wait_for_the_first_call(materialize):
    app_context, result, checks = materialize()
    counts = {
        event.asset_key: event.step_materialization_data.materialization.metadata["n_copied"].value
        for event in result.get_asset_materialization_events()
    }
    assert counts == {TOOLS: 14, PRICES: 0, AGENTS: 5, BATCHES: 0, TAGS: 3, BILLS: 1}
    names = (TOOLS_CHECK, PRICES_CHECK, AGENTS_CHECK, BATCHES_CHECK, TAGS_CHECK, BILLS_CHECK)
    assert {name: check.passed for name, check in checks.items()} == dict.fromkeys(names, True)
    assert (item_rows(app_context.home, LANDED_TOOLS).height, price_rows(app_context.home).height) == (14, 0)
    assert {table.name: lake.read(app_context.home, table).is_empty() for table in REFERENCE_TABLES} == {
        "tools": False,
        "tool_parameters": False,
        "tool_versions": False,
        "llm_prices": True,
    }


def test_a_scope_that_the_key_lacks_is_a_warning_and_the_run_goes_on(materialize):
    app_context, result, checks = materialize("/tools")
    assert result.success
    assert (checks[TOOLS_CHECK].passed, checks[TOOLS_CHECK].severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "GET /v1/convai/tools answered 403" in checks[TOOLS_CHECK].metadata["errors"].value
    assert checks[PRICES_CHECK].passed
    assert lake.read(app_context.home, SYNC_RUNS)["outcome"].to_list() == [
        "incomplete"
    ]  # no step has ended the run record


def test_a_scope_for_agents_or_the_bill_that_the_key_lacks_is_a_warning(materialize):
    _, result, checks = materialize("/agents", "/usage", "/usage-by-product-over-time")
    assert result.success
    failed = {name: check.severity for name, check in checks.items() if not check.passed}
    assert failed == dict.fromkeys((AGENTS_CHECK, BILLS_CHECK), dg.AssetCheckSeverity.WARN)
    assert "workspace analytics" in checks[BILLS_CHECK].metadata["errors"].value

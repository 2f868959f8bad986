"""Prices from the emulator: what is asked for and when, and the warning after an API error."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from pipelines.api.client import ApiClient
from pipelines.errors import ApiUnavailableError, CredentialsError
from pipelines.transform.refresh_lake import refresh_lake
from pipelines.usecases import reference_data
from pipelines.usecases.reference_data import PricesCopy, ToolsCopy
from tests.helpers.account_night import NIGHT, quarantined
from tests.helpers.editing_app import EditingApp
from tests.helpers.recording_app import Tap
from tests.helpers.reference_night import FIRST, SECOND, UNPRICED, api, call, nightly
from warehouse.schema.reference_data import LANDED_PRICES, LLM_PRICES, REFERENCE_TABLES, TOOLS
from warehouse.storage import lake, quarantine
from warehouse.storage.landing_reference_data import folder, price_rows

pytestmark = pytest.mark.usefixtures("few_models")


def reference_rows(context):
    """All rows of every table of tools and prices."""
    return {table.name: lake.read(context.home, table).to_dicts() for table in REFERENCE_TABLES}


def test_prices_are_asked_with_what_the_agents_calls_read_on_average(emulated):
    context = emulated()
    call(context, "c1", FIRST, reads=[{"input": 100, "input_cache_read": 50, "output_total": 999}, {"input": 250}])
    call(context, "c2", SECOND, rag=3, reads=[{"input": 10}])
    call(context, "old", "agent_old", started=NIGHT - timedelta(days=30))
    result = PricesCopy(context).fetch_and_land()
    queries = [(query.agent_id, query.prompt_length, query.is_rag_enabled, query.basis) for query in result.queries]
    assert queries == [(SECOND, 40, True, "measured"), (FIRST, 800, False, "measured")]
    prices = lake.read(context.home, LLM_PRICES).filter(agent_id=FIRST).sort("price_per_minute_usd", "llm")
    assert prices.row(0, named=True) == {
        "workspace": "main",
        "agent_id": FIRST,
        "llm": "gemini-2.0-flash",
        "asked_at": NIGHT,
        "price_per_minute_usd": 0.00042,
        "price_per_message_usd": pytest.approx(0.000084),
        "prompt_length": 800,
        "number_of_pages": None,
        "is_rag_enabled": False,
        "prompt_basis": "measured",
        "extra": None,
    }
    assert price_rows(context.home)["agent_id"].to_list() == [SECOND, FIRST]


def test_what_is_given_goes_before_the_settings_and_those_before_what_is_measured(emulated):
    context = emulated(prices_prompt_length=700, prices_pages=2)
    call(context, "c1", FIRST, reads=[{"input": 100}])
    (by_setting,) = PricesCopy(context).fetch_and_land().queries
    copy = PricesCopy(context, [FIRST], prompt_length=0, number_of_pages=5, is_rag_enabled=True)
    (given,) = copy.fetch_and_land().queries
    (unknown,) = PricesCopy(replace(context, settings=emulated().settings), [SECOND]).fetch_and_land().queries
    queries = [
        (query.prompt_length, query.number_of_pages, query.is_rag_enabled, query.basis) for query in (by_setting, given)
    ]
    assert queries == [(700, 2, False, "setting"), (0, 5, True, "given")]
    assert (unknown.prompt_length, unknown.number_of_pages, unknown.is_rag_enabled, unknown.basis) == (
        *(None, None, None),
        "none",
    )


def test_agents_without_prices_are_named_and_the_others_have_theirs(emulated):
    context = emulated()
    result = PricesCopy(context, [FIRST, UNPRICED, "agent_none", ".."]).fetch_and_land()
    assert result.unpriced_agents[UNPRICED] == "The API returned no prices for it."
    assert result.unpriced_agents["agent_none"].startswith(
        "POST /v1/convai/agent/agent_none/llm-usage/calculate answered 404"
    )
    assert result.unpriced_agents[".."] == "'..' is not a valid agent id."
    assert set(lake.read(context.home, LLM_PRICES)["agent_id"]) == {FIRST}


def test_an_entry_that_names_no_model_costs_no_other(emulated, clock):
    app = EditingApp(api(clock))
    context = emulated(app)
    for conversation_id, agent in (("c1", FIRST), ("c2", SECOND)):
        call(context, conversation_id, agent)
    assert nightly(context) == ()
    llms = lake.read(context.home, LLM_PRICES).filter(agent_id=FIRST)["llm"].to_list()
    entries = [None, {"price_per_minute": 1}, {"llm": 7}, {"llm": "odd", "price_per_minute": "a lot"}]
    app.edits[f"/v1/convai/agent/{FIRST}/llm-usage/calculate"] = lambda body: (
        body | {"llm_prices": [*body["llm_prices"], *entries]}
    )
    clock.now += timedelta(days=7)
    nightly(context)
    assert quarantined(context) == {FIRST: "price_unavailable"}
    (error,) = quarantine.current(context.home)["error"]
    assert error == "entries of its prices that name no model: 3"
    rows = lake.read(context.home, LLM_PRICES).filter(agent_id=FIRST, asked_at=clock.now).sort("llm")
    assert rows["llm"].to_list() == sorted([*llms, "odd"])
    odd = rows.row(by_predicate=pl.col("llm") == "odd", named=True)
    assert (odd["price_per_minute_usd"], odd["extra"]) == (None, '{"price_per_minute":"a lot"}')
    result = PricesCopy(context, [FIRST, SECOND]).fetch_and_land()
    assert result.unpriced_agents == {FIRST: "entries of its prices that name no model: 3"}

    app.edits.clear()
    clock.now += timedelta(days=1)  # what is in quarantine does not wait for a week
    assert nightly(context) == ()
    assert quarantined(context) == {}


def test_prices_are_due_every_week_and_never_where_the_setting_says_so(emulated, clock):
    tap = Tap(api(clock))
    context = emulated(tap)
    call(context, "c1", FIRST)

    def nights(context, *hours):
        for hour in hours:
            clock.now = NIGHT + timedelta(hours=hour)
            assert nightly(context) == ()

    nights(context, 0, 24, 6 * 24, 7 * 24 - 1, 8 * 24)
    n_price_requests = sum(number for path, number in tap.requests.items() if path.endswith("calculate"))
    assert (n_price_requests, tap.requests["/v1/convai/tools"]) == (2, 5)
    never = replace(context, settings=context.settings.model_copy(update={"prices_every_days": 0}))
    nights(never, 40 * 24)
    assert sum(number for path, number in tap.requests.items() if path.endswith("calculate")) == n_price_requests


def test_what_was_asked_without_a_length_is_asked_again_once_it_can_be_measured(emulated, clock):
    context = emulated()
    call(context, "c1", FIRST)
    nightly(context)
    clock.now += timedelta(days=1)
    call(context, "c2", FIRST, reads=[{"input": 30}])
    nightly(context)
    clock.now += timedelta(days=1)
    nightly(context)
    assert price_rows(context.home).select("asked_at", "prompt_basis", "prompt_length").rows() == [
        (NIGHT, "none", None),
        (NIGHT + timedelta(days=1), "measured", 120),
    ]


def test_before_there_is_any_call_no_price_is_asked_for(emulated, clock):
    tap = Tap(api(clock))
    context = emulated(tap)
    assert nightly(context) == ()
    assert set(tap.requests) == {"/v1/convai/tools"}
    call(context, "c1", FIRST)
    assert nightly(context) == ()
    assert lake.read(context.home, LLM_PRICES).height > 0


@pytest.mark.parametrize(
    ("denied", "message", "table"),
    [
        ("/tools", "The tools could not be fetched: ", LLM_PRICES),
        ("/calculate", "The prices of language models could not be fetched: ", TOOLS),
    ],
)
def test_a_scope_that_the_key_lacks_is_a_warning_that_names_it_and_the_rest_works(
    emulated, clock, denied, message, table
):
    context = emulated(api(clock, denied=[denied]))
    call(context, "c1", FIRST)
    (warning,) = nightly(context)
    assert warning.startswith(message)
    assert "403: the key lacks a scope" in warning
    assert "convai_read" in warning
    assert lake.read(context.home, table).height > 0
    with pytest.raises(CredentialsError):
        ToolsCopy(context).fetch_and_land() if denied == "/tools" else PricesCopy(context).fetch_and_land()


def test_an_api_that_is_down_is_a_warning(emulated):
    async def no_sleep(_secs):
        return None

    context = replace(emulated(), connect=lambda _settings: ApiClient("http://127.0.0.1:1", "demo", sleep=no_sleep))
    (warning,) = nightly(context)
    assert warning.startswith("The tools could not be fetched: GET /v1/convai/tools got no answer from 127.0.0.1")


def test_the_lake_is_made_again_from_the_landing_without_the_api(emulated, clock):
    context = emulated()
    call(context, "c1", FIRST, reads=[{"input": 100}])
    nightly(context)
    clock.now += timedelta(days=7)
    nightly(context)
    before = reference_rows(context)
    assert all(before.values())
    for table in REFERENCE_TABLES:
        for file in context.home.files(context.home.table(table)):
            file.unlink()
    refresh_lake(context.home, reread_days=(1,))
    assert reference_rows(context) == before


def test_reference_says_what_it_does_not_land_when_the_api_breaks_off(emulated, clock, monkeypatch):
    context = emulated()
    call(context, "c1", FIRST)

    async def raise_unavailable(*_arguments, **_options):
        raise ApiUnavailableError("no answer")

    monkeypatch.setattr(reference_data, "calculate_llm_usage", raise_unavailable)
    with pytest.raises(ApiUnavailableError):
        PricesCopy(context).fetch_and_land()
    assert price_rows(context.home).is_empty()
    assert context.home.files(folder(context.home, LANDED_PRICES)) == []

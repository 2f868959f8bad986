"""The vendor's bill: which days are asked for, which answer counts, and what an error costs."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.errors import ApiUnavailableError, CredentialsError, ForeignWorkspaceError, MalformedResponseError
from pipelines.settings import Settings
from pipelines.transform.bills import refresh_billed_usage
from pipelines.transform.schema_drift import refresh_unknown
from pipelines.usecases import sync
from pipelines.usecases.bill import BillCopy, BillResult, is_bill_due
from pipelines.usecases.context import Context
from tests.helpers.account_night import NIGHT, Night
from tests.helpers.disk_contents import contents
from tests.helpers.editing_app import Answer, EditingApp, respond, vendor
from tests.helpers.run_cli import run
from warehouse.schema.account_data import BILLED_USAGE
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import UNKNOWN_FIELDS
from warehouse.serve.query import query
from warehouse.storage import lake, landing_merge, parquet
from warehouse.storage.landing_reference_data import bill_rows

TODAY = NIGHT.date()
COST, CREDITS = "/v1/workspace/analytics/usage", "/v1/workspace/analytics/query/usage-by-product-over-time"
ONE_DAY = timedelta(days=1)


class Billing:
    """Bills by path: a function from the asked days to rows of product and amount, or an answer."""

    def __init__(self):
        self.requests = []
        self.answers = {COST: vendor(400), CREDITS: lambda day: [["agents", 10.0 + day.day]]}

    async def __call__(self, scope, receive, send):
        body = json.loads((await receive())["body"])
        since, until = (datetime.fromtimestamp(body[key] / 1000, UTC) for key in ("start_time", "end_time"))
        self.requests.append((scope["path"], since.date(), until.date()))
        answer = self.answers[scope["path"]]
        if callable(answer):
            days = [since.date() + ONE_DAY * n for n in range((until.date() - since.date()).days + 1)]
            bill = {
                "columns": ["timestamp", "product_type", "total_cost" if scope["path"] == COST else "credits_used"],
                "column_types": ["DateTime", "String", "Float"],
                "column_units": [None, None, "usd" if scope["path"] == COST else "credits"],
                "rows": [[f"{day}T00:00:00Z", *row] for day in days for row in answer(day)],
            }
            answer = Answer(200, bill)
        await respond(send, answer)


@pytest.fixture
def clock():
    return Night()


@pytest.fixture
def billing():
    return Billing()


@pytest.fixture
def context(tmp_path, clock, billing):
    """A home whose first conversation was three days ago."""
    with ExitStack() as servers:
        base_url = servers.enter_context(running(billing))
        settings = Settings(home=tmp_path / "home", base_url=base_url, api_key="demo", request_deadline_secs=2.0)
        context = Context(settings, clock=clock)
        context.home.open()
        lake.ensure_schema_files(context.home)
        conversation(context, TODAY - 3 * ONE_DAY)
        yield context


def conversation(context, day):
    row = {"conversation_id": "c1", "start_date": day, "start_time_at": NIGHT, "fetched_at": NIGHT, "is_deleted": False}
    lake.upsert_partition(context.home, CONVERSATIONS, day, parquet.frame(CONVERSATIONS, [row]), ["c1"])


def billed(context):
    rows = lake.read(context.home, BILLED_USAGE).sort("usage_date", "unit", "product_type")
    return rows.select("usage_date", "product_type", "unit", "amount", "is_complete").rows()


def windows(billing, path=CREDITS):
    return [(since, until) for requested, since, until in billing.requests if requested == path]


def test_the_first_request_is_for_all_days_and_later_ones_for_the_last_and_a_week(context, clock, billing):
    assert BillCopy(context).fetch_and_land() == BillResult(4, ("credits",))
    assert windows(billing) == windows(billing, COST) == [(TODAY - 3 * ONE_DAY, TODAY)]
    assert billed(context) == [
        (date(2026, 11, 18), "agents", "credits", 28.0, True),
        (date(2026, 11, 19), "agents", "credits", 29.0, True),
        (date(2026, 11, 20), "agents", "credits", 30.0, True),
        (date(2026, 11, 21), "agents", "credits", 31.0, False),
    ]
    assert not is_bill_due(context)  # the same UTC day
    billing.requests.clear()
    clock.now += 10 * ONE_DAY
    assert is_bill_due(context)
    assert BillCopy(context).fetch_and_land().n_days == 14  # no day before the first conversation
    assert windows(billing) == [(date(2026, 11, 18), date(2026, 12, 1))]
    for begin, end in ((date(2026, 11, 25), date(2026, 12, 2)), (date(2026, 11, 26), date(2026, 12, 3))):
        billing.requests.clear()
        clock.now += ONE_DAY
        assert is_bill_due(context)
        assert BillCopy(context).fetch_and_land().n_days == 8  # today, and seven days
        assert windows(billing) == [(begin, end)]


def test_conversations_of_before_and_many_days_are_asked_for_in_parts(context, billing):
    BillCopy(context).fetch_and_land()
    billing.requests.clear()
    conversation(context, TODAY - 43 * ONE_DAY)
    assert BillCopy(context).fetch_and_land().n_days == 40 + 8
    assert windows(billing) == [
        (date(2026, 10, 9), date(2026, 11, 8)),
        (date(2026, 11, 9), date(2026, 11, 17)),
        (date(2026, 11, 14), date(2026, 11, 21)),
    ]
    assert [row[0] for row in billed(context)] == [date(2026, 10, 9) + ONE_DAY * n for n in range(44)]


def test_of_each_day_the_last_answer_counts_and_days_without_usage_are_0(context, clock, billing):
    BillCopy(context).fetch_and_land()
    billing.answers[CREDITS] = lambda day: [["agents", 1.0], ["agents", 0.5], ["music", 2.0]] if day.day == 19 else []
    clock.now -= timedelta(hours=1)  # the clock goes back
    BillCopy(context).fetch_and_land()
    assert billed(context) == [
        (date(2026, 11, 18), "none", "credits", 0.0, True),
        (date(2026, 11, 19), "agents", "credits", 1.5, True),
        (date(2026, 11, 19), "music", "credits", 2.0, True),
        (date(2026, 11, 20), "none", "credits", 0.0, True),
        (date(2026, 11, 21), "none", "credits", 0.0, False),
    ]


def test_a_workspace_that_moves_from_credits_to_cost(context, clock, billing):
    BillCopy(context).fetch_and_land()
    clock.now += ONE_DAY
    billing.answers = {COST: lambda day: [["agents", 0.25]] if day.day == 22 else [], CREDITS: vendor(400)}
    assert BillCopy(context).fetch_and_land().units == ("usd",)
    assert [row for row in billed(context) if row[2] == "credits"] == [
        (date(2026, 11, day), "agents", "credits", 10.0 + day, day < 21) for day in range(18, 22)
    ]
    assert [row for row in billed(context) if row[2] == "usd" and row[3]] == [
        (date(2026, 11, 22), "agents", "usd", 0.25, False)
    ]


def test_an_empty_bill_of_the_other_basis_says_nothing(context, billing):
    billing.answers[COST] = lambda _day: []
    assert BillCopy(context).fetch_and_land() == BillResult(4, ("credits",))


def test_days_of_the_future_of_a_wrong_clock_go_again(context, clock, billing):
    clock.now += 400 * ONE_DAY
    BillCopy(context).fetch_and_land()
    clock.now = NIGHT
    assert is_bill_due(context)
    assert BillCopy(context).fetch_and_land().n_days > 0
    assert max(row[0] for row in billed(context)) == TODAY
    assert [row[4] for row in billed(context)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({COST: vendor(403, "missing_permissions"), CREDITS: vendor(403, "missing_permissions")}, CredentialsError),
        ({COST: vendor(500)}, ApiUnavailableError),
        ({CREDITS: vendor(500)}, ApiUnavailableError),
        ({CREDITS: Answer(200, {"columns": ["a"], "rows": [[1, 2]]})}, MalformedResponseError),
        ({CREDITS: Answer(200, {"columns": ["a"], "rows": [[1]]})}, MalformedResponseError),
    ],
)
def test_an_error_lands_nothing(context, billing, answers, error):
    billing.answers |= answers
    with pytest.raises(error) as raised:
        BillCopy(context).fetch_and_land()
    assert bill_rows(context.home).is_empty()
    if error is CredentialsError:
        assert "scope for workspace analytics" in raised.value.hint


def test_what_a_bill_has_that_is_not_read_is_an_unknown_field(context, billing):
    columns = ["timestamp", "product_type", "credits_used", "seats"]
    bill = {"columns": columns, "rows": [["2026-11-20", "agents", 7, 3]], "column_types": [], "column_units": []}
    billing.answers[CREDITS] = Answer(200, bill | {"discount": 0.5, "notes": [], "next": None})
    BillCopy(context).fetch_and_land()
    refresh_unknown(context.home)
    fields = lake.read(context.home, UNKNOWN_FIELDS).sort("path").drop("workspace")
    counts = {"value": "", "kind": "key", "n_rows": 1, "n_conversations": 0, "example_id": "credits"}
    seen = counts | {"first_seen_at": NIGHT, "last_seen_at": NIGHT}
    assert fields.to_dicts() == [seen | {"path": path} for path in ("usage.columns.seats", "usage.discount")]


def test_credentials_in_a_bill_are_masked(context, billing):
    billing.answers[CREDITS] = lambda _day: [["sk_pl4nted0123456789abcdef0123456789abcdef01234567", 1.0]]
    BillCopy(context).fetch_and_land()
    assert b"pl4nted" not in contents(context.home.root)


def test_the_lake_follows_from_the_landing_also_after_a_merge(context, clock):
    for _ in range(5):
        BillCopy(context).fetch_and_land()
        clock.now += ONE_DAY
    before = billed(context)
    landing_merge.merge(context.home)
    assert len(list((context.home.landing / "bills").iterdir())) == 1
    lake.overwrite_table(context.home, BILLED_USAGE, parquet.frame(BILLED_USAGE, []))
    refresh_billed_usage(context.home)
    assert billed(context) == before != []


@pytest.fixture(scope="module")
def synced(tmp_path_factory):
    """A folder with a sync of three days, before which the dearest conversation was deleted, and the app."""
    folder = tmp_path_factory.mktemp("bill")
    world = World(conversations=60, days=3, until=NIGHT)
    app = EditingApp(create_app(world, clock=lambda: NIGHT))
    with running(app) as url:
        settings = Settings(home=folder / "data", base_url=url, api_key="demo", prices_every_days=0)
        costs = {blueprint.conversation_id: cost for blueprint, cost, _ in world.billed(NIGHT)}
        world.delete(max(costs, key=costs.__getitem__), NIGHT)
        result = sync.sync(Context(settings, clock=lambda: NIGHT), run_id="run")
        assert (result.problems, result.warnings) == ((), ())
        yield folder, {"ELEVENLABS_API_KEY": "demo", "ELEVENLABS_BASE_URL": url}, app, world


def test_on_each_day_a_sync_s_bill_is_its_conversations_and_those_deleted_before_they_were_copied(synced):
    folder, *_, world = synced
    home = Context(Settings(home=folder / "data", api_key="demo")).home
    copied = set(query(home, "select conversation_id from marts.fct_conversations")["conversation_id"])
    costs, never_copied = Counter(), Counter()
    for blueprint, cost, _ in world.billed(NIGHT):
        day = datetime.fromtimestamp(blueprint.start, UTC).date()
        costs[day] += cost
        never_copied[day] += cost * (blueprint.conversation_id not in copied)
    sql = "select start_date, billed_agents_amount, unexplained_amount from metrics.cost_reconciliation order by 1"
    assert query(home, sql).rows() == [(day, costs[day], never_copied[day]) for day in sorted(costs)]
    assert never_copied.total() > 0


def test_the_command_shows_the_bill_and_asks_for_it(synced):
    folder, settings, app, _ = synced
    shown = run(folder, "bill", "--days", "2")
    assert (shown.code, len(shown.text.splitlines())) == (0, 3)
    assert shown.text.startswith("day         unit     billed  other products  for agents")
    assert ".00" not in shown.text
    ended = run(folder, "bill", "--sync", "--json", **settings)
    assert (ended.code, ended.data["problems"]) == (0, [])
    assert [row["bill_unit"] for row in ended.data["days"]] == ["credits"] * len(ended.data["days"])
    app.edits |= {COST: vendor(403, "missing_permissions"), CREDITS: vendor(403, "missing_permissions")}
    refused = run(folder, "bill", "--sync", **settings)
    app.edits.clear()
    assert refused.code == 3
    assert "scope for workspace analytics" in refused.err


def test_the_command_lists_versions_and_fetches_them(synced):
    folder, settings, app, _ = synced
    everything = run(folder, "versions", "--json")
    name = "Hotel Alder Concierge"
    versions = run(folder, "versions", name)
    assert run(folder, "versions", "--agent", name).text == versions.text
    assert (everything.code, len(everything.data["versions"])) == (0, 11)
    assert (versions.code, len(versions.text.splitlines())) == (0, 3)
    assert "Confirm before tools are used" in versions.text
    assert "agent.prompt.prompt" in versions.text
    fetched = run(folder, "versions", "--sync", **settings)
    assert (fetched.code, "main: 5 agents fetched" in fetched.err) == (0, True)
    (failing,) = {row["agent_id"] for row in everything.data["versions"] if row["agent_id"].startswith("agent_4801")}
    app.edits[f"/v1/convai/agents/{failing}"] = vendor(422)
    partly = run(folder, "versions", "--sync", **settings)
    app.edits.clear()
    assert partly.code == 1
    assert f"- {failing}: " in partly.err
    assert run(folder, "versions", "nobody").code == 2


def test_a_bill_of_another_workspace_is_not_requested(context, billing, monkeypatch):
    def refuse(_context):
        message = "it is another one"
        raise ForeignWorkspaceError(message)

    monkeypatch.setattr("pipelines.usecases.bill.require_same_workspace", refuse)
    with pytest.raises(ForeignWorkspaceError, match="another one"):
        BillCopy(context).fetch_and_land()
    assert (billing.requests, bill_rows(context.home).height) == ([], 0)

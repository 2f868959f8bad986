"""What tests of a whole run share: who was asked for what, and whether the copy equals the truth."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from tests.helpers.editing_app import Answer, respond
from tests.independent import row_counts
from warehouse.connection import open_warehouse
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.serve.query import query
from warehouse.storage import lake


class Tap:
    """An ASGI application that notes the paths asked for, and can spoil one conversation's answer."""

    def __init__(self, app):
        self.app, self.requests, self.spoilt = app, Counter(), None

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            self.requests[scope["path"]] += 1
            if self.spoilt and scope["path"].endswith(self.spoilt):
                await respond(send, Answer(body=b'{"conversation_id": "'))
                return
        await self.app(scope, receive, send)

    @property
    def details(self):
        return Counter({path: n for path, n in self.requests.items() if "/conversations/" in path})


def assert_equals(context, documents):
    """The lake and the warehouse hold the documents to the last row and cent."""
    assert {t.name: lake.read(context.home, t, t.key[:1]).height for t in DOCUMENT_TABLES} == {
        **{t.name: 0 for t in DOCUMENT_TABLES},
        **row_counts.rows(documents),
    }
    with open_warehouse(context.home):  # to open it takes longer than a query
        _assert_sums(context.home, documents)


def _assert_sums(home, documents):
    expected = row_counts.sums(documents)
    actual = query(
        home,
        """
        select
            count(*) as n_calls,
            count(*) filter (where call_successful = 'success') as n_success,
            count(*) filter (where call_successful = 'failure') as n_failure,
            sum(cost_credits)::bigint as cost_credits,
            sum(call_duration_secs)::bigint as call_duration_secs,
            sum(llm_price_usd) as llm_price_usd
        from marts.fct_conversations
        where status in ('done', 'failed')
        """,
    ).row(0, named=True)
    initiated = query(
        home,
        """
        select sum(price_usd) as usd
        from lake.llm_usage
        join marts.fct_conversations using (conversation_id)
        where scope = 'initiated' and status in ('done', 'failed')
        """,
    ).item()
    assert actual | {"initiated_usd": initiated} == pytest.approx(expected, rel=1e-12)
    daily = query(
        home,
        "select start_date, agent_id, sum(n_calls)::bigint from metrics.agent_daily where n_calls > 0 group by all",
    )
    epoch = datetime(1970, 1, 1, tzinfo=UTC).date()
    by_day = {((day - epoch).days, agent_id): n for day, agent_id, n in daily.rows()}
    assert by_day == row_counts.calls_by_day_and_agent(documents)

"""How many requests reach the API at once, counted by the server."""

from __future__ import annotations

import asyncio

import pytest

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import get_conversation
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases.context import connect

BOUND = 20
N_CONVERSATIONS = 900


class RateLimitedApi:
    """Answers 429 to some requests, by number, and counts the requests in flight and the limit at that time."""

    def __init__(self, rejected):
        self.rejected, self.client = rejected, None
        self.n_now, self.in_flight, self.limits = 0, [], []

    async def __call__(self, scope, receive, send):
        self.n_now += 1
        self.in_flight.append(self.n_now)
        self.limits.append(self.client.limiter.limit)
        status = 429 if len(self.in_flight) in self.rejected else 200
        for _ in range(20):  # so that all that may arrive meanwhile does
            await asyncio.sleep(0)
        name = scope["path"].rsplit("/", 1)[1]
        body = f'{{"conversation_id": "{name}", "metadata": {{"start_time_unix_secs": 1}}}}'
        self.n_now -= 1
        await send({"type": "http.response.start", "status": status, "headers": [(b"retry-after", b"1")]})
        await send({"type": "http.response.body", "body": body.encode()})


@pytest.mark.parametrize("bound", [BOUND, 3])
def test_the_load_falls_under_429s_rises_again_and_never_exceeds_the_bound(bound):
    api = RateLimitedApi(rejected=range(400, 430))
    with running(api) as url:
        api.client = ApiClient(
            url,
            "demo",
            concurrency=bound,
            sleep=lambda _secs: asyncio.sleep(0),
            monotonic=lambda: 0.0,
        )

        async def fetch_all():
            async with api.client as client:
                await asyncio.gather(*(get_conversation(client, f"conv_{number}") for number in range(N_CONVERSATIONS)))

        asyncio.run(fetch_all())
    assert len(api.in_flight) == N_CONVERSATIONS + 30
    assert max(api.in_flight) <= bound
    assert (api.limits[0], max(api.limits)) == (min(8, bound), bound)
    assert min(api.limits[400:440]) <= bound // 2
    assert api.limits[-1] == bound


@pytest.mark.parametrize("bound", [BOUND, 3])
def test_the_bound_is_that_of_the_settings(bound):
    api = RateLimitedApi(rejected=())
    with running(api) as url:
        api.client = connect(Settings(api_key="demo", base_url=url, concurrency=bound))

        async def fetch_all():
            async with api.client as client:
                await asyncio.gather(*(get_conversation(client, f"conv_{number}") for number in range(200)))

        asyncio.run(fetch_all())
    assert max(api.limits) == bound
    assert max(api.in_flight) <= bound

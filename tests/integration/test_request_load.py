"""How much the API gets at once, counted where it arrives."""

from __future__ import annotations

import asyncio

import pytest

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import get_conversation
from pipelines.emulator.server.serve import running

BOUND = 20
N_CALLS = 900


class Busy:
    """Answers 429 to some requests, by number, and notes how many were in flight and how many might have been."""

    def __init__(self, refused):
        self.refused, self.client = refused, None
        self.now, self.in_flight, self.limits = 0, [], []

    async def __call__(self, scope, receive, send):
        self.now += 1
        self.in_flight.append(self.now)
        self.limits.append(self.client.limiter.limit)
        status = 429 if len(self.in_flight) in self.refused else 200
        for _ in range(20):  # so that what may arrive meanwhile does
            await asyncio.sleep(0)
        name = scope["path"].rsplit("/", 1)[1]
        body = f'{{"conversation_id": "{name}", "metadata": {{"start_time_unix_secs": 1}}}}'
        self.now -= 1
        await send({"type": "http.response.start", "status": status, "headers": [(b"retry-after", b"1")]})
        await send({"type": "http.response.body", "body": body.encode()})


@pytest.mark.parametrize("bound", [BOUND, 3])
def test_the_load_falls_under_429s_rises_again_and_never_exceeds_the_bound(bound):
    busy = Busy(refused=range(400, 430))
    with running(busy) as url:
        busy.client = ApiClient(
            url,
            "demo",
            concurrency=bound,
            sleep=lambda _secs: asyncio.sleep(0),
            monotonic=lambda: 0.0,
        )

        async def read_all():
            async with busy.client as client:
                await asyncio.gather(*(get_conversation(client, f"conv_{number}") for number in range(N_CALLS)))

        asyncio.run(read_all())
    assert len(busy.in_flight) == N_CALLS + 30
    assert max(busy.in_flight) <= bound
    assert (busy.limits[0], max(busy.limits)) == (min(8, bound), bound)
    assert min(busy.limits[400:440]) <= bound // 2
    assert busy.limits[-1] == bound

"""The access check says which agents are reachable and why others are not, and keeps no secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pipelines.emulator.data.agents import BY_ID
from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from tests.helpers.disk_contents import contents
from tests.helpers.editing_app import Answer, respond
from tests.helpers.run_cli import run
from warehouse.schema.activity import AGENT_ACCESS
from warehouse.storage import lake
from warehouse.storage.home import Home

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
FIRST, SECOND, *_ = sorted(BY_ID)


class Secrets:
    """The API, the secrets that it returned, and the responses that replace some."""

    def __init__(self):
        self.app = create_app(World(conversations=20, days=2, until=UNTIL), clock=lambda: UNTIL)
        self.given, self.instead = [], {}

    async def __call__(self, scope, receive, send):
        way = scope.get("path", "").rsplit("/", 1)[-1]
        if way in self.instead:
            await respond(send, Answer(*self.instead[way]))
            return

        async def listen(message):
            if message["type"] == "http.response.body" and way in ("token", "get-signed-url"):
                self.given.append(message["body"])
            await send(message)

        await self.app(scope, receive, listen)


@pytest.fixture
def api():
    secrets = Secrets()
    with running(secrets) as url:
        yield secrets, {"ELEVENLABS_API_KEY": "demo", "ELEVENLABS_BASE_URL": url}


def kept(folder):
    columns = ("agent_id", "way", "is_reachable", "status")
    return lake.read(Home(folder / "data"), AGENT_ACCESS).sort("agent_id", "way").select(columns).rows()


def test_reachable_and_unknown_agents_are_told_apart_and_no_secret_is_kept(api, tmp_path, caplog):
    secrets, settings = api
    ended = run(tmp_path, "access", "agent_none/../x", FIRST, "--debug", **settings)
    assert (ended.code, ended.err.splitlines()[-1]) == (1, "access: 2 of 2 agents")
    lines = [line.split() for line in ended.text.splitlines()]
    assert [line[:3] for line in lines[1:]] == [
        [FIRST, "signed_url", "yes"],
        [FIRST, "token", "yes"],
        ["agent_none/../x", "signed_url", "no"],
        ["agent_none/../x", "token", "no"],
    ]
    assert "404" in ended.text
    assert kept(tmp_path) == sorted(
        [
            (FIRST, "signed_url", True, None),
            (FIRST, "token", True, None),
            ("agent_none/../x", "signed_url", False, 404),
            ("agent_none/../x", "token", False, 404),
        ]
    )
    held = contents(tmp_path) + ended.out + ended.err.encode() + caplog.text.encode()
    assert len(secrets.given) >= 2
    words = [
        value
        for body in secrets.given
        for value in json.loads(body).values()
        if (isinstance(value, str) and "://" in value) or str(value).startswith("emulated.")
    ]
    assert len(words) == 2
    assert not [word for word in words if word.encode() in held]


def test_all_agents_of_the_list_are_checked_by_default(api, tmp_path):
    _, settings = api
    assert run(tmp_path, "access", **settings).code == 2
    run(tmp_path, "sync", **settings)
    ended = run(tmp_path, "access", "--json", **settings)
    probed_ids = {probe["agent_id"] for probe in ended.data["probes"]}
    assert ended.code == 0
    assert probed_ids == set(lake.read(Home(tmp_path / "data"), AGENT_ACCESS)["agent_id"])
    assert probed_ids >= {FIRST}


@pytest.mark.parametrize("secret", [b'{"token": ["s3cr3t"]}', b's3cr3t {"token"', b'"s3cr3t"'])
def test_a_secret_in_a_malformed_response_is_in_no_error(secret, api, tmp_path, caplog):
    secrets, settings = api
    secrets.instead["token"] = (200, secret)
    ended = run(tmp_path, "access", FIRST, "--debug", **settings)
    assert (ended.code, "the answer holds no token" in ended.text) == (1, True)
    assert b"s3cr3t" not in contents(tmp_path) + ended.out + ended.err.encode() + caplog.text.encode()


def test_a_missing_scope_is_named_with_its_endpoint_and_the_other_way_is_still_tried(api, tmp_path):
    secrets, settings = api
    detail = {"detail": {"status": "missing_permissions", "message": "The API key lacks convai_write."}}
    secrets.instead["get-signed-url"] = (401, json.dumps(detail).encode())
    ended = run(tmp_path, "access", "--agent", FIRST, "--json", **settings)
    signed_url, token = ended.data["probes"]
    assert (ended.code, signed_url["is_reachable"], token["is_reachable"]) == (1, False, True)
    assert "GET /v1/convai/conversation/get-signed-url answered 401" in signed_url["reason"]
    assert "scope convai_write" in signed_url["reason"]


def test_a_wrong_key_is_an_error_and_nothing_is_logged(api, tmp_path):
    _, settings = api
    ended = run(tmp_path, "access", FIRST, **settings | {"ELEVENLABS_API_KEY": "other"})
    assert (ended.code, "the key is wrong" in ended.err) == (3, True)
    assert kept(tmp_path) == []

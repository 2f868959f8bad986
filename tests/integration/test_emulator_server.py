"""The emulator over loopback: paging, keys, error bodies, faults, the port."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from pipelines.cli.emulate import emulate
from pipelines.emulator.data.agents import AGENTS
from pipelines.emulator.data.story import STORY
from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.faults import Faults
from pipelines.emulator.server.serve import running, serve_forever
from pipelines.errors import UsageError

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
LIST = "/v1/convai/conversations"


@pytest.fixture(scope="module")
def world() -> World:
    return World(conversations=120, days=4, until=UNTIL)


def served(world: World, faults: str = "") -> Any:
    return running(create_app(world, clock=lambda: UNTIL, faults=Faults.parse(faults)))


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[httpx.Client]:
    with served(world) as url, httpx.Client(base_url=url, headers={"xi-api-key": "demo"}) as client:
        yield client


def paged(client: httpx.Client, size: int) -> list[dict[str, Any]]:
    pages, cursor = [], None
    while True:
        answer = client.get(LIST, params={"page_size": size} | ({"cursor": cursor} if cursor else {}))
        pages.append(answer.json())
        cursor = pages[-1]["next_cursor"]
        if not pages[-1]["has_more"]:
            return pages


def test_serves_exactly_what_the_world_holds(client: httpx.Client, world: World) -> None:
    pages = paged(client, 25)
    ids = [row["conversation_id"] for page in pages for row in page["conversations"]]
    truth = list(world.details(UNTIL))
    assert ids == [document["conversation_id"] for document in truth]
    assert [client.get(f"{LIST}/{key}").json() for key in ids] == truth
    assert [len(page["conversations"]) for page in pages[:-1]] == [25] * (len(pages) - 1)
    assert (pages[-1]["next_cursor"], pages[-1]["has_more"]) == (None, False)


def test_thirty_rows_make_a_page_unless_asked_otherwise(client: httpx.Client) -> None:
    assert len(client.get(LIST).json()["conversations"]) == 30


def refused(client: httpx.Client, url: str, **options: Any) -> tuple[int, Any]:
    answer = client.get(url, **options)
    assert answer.headers["x-trace-id"]
    assert answer.headers["x-region"]
    return answer.status_code, answer.json()["detail"]


def test_the_messages_of_a_row_are_the_entries_with_text(client: httpx.Client) -> None:
    rows = client.get(LIST, params={"page_size": 100}).json()["conversations"]
    of_2026 = [row for row in rows if "user_message_count" in row]
    assert of_2026
    for row in of_2026:
        assert row["message_count"] == row["user_message_count"] + row["agent_message_count"]


def test_refusals_have_the_four_bodies_of_the_real_api(client: httpx.Client, world: World) -> None:
    silent = next(document["conversation_id"] for document in world.details(UNTIL) if not document["has_audio"])
    anonymous = httpx.Request("GET", client.base_url.join(LIST))
    no_key = client.send(anonymous)  # a bare request carries none of the client's headers
    assert (no_key.status_code, no_key.json()["detail"]["status"]) == (401, "needs_authorization")
    bearer = httpx.get(client.base_url.join(LIST), headers={"authorization": "Bearer demo"})
    assert (bearer.status_code, bearer.json()["detail"]["status"]) == (401, "invalid_authorization_header")
    status, detail = refused(client, LIST, headers={"xi-api-key": "wrong"})
    assert (status, detail["status"], set(detail)) == (
        401,
        "invalid_api_key",
        {"type", "code", "message", "status", "request_id"},
    )
    status, detail = refused(client, f"{LIST}/conv_none")
    assert (status, set(detail)) == (404, {"status", "message"})
    assert refused(client, f"{LIST}/{silent}/audio") == (404, "There is no audio for this conversation.")
    status, detail = refused(client, LIST, params={"page_size": 101})
    assert (status, detail[0]["loc"], set(detail[0])) == (422, ["query", "page_size"], {"type", "loc", "msg", "input"})


@pytest.mark.parametrize("cursor", ["garbage", "e30=", "bnVsbA==", "eyJsYXN0X2NvbnZlcnNhdGlvbl9pZCI6ImNvbnZfeCJ9"])
def test_a_cursor_that_is_none_is_400(client: httpx.Client, cursor: str) -> None:
    assert refused(client, LIST, params={"cursor": cursor})[0] == 400


def test_a_wrong_parameter_is_told_before_a_wrong_key(client: httpx.Client) -> None:
    wrong = {"xi-api-key": "wrong"}
    assert refused(client, LIST, params={"page_size": 0}, headers=wrong)[0] == 422
    assert refused(client, "/v1/convai/conversation/token", headers=wrong)[0] == 422
    body = client.post(f"{LIST}/conv_none/feedback", json={"feedback": "meh"}, headers=wrong)
    assert body.status_code == 422


def test_deletes_answer_in_three_ways_and_then_404() -> None:
    world = World(conversations=30, days=2, until=UNTIL)
    with served(world) as url, httpx.Client(base_url=url, headers={"xi-api-key": "demo"}) as client:
        ids = [row["conversation_id"] for row in client.get(LIST).json()["conversations"]][:3]
        answers = [client.delete(f"{LIST}/{key}") for key in ids]
        assert [(answer.status_code, answer.text) for answer in answers] == [(200, "{}"), (200, "null"), (204, "")]
        assert [client.get(f"{LIST}/{key}").status_code for key in ids] == [404] * 3
        assert client.delete(f"{LIST}/{ids[0]}").status_code == 404
        assert not {row["conversation_id"] for row in client.get(LIST).json()["conversations"]} & set(ids)


def test_a_list_goes_on_below_an_anchor_that_was_deleted() -> None:
    world = World(conversations=30, days=2, until=UNTIL)
    with served(world) as url, httpx.Client(base_url=url, headers={"xi-api-key": "demo"}) as client:
        first = client.get(LIST, params={"page_size": 5}).json()
        client.delete(f"{LIST}/{first['conversations'][-1]['conversation_id']}")
        second = client.get(LIST, params={"page_size": 5, "cursor": first["next_cursor"]}).json()
        whole = [document["conversation_id"] for document in world.details(UNTIL)]
        assert [row["conversation_id"] for row in second["conversations"]] == whole[4:9]


def test_audio_comes_with_a_length_and_without(client: httpx.Client, world: World) -> None:
    ids = [document["conversation_id"] for document in world.details(UNTIL) if document["has_audio"]]
    answers = [client.get(f"{LIST}/{key}/audio") for key in ids[:20]]
    assert {answer.headers["content-type"] for answer in answers} == {"audio/mpeg"}
    assert {"content-length" in answer.headers for answer in answers} == {True, False}
    assert all(answer.content.startswith(b"\xff\xfb") for answer in answers)


def test_prices_are_refused_for_wrong_bodies_and_unknown_agents(client: httpx.Client) -> None:
    url = "/v1/convai/agent/{}/llm-usage/calculate"
    answers = [
        client.post(url.format(AGENTS[0].agent_id), json={"prompt_length": "long"}),
        client.post(url.format(AGENTS[0].agent_id), content=b"{"),
        client.post(url.format("agent_none"), json={}),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 404]


def outcomes(client: httpx.Client, url: str, times: int) -> list[httpx.Response | httpx.TransportError]:
    results: list[httpx.Response | httpx.TransportError] = []
    for _ in range(times):
        try:
            results.append(client.get(url))
        except httpx.TransportError as error:
            results.append(error)
    return results


@pytest.fixture
def broken(world: World, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    with served(world, request.param) as url, httpx.Client(base_url=url, headers={"xi-api-key": "demo"}) as client:
        yield client


@pytest.mark.parametrize("broken", ["429=1"], indirect=True)
def test_429_comes_with_seconds_a_date_or_nothing(broken: httpx.Client) -> None:
    answers = [broken.get(LIST) for _ in range(40)]
    waits = {value.headers.get("retry-after") for value in answers}
    sent = parsedate_to_datetime(answers[0].headers["date"])
    assert {answer.status_code for answer in answers} == {429}
    assert {None, "1"} < waits
    assert all(parsedate_to_datetime(wait) >= sent for wait in waits - {None, "1"} if wait)
    assert {frozenset(answer.json()["detail"]) for answer in answers} == {
        frozenset({"status", "message"}),
        frozenset({"status", "message", "type", "code", "request_id"}),
    }


@pytest.mark.parametrize("broken", ["5xx=1"], indirect=True)
def test_server_errors_are_mostly_html(broken: httpx.Client) -> None:
    answers = [broken.get(LIST) for _ in range(40)]
    assert {answer.status_code for answer in answers} == {500, 502, 503, 504}
    assert {answer.headers["content-type"] for answer in answers} == {"text/html; charset=utf-8", "application/json"}


@pytest.mark.parametrize("broken", ["reset=1"], indirect=True)
def test_resets_come_before_and_within_the_answer(broken: httpx.Client) -> None:
    results = outcomes(broken, LIST, 20)
    assert [answer for answer in results if isinstance(answer, httpx.Response)] == []


@pytest.mark.parametrize("broken", ["truncate=1"], indirect=True)
def test_bodies_are_cut_with_and_without_a_sign(broken: httpx.Client) -> None:
    results = outcomes(broken, LIST, 20)
    whole = [answer for answer in results if isinstance(answer, httpx.Response)]
    assert {type(answer) for answer in results} == {httpx.RemoteProtocolError, httpx.Response}
    for answer in whole:
        assert answer.status_code == 200
        with pytest.raises(json.JSONDecodeError):
            answer.json()


@pytest.mark.parametrize("broken", ["garbage=1"], indirect=True)
def test_garbage_is_200_and_html(broken: httpx.Client) -> None:
    answer = broken.get(LIST)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("broken", ["repeat_rows=1"], indirect=True)
def test_pages_repeat_rows_of_the_page_before_and_lose_none(broken: httpx.Client, world: World) -> None:
    pages = [[row["conversation_id"] for row in page["conversations"]] for page in paged(broken, 20)]
    assert pages[1][:5] == pages[0][-5:]
    merged = list(dict.fromkeys(key for page in pages for key in page))
    assert merged == [document["conversation_id"] for document in world.details(UNTIL)]


@pytest.mark.parametrize("broken", ["repeat_cursor=1"], indirect=True)
def test_a_page_gives_its_own_cursor_again(broken: httpx.Client) -> None:
    first = broken.get(LIST).json()["next_cursor"]
    second = broken.get(LIST, params={"cursor": first}).json()
    assert (second["next_cursor"], second["has_more"]) == (first, True)


@pytest.mark.parametrize("broken", ["429=0.2,5xx=0.2,reset=0.1,garbage=0.1,truncate=0.1,seed=4"], indirect=True)
def test_a_mixture_lets_some_answers_through(broken: httpx.Client, world: World) -> None:
    target = next(world.details(UNTIL))
    whole = 0
    for answer in outcomes(broken, f"{LIST}/{target['conversation_id']}", 60):
        if isinstance(answer, httpx.Response) and answer.status_code == 200:
            whole += answer.text.startswith("{") and answer.text.endswith("}") and answer.json() == target
    assert 8 < whole < 30


def test_a_port_in_use_is_a_usage_error(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"Port {port} of 127.0.0.1 is in use"):
            serve_forever(create_app(world, clock=lambda: UNTIL), port=port, ready=print)


def test_the_socket_is_closed_when_the_server_stops(world: World) -> None:
    with served(world) as url:
        assert httpx.get(f"{url}{LIST}").status_code == 401
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}{LIST}")


def test_the_command_serves_until_interrupted() -> None:
    options = ["--port", "0", "--conversations", "20", "--days", "2", "--now", "2026-11-22T00:00:00"]
    command = [sys.executable, "-c", "from pipelines.cli.emulate import emulate; emulate()", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command line
        assert process.stderr is not None
        announced = process.stderr.readline() + process.stderr.readline()
        paste = re.search(r"export ELEVENLABS_BASE_URL=(\S+) ELEVENLABS_API_KEY=demo\n", announced)
        assert paste is not None
        rows = httpx.get(f"{paste[1]}{LIST}", headers={"xi-api-key": "demo"}).json()["conversations"]
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert [row["status"] for row in rows[:3]] == ["initiated", "in-progress", "processing"]
    assert (process.returncode, rest) == (0, "Emulator stopped.\n")


@pytest.mark.parametrize(
    ("options", "named"), [(["--now", "yesterday"], "'yesterday'"), (["--faults", "teapot=1"], "'teapot=1'")]
)
def test_the_command_names_a_wrong_option(options: list[str], named: str) -> None:
    result = CliRunner().invoke(emulate, options)
    assert isinstance(result.exception, UsageError)
    assert named in result.exception.message


def test_the_calculators_price_of_a_model_jumps_with_the_story() -> None:
    jump = STORY.price_jump
    first = datetime(2026, 11, 22, tzinfo=UTC) - timedelta(days=40)
    world = World(
        conversations=4, days=1, until=first, shift_days=365
    )  # the days that count are those before the shift
    moments = [first + timedelta(days=365 + day) for day in range(STORY.cycle_days)]
    prices = []
    now = [first]
    with (
        running(create_app(world, clock=lambda: now[0])) as url,
        httpx.Client(base_url=url, headers={"xi-api-key": "demo"}) as client,
    ):
        for moment in moments:
            now[0] = moment
            answer = client.post(f"/v1/convai/agent/{AGENTS[0].agent_id}/llm-usage/calculate", json={}).json()
            prices.append({price["llm"]: price["price_per_minute"] for price in answer["llm_prices"]})
    by_model = {model: sorted({price[model] for price in prices}) for model in prices[0]}
    low, high = by_model.pop(jump.model)
    assert high == pytest.approx(low * jump.factor)
    assert sum(price[jump.model] == high for price in prices) == STORY.cycle_days - jump.from_day
    assert {len(of_model) for of_model in by_model.values()} == {1}

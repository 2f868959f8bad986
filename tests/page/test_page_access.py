"""Who may see the page, and that no request, odd, long or slow, does more than get an answer or a refusal."""

from __future__ import annotations

import socket
import time
import urllib.request
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from pipelines.page import server as page_server
from pipelines.page.app import create_app
from pipelines.page.security import Guard, host_name, is_loopback
from tests.helpers.browsing import served
from tests.helpers.page_home import site
from tests.helpers.run_cli import run

pytestmark = pytest.mark.timeout(400)  # the first test of a worker syncs the home

BASE = "http://127.0.0.1"
TOKEN = "a-token-of-the-tests"  # noqa: S105 - of these tests


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1"])
def test_without_a_token_another_host_name_is_refused(host, page_home):
    client = TestClient(create_app(site(page_home)), base_url=BASE)
    assert client.get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8767", "localhost", "LOCALHOST:1", "[::1]:8767"])
def test_this_machine_is_let_in_by_its_names(host, page_home):
    client = TestClient(create_app(site(page_home)), base_url=BASE)
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("header", ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"])
def test_without_a_token_nobody_is_let_in_by_a_proxy_of_this_machine(header, page_home):
    client = TestClient(create_app(site(page_home)), base_url=BASE)
    refused = client.get("/", headers={header: "203.0.113.7"})
    assert (refused.status_code, "CONVOHOUSE_PAGE_TOKEN" in refused.text) == (403, True)


def test_behind_a_proxy_a_browser_signs_in_and_has_a_cookie_for_encrypted_connections(page_home):
    headers = {"host": "calls.example.com", "x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}
    page = create_app(site(page_home), token=TOKEN)
    client = TestClient(page, base_url="https://calls.example.com", headers=headers, follow_redirects=False)
    assert client.get("/money").status_code == 401
    signed_in = client.post("/sign-in", data={"token": TOKEN, "target": "/money"})
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/money")
    assert "secure" in signed_in.headers["set-cookie"].lower()
    assert client.get("/money").status_code == 200


def test_loopback_addresses():
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "[::1]", "localhost", "localhost.")] == [True] * 5
    assert [is_loopback(host) for host in ("0.0.0.0", "192.168.0.1", "localhost.com", "")] == [False] * 4  # noqa: S104 - refused


def test_what_is_no_host_name_is_none():
    hosts = ("127.0.0.1:1", "[::1]:8767", "localhost")
    assert [host_name(host) for host in hosts] == ["127.0.0.1", "[::1]", "localhost"]
    odd = ("evil@127.0.0.1", "127.0.0.1#.evil.example", "127.0.0.1/.evil.example", "[", "[::1", "::1", "a b", "", "x:y")
    assert [host_name(host) for host in odd] == [""] * len(odd)


@pytest.mark.parametrize("host", ["[", "127.0.0.1#.evil.example", "evil@127.0.0.1"])
def test_a_host_that_could_be_read_in_two_ways_is_refused(host, page_home):
    client = TestClient(create_app(site(page_home)), base_url=BASE)
    assert client.get("/static/page.css", headers={"host": host}).status_code == 403


@pytest.mark.parametrize(
    ("site_of", "mode", "code"),
    [
        ("cross-site", "no-cors", 403),
        ("cross-site", "navigate", 200),
        ("same-origin", "cors", 200),
        ("none", "navigate", 200),
    ],
)
def test_another_site_may_link_here_and_nothing_else(site_of, mode, code, page_home):
    client = TestClient(create_app(site(page_home)), base_url=BASE)
    headers = {"sec-fetch-site": site_of, "sec-fetch-mode": mode}
    assert client.get("/static/page.css", headers=headers).status_code == code


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/speed?days=7&agent=a%20b", "/speed?days=7&agent=a%20b"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\tx//evil.example", "/"),
        ("/sign-in", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_to_the_page_that_was_asked_for_and_to_no_other_site(target, location, page_home):
    app = create_app(site(page_home), token=TOKEN)
    client = TestClient(app, base_url="http://house.example", follow_redirects=False)
    response = client.post("/sign-in", data={"token": TOKEN, "target": target})
    assert (response.status_code, response.headers["location"]) == (303, location)


@pytest.mark.parametrize(
    ("base_url", "headers", "is_secure"),
    [
        (BASE, {}, False),
        (BASE, {"x-forwarded-proto": "https"}, True),
        ("https://house.example", {}, True),
    ],
)
def test_the_cookie_of_an_encrypted_connection_is_for_encrypted_ones_alone(base_url, headers, is_secure):
    guarded = Starlette(middleware=[Middleware(Guard, token=TOKEN)])
    client = TestClient(guarded, base_url=base_url, follow_redirects=False)
    response = client.post("/sign-in", data={"token": TOKEN}, headers=headers)
    _, *attributes = response.headers["set-cookie"].lower().split("; ")
    assert set(attributes) == {"httponly", "samesite=lax", "path=/", *(["secure"] if is_secure else [])}


def test_the_form_has_the_address_that_was_asked_for(page_home):
    client = TestClient(create_app(site(page_home), token=TOKEN), base_url="http://house.example")
    page = client.get('/speed?days=7&x="><script>').text
    assert 'name="target" value="/speed?days=7&amp;x=%22%3E%3Cscript%3E"' in page


PARAMETERS = (
    *("days", "from", "to", "workspace", "agent", "channel", "language", "version", "compare", "outcome", "verdict"),
    *("contained", "transferred", "min_wait", "criterion", "tool", "tool_error", "termination", "model", "weekday"),
    *("hour", "repeat", "words", "sort", "page", "q"),
)
ODD = ("", " ", "0", "-1", "1e999", "nan", "9" * 400, "2026-02-30", "none", "'; --", "%", "\x00", "\ud83d", "é" * 4000)


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_an_odd_value_is_an_answer_or_a_refusal_and_never_a_fault(parameter, page_home):
    client = TestClient(create_app(site(page_home)), base_url=BASE, raise_server_exceptions=False)
    path = "/catalogue" if parameter == "q" else "/conversations"
    values = [value.encode("utf-8", "surrogatepass") for value in ODD] + [b"\xff\xfe"]
    codes = {
        client.get(f"{path}?{urlencode({parameter: value})}&{urlencode({parameter: value})}").status_code
        for value in values
    }
    assert codes <= {200, 400}


def test_an_id_as_long_as_an_address_can_be_costs_little(page_home):
    client = TestClient(create_app(site(page_home)), base_url=BASE)
    start = time.process_time()
    assert client.get(f"/conversations/{'x' * 60_000}").status_code == 404
    assert time.process_time() - start < 2


def test_head_has_no_body_and_options_are_refused(page_home):
    client = TestClient(create_app(site(page_home)), base_url=BASE)
    head = client.head("/")
    assert (head.status_code, head.content) == (200, b"")
    assert client.options("/").status_code == 404


def test_a_client_that_sends_no_complete_request_is_cut_off_and_keeps_nobody_waiting(page_home, monkeypatch):
    monkeypatch.setattr(page_server, "HEAD_SECS", 0.5)
    with served(page_home) as url:
        address = urlsplit(url)
        slow = [socket.create_connection((address.hostname, address.port), timeout=30) for _ in range(250)]
        for connection in slow:
            with suppress(OSError):  # it was closed at once
                connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        assert [connection_is_closed(connection) for connection in slow] == [True] * len(slow)
        with urllib.request.urlopen(f"{url}/static/page.css", timeout=30) as response:  # noqa: S310 - ours
            assert response.status == 200


def connection_is_closed(connection):
    """Whether the server closes a connection, which waits for that."""
    with connection, suppress(ConnectionResetError):
        return connection.recv(1) == b""
    return True


def test_with_a_token_only_those_who_have_it_see_anything(page_home):
    client = TestClient(
        create_app(site(page_home), token=TOKEN), base_url="http://house.example", follow_redirects=False
    )
    for path in ("/", "/conversations", "/recordings/x", "/static/charts.js", "/nothing", "/sign-in"):
        response = client.get(path)
        assert (response.status_code, "Success rate" in response.text) == (401, False)
    assert client.get("/", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert client.get("/", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/", headers={"cookie": f"convohouse_page={TOKEN}"}).status_code == 401
    wrong = client.post("/sign-in", data={"token": f"{TOKEN}x"})
    assert (wrong.status_code, wrong.headers.get("set-cookie")) == (401, None)
    assert client.post("/sign-in", content=b"token=" + b"x" * 9000).status_code == 413
    right = client.post("/sign-in", data={"token": TOKEN})
    assert (right.status_code, right.headers["location"]) == (303, "/")
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie  # so that a link in a chat opens the page; nothing is changed by a GET
    assert TOKEN not in cookie
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--host", "0.0.0.0"), "no token is set"),  # noqa: S104 - refused
        (("--host", "0.0.0.0", "--token", "short"), "shorter than 16 characters"),  # noqa: S104 - refused
        (("--port", "0", "--token", "short"), "shorter than 16 characters"),
    ],
)
def test_the_command_refuses_another_host_without_a_good_token(arguments, message, page_home):
    ended = run(page_home.root.parent, "serve", "--home", str(page_home.root), *arguments)
    assert (ended.code, message in ended.err) == (2, True)
    assert "short\n" not in ended.err


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2f..%2fsettings.py",
        "/static/page.css%00",
        "/static//etc/passwd",
        "/recordings/../../../../etc/passwd",
        "/recordings/%2e%2e%2f%2e%2e%2fwarehouse.duckdb",
        "/recordings//etc/passwd",
        "/conversations/%2e%2e%2fwarehouse.duckdb",
        "/catalogue/..%2f..%2fetc",
        "/warehouse.duckdb",
        "/templates/base.html",
    ],
)
def test_no_address_reaches_the_disk(path, page_home):
    response = TestClient(create_app(site(page_home)), base_url=BASE).get(path)
    assert response.status_code == 404
    assert "root:" not in response.text


def test_methods_other_than_reading_are_refused(page_home):
    client = TestClient(create_app(site(page_home)), base_url=BASE)
    assert [client.request(method, "/").status_code for method in ("POST", "PUT", "DELETE")] == [404, 404, 404]

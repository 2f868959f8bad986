"""What making a client costs, and what it takes along from one request to the next."""

import ssl
import subprocess
import sys

import httpx
import pytest

from pipelines.api import transport
from pipelines.api.client import ApiClient
from tests.helpers.fake_api import DETAIL, Server, ask, client, conversation


def test_without_a_client_no_http_library_is_loaded() -> None:
    code = (
        "import sys, pipelines.api.client, pipelines.api.endpoints\n"
        "print({'httpx', 'aiohttp', 'httpx_aiohttp'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout == "set()\n"


@pytest.fixture
def bundles(monkeypatch):
    """How often the authorities were read; the cache is empty for this test and after it."""
    read = []

    def create_default_context(**of):
        read.append(of)
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    monkeypatch.setattr(ssl, "create_default_context", create_default_context)
    transport._system_trust.cache_clear()
    yield read
    transport._system_trust.cache_clear()


def test_the_authorities_are_read_once_for_all_clients(bundles, monkeypatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "of-the-company.pem")
    for _ in range(3):
        ApiClient("https://api.example", "key")
    assert bundles == [{"cafile": "of-the-company.pem"}]


def test_https_to_ourselves_trusts_the_authorities_of_the_environment(bundles, monkeypatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "of-the-company.pem")
    ApiClient("https://localhost:8443", "key")
    assert bundles == [{"cafile": "of-the-company.pem"}]


def test_plain_http_to_ourselves_reads_no_authorities_and_trusts_none(bundles) -> None:
    ApiClient("http://127.0.0.1:8000", "key")
    assert bundles == []
    context = transport._no_trust()
    assert (context.verify_mode, context.check_hostname, context.get_ca_certs()) == (ssl.CERT_REQUIRED, True, [])


def test_a_cookie_is_not_sent_back() -> None:
    server = Server(httpx.Response(200, content=DETAIL, headers={"set-cookie": "who=42; Path=/"}))

    async def twice(api: ApiClient) -> None:
        await conversation(api)
        await conversation(api)

    ask(client(server), twice)

    assert ["cookie" in request.headers for request in server.requests] == [False, False]

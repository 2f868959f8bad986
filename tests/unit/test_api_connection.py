"""What making a client costs, and what it takes along from one request to the next."""

import ssl
import subprocess
import sys

import httpx
import pytest

from pipelines.api import transport
from pipelines.api.client import ApiClient
from pipelines.errors import ApiUnavailableError, SettingsError
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


@pytest.fixture
def proxies(monkeypatch):
    """An environment without proxies, to which a test adds its own."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    "proxy", ["socks5://u:s3cret@proxy:1080", "socks4://proxy:1080", "ftp://proxy", "http://pr\u00f6 xy:1"]
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY", "all_proxy"])
def test_a_proxy_that_cannot_be_used_is_a_wrong_setting(proxies, variable, proxy) -> None:
    proxies.setenv(variable, proxy)
    with pytest.raises(SettingsError) as refused:
        ApiClient("https://api.example", "key")
    assert refused.value.message == "The proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is not the URL of an HTTP proxy."
    assert refused.value.hint == "Write http://HOST:PORT."
    assert refused.value.exit_code == 2


def test_a_socks_proxy_for_other_hosts_does_not_matter(proxies) -> None:
    proxies.setenv("ALL_PROXY", "socks5://proxy:1080")
    proxies.setenv("HTTPS_PROXY", "http://proxy:8080")
    ApiClient("https://api.example", "key")
    proxies.delenv("HTTPS_PROXY")
    proxies.setenv("NO_PROXY", "api.example")
    ApiClient("https://api.example", "key")


@pytest.mark.parametrize(
    ("proxy", "remedy"), [("", "Check the network. "), ("http://127.0.0.1:9", "Check the network, and the proxy in ")]
)
def test_a_host_without_an_answer_names_the_proxy_if_there_is_one(proxies, proxy, remedy) -> None:
    proxies.setenv("HTTPS_PROXY", proxy)

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Cannot connect to host 127.0.0.1:9 ssl:default [refused]", request=request)

    api = ApiClient("https://api.example", "key", transport=httpx.MockTransport(refuse))
    with pytest.raises(ApiUnavailableError) as failure:
        ask(api, conversation)
    assert failure.value.message.endswith(
        "got no answer from api.example: Cannot connect to host 127.0.0.1:9 [refused]."
    )
    assert failure.value.hint.startswith(remedy)


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file or directory"), ("no certificate", "it has no certificate")]
)
def test_certificates_that_cannot_be_read_are_a_wrong_setting(tmp_path, monkeypatch, content, reason) -> None:
    bundle = tmp_path / "company.pem"
    if content:
        bundle.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    transport._system_trust.cache_clear()
    with pytest.raises(SettingsError) as refused:
        ApiClient("https://api.example", "key")
    assert refused.value.message == f"The certificates in SSL_CERT_FILE cannot be read: {reason}."
    assert refused.value.exit_code == 2

"""What the filter offers, what it shows as chosen, and where it does not apply."""

from __future__ import annotations

import re
import shutil
from html import unescape
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest
from starlette.testclient import TestClient

from pipelines.page.app import create_app
from pipelines.page.views.overview import MAX_ITEMS
from tests.helpers.page_home import site
from warehouse.storage.home import Home

pytestmark = pytest.mark.timeout(400)  # the first test of a worker syncs the home

BASE = "http://127.0.0.1"
CLINIC, HOTEL = "agent_7301k6rqw8z4e5vbx9n2tmc0hdyj", "agent_4801k7ahc3m9x5n2wzq8ev0tybdj"
VERSION = "agtvrsn_5201kb3mh9x7s0e4fv8t2qdc6wyn"  # of the clinic


@pytest.fixture(scope="module")
def client(page_home):
    return TestClient(create_app(site(page_home)), base_url=BASE)


@pytest.fixture
def copy(page_home, tmp_path):
    """The home with a second workspace, whose one agent is that of the hotel."""
    shutil.copytree(page_home.root, tmp_path / "home")
    home = Home(tmp_path / "home")
    with duckdb.connect(str(home.warehouse)) as connection:
        for table in ("marts.fct_conversations", "marts.fct_turns", "marts.dim_agents"):
            connection.execute(f"update {table} set workspace = 'second' where agent_id = '{HOTEL}'")  # noqa: S608 -- ours
    return home


def options(page, name):
    """The options of a choice, label by value, and the value that is selected."""
    (select,) = re.findall(rf'<select name="{name}">(.*?)</select>', page.text, re.DOTALL)
    choices = re.findall(r'<option value="([^"]*)"( selected)?>(.*?)</option>', select)
    chosen = [value for value, is_selected, _ in choices if is_selected]
    return {value: unescape(label) for value, _, label in choices}, (chosen or [""])[0]


def test_conversations_without_a_version_are_a_choice_that_shows_as_chosen(client):
    page = client.get(f"/agents?days=28&agent={CLINIC}")
    (link,) = re.findall(r'<td class=""><a href="(/\?[^"]*version=none[^"]*)"', page.text)
    labels, chosen = options(client.get(unescape(link)), "version")
    assert (labels["none"], chosen) == ("version not given", "none")
    assert VERSION in labels


def test_a_version_is_offered_with_its_own_agent_and_dropped_with_another(client):
    labels, chosen = options(client.get(f"/?version={VERSION}"), "version")
    assert (labels[VERSION].rpartition(", ")[2], chosen) == ("Harbour Clinic Reception", VERSION)
    page = client.get(f"/?version={VERSION}&agent={HOTEL}")
    labels, chosen = options(page, "version")
    assert (VERSION in labels, chosen) == (False, "")
    assert "version=" not in page.text
    assert page.text == client.get(f"/?agent={HOTEL}").text


def test_an_agent_is_offered_with_its_own_workspace_and_dropped_with_another(copy):
    client = TestClient(create_app(site(copy)), base_url=BASE)
    page = client.get("/?workspace=second")
    assert options(page, "workspace") == ({"": "all", "main": "main", "second": "second"}, "second")
    assert list(options(page, "agent")[0]) == ["", HOTEL]
    page = client.get(f"/?workspace=second&agent={CLINIC}")
    assert options(page, "agent")[1] == ""
    assert page.text == client.get("/?workspace=second").text


@pytest.mark.parametrize("name", ["workspace", "agent", "channel", "language", "version"])
def test_what_nobody_could_choose_is_refused_and_not_shown_as_all(name, client):
    page = client.get(f"/?{name}=nonsense")
    assert page.status_code == 400
    assert f"There is no such {name}." in page.text


def test_what_needs_attention_is_listed_to_the_end(client):
    section = client.get("/?days=28").text.split('id="attention"')[1].split("</section>")[0]
    first, n_more, more = re.split(r"<details><summary>(\d+) more in this period</summary>", section)
    item = r'<a href="[^"]+">[^<]+</a><span class="sub">[^<]+</span>'
    assert (len(re.findall(item, first)), len(re.findall(item, more))) == (MAX_ITEMS, int(n_more))


def test_what_is_about_all_conversations_of_an_agent_leads_to_all_of_them(client):
    """Unusual days, missed targets and versions side by side know no channel, language or version."""
    attention = client.get("/?days=28&channel=phone&language=en").text.split('id="attention"')[1].split("</section>")[0]
    items = re.findall(r'<a href="([^"]*)">(.*?)</a><span class="sub">(.*?)</span>', attention)
    queries = [parse_qs(urlsplit(unescape(url)).query) for url, _, detail in items if "expected" in detail]
    queries += [parse_qs(urlsplit(unescape(url)).query) for url, _, detail in items if "target" in detail]
    assert len(queries) >= 4
    assert [query.keys() & {"channel", "language", "version"} for query in queries] == [set()] * len(queries)
    page = client.get("/agents?days=28&language=en")
    links = re.findall(r'href="(/\?[^"]*days=all[^"]*)"', page.text.split('id="t-experiments"')[1])
    assert links
    assert not any("language" in link for link in links)


@pytest.mark.parametrize(("path", "title"), [("/money", "What the month will cost"), ("/outcomes", "Who comes back")])
def test_a_note_says_where_the_filter_does_not_apply(path, title, client):
    note = "of all conversations, whatever the channel, language and version"
    assert [note in client.get(f"{path}{query}").text.split(title)[1][:600] for query in ("", "?channel=phone")] == [
        False,
        True,
    ]


def test_the_filter_stays_on_the_way_through_a_conversation_and_the_catalogue(client):
    query = f"from=2026-11-12&amp;to=2026-11-25&amp;agent={CLINIC}"

    def first_link(path, pattern):
        return unescape(re.findall(rf'href="({pattern})"', client.get(path).text)[0])

    start = f"/conversations?{unescape(query)}"
    conversation = first_link(start, r"/conversations/conv_[^\"]+")
    assert first_link(conversation, r"/money[^\"]*") == f"/money?{unescape(query)}"
    entry = first_link(f"/?{unescape(query)}", r"/catalogue/[^\"]+")
    assert first_link(entry, r"/conversations[^\"]*") == start
    catalogue = first_link(entry, r"/catalogue\?[^\"]*")
    assert first_link(first_link(catalogue, r"/catalogue/[^\"]+"), r"/speed[^\"]*") == f"/speed?{unescape(query)}"

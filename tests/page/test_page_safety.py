"""The page shows what strangers said and does nothing that they wrote; only those who may see it do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from datetime import date
from html.parser import HTMLParser

import duckdb
import pytest
from starlette.testclient import TestClient

from pipelines.page import app as page_app
from pipelines.page.app import VIEWS, create_app
from pipelines.page.text import visible
from tests.helpers.page_home import site
from warehouse.serve.query import query
from warehouse.storage.audio import recording_file
from warehouse.storage.home import Home

pytestmark = pytest.mark.timeout(400)  # the first test of a worker syncs the home

BASE = "http://127.0.0.1"
TOKEN = "a-token-of-the-tests"  # noqa: S105 - of these tests
SCRIPT = "<script>alert(1)</script>"
EVENT = '"><img src=x onerror=alert(1)>'
REFUSED = f"/?channel={EVENT}"
DATA_END = "</script><script>alert(2)</script><!--"
DIRECTION = "safe\u202egnp.exe\u2066\x00\x1b[31m\u200b"
LONG = "x" * 200_000
TEMPLATE = "{{ 7 * 7 }}{% include 'base.html' %}${7*7}"
CLOSING = "javascript:alert(3)"
INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def hostile(page_home, tmp_path_factory):
    """A copy whose longest conversation has hostile words everywhere that strangers can write."""
    home = Home(tmp_path_factory.mktemp("hostile") / "home")
    shutil.copytree(page_home.root, home.root)
    conversation_id = query(
        home,
        "select conversation_id from marts.fct_conversations where n_tool_calls > 0 and n_turns > 6 "
        "and start_date = '2026-11-24' and call_successful = 'failure' order by n_turns desc limit 1",
    ).item()
    texts = [SCRIPT, EVENT, DATA_END, DIRECTION, LONG, TEMPLATE, CLOSING]
    hostile_values = {
        "fct_tool_calls": {"tool_name": EVENT, "params_as_json": DATA_END, "raw_error_message": DIRECTION},
        "fct_evaluations": {"result": "failure", "criteria_id": DATA_END + DIRECTION, "rationale": EVENT},
        "fct_data_collection": {"data_collection_id": SCRIPT, "value": DIRECTION},
        "fct_conversations": dict.fromkeys(
            ("summary_title", "termination_reason", "error_reason", "feedback_comment", "channel", "main_language"),
            EVENT + DIRECTION,
        ),
    }
    with duckdb.connect(str(home.warehouse)) as connection:
        for index, text in enumerate(texts):
            connection.execute(
                "update marts.fct_turns set message = ?, original_message = null "
                "where conversation_id = ? and turn_index = ?",
                [text, conversation_id, index],
            )
        for table, values in hostile_values.items():
            columns = ", ".join(f"{column} = ?" for column in values)
            connection.execute(
                f"update marts.{table} set {columns} where conversation_id = ?",  # noqa: S608 - names of this test
                [*values.values(), conversation_id],
            )
        name = [DATA_END + DIRECTION, "Harbour Clinic Reception"]
        connection.execute("update marts.dim_agents set agent_name = ? where agent_name = ?", name)
        connection.execute("checkpoint")
    return home, conversation_id


ADDRESSES = ("href", "src", "action")


class Tags(HTMLParser):
    """What a page shows, and what in it could run: scripts, event handlers, addresses with a scheme, styles."""

    def __init__(self, page):
        super().__init__()
        self.scripts, self.dangers, self.texts = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "script":
            self.scripts.append(dict(attrs))
        self.dangers += [(tag, name) for name, _ in attrs if name.startswith("on") or name in ("style", "srcdoc")]
        addresses = [value or "" for name, value in attrs if name in ADDRESSES]
        self.dangers += [(tag, value) for value in addresses if re.match(r"\s*\w+:", value) and value != "data:,"]
        self.dangers += [tag] if tag in ("img", "iframe", "object", "embed", "base", "style") else []

    def handle_data(self, data):
        self.texts.append(data)


def paths(conversation_id):
    pages = [view.path for view in VIEWS if "{" not in view.path]
    queries = (f"/conversations?words={SCRIPT}", f"/?compare={EVENT}", REFUSED)
    return [*pages, f"/conversations/{conversation_id}", *queries]


def test_nothing_that_a_stranger_wrote_becomes_a_tag_a_script_or_an_address(hostile):
    home, conversation_id = hostile
    client = TestClient(create_app(site(home)), base_url=BASE)
    for path in paths(conversation_id):
        response = client.get(path)
        assert response.status_code == (400 if path == REFUSED else 200), path
        tags = Tags(response.text)
        assert tags.dangers == [], path
        assert all(
            script.get("src", "").startswith("/static/") or script.get("type") == "application/json"
            for script in tags.scripts
        ), path
        blocks = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', response.text, re.DOTALL)
        data = [json.dumps(json.loads(block)["datasets"], ensure_ascii=False) for block in blocks]
        assert [text for text in (*tags.texts, *data) if INVISIBLE.search(text)] == [], path


def test_the_transcript_shows_the_words_as_they_were_with_marks_for_what_is_invisible(hostile):
    home, conversation_id = hostile
    page = TestClient(create_app(site(home)), base_url=BASE).get(f"/conversations/{conversation_id}").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "safe⟨U+202E⟩gnp.exe⟨U+2066⟩⟨U+0000⟩⟨U+001B⟩[31m⟨U+200B⟩" in page
    assert "{{ 7 * 7 }}" in page
    assert "180,000 characters more" in page
    assert len(page) < 400_000
    assert "".join(INVISIBLE.findall(page)) == ""


def test_line_breaks_stay_and_lone_surrogates_are_marked():
    assert visible("a\r\nb\tc\ud800") == "a\nb\tc⟨U+D800⟩"


def test_what_hides_in_a_text_is_marked_and_the_joiners_of_scripts_and_emoji_stay():
    assert visible("pay\u00adpal \U000e0041 \u200e") == "pay⟨U+00AD⟩pal ⟨U+E0041⟩ ⟨U+200E⟩"
    assert visible("क्\u200dष 👩\u200d👧") == "क्\u200dष 👩\u200d👧"


def test_a_browser_is_told_to_run_nothing_but_our_own_files(page_home):
    headers = TestClient(create_app(site(page_home)), base_url=BASE).get("/").headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "media-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


def test_no_answer_with_data_may_be_kept(hostile):
    home, conversation_id = hostile
    client = TestClient(create_app(site(home)), base_url=BASE)
    for path in [*paths(conversation_id), "/nothing", "/?from=x"]:
        headers = client.get(path).headers
        assert (headers["cache-control"], headers.get("etag"), headers.get("last-modified")) == ("no-store", None, None)


def test_of_thousands_of_entries_the_first_thousand_are_shown_and_the_others_counted(page_home, tmp_path):
    home = Home(tmp_path / "home")
    shutil.copytree(page_home.root, home.root)
    with duckdb.connect(str(home.warehouse)) as connection:
        ((conversation_id, n_turns),) = connection.execute(
            "select conversation_id, n_turns from marts.fct_conversations where n_turns > 4 and n_tool_calls = 0 "
            "order by conversation_id limit 1"
        ).fetchall()
        connection.execute(
            "insert into marts.fct_turns by name select turns.* replace (1000 + numbers.number as turn_index, "
            "'more' as message, null as original_message) from marts.fct_turns as turns, "
            "(select unnest(range(5000)) as number) as numbers where conversation_id = ? and turn_index = 0",
            [conversation_id],
        )
        connection.execute("checkpoint")
    page = TestClient(create_app(site(home)), base_url=BASE).get(f"/conversations/{conversation_id}").text
    assert page.count('class="said"') == 1000
    assert f"{5000 + n_turns - 1000:,} turns more" in page


def test_a_recording_is_served_only_for_a_conversation_of_the_warehouse(page_home, tmp_path):
    home = Home(tmp_path / "home")
    shutil.copytree(page_home.root, home.root)
    row = query(
        home, "select conversation_id, start_date from marts.fct_conversations order by conversation_id limit 1"
    )
    ((conversation_id, start_date),) = row.rows()
    client = TestClient(create_app(site(home)), base_url=BASE)
    assert client.get(f"/recordings/{conversation_id}").status_code == 404
    for name, day in ((conversation_id, start_date), ("stranger", date(2026, 11, 24))):
        file = recording_file(home, day, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"ID3 sound")
    response = client.get(f"/recordings/{conversation_id}")
    assert (response.content, response.headers["content-type"]) == (b"ID3 sound", "audio/mpeg")
    assert f'src="/recordings/{conversation_id}"' in client.get(f"/conversations/{conversation_id}").text
    assert client.get("/recordings/stranger").status_code == 404


def test_a_build_that_is_swapped_in_during_a_request_is_what_the_next_request_shows(page_home, tmp_path, monkeypatch):
    home = Home(tmp_path / "home")
    shutil.copytree(page_home.root, home.root)
    shutil.copy(home.warehouse, tmp_path / "new.duckdb")
    with duckdb.connect(str(tmp_path / "new.duckdb")) as connection:
        connection.execute("delete from marts.fct_conversations where channel = 'chat'")
        connection.execute("checkpoint")
    is_reading, may_go_on = threading.Event(), threading.Event()
    read_choices = page_app.read_choices

    def slowly(reader):
        if not is_reading.is_set():
            is_reading.set()
            assert may_go_on.wait(30)
        return read_choices(reader)

    monkeypatch.setattr(page_app, "read_choices", slowly)
    client = TestClient(create_app(site(home)), base_url=BASE)
    pages = {}
    address = "/conversations?channel=chat&days=all"
    first = threading.Thread(target=lambda: pages.update(first=client.get(address).text))
    first.start()
    assert is_reading.wait(30)
    (tmp_path / "new.duckdb").replace(home.warehouse)
    second = threading.Thread(target=lambda: pages.update(second=client.get(address).text))
    second.start()  # it overlaps with the first, which has the old file open
    may_go_on.set()
    first.join(60)
    second.join(60)
    assert " conversations</h1>" in pages["first"]
    assert "There is no such channel." in pages["second"]


def test_the_page_imports_no_dagster_and_the_command_line_no_page():
    code = "import sys, pipelines.page.app, pipelines.page.report; print({'dagster'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"  # noqa: S603 - ours
    code = "import sys, pipelines.cli.main; print({'altair', 'jinja2', 'vl_convert'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"  # noqa: S603 - ours

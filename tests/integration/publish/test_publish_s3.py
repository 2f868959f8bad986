"""Published to a real S3 server."""

from __future__ import annotations

import json
import re

import pytest
from deltalake import DeltaTable

from tests.helpers import s3
from tests.helpers.disk_contents import contents, words_in
from tests.helpers.published import SOME, delta_rows, in_order, rows_by_table, selected
from tests.helpers.reference_docs import ROOT
from tests.helpers.run_cli import run

pytestmark = [pytest.mark.usefixtures("few_models"), pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    with s3.server(tmp_path_factory.mktemp("s3")) as options:
        yield options


def documented():
    """The Python of docs/connect.md that reads Delta Lake from a bucket, with the bucket and keys of the test."""
    text = (ROOT / "docs" / "connect.md").read_text(encoding="utf-8").partition("## Delta Lake")[2]
    for placeholder, value in (("s3://bucket/", f"s3://{s3.BUCKET}/"), ("eu-central-1", "us-east-1")):
        text = text.replace(placeholder, value)
    for name, value in (("aws_access_key_id", "key"), ("aws_secret_access_key", s3.SECRET)):
        text = text.replace(f'"{name}": "…"', f'"{name}": "{value}"')
    text = text.replace('key="…", secret="…"', f'key="key", secret="{s3.SECRET}"')
    assert "…" not in text
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_an_object_store_has_the_tables_and_no_secret_and_loses_what_is_erased(
    copies, home, bucket, tmp_path, monkeypatch
):
    target = f"s3://{s3.BUCKET}/convohouse"
    settings = {"CONVOHOUSE_HOME": str(home.root), "CONVOHOUSE_PUBLISH_CREDENTIALS": json.dumps(bucket)}
    selection = ["--tables", ",".join(SOME)]
    first = run(tmp_path, "publish", target, "--json", *selection, **settings)
    copies.put("second")
    second = run(tmp_path, "publish", target, *selection, **settings)
    again = run(tmp_path, "publish", target, "--json", "--debug", **settings)

    assert (first.code, second.code, again.code) == (0, 0, 0), first.err + second.err + again.err
    assert {table["change"] for table in again.data["targets"][0]["tables"]} == {"unchanged"}
    lost = DeltaTable(f"{target}/lake/turns", storage_options=bucket).file_uris()[0].removeprefix("s3://")
    s3.files(bucket).delete_file(lost)
    s3.files(bucket).delete_dir(f"{s3.BUCKET}/convohouse/marts/fct_turns")
    restored = run(tmp_path, "publish", target, "--json", **settings)
    assert {table["table"] for table in restored.data["targets"][0]["tables"] if table["change"] == "restored"} == {
        "lake.turns",
        "marts.fct_turns",
    }
    rows = rows_by_table(home, selected(copies))
    for name, expected in rows.items():
        assert delta_rows(target, name, bucket).equals(expected), name
    polars_code, duckdb_code = documented()
    for name in ("AWS_ENDPOINT_URL", "AWS_ALLOW_HTTP"):
        monkeypatch.setenv(name, bucket[name.lower()])
    values = {}
    exec(polars_code, values)  # noqa: S102 - of our page
    assert in_order(values["rows"].collect()).equals(rows["marts.fct_conversations"])
    exec(duckdb_code, values)  # noqa: S102 - of our page
    assert in_order(values["rows"]).equals(rows["lake.turns"])

    before = contents(s3.download(bucket, tmp_path / "before"))
    ended = run(tmp_path, "erase", copies.conversation_id, "--yes", "--json", **settings)
    after = contents(s3.download(bucket, tmp_path / "after"))
    assert (ended.code, ended.data["targets"]) == (0, {target: None})
    assert len(words_in(before, copies.words)) > 20
    assert words_in(after, copies.words) == set()
    for place in (after, contents(home.root), first.out, first.err.encode(), second.err.encode(), again.err.encode()):
        assert s3.SECRET.encode() not in place


def test_a_store_that_refuses_or_is_away_is_a_problem_without_the_secret(copies, home, bucket, tmp_path):
    settings = {"CONVOHOUSE_HOME": str(home.root)}
    away = bucket | {"aws_endpoint_url": "http://127.0.0.1:9", "max_retries": "1"}
    for target, options in ((f"s3://{s3.BUCKET}/x", away), ("s3://no-such-bucket/x", bucket)):
        ended = run(tmp_path, "publish", target, CONVOHOUSE_PUBLISH_CREDENTIALS=json.dumps(options), **settings)
        assert (ended.code, f"{target}: pending: {target} cannot be published to" in ended.err) == (1, True), ended.err
        assert s3.SECRET not in ended.err

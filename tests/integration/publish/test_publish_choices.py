"""What can be chosen of a publication, and what is refused: targets, tables, formats, a dry run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from pipelines.errors import UsageError
from pipelines.usecases import publish as publishing
from pipelines.usecases.publish import choose_jobs
from tests.helpers.published import (
    publish_to,
)
from tests.helpers.reference_docs import ROOT
from tests.helpers.run_cli import run
from warehouse.publish import record
from warehouse.publish.target import Target
from warehouse.serve.query import query

pytestmark = pytest.mark.usefixtures("few_models")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("postgresql://me:s3cret@db/bi", "must not hold a password"),
        ("postgresql://me@db/bi?password=s3cret", "must not hold a password"),
        ("s3://bucket/x?key=s3cret", "must not hold a password"),
        ("postgresql://me@db", "no name of a database"),
        ("s3://", "has no bucket"),
        ("s3://bucket/a#b", "has a #"),
        ("ftp://host/x", "ftp:// is not supported"),
    ],
)
def test_a_target_that_cannot_be_is_refused_without_its_secret(target, message, home, tmp_path):
    ended = run(tmp_path, "publish", target, CONVOHOUSE_HOME=str(home.root))
    assert (ended.code, message in " ".join(ended.err.split())) == (2, True), ended.err
    assert "s3cret" not in ended.err


def test_wrong_choices_are_named(context, home, tmp_path):
    with pytest.raises(UsageError, match=r"no table marts.fct_turn .*fct_turns"):
        choose_jobs(context, str(tmp_path / "x"), selection=("marts.fct_turn",))
    with pytest.raises(UsageError, match="There is no target"):
        choose_jobs(context)
    ended = run(tmp_path, "publish", "x", CONVOHOUSE_HOME=str(tmp_path / "empty"))
    assert (ended.code, "empty holds nothing yet" in ended.err) == (2, True)
    assert not (tmp_path / "empty").exists()


def test_a_missing_library_is_named_with_what_to_install(context, tmp_path, monkeypatch):
    def missing(_name):
        message = "No module named 'deltalake'"
        raise ModuleNotFoundError(message, name="deltalake")

    monkeypatch.setattr(publishing, "import_module", missing)
    result = publish_to(context, tmp_path / "x")
    assert result.problem == "deltalake is not installed. Install the extra: pip install 'convohouse[publish]'."
    ended = run(tmp_path, "publish", str(tmp_path / "x"), CONVOHOUSE_HOME=str(context.home.root))
    assert ended.code == 2


NO_CREDENTIALS = """
from warehouse.publish import delta
try:
    delta.DeltaTable("s3://bucket/x", storage_options=delta.log_options(delta.Target("s3://bucket", "delta")))
except OSError:
    print("refused")
"""


def test_without_credentials_there_is_an_error_and_no_log_of_the_library():
    nowhere = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", NO_CREDENTIALS]
    ended = subprocess.run(command, env=nowhere, capture_output=True, text=True, timeout=100, check=False)  # noqa: S603 - ours
    assert (ended.stdout, ended.stderr) == ("refused\n", "")


def test_a_dry_run_writes_nothing(home, tmp_path):
    target = tmp_path / "delta"
    before = {file: file.stat() for file in home.root.rglob("*.*") if file.is_file()}
    ended = run(tmp_path, "publish", str(target), "--dry-run", "--json", CONVOHOUSE_HOME=str(home.root))
    assert ended.code == 0
    (result,) = ended.data["targets"]
    assert {table["change"] for table in result["tables"]} == {"written"}
    assert not target.exists()
    after = {file: file.stat() for file in home.root.rglob("*.*") if file.is_file()}
    assert {file: stat.st_ino for file, stat in after.items()} == {file: stat.st_ino for file, stat in before.items()}


@pytest.mark.parametrize("format_", ["delta", "parquet", "csv"])
def test_a_dry_run_of_other_tables_leaves_target_and_record_as_they_are(format_, context, home, tmp_path):
    target = tmp_path / "target"
    publish_to(context, target, format_=format_, selection=("marts.dim_agents", "lake.agents"))
    before, recorded = states(target), record.read_targets(home)
    jobs = choose_jobs(context, str(target), selection=("lake.agents", "lake.deletions"))
    (result,) = publishing.publish(context, jobs, is_dry_run=True)
    assert {outcome.table: outcome.change for outcome in result.tables} == {
        "marts.dim_agents": "removed",
        "lake.agents": "unchanged",
        "lake.deletions": "written",
    }
    assert (states(target), record.read_targets(home)) == (before, recorded)


def states(folder):
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): (file.stat().st_mtime_ns, file.read_bytes()) for file in files}


def test_what_was_published_is_said_in_words_and_nothing_is_written_to_standard_output(home, tmp_path):
    environment = {"CONVOHOUSE_HOME": str(home.root)}
    url = (tmp_path / "csv").as_uri()
    n_agents = query(home, "select count(*) from marts.dim_agents").item()
    arguments = ("publish", str(tmp_path / "csv"), "--format", "csv", "--tables")
    ended = run(tmp_path, *arguments, "marts.dim_agents, lake.agents,", "--dry-run", **environment)
    assert (ended.code, ended.out) == (0, b"")
    assert ended.err.splitlines()[-3:] == [
        f"{url}: a dry run: 2 tables: 2 written",
        f"  lake.agents       {n_agents:>9,} rows  written",
        f"  marts.dim_agents  {n_agents:>9,} rows  written",
    ]
    ended = run(tmp_path, *arguments, "marts.dim_agents,lake.agents", **environment)
    assert (ended.code, ended.out) == (0, b"")
    assert ended.err.splitlines()[-3] == f"{url}: 2 tables: 2 written; 2 files written"
    ended = run(tmp_path, *arguments, "marts.dim_agents", **environment)
    assert (ended.code, ended.out) == (0, b"")
    assert ended.err.splitlines()[-2:] == [
        f"{url}: 2 tables: 1 removed, 1 unchanged",
        f"  lake.agents  {0:>9,} rows  removed",
    ]
    assert sorted(file.name for file in (tmp_path / "csv").iterdir()) == ["convohouse.json", "marts.dim_agents.csv"]


def test_without_a_target_all_of_the_settings_and_of_the_record_are_published(home, tmp_path):
    (tmp_path / "convohouse.toml").write_text(
        f'[publish.bi]\ntarget = "{tmp_path / "bi"}"\nformat = "csv"\ntables = ["marts.dim_agents"]\n'
    )
    environment = {"CONVOHOUSE_HOME": str(home.root)}
    assert run(tmp_path, "publish", str(tmp_path / "x"), "--tables", "marts.dim_agents", **environment).code == 0
    ended = run(tmp_path, "publish", "--json", **environment)
    assert [
        (result["target"], result["format"], result["tables"][0]["change"]) for result in ended.data["targets"]
    ] == [
        ((tmp_path / "bi").as_uri(), "csv", "written"),
        ((tmp_path / "x").as_uri(), "delta", "unchanged"),
    ]
    assert run(tmp_path, "publish", "bi", **environment).code == 0
    for is_forgotten in (True, False):  # the second time there is nothing to forget
        assert run(tmp_path, "publish", str(tmp_path / "x"), "--forget", "--json", **environment).data == {
            "is_forgotten": is_forgotten
        }
    config = {"bi": {"target": str(tmp_path / "bi")}}  # as it was published to, although no format is set
    shown = run(tmp_path, "status", "--json", **environment, CONVOHOUSE_PUBLISH=json.dumps(config)).data["targets"]
    assert [(target["name"], target["format"], target["published_at"] is None) for target in shown] == [
        ("bi", "csv", False)
    ]
    recorded = json.loads((home.root / "published.json").read_text())["targets"]
    assert [target["url"] for target in recorded] == [(tmp_path / "bi").as_uri()]
    shutil.rmtree(tmp_path / "bi")
    assert run(tmp_path, "publish", **environment).code == 0
    assert (tmp_path / "bi" / "marts.dim_agents.csv").exists()


def test_an_error_of_a_library_has_no_secret_in_any_spelling_and_is_one_line():
    target = Target("postgresql://db/bi", "postgres", {"password": "pass word/é", "user": "me"})
    text = "\x1b[31mno\x1b[0m:\n  pass word/é, pass%20word%2F%C3%A9, pass+word%2F%C3%A9"
    assert target.without_secrets(text) == "no: ***, ***, ***"


def test_a_long_error_of_a_library_is_shown_by_its_beginning_and_its_end():
    target = Target("postgresql://db/bi", "postgres")
    assert target.without_secrets("a" * 599) == "a" * 599
    assert target.without_secrets("a" * 300 + "b" * 700) == f"{'a' * 200} … {'b' * 400}"


def test_a_misspelt_name_of_a_target_creates_no_folder(home, tmp_path):
    (tmp_path / "convohouse.toml").write_text('[publish.dashboards]\ntarget = "bi"\nformat = "csv"\n')
    environment = {"CONVOHOUSE_HOME": str(home.root)}
    ended = run(tmp_path, "publish", "dashboard", **environment)
    assert (ended.code, ended.out) == (2, b"")
    assert ended.err.splitlines() == [
        "error: convohouse.toml has no target 'dashboard'.",
        "Did you mean dashboards? To publish to a new folder of that name, write ./dashboard.",
    ]
    assert not (tmp_path / "dashboard").exists()
    few = ("--format", "csv", "--tables", "marts.dim_agents")
    assert run(tmp_path, "publish", "./dashboard", *few, **environment).code == 0
    assert (tmp_path / "dashboard" / "marts.dim_agents.csv").exists()
    assert run(tmp_path, "publish", "./dashboard", "--forget", **environment).code == 0

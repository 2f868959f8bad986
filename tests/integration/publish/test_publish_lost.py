"""A target that is no longer in ``published.json``, though nobody said --forget: named, until it is reached again."""

from __future__ import annotations

import pytest

from pipelines.emulator.server.serve import running
from pipelines.usecases import sync
from tests.helpers.disk_contents import contents, words_in
from tests.helpers.published import publish_to
from tests.helpers.run_cli import run
from warehouse.publish import record

pytestmark = pytest.mark.usefixtures("few_models")


def test_an_erasure_names_a_target_that_left_the_record_by_itself(context, copies, tmp_path):
    home, target, other = context.home, tmp_path / "delta", tmp_path / "other"
    environment = {"CONVOHOUSE_HOME": str(home.root)}
    copies.put("second")
    publish_to(context, target, selection=("marts.dim_agents", "lake.turns"))
    publish_to(context, other, selection=("marts.dim_agents",))
    (home.root / "published.json").unlink()
    command = f"`convohouse publish {target.as_uri()} --format delta` reaches it again"

    nothing = run(tmp_path, "publish", **environment)
    assert (nothing.code, "published.json" in nothing.err, command in nothing.err.replace("\n", " ")) == (2, True, True)
    with running(copies.nights.app) as url:
        assert sync.sync(copies.nights.context(url), run_id="next").problems == ()  # nothing was erased

    ended = run(tmp_path, "erase", copies.conversation_id, "--yes", "--json", **environment)
    assert (ended.code, list(ended.data["targets"])) == (1, [target.as_uri(), other.as_uri()])
    assert command in ended.data["targets"][target.as_uri()]
    said = run(tmp_path, "erase", copies.conversation_id, "--yes", **environment)
    assert (said.code, f"{target.as_uri()}: not reached" in said.err, "tries again" in said.err) == (1, True, False)
    assert words_in(contents(target), copies.words) != set()
    with running(copies.nights.app) as url:
        problems = sync.sync(copies.nights.context(url), run_id="after").problems
    assert [target.as_uri() in problem and command in problem for problem in problems] == [True, False]
    statuses = run(tmp_path, "status", "--json", **environment).data["targets"]
    assert [(status["is_lost"], status["is_pending"]) for status in statuses] == [(True, True), (True, True)]
    assert "no longer in published.json" in run(tmp_path, "status", **environment).text

    first = run(tmp_path, "publish", str(target), "--json", **environment)
    assert (first.code, [result["target"] for result in first.data["targets"]]) == (
        1,
        [target.as_uri(), other.as_uri()],
    )
    assert words_in(contents(target), copies.words) == set()
    assert record.read_targets(home)[0].tables == ("lake.turns", "marts.dim_agents")  # as chosen before
    assert run(tmp_path, "publish", str(other), "--forget", "--json", **environment).data == {"is_forgotten": True}
    again = run(tmp_path, "erase", copies.conversation_id, "--yes", "--json", **environment)
    assert (again.code, again.data["targets"]) == (0, {})
    assert [status["is_lost"] for status in run(tmp_path, "status", "--json", **environment).data["targets"]] == [False]

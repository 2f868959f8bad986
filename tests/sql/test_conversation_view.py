"""One conversation with all its parts, as ``convohouse show`` and the page read it."""

from __future__ import annotations

from pathlib import Path

from tests.sql.conftest import LakeRows
from warehouse.connection import Limits, connect
from warehouse.models.project import Project
from warehouse.serve.conversation import PARTS, ConversationView, conversation_of
from warehouse.storage.home import Home


def test_of_two_workspaces_with_the_same_id_the_parts_are_of_one(tmp_path: Path, project: Project) -> None:
    rows = LakeRows(Home(tmp_path / "home"), project)
    for workspace in ("second", "main"):
        of_workspace = {"workspace": workspace, "conversation_id": "c1"}
        rows.call(**of_workspace, agent_name=f"Agent of {workspace}")
        rows.add("turns", **of_workspace, turn_index=0, role="user", message=workspace)
        rows.add("tool_calls", **of_workspace, turn_index=0, call_index=0, depth=0, tool_name=workspace)
        rows.add("evaluation_results", **of_workspace, criteria_id=workspace, result="success")
        for scope, model in (("initiated", workspace), ("irreversible", "another")):
            usage = {"turn_index": -1, "token_kind": "input", "tokens": 1, "price_usd": 0.1}
            rows.add("llm_usage", **of_workspace, **usage, scope=scope, model=model)
    with connect(limits=Limits(threads=1)) as connection:
        relations = (relation for relation, _ in PARTS.values())
        rows.materialize(connection, "marts.fct_conversations", "marts.dim_agents", *relations)
        view = conversation_of(connection, "c1")
    assert isinstance(view, ConversationView)
    assert (view.conversation["workspace"], view.agent_name) == ("main", "Agent of main")
    assert [turn["message"] for turn in view.turns] == ["main"]
    assert [call["tool_name"] for call in view.tool_calls] == ["main"]
    assert [usage["model"] for usage in view.llm_usage] == ["main"]
    assert [evaluation["criteria_id"] for evaluation in view.evaluations] == ["main"]
    assert (view.files, view.multivoice_parts, view.guardrails, view.data_collection) == ([], [], [], [])

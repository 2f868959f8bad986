"""One conversation: who said what when, tools, waits, cost, verdicts, and the recording where there is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.page import charts
from pipelines.page.chart import Chart
from pipelines.page.text import MAX_TEXT, local_time, number
from pipelines.page.views.base import View, Visit
from warehouse.serve.conversation import ConversationView, conversation_of, error_text, file_label, spoken_texts
from warehouse.serve.pages.measures import SLOW_WAIT
from warehouse.serve.pages.selection import Reader
from warehouse.serve.value_format import clock
from warehouse.storage.audio import recording_file
from warehouse.storage.home import Home

MAX_ENTRIES = 1000
"""Entries of a transcript on a page."""


def build(visit: Visit) -> dict[str, Any]:
    """The values of the template, for a conversation that is there and for one that is not."""
    conversation_id = visit.path["conversation_id"]
    view = conversation_of(visit.reader.connection, conversation_id)
    if not isinstance(view, ConversationView):
        return {"absent": view, "http_status": 410 if view.reason else 404, "charts": []}
    row, rows = view.conversation, entries(view)
    long_wait = visit.reader.row(f"select {SLOW_WAIT} as secs")["secs"]
    return {
        "absent": None,
        "row": row,
        "agent": visit.agent(row["agent_id"]),
        "outcome": row["outcome"] or "open",
        "local_time": local_time(row["started_at"], row["local_start_at"]),
        "error": error_text(row),
        "entries": rows[:MAX_ENTRIES],
        "n_left_out": max(0, len(rows) - MAX_ENTRIES),
        "usage": view.llm_usage,
        "guardrails": view.guardrails,
        "evaluations": of_parts(visit, without_repeats(view.evaluations, "criteria_id", "result", "rationale")),
        "collected": of_parts(visit, without_repeats(view.data_collection, "data_collection_id", "value")),
        "has_recording": recording(visit.home, visit.reader, conversation_id) is not None,
        "long_wait": long_wait,
        "max_text": MAX_TEXT,
        "charts": [_waits(view, long_wait)] if row["n_waits"] else [],
    }


def entries(view: ConversationView) -> list[dict[str, Any]]:
    """The turns in order, each with its tool calls; a turn without words only if it called a tool."""
    calls = _by_turn(view.tool_calls)
    files, voices = _by_turn(view.files), _by_turn(view.multivoice_parts)
    rows = []
    for turn in view.turns:
        index = turn["turn_index"]
        turn_calls = calls.get(index, [])
        message = "\n".join(spoken_texts(turn, voices.get(index, []))) or None
        turn_files = [file_label(file) for file in files.get(index, [])]
        if message is not None or turn_calls or turn_files:
            rows.append(turn | {"said": message, "calls": turn_calls, "files": turn_files})
    nowhere: dict[str, Any] = {"role": "tool", "said": None, "time_in_call_secs": None, "files": []}
    return [*rows, *(nowhere | {"calls": [call]} for call in view.calls_without_turn)]


def without_repeats(items: list[dict[str, Any]], *columns: str) -> list[dict[str, Any]]:
    """Items without those that only say again, of an agent or a part, what was said of the whole conversation."""
    first: dict[tuple[Any, ...], dict[str, Any]] = {}
    for item in items:
        first.setdefault(tuple(item[column] for column in columns), item)
    return list(first.values())


def of_parts(visit: Visit, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Items with ``part``: the agent and the branch whose part of the conversation was judged; empty for the whole."""
    parts = []
    for item in items:
        agent = visit.agent(item["source_agent_id"]) if item["source_agent_id"] else ""
        parts.append(" ".join(filter(None, (item["scope"], agent, item["source_branch_id"]))))
    return [item | {"part": part} for item, part in zip(items, parts, strict=True)]


def _by_turn(rows: list[dict[str, Any]]) -> dict[int | None, list[dict[str, Any]]]:
    turns: dict[int | None, list[dict[str, Any]]] = {}
    for row in rows:
        turns.setdefault(row["turn_index"], []).append(row)
    return turns


def recording(home: Home, reader: Reader, conversation_id: str) -> Path | None:
    """The archived recording of a conversation that the warehouse has; the path is made from the warehouse's row."""
    rows = reader.rows(
        "select conversation_id, start_date from marts.fct_conversations where conversation_id = $id",
        id=conversation_id,
    )
    if not rows:
        return None
    file = recording_file(home, rows[0]["start_date"], rows[0]["conversation_id"])
    return file if file.is_file() else None


def _waits(view: ConversationView, long_wait: float) -> Chart:
    rows = [
        {
            "x": max(turn["time_in_call_secs"] or 0, 0),
            "value": turn["wait_secs"],
            "at": clock(turn["time_in_call_secs"]),
            "kind": "long" if turn["wait_secs"] > long_wait else "short",
            "tip": f"{clock(turn['time_in_call_secs'])}: waited {number(turn['wait_secs'], 'seconds')}",
            "url": f"#turn-{turn['turn_index']}",
        }
        for turn in view.turns
        if turn["wait_secs"] is not None
    ]
    return Chart(
        name="waits",
        title="Waits",
        note="until the agent spoke, by minute and second of the conversation",
        spec=charts.wait_line(max(view.conversation["call_duration_secs"] or 0, *(row["x"] for row in rows), 1)),
        rows=rows,
        columns={"at": ("at", "text"), "value": ("wait", "seconds")},
        metric="metrics.agent_daily.wait_p95_secs",
    )


VIEW = View("Conversation", "/conversations/{conversation_id:path}", "conversation.html", build, has_filter=False)

"""``marts.fct_turns``: entries of the transcript, their times and their words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any


def test_turns_with_their_measures_and_without(rows: Any) -> None:
    rows.call()
    rows.call("c2", status="in-progress", agent_id=None)
    rows.add("turns", turn_index=0, role="user", message="Hm")
    rows.add(
        "turns",
        turn_index=1,
        role="agent",
        message="How ...",
        original_message="How are you?",
        interrupted=True,
        time_in_call_secs=3,
        source_medium="audio",
        agent_metadata_agent_id="a2",
        agent_metadata_branch_id="b",
        agent_metadata_version_id="v",
        agent_metadata_workflow_node_id="n",
        producing_llm="m",
        rag_retrieval_info_rag_latency_secs=0.25,
        feedback_score="like",
    )
    metrics = {
        "convai_ttf_audio_since_silence": 1.5,
        "convai_llm_service_ttfb": 0.5,
        "convai_llm_service_ttf_sentence": 0.75,
        "convai_tts_service_ttfb": 0.125,
        "convai_asr_trailing_service_latency": 0.0625,
        "convai_unheard_of": 9.0,
    }
    for metric, secs in metrics.items():
        rows.add("turn_metrics", turn_index=1, metric=metric, elapsed_secs=secs, is_repeat=False)
        rows.add("turn_metrics", turn_index=2, metric=metric, elapsed_secs=secs, is_repeat=True)
    rows.add("turns", turn_index=2, role="agent")
    rows.add("tool_calls", turn_index=2, call_index=0, depth=0)
    rows.add("tool_results", turn_index=2, result_index=0, depth=0)
    rows.add("tool_results", turn_index=2, result_index=1, depth=1)
    rows.add("rag_chunks", turn_index=1, chunk_index=0)
    rows.tokens("turn", 1, "input", 0.5)
    rows.tokens("turn", 1, "output_total", 0.25)
    rows.add("turns", conversation_id="c2", turn_index=0, role="user", message="...")
    rows.add("rag_chunks", conversation_id="c2", turn_index=0, chunk_index=0)
    usage = {"scope": "turn", "turn_index": 0, "model": "m", "token_kind": "input", "tokens": 1, "price_usd": 0.125}
    rows.add("llm_usage", conversation_id="c2", **usage)
    nothing = {
        "workspace": "main",
        "start_date": rows.day,
        "branch_id": None,
        "version_id": None,
        "workflow_node_id": None,
        "message": None,
        "original_message": None,
        "is_spoken": False,
        "is_silent": False,
        "is_interrupted": False,
        "is_backchannel": None,
        "time_in_call_secs": None,
        "source_medium": None,
        "producing_llm": None,
        "n_tool_calls": 0,
        "n_tool_results": 0,
        "n_rag_chunks": 0,
        "rag_latency_secs": None,
        "wait_secs": None,
        "llm_ttfb_secs": None,
        "llm_first_sentence_secs": None,
        "tts_ttfb_secs": None,
        "asr_latency_secs": None,
        "feedback_score": None,
        "llm_cost_usd": None,
        "turn_at": None,
        "local_start_hour": 12,
        "local_weekday_name": "Monday",
    }
    user_entry = {"turn_index": 0, "role": "user", "message": "Hm", "is_spoken": True}
    tool_entry = {"turn_index": 2, "role": "agent", "n_tool_calls": 1, "n_tool_results": 2}
    of_c1 = {
        "workspace": "main",
        "conversation_id": "c1",
        "agent_id": "a1",
        "agent_name": None,
        "is_finished": True,
        "is_counted": True,
    }
    assert rows.model("marts.fct_turns") == [
        nothing | of_c1 | user_entry | {"speaking_agent_id": "a1"},
        of_c1
        | {
            "turn_index": 1,
            "start_date": rows.day,
            "speaking_agent_id": "a2",
            "branch_id": "b",
            "version_id": "v",
            "workflow_node_id": "n",
            "role": "agent",
            "message": "How ...",
            "original_message": "How are you?",
            "is_spoken": True,
            "is_silent": False,
            "is_interrupted": True,
            "is_backchannel": None,
            "time_in_call_secs": 3,
            "source_medium": "audio",
            "producing_llm": "m",
            "n_tool_calls": 0,
            "n_tool_results": 0,
            "n_rag_chunks": 1,
            "rag_latency_secs": 0.25,
            "wait_secs": 1.5,
            "llm_ttfb_secs": 0.5,
            "llm_first_sentence_secs": 0.75,
            "tts_ttfb_secs": 0.125,
            "asr_latency_secs": 0.0625,
            "feedback_score": "like",
            "llm_cost_usd": 0.75,
            "turn_at": rows.noon + timedelta(seconds=3),
            "local_start_hour": 12,
            "local_weekday_name": "Monday",
        },
        nothing | of_c1 | tool_entry | {"speaking_agent_id": "a1"},
        nothing
        | {"conversation_id": "c2", "agent_id": None, "agent_name": None, "speaking_agent_id": None}
        | {"is_finished": False, "is_counted": False, "n_rag_chunks": 1, "llm_cost_usd": 0.125}
        | {"turn_index": 0, "role": "user", "message": "...", "is_spoken": True, "is_silent": True},
    ]


def test_the_exact_time_of_an_entry_and_of_its_tool_call(rows: Any) -> None:
    rows.zone("Asia/Kolkata")
    created = datetime(2026, 11, 2, 12, 0, 9, 137_000, tzinfo=UTC)
    rows.call()
    for turn, row in enumerate(({"time_in_call_secs": -2}, {"time_in_call_secs": 7, "created_at": created}, {})):
        rows.add("turns", turn_index=turn, role="agent", **row)
        rows.add("tool_calls", turn_index=turn, call_index=turn, depth=0)
    times = [rows.noon, created, None]
    hour = {"local_start_hour": 17, "local_weekday_name": "Monday"}
    rows.build("marts.fct_turns", "marts.fct_tool_calls")
    turns = rows.model("marts.fct_turns", "turn_at", *hour)
    assert turns == [{"turn_at": at} | hour for at in times]
    assert rows.model("marts.fct_tool_calls", "called_at", *hour) == [{"called_at": at} | hour for at in times]


def test_what_a_word_is(rows: Any) -> None:
    rows.call("c1")
    rows.call("c2", text_only=True)
    entries: list[tuple[str, str, str | None, str | None, bool, bool]] = [
        ("c1", "user", "Hi", None, True, False),
        ("c1", "user", "...", None, True, True),
        ("c1", "user", "......", "audio", True, True),
        ("c1", "user", "!!", None, True, True),
        ("c1", "user", "7", None, True, False),
        ("c1", "user", "ж", None, True, False),
        ("c1", "user", "👍", None, True, True),
        ("c1", "user", "?", "text", True, False),
        ("c1", "user", "#", "dtmf", True, False),
        ("c1", "user", "", None, False, False),
        ("c1", "user", " \t\n", None, False, False),
        ("c1", "user", "\u00a0\u200b", None, False, False),
        ("c1", "user", None, None, False, False),
        ("c1", "agent", "...", None, True, False),
        ("c1", "agent", "", None, False, False),
        ("c2", "user", "?", None, True, False),
        ("c2", "user", "👍", None, True, False),
        ("c2", "user", "...", "audio", True, True),
    ]
    for index, (call, role, message, medium, _, _) in enumerate(entries):
        at = {"conversation_id": call, "turn_index": index}
        rows.add("turns", role=role, message=message, source_medium=medium, **at)
    more = [  # with a file, with a part, with blank parts, with a part beside a mark
        ("turn_files", {"file_index": 0}, None, True),
        ("multivoice_parts", {"part_index": 0, "text": "Hi"}, None, True),
        ("multivoice_parts", {"part_index": 0, "text": " "}, None, False),
        ("turn_files", {"file_index": 0}, "!", True),
    ]
    for index, (table, row, message, _) in enumerate(more):
        rows.add("turns", conversation_id="c3", turn_index=index, role="user", message=message)
        rows.add(table, conversation_id="c3", turn_index=index, **row)
    actual = rows.model("marts.fct_turns", "message", "is_spoken", "is_silent")
    expected = [(message, *flags) for _, _, message, _, *flags in entries]
    expected += [(message, is_spoken, False) for _, _, message, is_spoken in more]
    assert [tuple(row.values()) for row in actual] == expected

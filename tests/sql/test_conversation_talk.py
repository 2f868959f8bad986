"""``intermediate.int_conversation_talk``: seconds of audio and silence of a conversation; and a user's limits."""

from __future__ import annotations

from typing import Any

AUDIO, HEARD = "charging_tts_usage_total_audio_output_seconds", "charging_asr_usage_total_audio_input_seconds"


def test_conversation_talk(rows: Any) -> None:
    rows.call("c1", **{AUDIO: 20.5, HEARD: 10.0})
    rows.call("c2", **{AUDIO: 0.0, HEARD: 0.0})  # a chat
    rows.call("c3", **{AUDIO: 0.0, HEARD: 4.0})  # nobody answered
    rows.call("c4")
    rows.call("c5", **{AUDIO: 3.0})  # only one side is told
    rows.call("c6")
    rows.call("c7", **{AUDIO: 0.25, HEARD: 0.25})
    for name, category, quantity in (
        ("c1", "voice", 100.0),
        ("c1", "silence", 12.5),
        ("c2", "silence", 1.0),
        ("c3", "voice", 4.0),
        ("c4", "text_message", 3.0),
        ("c5", "silence", None),
    ):
        rows.add("platform_usage", conversation_id=name, category=category, quantity=quantity)
    for index, is_backchannel in enumerate((True, True, False, None)):
        entry = {"conversation_id": "c6", "turn_index": index, "role": "user", "message": "mhm"}
        rows.add("turns", ignored_as_backchannel=is_backchannel, **entry)
    agent_entry = {"conversation_id": "c6", "turn_index": 4, "role": "agent", "message": "mhm"}
    rows.add("turns", ignored_as_backchannel=True, **agent_entry)
    names = ("conversation_id", "agent_audio_secs", "user_audio_secs", "silence_secs", "n_backchannels")
    assert rows.values("intermediate.int_conversation_talk", *names) == [
        ("c1", 20.5, 10.0, 12.5, 0),
        ("c2", None, None, 1.0, 0),
        ("c3", 0.0, 4.0, 0.0, 0),
        ("c5", None, None, 0.0, 0),
        ("c6", None, None, None, 2),
        ("c7", 0.25, 0.25, None, 0),
    ]


def test_a_users_limits_count(rows: Any) -> None:
    rows.seed(
        "thresholds",
        "service_level_secs,5",
        "wait_good_secs,0.5",
        "wait_fair_secs,2",
        "wait_poor_secs,2.5",
        "experiment_min_callers,30",
    )
    for name, queue_wait in (("c1", 5.0), ("c2", 6.0)):
        rows.call(name, queue_wait_secs=queue_wait)
        rows.add("turns", conversation_id=name, turn_index=0, role="user", message="Hello?")
        entry = {"conversation_id": name, "turn_index": 1}
        rows.add("turns", role="agent", message="Hi", **entry)
        metric = "convai_ttf_audio_since_silence"
        rows.add("turn_metrics", metric=metric, elapsed_secs=queue_wait / 2, is_repeat=False, **entry)
    names = ("service_level_rate", "wait_within_good_rate", "wait_within_fair_rate", "wait_within_poor_rate")
    assert rows.model("metrics.agent_daily", *names) == [dict(zip(names, (0.5, 0.0, 0.0, 0.5), strict=True))]

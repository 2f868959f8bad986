"""The final document of a conversation; ``lifecycle`` makes its earlier states from it."""

from __future__ import annotations

from random import Random

from pipelines.emulator.data.callers import cast
from pipelines.emulator.data.dialogues import Topic
from pipelines.emulator.generator import schema_2026
from pipelines.emulator.generator.analysis import analyse
from pipelines.emulator.generator.blueprint import Head
from pipelines.emulator.generator.charging import charge
from pipelines.emulator.generator.client_data import initiation_data
from pipelines.emulator.generator.dialogue import converse
from pipelines.emulator.generator.metadata import describe
from pipelines.emulator.generator.randomness import seeded
from pipelines.emulator.generator.transcript import Json


def document(head: Head) -> Json:
    """Make the final document of a call: a fresh one each time, always the same for the same head."""
    rng = seeded(head.seed ^ 0x5EED)
    slots = cast(rng, head.phone)
    topic = _topic(rng, head)
    script, reason = converse(rng, head, slots, topic)
    charging, cost = charge(rng, head, script)
    metadata = describe(rng, head, script, charging, cost, reason=reason, language=topic.language)
    heard = any(entry["role"] == "user" for entry in script.entries)
    has_audio = bool(script.entries) and not script.written
    failed = head.trait == "failed"
    final: Json = {
        "agent_id": head.agent.agent_id,
        "conversation_id": head.conversation_id,
        "status": "failed" if failed else "done",
        "user_id": head.user_id,
        "branch_id": head.agent.branch_id,
        "transcript": script.entries,
        "metadata": metadata,
        "analysis": None if failed and head.caller % 2 else analyse(rng, head, slots, topic),
        "conversation_initiation_client_data": initiation_data(head, metadata, slots),
        "has_audio": has_audio,
        "has_user_audio": has_audio and heard,
        "has_response_audio": has_audio,
    }
    return schema_2026.rewrite(final, head, script) if head.today else final


def _topic(rng: Random, head: Head) -> Topic:
    topics = head.agent.topics
    if head.trait == "language_detection":
        return next(topic for topic in topics if topic.language == "de")
    return topics[int(rng.random() * len(topics))]

"""The state of a conversation at a moment: begun, going on, being processed, done, judged late, blanked, deleted.

The final document is built once; each earlier or later state is a shallow copy with the parts that differ.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from pipelines.emulator.generator.analysis import before_rerun
from pipelines.emulator.generator.blueprint import Blueprint
from pipelines.emulator.generator.charging import incomplete
from pipelines.emulator.generator.metadata import no_feedback
from pipelines.emulator.generator.transcript import Json

_ACCEPTED_AFTER_SECS = 2


class Stage(Enum):
    """The stages of a conversation."""

    INITIATED = "initiated"
    IN_PROGRESS = "in-progress"
    PROCESSING = "processing"
    FINISHED = "finished"


class State(NamedTuple):
    """All that a document depends on; two moments in the same state show the same document."""

    stage: Stage
    has_late_feedback: bool
    is_rerun: bool
    is_redacted: bool


def state_at(blueprint: Blueprint, at: float) -> State | None:
    """The state of a conversation at a unix time, None where it has not begun or was deleted upstream."""
    if at < blueprint.start or _is_due(blueprint.deleted_at, at):
        return None
    if at >= blueprint.done_at:
        stage = Stage.FINISHED
    elif blueprint.scenario == "no_answer":  # it rings
        stage = Stage.INITIATED
    elif at >= blueprint.end:
        stage = Stage.PROCESSING
    elif at >= blueprint.start + _ACCEPTED_AFTER_SECS:
        stage = Stage.IN_PROGRESS
    else:
        stage = Stage.INITIATED
    return State(
        stage, _is_due(blueprint.feedback_at, at), _is_due(blueprint.rerun_at, at), _is_due(blueprint.redacted_at, at)
    )


def document_in(final: Json, blueprint: Blueprint, state: State) -> Json:
    """The document of a conversation in a state; ``final`` stays as it is."""
    if state.stage is Stage.FINISHED:
        return _finished(final, blueprint, state)
    metadata = final["metadata"] | {
        "cost": None,
        "charging": incomplete(final["metadata"]["charging"]),
        "feedback": no_feedback(),
        "error": None,
    }
    if "cost_fiat" in metadata:
        metadata["cost_fiat"] = None
    if metadata["async_metadata"]:
        metadata["async_metadata"] = None
    document = final | {
        "status": state.stage.value,
        "metadata": metadata,
        "analysis": None,
        "has_audio": False,
        "has_user_audio": False,
        "has_response_audio": False,
    }
    if state.stage is not Stage.PROCESSING:
        metadata |= {"call_duration_secs": 0, "termination_reason": "", "rag_usage": None}
        document["transcript"] = []
        document |= {name: 0 for name in ("user_message_count", "agent_message_count") if name in final}
    return document


def _finished(final: Json, blueprint: Blueprint, state: State) -> Json:
    document = final
    if blueprint.feedback_at is not None and not state.has_late_feedback:
        document = document | {"metadata": document["metadata"] | {"feedback": no_feedback()}}
    if blueprint.rerun_at is not None and not state.is_rerun and final["analysis"]:
        analysis = before_rerun(final["analysis"], shows_in_list=blueprint.caller % 2 == 0)
        document = document | {"analysis": analysis}
    return _redacted(document, blueprint) if state.is_redacted else document


def _redacted(document: Json, blueprint: Blueprint) -> Json:
    """What retention leaves: the row and its numbers, without content."""
    at = blueprint.redacted_at
    deleted = {
        "deleted_logs_at_time_unix_secs": at,
        "deleted_audio_at_time_unix_secs": at,
        "deleted_transcript_at_time_unix_secs": at,
    }
    metadata = document["metadata"]
    data = document["conversation_initiation_client_data"]
    analysis = document["analysis"]
    return document | {
        "transcript": [],
        "metadata": metadata | {"deletion_settings": metadata["deletion_settings"] | deleted},
        "analysis": analysis and analysis | {"transcript_summary": ""},
        "conversation_initiation_client_data": data | {"dynamic_variables": {}},
        "has_audio": False,
        "has_user_audio": False,
        "has_response_audio": False,
    }


def _is_due(moment: int | None, at: float) -> bool:
    return moment is not None and at >= moment

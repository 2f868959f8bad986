"""How a call looks at a moment: begun, going on, being processed, done, judged late, blanked by retention, deleted.

The final document is made once; each earlier or later state is a shallow copy with the parts that differ.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from pipelines.emulator.generator.analysis import before_rerun
from pipelines.emulator.generator.blueprint import Head
from pipelines.emulator.generator.charging import incomplete
from pipelines.emulator.generator.metadata import no_feedback
from pipelines.emulator.generator.transcript import Json

_ACCEPTED_AFTER_SECS = 2
_EMPTIED_VARIABLES = "dynamic_variables"


class Stage(Enum):
    """Where a call stands in its life."""

    INITIATED = "initiated"
    IN_PROGRESS = "in-progress"
    PROCESSING = "processing"
    FINISHED = "finished"


class Phase(NamedTuple):
    """All that a call's look depends on; two moments in the same phase show the same document."""

    stage: Stage
    has_late_feedback: bool
    is_rerun: bool
    is_redacted: bool


def phase(head: Head, at: float) -> Phase | None:
    """The phase of a call at a unix time, None where it has not begun or was deleted upstream."""
    if at < head.start or _due(head.deleted_at, at):
        return None
    if at >= head.done_at:
        stage = Stage.FINISHED
    elif at >= head.end:
        stage = Stage.PROCESSING
    elif at >= head.start + _ACCEPTED_AFTER_SECS:
        stage = Stage.IN_PROGRESS
    else:
        stage = Stage.INITIATED
    return Phase(stage, _due(head.feedback_at, at), _due(head.rerun_at, at), _due(head.redacted_at, at))


def look(final: Json, head: Head, now: Phase) -> Json:
    """The document of a call in a phase; ``final`` stays as it is."""
    if now.stage is Stage.FINISHED:
        return _finished(final, head, now)
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
    shown = final | {
        "status": now.stage.value,
        "metadata": metadata,
        "analysis": None,
        "has_audio": False,
        "has_user_audio": False,
        "has_response_audio": False,
    }
    if now.stage is not Stage.PROCESSING:
        metadata |= {"call_duration_secs": 0, "termination_reason": "", "rag_usage": None}
        shown["transcript"] = []
        shown |= {name: 0 for name in ("user_message_count", "agent_message_count") if name in final}
    return shown


def _finished(final: Json, head: Head, now: Phase) -> Json:
    shown = final
    if head.feedback_at is not None and not now.has_late_feedback:
        shown = shown | {"metadata": shown["metadata"] | {"feedback": no_feedback()}}
    if head.rerun_at is not None and not now.is_rerun and final["analysis"]:
        analysis = before_rerun(final["analysis"], shows_in_list=head.caller % 2 == 0)
        shown = shown | {"analysis": analysis}
    return _redacted(shown, head) if now.is_redacted else shown


def _redacted(shown: Json, head: Head) -> Json:
    """What retention leaves: the row and its numbers, without content."""
    at = head.redacted_at
    deleted = {
        "deleted_logs_at_time_unix_secs": at,
        "deleted_audio_at_time_unix_secs": at,
        "deleted_transcript_at_time_unix_secs": at,
    }
    metadata = shown["metadata"]
    data = shown["conversation_initiation_client_data"]
    analysis = shown["analysis"]
    return shown | {
        "transcript": [],
        "metadata": metadata | {"deletion_settings": metadata["deletion_settings"] | deleted},
        "analysis": analysis and analysis | {"transcript_summary": ""},
        "conversation_initiation_client_data": data | {_EMPTIED_VARIABLES: {}},
        "has_audio": False,
        "has_user_audio": False,
        "has_response_audio": False,
    }


def _due(moment: int | None, at: float) -> bool:
    return moment is not None and at >= moment

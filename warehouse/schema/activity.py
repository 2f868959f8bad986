"""The part of THE schema that says what was done at the API from here: feedback, probes of agents, recordings."""

from __future__ import annotations

from warehouse.schema.types import BOOL, FLOAT, INT, TEXT, TIME, WORKSPACE, Table, Type, derived

FEEDBACK_SENT = Table(
    "feedback_sent",
    "feedback that was sent to the API from here",
    ("conversation_id", "sent_at"),
    (
        WORKSPACE,
        derived("conversation_id", TEXT, "Id of the conversation.", required=True),
        derived("sent_at", TIME, "When it was sent.", required=True),
        derived("feedback", TEXT, "like, dislike or clear (a thumb taken back).", required=True),
        derived("outcome", TEXT, "sent, not_found (404), refused (another 4xx) or failed (no answer).", required=True),
        derived("status", INT, "HTTP status of the answer; null when sent or unanswered."),
        derived("error", TEXT, "The answer in words; null when sent."),
    ),
    is_daily=False,
)

AGENT_ACCESS = Table(
    "agent_access",
    "probe of a way to reach an agent",
    ("workspace", "agent_id", "way", "asked_at"),
    (
        WORKSPACE,
        derived("agent_id", TEXT, "Id of the agent.", required=True),
        derived("way", TEXT, "signed_url (WebSocket) or token (WebRTC); neither is kept.", required=True),
        derived("asked_at", TIME, "When it was asked for.", required=True),
        derived("is_reachable", BOOL, "Whether the API gave it.", required=True),
        derived("latency_secs", FLOAT, "Time until the answer, repeats of the request included.", required=True),
        derived("status", INT, "HTTP status of a refusal; null when given or unanswered."),
        derived("reason", TEXT, "Why not, in the vendor's words; null when given."),
    ),
    is_daily=False,
)

AUDIO_FILES = Table(
    "audio_files",
    "conversation whose recording was asked for",
    ("conversation_id",),
    (
        WORKSPACE,
        derived("conversation_id", TEXT, "Id of the conversation.", required=True),
        derived("start_date", Type.DATE, "UTC day on which the conversation started.", required=True),
        derived("fetched_at", TIME, "When it was asked for last.", required=True),
        derived("outcome", TEXT, "saved or missing (the API has none, though it said so).", required=True),
        derived("path", TEXT, "The MP3 below the home folder; null when missing."),
        derived("file_bytes", INT, "Size of the MP3; null when missing."),
        derived("sha256", TEXT, "SHA-256 of the MP3; null when missing."),
        derived("reason", TEXT, "Why it is missing, in the vendor's words; null when saved."),
    ),
    is_daily=False,
)

ACTIVITY_TABLES: tuple[Table, ...] = (FEEDBACK_SENT, AGENT_ACCESS, AUDIO_FILES)
"""Tables of what was done at the API from here (``warehouse.storage.activity_log``)."""

"""Tables of what this product did at the API: feedback sent, agent access checks, recordings downloaded."""

from __future__ import annotations

from warehouse.schema.types import BOOL, FLOAT, INT, TEXT, TIME, WORKSPACE, Table, Type, derived

FEEDBACK_SENT = Table(
    "feedback_sent",
    "feedback that this product sent to the API",
    ("conversation_id", "sent_at"),
    (
        WORKSPACE,
        derived("conversation_id", TEXT, "Id of the conversation.", required=True),
        derived("sent_at", TIME, "When the feedback was sent.", required=True),
        derived("feedback", TEXT, "like, dislike or clear (removes the feedback).", required=True),
        derived(
            "outcome", TEXT, "sent, not_found (404), refused (another 4xx) or failed (no response).", required=True
        ),
        derived("status", INT, "HTTP status of the error response; null if sent or without a response."),
        derived("error", TEXT, "Error message; null if sent."),
    ),
    is_daily=False,
)

AGENT_ACCESS = Table(
    "agent_access",
    "access check of an agent by one way of connecting",
    ("workspace", "agent_id", "way", "asked_at"),
    (
        WORKSPACE,
        derived("agent_id", TEXT, "Id of the agent.", required=True),
        derived("way", TEXT, "signed_url (WebSocket) or token (WebRTC); neither is stored.", required=True),
        derived("asked_at", TIME, "When it was requested.", required=True),
        derived("is_reachable", BOOL, "Whether the API returned it.", required=True),
        derived("latency_secs", FLOAT, "Time until the response, including retries.", required=True),
        derived("status", INT, "HTTP status of the error response; null if returned or without a response."),
        derived("reason", TEXT, "Error message of the API; null if returned."),
    ),
    is_daily=False,
)

AUDIO_FILES = Table(
    "audio_files",
    "conversation whose recording was requested",
    ("conversation_id",),
    (
        WORKSPACE,
        derived("conversation_id", TEXT, "Id of the conversation.", required=True),
        derived("start_date", Type.DATE, "UTC day on which the conversation started.", required=True),
        derived("fetched_at", TIME, "When it was last requested.", required=True),
        derived("outcome", TEXT, "saved or missing (the API has none, although it reported one).", required=True),
        derived("path", TEXT, "Path of the MP3 file below the home folder; null if missing."),
        derived("file_bytes", INT, "Size of the MP3 file; null if missing."),
        derived("sha256", TEXT, "SHA-256 of the MP3 file; null if missing."),
        derived("reason", TEXT, "Error message of the API; null if saved."),
    ),
    is_daily=False,
)

ACTIVITY_TABLES: tuple[Table, ...] = (FEEDBACK_SENT, AGENT_ACCESS, AUDIO_FILES)
"""All of them; ``warehouse.storage.activity_log`` writes them."""

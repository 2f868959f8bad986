"""Tables of what this product did at the API (feedback, access checks, recordings), and of what webhooks announced."""

from __future__ import annotations

from warehouse.schema.types import (
    AGENT_ID,
    BOOL,
    CONVERSATION_ID,
    FLOAT,
    INT,
    START_DATE,
    TEXT,
    TIME,
    WORKSPACE,
    Table,
    derived,
)

FEEDBACK_SENT = Table(
    "feedback_sent",
    "feedback that this product sent to the API",
    ("conversation_id", "sent_at"),
    (
        WORKSPACE,
        CONVERSATION_ID,
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
        AGENT_ID,
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
        CONVERSATION_ID,
        START_DATE,
        derived("fetched_at", TIME, "When it was saved, or first not found, or counted as missing.", required=True),
        derived(
            "outcome",
            TEXT,
            "saved, not_found (the API had none once) or missing (nor at a second request, a day later).",
            required=True,
        ),
        derived("path", TEXT, "Path of the MP3 file below the home folder; null if not saved."),
        derived("file_bytes", INT, "Size of the MP3 file; null if not saved."),
        derived("sha256", TEXT, "SHA-256 of the MP3 file; null if not saved."),
        derived("reason", TEXT, "Error message of the API; null if saved."),
    ),
    is_daily=False,
)

INITIATION_FAILURE = "call_initiation_failure"
"""Type of the event of an outbound call that reached nobody."""

WEBHOOK_EVENTS = Table(
    "webhook_events",
    "event of a conversation that a webhook announced without a document that could be kept",
    ("conversation_id", "event_type", "event_at"),
    (
        WORKSPACE,
        CONVERSATION_ID,
        derived(
            "event_type",
            TEXT,
            "post_call_transcription (a body without a transcript, or one that is in quarantine), "
            "post_call_transcription_otel, call_initiation_failure, …; open text.",
            required=True,
        ),
        derived(
            "event_at", TIME, "When the API made the event; when it was received, if it does not say.", required=True
        ),
        derived("received_at", TIME, "When the receiver got it.", required=True),
        derived("agent_id", TEXT, "Agent of the conversation."),
        derived("failure_reason", TEXT, "Of a call_initiation_failure: busy, no-answer, unknown, …; open text."),
        derived("provider", TEXT, "Of a call_initiation_failure: how it was called, twilio or sip; open text."),
        derived("sip_status", INT, "Of a call_initiation_failure: SIP status of the attempt, such as 486 (busy)."),
    ),
    is_daily=False,
)

ACTIVITY_TABLES: tuple[Table, ...] = (FEEDBACK_SENT, AGENT_ACCESS, AUDIO_FILES, WEBHOOK_EVENTS)
"""All of them; ``warehouse.storage.activity_log`` writes them."""

"""Tables of the landing: snapshots of conversations, list rows, and lake tables with the order of the landing."""

from __future__ import annotations

from dataclasses import replace

from warehouse.schema.operations import QUARANTINE
from warehouse.schema.types import BOOL, CONVERSATION_ID, INT, START_DATE, TEXT, TIME, WORKSPACE, Table, Type, derived

SEQUENCE = derived("sequence", INT, "Number that grows with everything that lands in the home; null in files of 0.2.0.")

LANDED_DOCUMENTS = Table(
    "documents",
    "snapshot of a conversation",
    ("conversation_id", "fetched_at"),
    (
        WORKSPACE,
        CONVERSATION_ID,
        START_DATE,
        derived("start_time_at", TIME, "Start of the conversation.", required=True),
        derived("ended_at", TIME, "Start plus duration of the conversation."),
        derived("agent_id", TEXT, "Agent of the conversation."),
        derived("status", TEXT, "Status in this snapshot; null if gone."),
        derived(
            "kind",
            TEXT,
            "document (new content), unchanged (content already landed), blanked (retention removed the content), "
            "gone (404) or erased (the one row that is left of a conversation that was erased here).",
            required=True,
        ),
        derived("list_fingerprint", TEXT, "Fingerprint of the list row because of which it was fetched."),
        derived("fetched_at", TIME, "When it was fetched.", required=True),
        derived("content_sha256", TEXT, "SHA-256 of the canonical document; null if gone."),
        derived("n_texts", INT, "Transcript entries with text; null if gone."),
        derived(
            "is_redacted",
            BOOL,
            "Whether content and personal fields were removed from the payload here; null means no.",
        ),
        derived(
            "payload",
            Type.BINARY,
            "The document, masked as described in docs/privacy.md; null if unchanged or gone.",
        ),
        derived("is_webhook", BOOL, "Whether a webhook brought it; fetched_at is the event's time then."),
        SEQUENCE,
    ),
)

LANDED_LISTINGS = Table(
    "listings",
    "list row in a complete listing; a conversation whose row has not changed has nulls from start_date to fingerprint",
    ("conversation_id", "listed_at"),
    (
        WORKSPACE,
        CONVERSATION_ID,
        derived("start_date", Type.DATE, "UTC day on which the conversation started."),
        derived("start_time_at", TIME, "Start of the conversation."),
        derived("agent_id", TEXT, "Agent of the conversation."),
        derived("agent_name", TEXT, "Name of the agent."),
        derived("status", TEXT, "Status in the list."),
        derived("message_count", INT, "Entries of the transcript with text, as the list counts them."),
        derived("fingerprint", TEXT, "SHA-256 of the canonical list row."),
        derived(
            "listed_at",
            TIME,
            "When the listing began; in a merged file, the first that showed this row.",
            required=True,
        ),
        derived("last_seen_at", TIME, "When the last listing that showed this row began; null means at listed_at."),
        derived("payload", Type.BINARY, "The list row as the API sent it; {} after its conversation was redacted."),
        SEQUENCE,
        derived("last_seen_sequence", INT, "Number of the last listing that showed this row; null means sequence."),
    ),
)


def with_sequence(table: Table) -> Table:
    """The table as it lands: with the order of the landing, which the lake's table does not have."""
    return replace(table, columns=(*table.columns, SEQUENCE))


LANDED_QUARANTINE = with_sequence(QUARANTINE)

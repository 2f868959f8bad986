"""Tables of the landing: documents and list rows as the API sent them."""

from __future__ import annotations

from warehouse.schema.types import BOOL, INT, TEXT, TIME, WORKSPACE, Table, Type, derived

LANDED_DOCUMENTS = Table(
    "documents",
    "reading of a conversation detail",
    ("conversation_id", "fetched_at"),
    (
        WORKSPACE,
        derived("conversation_id", TEXT, "Id of the conversation.", required=True),
        derived("start_date", Type.DATE, "UTC day on which the conversation started.", required=True),
        derived("start_time_at", TIME, "Start of the call.", required=True),
        derived("ended_at", TIME, "Start plus length of the call."),
        derived("agent_id", TEXT, "Agent of the call."),
        derived("status", TEXT, "Status at this reading; null when gone."),
        derived(
            "kind",
            TEXT,
            "document (new content), unchanged (content already landed), blanked (retention took the content), gone "
            "(404) or erased (the one row that is left of a conversation that was erased here).",
            required=True,
        ),
        derived("list_fingerprint", TEXT, "Fingerprint of the list row that led to this reading."),
        derived("fetched_at", TIME, "When it was read.", required=True),
        derived("content_sha256", TEXT, "SHA-256 of the canonical document; null when gone."),
        derived("n_texts", INT, "Transcript entries that hold text; null when gone."),
        derived(
            "is_redacted", BOOL, "Whether content and personal fields were taken out of the payload here; null: no."
        ),
        derived(
            "payload", Type.BINARY, "The document, masked as docs/operations.md says; null when unchanged or gone."
        ),
    ),
)

LANDED_LISTINGS = Table(
    "listings",
    "list row of one complete listing",
    ("conversation_id", "listed_at"),
    (
        WORKSPACE,
        derived("conversation_id", TEXT, "Id of the conversation.", required=True),
        derived("start_date", Type.DATE, "UTC day on which the conversation started.", required=True),
        derived("start_time_at", TIME, "Start of the call.", required=True),
        derived("agent_id", TEXT, "Agent of the call."),
        derived("agent_name", TEXT, "Name of the agent."),
        derived("status", TEXT, "Status in the list."),
        derived("fingerprint", TEXT, "SHA-256 of the canonical list row.", required=True),
        derived("listed_at", TIME, "When the listing began.", required=True),
        derived(
            "payload", Type.BINARY, "The list row as it came; {} once its conversation is redacted.", required=True
        ),
    ),
)

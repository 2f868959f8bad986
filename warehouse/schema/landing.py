"""Tables of the landing: documents and list rows as the API sent them."""

from __future__ import annotations

from warehouse.schema.types import BOOL, INT, TEXT, TIME, WORKSPACE, Table, Type, made

LANDED_DOCUMENTS = Table(
    "documents",
    "reading of a conversation detail",
    ("conversation_id", "fetched_at"),
    (
        WORKSPACE,
        made("conversation_id", TEXT, "Id of the conversation.", required=True),
        made("start_date", Type.DATE, "UTC day on which the conversation started.", required=True),
        made("start_time_at", TIME, "Start of the call.", required=True),
        made("ended_at", TIME, "Start plus length of the call."),
        made("agent_id", TEXT, "Agent of the call."),
        made("status", TEXT, "Status at this reading; null when gone."),
        made(
            "kind",
            TEXT,
            "document (new content), unchanged (content already landed), blanked (retention took the content), gone "
            "(404) or erased (the one row that is left of a conversation that was erased here).",
            required=True,
        ),
        made("list_fingerprint", TEXT, "Fingerprint of the list row that led to this reading."),
        made("fetched_at", TIME, "When it was read.", required=True),
        made("content_sha256", TEXT, "SHA-256 of the canonical document; null when gone."),
        made("n_texts", INT, "Transcript entries that hold text; null when gone."),
        made("is_redacted", BOOL, "Whether content and personal fields were taken out of the payload here; null: no."),
        made("payload", Type.BINARY, "The document, masked as docs/operations.md says; null when unchanged or gone."),
    ),
)

LANDED_LISTINGS = Table(
    "listings",
    "list row of one complete listing",
    ("conversation_id", "listed_at"),
    (
        WORKSPACE,
        made("conversation_id", TEXT, "Id of the conversation.", required=True),
        made("start_date", Type.DATE, "UTC day on which the conversation started.", required=True),
        made("start_time_at", TIME, "Start of the call.", required=True),
        made("agent_id", TEXT, "Agent of the call."),
        made("agent_name", TEXT, "Name of the agent."),
        made("status", TEXT, "Status in the list."),
        made("fingerprint", TEXT, "SHA-256 of the canonical list row.", required=True),
        made("listed_at", TIME, "When the listing began.", required=True),
        made("payload", Type.BINARY, "The list row as it came; {} once its conversation is redacted.", required=True),
    ),
)

"""Tables about the sync: listed conversations, agents, deletions, quarantine, unknown fields, runs."""

from __future__ import annotations

from warehouse.schema.types import (
    AGENT_ID,
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

CONVERSATION_LIST = Table(
    "conversation_list",
    "conversation that was ever listed, with its latest list row",
    ("conversation_id",),
    (
        WORKSPACE,
        CONVERSATION_ID,
        START_DATE,
        derived("start_time_at", TIME, "Start of the conversation.", required=True),
        derived("agent_id", TEXT, "Agent of the conversation."),
        derived("agent_name", TEXT, "Name of the agent at the last listing."),
        derived("status", TEXT, "Status at the last listing."),
        derived(
            "message_count",
            INT,
            "Entries of the transcript with text, as the list counts them; null if it does not, and for a row that "
            "landed by an earlier version and has not changed since.",
        ),
        derived("fingerprint", TEXT, "SHA-256 of the canonical list row.", required=True),
        derived("first_seen_at", TIME, "Start of the first listing that had it.", required=True),
        derived("last_seen_at", TIME, "Start of the last listing that had it.", required=True),
    ),
)

AGENTS = Table(
    "agents",
    "agent that was ever seen: in a list row, in a conversation, or in its visited agents",
    ("workspace", "agent_id"),
    (
        WORKSPACE,
        AGENT_ID,
        derived("agent_name", TEXT, "Latest name that was seen; null if the API never sent one."),
        derived("first_call_at", TIME, "Start of the first conversation in which it was seen.", required=True),
        derived("last_call_at", TIME, "Start of the last conversation in which it was seen.", required=True),
    ),
    is_daily=False,
)

DELETIONS = Table(
    "deletions",
    "conversation that the API deleted in full or in part, or that was erased here",
    ("conversation_id",),
    (
        WORKSPACE,
        CONVERSATION_ID,
        START_DATE,
        derived(
            "noticed_at",
            TIME,
            "When the latest snapshot that shows the deletion was fetched, or when it was erased.",
            required=True,
        ),
        derived(
            "evidence",
            TEXT,
            "not_found (404), blanked (a finished conversation without its text) or erased.",
            required=True,
        ),
        derived(
            "reason",
            TEXT,
            "deleted (at the API), retention (the API removed its content) or erased (here).",
            required=True,
        ),
    ),
)

MALFORMED_ROW, UNFETCHABLE, UNREADABLE, UNFLATTENABLE = QUARANTINE_REASONS = (
    "malformed_row",
    "unfetchable",
    "unreadable",
    "unflattenable",
)
ROW_PREFIX, TOOL_PREFIX, AGENT_PREFIX, BATCH_PREFIX, BRANCH_PREFIX, TAG_PREFIX = (
    "list_row_",
    "tool_",
    "agent_",
    "batch_",
    "branch_",
    "tag_",
)
"""Beginning of the name of an entry of a list without an id; a hash of the entry follows."""
TOOL_UNREADABLE, PRICE_UNAVAILABLE, AGENT_UNAVAILABLE, BATCH_UNAVAILABLE, TAG_UNREADABLE = (
    "tool_unreadable",
    "price_unavailable",
    "agent_unavailable",
    "batch_unavailable",
    "tag_unreadable",
)

QUARANTINE = Table(
    "quarantine",
    "item that was quarantined and is tried again by each run: a conversation, list row, tool, price, agent, batch or "
    "tag",
    ("workspace", "conversation_id"),
    (
        WORKSPACE,
        derived(
            "conversation_id",
            TEXT,
            "Id of the conversation, or of a tool, an agent, a batch or a tag, as the reason says; of an entry of a "
            "list without an id, what it is and a hash: list_row_…, tool_…, agent_…, batch_…, branch_…, tag_…. What "
            "belongs to an agent has its id and a slash before.",
            required=True,
        ),
        derived("fetched_at", TIME, "When it was fetched, or when the listing that showed it began.", required=True),
        derived(
            "reason",
            TEXT,
            "malformed_row (its list row has no valid id, start or status), unfetchable (the API answered with an "
            "error), unreadable (the response is not a document, or holds what no column can), unflattenable (the "
            "landed document has no ids, no start, or holds what no table can), tool_unreadable (a tool of the list), "
            "price_unavailable (the prices of an agent), agent_unavailable (the configuration, the branches or a "
            "version of an agent), batch_unavailable (a batch of calls) or tag_unreadable (a tag of the list).",
            required=True,
        ),
        derived("error", TEXT, "Error message.", required=True),
    ),
    is_daily=False,
)

_UNKNOWN_VALUE = derived(
    "value", TEXT, "The unknown value of a known field; empty for an unknown key or type.", required=True
)
_UNKNOWN_KIND = derived(
    "kind",
    TEXT,
    "key (no column has it), type (its column cannot hold it) or word (not a known value).",
    required=True,
)
_SEEN_AT = (
    derived("first_seen_at", TIME, "When the first content that has it was fetched.", required=True),
    derived("last_seen_at", TIME, "When the last content that has it was fetched.", required=True),
)

UNKNOWN_FIELDS = Table(
    "unknown_fields",
    "JSON path or value that the schema does not know",
    ("workspace", "path", "value"),
    (
        WORKSPACE,
        derived(
            "path",
            TEXT,
            "JSON path in a conversation or, by its beginning, in tools (tools[]), prices (llm_prices[]), agents "
            "(agent, branches[], version), batches (batch_calls[]), tags (conversation_tags[]) or the bill (usage); "
            "without indexes and map keys.",
            required=True,
        ),
        _UNKNOWN_VALUE,
        _UNKNOWN_KIND,
        derived("n_rows", INT, "Rows that have it.", required=True),
        derived("n_conversations", INT, "Conversations that have it; 0 if it is in none.", required=True),
        *_SEEN_AT,
        derived(
            "example_id",
            TEXT,
            "Id of a conversation that has it, of those fetched last; else of a tool, an agent or a batch; for the "
            "bill its basis.",
            required=True,
        ),
    ),
    is_daily=False,
)

UNKNOWN_FIELDS_DAILY = Table(
    "unknown_fields_daily",
    "JSON path or value that the schema does not know and UTC day on which conversations that have it started",
    ("workspace", "start_date", "path", "value"),
    (
        WORKSPACE,
        START_DATE,
        derived("path", TEXT, "JSON path in a conversation, without indexes and map keys.", required=True),
        _UNKNOWN_VALUE,
        _UNKNOWN_KIND,
        derived("n_rows", INT, "Rows of the day that have it.", required=True),
        derived("n_conversations", INT, "Conversations of the day that have it.", required=True),
        *_SEEN_AT,
        derived("example_id", TEXT, "Id of a conversation that has it, of those fetched last.", required=True),
    ),
    is_daily=False,
)
SYNC_RUNS = Table(
    "sync_runs",
    "run of the sync in a workspace",
    ("workspace", "run_id"),
    (
        WORKSPACE,
        derived("run_id", TEXT, "Id of the run.", required=True),
        derived("started_at", TIME, "Start of the run.", required=True),
        derived("ended_at", TIME, "End of the run.", required=True),
        derived("since_at", TIME, "Start of the window that was listed; null if unbounded."),
        derived("until_at", TIME, "End of the window that was listed."),
        derived("agent_id", TEXT, "Agent that the run was limited to."),
        derived("n_listed", INT, "Conversations that were listed.", required=True),
        derived(
            "n_skipped",
            INT,
            "Conversations that an earlier request for their time had skipped: an earlier listing, made an hour or "
            "more after they started, or the first request of this one. They are copied; null in older rows.",
        ),
        derived("n_new", INT, "Conversations fetched because they had never been landed.", required=True),
        derived("n_open", INT, "Conversations fetched because they were not yet done or failed.", required=True),
        derived("n_changed", INT, "Conversations fetched because their list row had changed.", required=True),
        derived(
            "n_missing", INT, "Conversations fetched because a complete listing no longer had them; null in older rows."
        ),
        derived("n_due", INT, "Conversations fetched because a re-fetch was due.", required=True),
        derived(
            "n_asked",
            INT,
            "Conversations fetched because they were in quarantine or got feedback from here; null in older rows.",
        ),
        derived("n_fetched", INT, "Conversations fetched.", required=True),
        derived("n_landed", INT, "Documents landed with new content.", required=True),
        derived("n_unchanged", INT, "Conversations fetched whose content was already landed.", required=True),
        derived("n_gone", INT, "Conversations that the API answered with 404.", required=True),
        derived("n_flattened", INT, "Conversations written to the lake.", required=True),
        derived("n_quarantined", INT, "Rows of quarantine at the end of the run.", required=True),
        derived("n_requests", INT, "HTTP requests, including retries.", required=True),
        derived("n_retries", INT, "HTTP requests that were retries.", required=True),
        derived("received_bytes", INT, "Bytes of HTTP responses.", required=True),
        derived("elapsed_secs", FLOAT, "Duration of the run.", required=True),
        derived(
            "last_full_listing_at",
            TIME,
            "Time until which conversations of all agents were listed without a gap, noted once all of them are in "
            "the lake, also if the run itself listed nothing, one agent or an earlier time; null if there was no such "
            "listing, if something is missing besides items in quarantine, if the warehouse was not replaced, and in "
            "older rows. It does not count in a run that did not reach its end.",
        ),
        derived("outcome", TEXT, "complete, incomplete or failed.", required=True),
        derived("error", TEXT, "Why the run failed or is incomplete; null if complete."),
    ),
    is_daily=False,
)

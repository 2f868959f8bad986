"""Tables of the sync itself: the conversations list, agents, deletions, quarantine, unknown fields, runs."""

from __future__ import annotations

from warehouse.schema.types import FLOAT, INT, TEXT, TIME, WORKSPACE, Table, Type, derived

CONVERSATION_LIST = Table(
    "conversation_list",
    "conversation that the list ever showed, its latest row",
    ("conversation_id",),
    (
        WORKSPACE,
        derived("conversation_id", TEXT, "Id of the conversation.", required=True),
        derived("start_date", Type.DATE, "UTC day on which the conversation started.", required=True),
        derived("start_time_at", TIME, "Start of the call.", required=True),
        derived("agent_id", TEXT, "Agent of the call."),
        derived("agent_name", TEXT, "Name of the agent at the last listing."),
        derived("status", TEXT, "Status at the last listing."),
        derived("fingerprint", TEXT, "SHA-256 of the canonical list row.", required=True),
        derived("first_seen_at", TIME, "First listing that showed it.", required=True),
        derived("last_seen_at", TIME, "Last listing that showed it.", required=True),
    ),
)

AGENTS = Table(
    "agents",
    "agent that was ever seen: in a list row, as a call's own, or as one that a call passed through",
    ("workspace", "agent_id"),
    (
        WORKSPACE,
        derived("agent_id", TEXT, "Agent.", required=True),
        derived("agent_name", TEXT, "Latest name that was seen; null when the API never told one."),
        derived("first_call_at", TIME, "Start of the first call in which it was seen.", required=True),
        derived("last_call_at", TIME, "Start of the last call in which it was seen.", required=True),
    ),
    is_daily=False,
)

DELETIONS = Table(
    "deletions",
    "conversation that the API no longer has, or no longer whole, or that was erased here",
    ("conversation_id",),
    (
        WORKSPACE,
        derived("conversation_id", TEXT, "Id of the conversation.", required=True),
        derived("start_date", Type.DATE, "UTC day on which the conversation started.", required=True),
        derived("noticed_at", TIME, "Last reading that showed it, or when it was erased.", required=True),
        derived(
            "evidence",
            TEXT,
            "not_found (404 to the detail), blanked (a finished call without its text) or erased.",
            required=True,
        ),
        derived(
            "reason",
            TEXT,
            "deleted (at the API), retention (the API took its content) or erased (here).",
            required=True,
        ),
    ),
)

QUARANTINE = Table(
    "quarantine",
    "document that could not be flattened",
    ("conversation_id",),
    (
        WORKSPACE,
        derived("conversation_id", TEXT, "Id that was asked for.", required=True),
        derived("fetched_at", TIME, "When the document was read.", required=True),
        derived(
            "reason",
            TEXT,
            "unreadable (no JSON) or unflattenable (no ids or start).",
            required=True,
        ),
        derived("error", TEXT, "The reader's own words.", required=True),
    ),
    is_daily=False,
)

UNKNOWN_FIELDS = Table(
    "unknown_fields",
    "key path or word that the schema does not know",
    ("workspace", "path", "value"),
    (
        WORKSPACE,
        derived(
            "path",
            TEXT,
            "JSON path in a conversation detail, in the list of tools (tools[]…) or in prices (llm_prices[]…), without "
            "indexes and map keys.",
            required=True,
        ),
        derived("value", TEXT, "The unknown word of a known field; empty for an unknown key or type.", required=True),
        derived("kind", TEXT, "key (no column knows it), type (its column cannot hold it) or word.", required=True),
        derived("n_rows", INT, "Rows that have it.", required=True),
        derived("n_conversations", INT, "Conversations that have it; 0 where tools or prices do.", required=True),
        derived("first_seen_at", TIME, "When the first content that has it was read.", required=True),
        derived("last_seen_at", TIME, "When the last content that has it was read.", required=True),
        derived(
            "example_id", TEXT, "A conversation that has it, one read last; else a tool or an agent.", required=True
        ),
    ),
    is_daily=False,
)

SYNC_RUNS = Table(
    "sync_runs",
    "run of the sync",
    ("workspace", "run_id"),
    (
        WORKSPACE,
        derived("run_id", TEXT, "Id of the run.", required=True),
        derived("started_at", TIME, "Start of the run.", required=True),
        derived("ended_at", TIME, "End of the run.", required=True),
        derived("since_at", TIME, "Start of the window that was listed; null for all of history."),
        derived("until_at", TIME, "End of the window that was listed."),
        derived("agent_id", TEXT, "Agent that the run was limited to."),
        derived("n_listed", INT, "Conversations that the list showed.", required=True),
        derived("n_new", INT, "Fetched because never landed.", required=True),
        derived("n_open", INT, "Fetched because not done or failed when last read.", required=True),
        derived("n_changed", INT, "Fetched because the list row changed.", required=True),
        derived(
            "n_missing", INT, "Fetched because a complete listing no longer shows it; null before this was counted."
        ),
        derived("n_due", INT, "Fetched because a re-read was due.", required=True),
        derived(
            "n_asked",
            INT,
            "Fetched because set aside before, or because feedback was sent; null before this was counted.",
        ),
        derived("n_fetched", INT, "Details read.", required=True),
        derived("n_landed", INT, "Documents with new content that were landed.", required=True),
        derived("n_unchanged", INT, "Details whose content was already landed.", required=True),
        derived("n_gone", INT, "Details that the API answered with 404.", required=True),
        derived("n_flattened", INT, "Conversations written to the lake.", required=True),
        derived("n_quarantined", INT, "Documents set aside.", required=True),
        derived("n_requests", INT, "HTTP requests, retries included.", required=True),
        derived("n_retries", INT, "HTTP requests that were repeated.", required=True),
        derived("received_bytes", INT, "Bytes of answers.", required=True),
        derived("elapsed_secs", FLOAT, "Length of the run.", required=True),
        derived("outcome", TEXT, "complete, incomplete or failed.", required=True),
        derived("error", TEXT, "What stopped the run or left it incomplete; null when complete."),
    ),
    is_daily=False,
)

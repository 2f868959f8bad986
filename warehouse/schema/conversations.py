"""``lake.conversations``, and the tables of the lists directly below a conversation."""

from __future__ import annotations

from warehouse.schema.conversation_client_data import CLIENT_DATA
from warehouse.schema.conversation_features import FEATURE_COLUMNS
from warehouse.schema.conversation_metadata import CHANNEL, CHARGING, FEEDBACK, RETENTION, TERMINATION
from warehouse.schema.types import (
    BOOL,
    CONVERSATION_ID,
    FLOAT,
    INT,
    JSON,
    START_DATE,
    TEXT,
    TIME,
    WORKSPACE,
    Table,
    column,
    derived,
    free_text,
    identifier,
    table,
)

_ROOT = (
    column("agent_id", TEXT, "Agent that the conversation was started with."),
    column("agent_name", TEXT, "Name of the agent when the document was fetched; current API only."),
    column("status", TEXT, "initiated, in-progress, processing, done or failed; open text."),
    derived("start_time_at", TIME, "Start of the conversation (metadata.start_time_unix_secs).", required=True),
    column("metadata.accepted_time_unix_secs", TIME, "When the conversation was accepted."),
    column("metadata.call_duration_secs", INT, "Duration of the conversation."),
    identifier("user_id", TEXT, "Id of the user in the customer's own system."),
    column("branch_id", TEXT, "Branch of the agent that answered."),
    column("version_id", TEXT, "Version of the agent that answered."),
    column("environment", TEXT, "Environment of the agent, such as production."),
    column("conversation_product", TEXT, "Product that the conversation belongs to."),
    column("user_message_count", INT, "Messages of the user, counted by the API."),
    column("agent_message_count", INT, "Messages of the agent, counted by the API."),
    column("has_audio", BOOL, "Whether the API has audio of the conversation."),
    column("has_user_audio", BOOL, "Whether the API has the audio of the user."),
    column("has_response_audio", BOOL, "Whether the API has the audio of the agent."),
    column("has_auxiliary_audio", BOOL, "Whether the API has further audio."),
)
"""The conversation itself: ids, status, start and length."""

_ANALYSIS = (
    column("analysis.call_successful", TEXT, "success, failure or unknown: the vendor's evaluation."),
    free_text("analysis.transcript_summary", TEXT, "Summary of the conversation."),
    free_text("analysis.call_summary_title", TEXT, "Title of the summary."),
    column("analysis.call_success_score", FLOAT, "Score of success."),
    column("analysis.sentiment_analysis.overall_label", TEXT, "positive, neutral or negative; open text."),
    column("analysis.sentiment_analysis.overall_sentiment_score", FLOAT, "Sentiment of the whole conversation."),
    column("analysis.sentiment_analysis.overall_frustration_score", FLOAT, "Frustration of the whole conversation."),
    column("analysis.sentiment_analysis.min_user_sentiment_score", FLOAT, "Lowest sentiment of a user's entry."),
    column("analysis.sentiment_analysis.max_user_frustration_score", FLOAT, "Highest frustration of a user's entry."),
    column("analysis.sentiment_analysis.num_scored_user_turns", INT, "User's entries that were scored."),
)
"""``analysis``: the API's evaluation of the conversation as a whole."""

_UNDOCUMENTED = (
    column("hiding_reason", TEXT, "Why the conversation is hidden."),
    free_text("smb_metadata", JSON, "Undocumented."),
    free_text("realtime_config_snapshots", JSON, "Undocumented."),
    free_text("otlp_traces", JSON, "OpenTelemetry traces of the conversation."),
)
"""Keys that are in recorded responses but in no published schema."""

_SYNC_STATE = (
    derived("fetched_at", TIME, "When this content was first fetched.", required=True),
    derived("is_deleted", BOOL, "Whether the API no longer has the conversation.", required=True),
    derived("deleted_at", TIME, "When the sync noticed the deletion."),
    derived("deletion_reason", TEXT, "deleted (404), retention (the API removed the content) or null."),
)
"""What the sync adds: when the document was fetched, whether it was deleted."""

CONVERSATIONS = table(
    "conversations",
    "conversation",
    at="",
    columns=(
        *_ROOT,
        *CHARGING,
        *CHANNEL,
        *TERMINATION,
        *FEEDBACK,
        *_ANALYSIS,
        *RETENTION,
        *FEATURE_COLUMNS,
        *CLIENT_DATA,
        *_UNDOCUMENTED,
        *_SYNC_STATE,
    ),
    ignored_keys=(
        "conversation_id",
        "metadata.start_time_unix_secs",
    ),
)

CONVERSATION_CHECKS = Table(
    "conversation_checks",
    "conversation in the lake: which snapshot its rows are from, and when it was last fetched",
    ("conversation_id",),
    (
        WORKSPACE,
        CONVERSATION_ID,
        START_DATE,
        derived("checked_at", TIME, "When the conversation was last fetched, changed or not.", required=True),
        derived("content_sha256", TEXT, "SHA-256 of the canonical document.", required=True),
        derived("parser_version", INT, "Version of the flattening that made the rows.", required=True),
        derived("settle_state", TEXT, "open, settling or settled: whether it will be fetched again.", required=True),
    ),
)
"""What changes when a conversation is fetched again without news: a table of its own, so that no other file does."""

VISITED_AGENTS = table(
    "visited_agents",
    "agent that a conversation was handled by",
    at="visited_agents[visit_index]",
    keys=(derived("visit_index", INT, "Position of the visit, from 0.", required=True),),
    columns=(
        column("agent_id", TEXT, "Agent visited."),
        column("branch_id", TEXT, "Branch of the agent."),
    ),
)

VOICE_REWARDS = table(
    "voice_rewards",
    "reward to the owner of a shared voice for a conversation",
    at="metadata.voice_rewards[reward_index]",
    keys=(derived("reward_index", INT, "Position of the reward, from 0.", required=True),),
    columns=(
        column("voice_id", TEXT, "Id of the voice."),
        column("reward_usd_cents", FLOAT, "Reward to the owner of the voice, as the API reports it."),
    ),
)

TAGS = table(
    "tags",
    "tag of a conversation",
    at="tag_ids[tag_index]",
    keys=(derived("tag_index", INT, "Position of the tag, from 0.", required=True),),
    columns=(column(".", TEXT, "Id of the tag.", name="tag_id"),),
)

WARNINGS = table(
    "warnings",
    "warning of the API about a conversation",
    at="metadata.warnings[warning_index]",
    keys=(derived("warning_index", INT, "Position of the warning, from 0.", required=True),),
    columns=(free_text(".", TEXT, "The warning.", name="warning"),),
)

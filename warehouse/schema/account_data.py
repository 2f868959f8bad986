"""Tables of what the vendor says about the workspace beside its conversations: configurations, batches, the bill.

JSON paths of a configuration begin at the response to ``GET /v1/convai/agents/{agent_id}``, those of a branch at an
element of its ``/branches``, those of a batch at the response to ``GET /v1/convai/batch-calling/{batch_id}``. Source:
the vendor's SDK 2.78.0; the reference of November 2025 has none of these endpoints.
"""

from __future__ import annotations

from warehouse.schema.types import (
    AGENT_ID,
    BOOL,
    EXTRA,
    FLOAT,
    INT,
    JSON,
    TEXT,
    TIME,
    WORKSPACE,
    Column,
    Sensitivity,
    Table,
    Type,
    column,
    derived,
)

_VALID_FROM = derived("valid_from_at", TIME, "Start of the first listing that had it so.", required=True)
_LAST_SEEN = derived("last_seen_at", TIME, "Start of the last listing that had it so.", required=True)
_IS_CURRENT = derived("is_current", BOOL, "Whether the last listing had it so.", required=True)
_CHANGES = derived("changes", JSON, "JSON paths that differ from what it was before; null for the first.")


def _config_columns(at: str = "") -> tuple[Column, ...]:
    """The columns of a configuration, below a path that ends in a dot, or at the root."""
    prompt, tts = "conversation_config.agent.prompt.", "conversation_config.tts."

    def value(source: str, type_: Type, description: str, name: str) -> Column:
        return Column(name, type_, description, f"{at}{source}")

    return (
        value("name", TEXT, "Name of the agent.", "agent_name"),
        value("conversation_config.agent.language", TEXT, "Language that it begins with.", "language"),
        derived("prompt_length", INT, "Characters of the prompt."),
        derived("prompt", TEXT, "The prompt; null unless the setting agent_texts stores it."),
        derived("first_message_length", INT, "Characters of the first message."),
        value(f"{prompt}llm", TEXT, "Language model.", "llm"),
        value(f"{prompt}temperature", FLOAT, "Temperature of the language model.", "temperature"),
        value(f"{prompt}max_tokens", INT, "Largest number of tokens of an answer; -1: no limit.", "max_tokens"),
        value(f"{prompt}reasoning_effort", TEXT, "Reasoning effort of the language model.", "reasoning_effort"),
        value(f"{tts}voice_id", TEXT, "Voice.", "voice_id"),
        value(f"{tts}model_id", TEXT, "Model that speaks.", "tts_model"),
        value("conversation_config.asr.provider", TEXT, "Provider that transcribes.", "asr_provider"),
        value("conversation_config.turn.turn_timeout", FLOAT, "Wait for the user.", "turn_timeout_secs"),
        value(
            "conversation_config.conversation.max_duration_seconds",
            INT,
            "Longest conversation; then it is cut off.",
            "max_duration_secs",
        ),
        derived("n_tools", INT, "Tools of the workspace that it can use."),
        value(f"{prompt}tool_ids", JSON, "Ids of these tools.", "tool_ids"),
        derived("n_knowledge_documents", INT, "Documents and folders of its knowledge base."),
        derived("n_criteria", INT, "Evaluation criteria."),
        value("platform_settings.evaluation.criteria", JSON, "Evaluation criteria.", "criteria"),
        derived("n_data_collection_fields", INT, "Fields of data collection."),
        value("platform_settings.data_collection", JSON, "Fields of data collection.", "data_collection"),
    )


def _ignored(at: str = "") -> tuple[str, ...]:
    return (f"{at}agent_id", f"{at}conversation_config.agent.prompt.prompt")


AGENT_CONFIGS = Table(
    "agent_configs",
    "configuration that an agent had in listings",
    ("workspace", "agent_id", "valid_from_at"),
    (
        WORKSPACE,
        AGENT_ID,
        _VALID_FROM,
        _LAST_SEEN,
        _IS_CURRENT,
        _CHANGES,
        *_config_columns(),
        column("version_id", TEXT, "Version of the agent; null without versioning."),
        column("branch_id", TEXT, "Branch of the version."),
        column("main_branch_id", TEXT, "Main branch of the agent."),
        column("tags", JSON, "Tags of the agent."),
        column("metadata.created_at_unix_secs", TIME, "When the agent was created.", name="created_at"),
        derived("content_sha256", TEXT, "SHA-256 of the configuration, texts by their hash.", required=True),
        EXTRA,
    ),
    at=("agent",),
    is_daily=False,
    ignored_keys=_ignored(),
)

AGENT_BRANCHES = Table(
    "agent_branches",
    "state that a branch of an agent had in listings",
    ("workspace", "agent_id", "branch_id", "valid_from_at"),
    (
        WORKSPACE,
        AGENT_ID,
        derived("branch_id", TEXT, "Id of the branch.", required=True),
        _VALID_FROM,
        _LAST_SEEN,
        _IS_CURRENT,
        _CHANGES,
        column("name", TEXT, "Name of the branch.", name="branch_name"),
        column("description", TEXT, "Description of the branch."),
        column("current_live_percentage", FLOAT, "Share of the traffic that it gets, in per cent."),
        column("is_archived", BOOL, "Whether it is archived."),
        column("protection_status", TEXT, "Who may publish on it."),
        column("parent_branch_id", TEXT, "Branch that it came from."),
        column("merged_into_branch_id", TEXT, "Branch that it was merged into."),
        column("created_at", TIME, "When it was created."),
        column("last_committed_at", TIME, "When its newest version was published."),
        derived("content_sha256", TEXT, "SHA-256 of the branch.", required=True),
        EXTRA,
    ),
    at=("branches[]",),
    is_daily=False,
    ignored_keys=("id", "agent_id"),
)

AGENT_VERSIONS = Table(
    "agent_versions",
    "version of the configuration of an agent, as the API keeps it",
    ("workspace", "agent_id", "version_id"),
    (
        WORKSPACE,
        AGENT_ID,
        derived("version_id", TEXT, "Id of the version.", required=True),
        derived("first_seen_at", TIME, "Start of the first listing that had it."),
        column("metadata.branch_id", TEXT, "Branch of the version.", name="branch_id"),
        column("metadata.version_description", TEXT, "What its author says about it.", name="description"),
        column("metadata.seq_no_in_branch", INT, "Number of the version in its branch.", name="seq_no_in_branch"),
        column("metadata.time_committed_secs", TIME, "When it was published.", name="committed_at"),
        Column(
            "author_name",
            TEXT,
            "Name of the person who published it.",
            "metadata.access_info.creator_name",
            sensitivity=Sensitivity.IDENTIFIER,
        ),
        Column(
            "author_email",
            TEXT,
            "E-mail address of the person who published it.",
            "metadata.access_info.creator_email",
            sensitivity=Sensitivity.IDENTIFIER,
        ),
        column("metadata.parents", JSON, "Versions and branches that it came from.", name="parents"),
        derived("parent_version_id", TEXT, "Version that changes compares it with."),
        derived("changes", JSON, "JSON paths that differ from the parent; null if the parent is not known."),
        *_config_columns("agent."),
        derived("content_sha256", TEXT, "SHA-256 of the version, texts by their hash.", required=True),
        EXTRA,
    ),
    at=("version",),
    is_daily=False,
    ignored_keys=("metadata.id", "metadata.agent_id", "agent.version_id", "agent.branch_id", *_ignored("agent.")),
)

BATCH_CALLS = Table(
    "batch_calls",
    "batch of outbound calls, as it was last listed",
    ("workspace", "batch_call_id"),
    (
        WORKSPACE,
        derived("batch_call_id", TEXT, "Id of the batch.", required=True),
        column("name", TEXT, "Name of the batch."),
        column("agent_id", TEXT, "Agent that calls."),
        column("branch_id", TEXT, "Branch of the agent."),
        column("status", TEXT, "pending, in_progress, completed, failed or cancelled; open text."),
        column("created_at_unix", TIME, "When it was created.", name="created_at"),
        column("scheduled_time_unix", TIME, "When it was to begin.", name="scheduled_at"),
        column("last_updated_at_unix", TIME, "When it changed last.", name="last_updated_at"),
        column("timezone", TEXT, "Time zone of the schedule."),
        column("total_calls_scheduled", INT, "Calls to make.", name="n_calls_scheduled"),
        column("total_calls_dispatched", INT, "Calls made.", name="n_calls_dispatched"),
        column("total_calls_finished", INT, "Calls that ended.", name="n_calls_finished"),
        column("retry_count", INT, "Times that it was retried.", name="n_retries"),
        column("n_recipients", INT, "Recipients of the batch."),
        column("n_never_called", INT, "Recipients without a conversation."),
        column("recipients_by_status", JSON, "Number of recipients by their status; unknown where it cannot be read."),
        derived("changed_at", TIME, "Start of the first listing that had it so."),
        derived("last_seen_at", TIME, "Start of the last listing that had it.", required=True),
        derived("is_gone", BOOL, "Whether the last listing no longer had it.", required=True),
        derived("content_sha256", TEXT, "SHA-256 of the batch.", required=True),
        EXTRA,
    ),
    at=("batch_calls[]",),
    is_daily=False,
    ignored_keys=("id",),
)

TAG_DEFINITIONS = Table(
    "tag_definitions",
    "tag of the workspace, as it was last listed",
    ("workspace", "tag_id"),
    (
        WORKSPACE,
        derived("tag_id", TEXT, "Id of the tag, as conversations have it.", required=True),
        column("title", TEXT, "Title of the tag."),
        column("description", TEXT, "What it is for."),
        column("created_at_unix_secs", TIME, "When it was created.", name="created_at"),
        derived("changed_at", TIME, "Start of the first listing that had it so."),
        derived("is_gone", BOOL, "Whether the last listing no longer had it.", required=True),
        derived("content_sha256", TEXT, "SHA-256 of the tag.", required=True),
        EXTRA,
    ),
    at=("conversation_tags[]",),
    is_daily=False,
    ignored_keys=("tag_id",),
)

BILLED_USAGE = Table(
    "billed_usage",
    "UTC day, product and unit of the vendor's bill",
    ("workspace", "usage_date", "product_type", "unit"),
    (
        WORKSPACE,
        derived("usage_date", Type.DATE, "UTC day of the usage.", required=True),
        derived("product_type", TEXT, "Product, as the API calls it; unknown where it does not say.", required=True),
        derived("unit", TEXT, "credits, or the currency of the bill in lower case.", required=True),
        derived("amount", FLOAT, "What the usage cost, in the unit.", required=True),
        derived("asked_at", TIME, "When the bill of the day was last requested.", required=True),
        derived("is_complete", BOOL, "Whether the day was over then.", required=True),
    ),
    is_daily=False,
)

ACCOUNT_TABLES: tuple[Table, ...] = (
    AGENT_CONFIGS,
    AGENT_BRANCHES,
    AGENT_VERSIONS,
    BATCH_CALLS,
    TAG_DEFINITIONS,
    BILLED_USAGE,
)
"""Tables of the lake that are built from the landing of this data; none is daily."""


def _landed_items(name: str, item: str) -> Table:
    return Table(
        name,
        f"{item} in a complete listing of a workspace",
        ("item_id", "listed_at"),
        (
            WORKSPACE,
            derived(
                "item_id",
                TEXT,
                f"Id of the {item}; what belongs to an agent has its id and a slash before.",
                required=True,
            ),
            derived("listed_at", TIME, "When the listing began.", required=True),
            derived("content_sha256", TEXT, "SHA-256 of the canonical document.", required=True),
            derived("payload", Type.BINARY, "The document, masked; null if already landed."),
        ),
    )


LANDED_AGENTS = _landed_items("agents", "agent, branch or version")
LANDED_BATCHES = _landed_items("batches", "batch")
LANDED_TAGS = _landed_items("tags", "tag")
LANDED_BILLS = Table(
    "bills",
    "response to a request for the bill",
    ("basis", "since_date", "asked_at"),
    (
        WORKSPACE,
        derived("basis", TEXT, "cost or credits: which of the two endpoints answered.", required=True),
        derived("since_date", Type.DATE, "First UTC day of the request.", required=True),
        derived("until_date", Type.DATE, "Day after the last UTC day of the request.", required=True),
        derived("asked_at", TIME, "When it was requested.", required=True),
        derived("payload", Type.BINARY, "The response, masked.", required=True),
    ),
)

"""The part of THE schema that no conversation fills: the workspace's tools and the prices of language models.

A tool's paths are those of one element of the answer to ``GET /v1/convai/tools``, a price's those of the answer to
``POST /v1/convai/agent/{agent_id}/llm-usage/calculate``. Sources: the reference's OpenAPI of November 2025 and the
vendor's SDK 2.78.0, whose additions are marked as today's API.
"""

from __future__ import annotations

from warehouse.schema.types import (
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

PARAMETER_LOCATIONS = ("parameters", "path", "query", "body", "response", "header", "dynamic_variable")
"""Where a parameter stands: a client tool's ``parameters``, the parts of a webhook's request and answer, or the
placeholders of dynamic variables."""


def _tool_config(source: str, type_: Type, description: str) -> Column:
    return column(f"tool_config.{source}", type_, description, name=source.replace(".", "_"))


def _creator(source: str, about: str) -> Column:
    return Column(source.replace(".", "_"), TEXT, about, source, sensitivity=Sensitivity.IDENTIFIER)


def _request_columns(at: str, owner: str) -> tuple[Column, ...]:
    return (
        _tool_config(f"{at}.url", TEXT, f"{owner}: address, its credentials masked."),
        _tool_config(f"{at}.method", TEXT, f"{owner}: HTTP method."),
        _tool_config(f"{at}.auth_connection.auth_connection_id", TEXT, f"{owner}: connection that signs it in."),
    )


REQUEST_KEYS = ("api_schema", "base_api_schema", "api_schema_overrides")
"""Keys of ``tool_config`` that hold the schema of a request: a webhook's own, an integration's, what changes it."""

TOOLS = Table(
    "tools",
    "tool of the workspace that the API ever listed, as it was listed last",
    ("workspace", "tool_id"),
    (
        WORKSPACE,
        derived("tool_id", TEXT, "Id of the tool.", required=True),
        _tool_config("type", TEXT, "webhook, client, system, api_integration_webhook, mcp, …; open text."),
        _tool_config("name", TEXT, "Name of the tool, as transcripts call it."),
        _tool_config("description", TEXT, "What the model is told of it."),
        _tool_config("response_timeout_secs", INT, "Time after which the agent no longer waits for it."),
        _tool_config("execution_mode", TEXT, "immediate, post_tool_speech or async."),
        _tool_config("disable_interruptions", BOOL, "Whether the caller cannot cut in while it runs."),
        _tool_config("interruption_mode", TEXT, "When the caller can cut in; today's API."),
        _tool_config("force_pre_tool_speech", BOOL, "Whether the agent says something before it."),
        _tool_config("pre_tool_speech", TEXT, "When the agent says something before it; today's API."),
        _tool_config("tool_call_sound", TEXT, "Sound that is played while it runs."),
        _tool_config("tool_call_sound_behavior", TEXT, "auto or always."),
        _tool_config("tool_error_handling_mode", TEXT, "What the model is told of its errors; today's API."),
        _tool_config("assignments", JSON, "Dynamic variables that its answer sets, and from where in it."),
        _tool_config("expects_response", BOOL, "Whether the agent waits for a client tool's answer."),
        *_request_columns("api_schema", "Webhook"),
        _tool_config("api_schema.content_type", TEXT, "Webhook: form of the body; today's API."),
        _tool_config("api_schema.auth_connection.env_var_label", TEXT, "Webhook: variable that names the connection."),
        _tool_config("api_schema.auth_resolved_params", JSON, "Webhook: parameters that the connection fills."),
        _tool_config("api_schema.response_filter.mode", TEXT, "Webhook: how the answer is cut; today's API."),
        _tool_config("api_schema.response_filter.filters", JSON, "Webhook: what of the answer is kept or left out."),
        _tool_config("api_schema.response_filter.content_type", TEXT, "Webhook: form of the answer."),
        _tool_config("follow_redirects", BOOL, "Whether a webhook follows redirects; today's API."),
        _tool_config("follow_redirects_allowed_domains", JSON, "Domains to which it may; today's API."),
        _tool_config("tool_version", TEXT, "Version of an integration's tool."),
        _tool_config("api_integration_id", TEXT, "Integration that the tool belongs to."),
        _tool_config("api_integration_connection_id", TEXT, "Connection to the integration."),
        *_request_columns("base_api_schema", "Integration"),
        _tool_config("params.system_tool_type", TEXT, "Which system tool it is."),
        _tool_config("params.transfers", JSON, "Agents or numbers that it can transfer to, with their conditions."),
        _tool_config("params.enable_client_message", BOOL, "Whether the caller hears a message before a transfer."),
        _tool_config("params.voicemail_message", TEXT, "Message that is left on a voicemail."),
        _tool_config("params.only_at_conversation_start", BOOL, "Whether the language is detected at the start alone."),
        _tool_config("params.use_out_of_band_dtmf", BOOL, "Whether tones are sent beside the audio."),
        _tool_config("params.suppress_turn_after_dtmf", BOOL, "Whether the agent is silent after tones."),
        _tool_config("params.wait_timeout_secs", FLOAT, "Time that a skipped turn waits."),
        _tool_config("params.procedures", JSON, "Procedures that it can start or end."),
        _tool_config("params.enabled_strategies", JSON, "Ways to search the knowledge base."),
        _tool_config("value", JSON, "Configuration of an MCP tool."),
        column("response_mocks", JSON, "Answers in place of the tool's own in tests; today's API."),
        column("access_info.is_creator", BOOL, "Whether the key's owner made it."),
        _creator("access_info.creator_name", "Who made it."),
        _creator("access_info.creator_email", "E-mail address of who made it."),
        column("access_info.role", TEXT, "What the key's owner may do: admin, editor, commenter or viewer."),
        column("access_info.anonymous_access_level_override", TEXT, "What anybody may do; today's API."),
        column("access_info.access_source", TEXT, "Whence the access; today's API."),
        column("usage_stats.total_calls", INT, "The vendor's own count of its calls.", name="usage_stats_n_calls"),
        column("usage_stats.avg_latency_secs", FLOAT, "The vendor's own mean latency."),
        derived("first_seen_at", TIME, "First listing that showed it.", required=True),
        derived("changed_at", TIME, "First listing that showed it as it is now.", required=True),
        derived("last_seen_at", TIME, "Last listing that showed it.", required=True),
        derived("is_gone", BOOL, "Whether the last listing no longer showed it.", required=True),
        derived("content_sha256", TEXT, "SHA-256 of the tool without its usage_stats.", required=True),
        EXTRA,
    ),
    at=("tools[]",),
    is_daily=False,
    ignored_keys=(
        "id",
        "tool_config.parameters",
        "tool_config.dynamic_variables.dynamic_variable_placeholders{}",
        *(
            f"tool_config.{request}.{part}"
            for request in REQUEST_KEYS
            for part in ("path_params_schema{}", "query_params_schema", "request_body_schema", "request_headers{}")
        ),
        *(f"tool_config.{request}.response_body_schema" for request in REQUEST_KEYS[:2]),
    ),
)

TOOL_PARAMETERS = Table(
    "tool_parameters",
    "parameter in the schema of a tool, the schema itself included",
    ("workspace", "tool_id", "location", "name"),
    (
        WORKSPACE,
        derived("tool_id", TEXT, "Id of the tool.", required=True),
        derived(
            "location",
            TEXT,
            f"Where it is: {', '.join(PARAMETER_LOCATIONS)}; with base_ before it in the integration's own request, "
            "with override_ in the tool's changes to that request.",
            required=True,
        ),
        derived(
            "name", TEXT, "Its name, with what it is in before it (a.b, a[]); $ is the schema itself.", required=True
        ),
        derived("is_required", BOOL, "Whether what it is in requires it; null where that does not say."),
        column("type", Type.TEXT_OR_JSON, "string, number, integer, boolean, object or array; JSON where several."),
        column("description", TEXT, "What the model is told of it."),
        column("enum", JSON, "Values allowed."),
        column("is_system_provided", BOOL, "Whether the system provides it."),
        column("dynamic_variable", TEXT, "Variable that provides it."),
        column("constant_value", JSON, "Constant that provides it, or a placeholder's value; credentials masked."),
        column("secret_id", TEXT, "Stored secret that provides a header; never the secret."),
        column("env_var_label", TEXT, "Environment variable that provides a header; today's API."),
        column("required", JSON, "Names that it requires in itself."),
        column("required_constraints", JSON, "Names that it requires in groups; today's API."),
        column("allowed_values", JSON, "Whence the values allowed; today's API."),
        column("allowed_values_dynamic_variable", TEXT, "Variable that gives the values allowed; today's API."),
        column("is_omitted", BOOL, "Whether the parameter is left out; today's API."),
        EXTRA,
    ),
    is_daily=False,
    ignored_keys=("properties{}", "items"),
)

TOOL_VERSIONS = Table(
    "tool_versions",
    "configuration that a tool had",
    ("workspace", "tool_id", "valid_from_at"),
    (
        WORKSPACE,
        derived("tool_id", TEXT, "Id of the tool.", required=True),
        derived("valid_from_at", TIME, "First listing that showed it so.", required=True),
        derived("content_sha256", TEXT, "SHA-256 of the tool without its usage_stats.", required=True),
        derived("changes", JSON, "Paths of what differs from the configuration before; null for the first."),
    ),
    is_daily=False,
)

LLM_PRICES = Table(
    "llm_prices",
    "estimated price of a language model for an agent, each time it was asked for",
    ("workspace", "agent_id", "llm", "asked_at"),
    (
        WORKSPACE,
        derived("agent_id", TEXT, "Id of the agent.", required=True),
        derived("llm", TEXT, "Model.", required=True),
        derived("asked_at", TIME, "When it was asked for.", required=True),
        column("price_per_minute", FLOAT, "The vendor's estimate of a minute of a call.", unit="usd"),
        column("price_per_message", FLOAT, "The vendor's estimate of a message; today's API.", unit="usd"),
        derived("prompt_length", INT, "Characters of the prompt that it was asked for; null: left to the API."),
        derived("number_of_pages", INT, "Pages of knowledge that it was asked for; null: left to the API."),
        derived("is_rag_enabled", BOOL, "Whether it was asked for with retrieval; null: left to the API."),
        derived(
            "prompt_basis",
            TEXT,
            "Whence the length: given (on the command line), setting, measured (mean input tokens of the agent's "
            "generations at 4 characters each) or none.",
            required=True,
        ),
        EXTRA,
    ),
    at=("llm_prices[]",),
    is_daily=False,
    ignored_keys=("llm",),
)

REFERENCE_TABLES: tuple[Table, ...] = (TOOLS, TOOL_PARAMETERS, TOOL_VERSIONS, LLM_PRICES)
"""Tables that are made of what the API says beside conversations; none has days."""

LANDED_TOOLS = Table(
    "tools",
    "tool in one complete listing of a workspace's tools",
    ("tool_id", "listed_at"),
    (
        WORKSPACE,
        derived("tool_id", TEXT, "Id of the tool.", required=True),
        derived("listed_at", TIME, "When the listing began.", required=True),
        derived("content_sha256", TEXT, "SHA-256 of the canonical tool without its usage_stats.", required=True),
        derived("usage_stats", Type.BINARY, "The vendor's statistics of its use; they change with every call."),
        derived("payload", Type.BINARY, "The tool without its usage_stats, masked; null when landed already."),
    ),
)

LANDED_PRICES = Table(
    "prices",
    "answer to an asking for an agent's prices",
    ("agent_id", "asked_at"),
    (
        WORKSPACE,
        derived("agent_id", TEXT, "Id of the agent.", required=True),
        derived("asked_at", TIME, "When it was asked for.", required=True),
        derived("prompt_length", INT, "Characters asked with."),
        derived("number_of_pages", INT, "Pages asked with."),
        derived("is_rag_enabled", BOOL, "Whether asked with retrieval."),
        derived("prompt_basis", TEXT, "Whence the length.", required=True),
        derived("payload", Type.BINARY, "The answer as it came.", required=True),
    ),
)

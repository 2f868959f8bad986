"""Tables of reference data, which comes from no conversation: the tools of a workspace and the prices of LLMs.

JSON paths of a tool begin at an element of the response to ``GET /v1/convai/tools``, those of a price at the response
to ``POST /v1/convai/agent/{agent_id}/llm-usage/calculate``. Sources: the vendor's OpenAPI reference of November 2025
and the vendor's SDK 2.78.0, whose additions are marked "current API only".
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

PARAMETER_LOCATIONS = ("parameters", "path", "query", "body", "response", "header", "dynamic_variable")
"""Where a parameter is: in a client tool's ``parameters``, in a part of a webhook's request or response, or in the
placeholders of dynamic variables."""


def _tool_config(source: str, type_: Type, description: str) -> Column:
    return column(f"tool_config.{source}", type_, description, name=source.replace(".", "_"))


def _creator(source: str, description: str) -> Column:
    return Column(source.replace(".", "_"), TEXT, description, source, sensitivity=Sensitivity.IDENTIFIER)


def _request_columns(at: str, owner: str) -> tuple[Column, ...]:
    return (
        _tool_config(f"{at}.url", TEXT, f"{owner}: URL, with credentials masked."),
        _tool_config(f"{at}.method", TEXT, f"{owner}: HTTP method."),
        _tool_config(
            f"{at}.auth_connection.auth_connection_id", TEXT, f"{owner}: connection that authenticates the request."
        ),
    )


REQUEST_KEYS = ("api_schema", "base_api_schema", "api_schema_overrides")
"""Keys of ``tool_config`` with the schema of a request: of a webhook, of an integration, and changes to the latter."""

TOOLS = Table(
    "tools",
    "tool that was ever listed, as it was last listed",
    ("workspace", "tool_id"),
    (
        WORKSPACE,
        derived("tool_id", TEXT, "Id of the tool.", required=True),
        _tool_config("type", TEXT, "webhook, client, system, api_integration_webhook, mcp, …; open text."),
        _tool_config("name", TEXT, "Name of the tool, as in transcripts."),
        _tool_config("description", TEXT, "Description for the language model."),
        _tool_config("response_timeout_secs", INT, "Time that the agent waits for a response."),
        _tool_config("execution_mode", TEXT, "immediate, post_tool_speech or async."),
        _tool_config("disable_interruptions", BOOL, "Whether the user cannot interrupt while the tool runs."),
        _tool_config("interruption_mode", TEXT, "When the user can interrupt; current API only."),
        _tool_config("force_pre_tool_speech", BOOL, "Whether the agent always speaks before the tool call."),
        _tool_config("pre_tool_speech", TEXT, "When the agent speaks before the tool call; current API only."),
        _tool_config("tool_call_sound", TEXT, "Sound that is played while the tool runs."),
        _tool_config("tool_call_sound_behavior", TEXT, "auto or always."),
        _tool_config(
            "tool_error_handling_mode", TEXT, "How errors are passed to the language model; current API only."
        ),
        _tool_config(
            "assignments", JSON, "Dynamic variables that are set from the response, and from which part of it."
        ),
        _tool_config("expects_response", BOOL, "Whether the agent waits for the response of a client tool."),
        *_request_columns("api_schema", "Webhook"),
        _tool_config("api_schema.content_type", TEXT, "Webhook: content type of the request body; current API only."),
        _tool_config(
            "api_schema.auth_connection.env_var_label", TEXT, "Webhook: environment variable that names the connection."
        ),
        _tool_config("api_schema.auth_resolved_params", JSON, "Webhook: parameters that the connection provides."),
        _tool_config(
            "api_schema.response_filter.mode", TEXT, "Webhook: how the response is filtered; current API only."
        ),
        _tool_config(
            "api_schema.response_filter.filters", JSON, "Webhook: which parts of the response are included or excluded."
        ),
        _tool_config("api_schema.response_filter.content_type", TEXT, "Webhook: content type of the response."),
        _tool_config("follow_redirects", BOOL, "Whether a webhook follows redirects; current API only."),
        _tool_config(
            "follow_redirects_allowed_domains", JSON, "Domains to which redirects are followed; current API only."
        ),
        _tool_config("tool_version", TEXT, "Version of the tool of an integration."),
        _tool_config("api_integration_id", TEXT, "Integration that the tool belongs to."),
        _tool_config("api_integration_connection_id", TEXT, "Connection to the integration."),
        *_request_columns("base_api_schema", "Integration"),
        _tool_config("params.system_tool_type", TEXT, "Kind of system tool."),
        _tool_config(
            "params.transfers", JSON, "Agents or phone numbers that it can transfer to, with their conditions."
        ),
        _tool_config("params.enable_client_message", BOOL, "Whether the user hears a message before a transfer."),
        _tool_config("params.voicemail_message", TEXT, "Message that is left on a voicemail."),
        _tool_config(
            "params.only_at_conversation_start",
            BOOL,
            "Whether the language is detected only at the start of the conversation.",
        ),
        _tool_config("params.use_out_of_band_dtmf", BOOL, "Whether DTMF tones are sent out of band."),
        _tool_config("params.suppress_turn_after_dtmf", BOOL, "Whether the agent skips its turn after DTMF tones."),
        _tool_config("params.wait_timeout_secs", FLOAT, "Waiting time of a skipped turn."),
        _tool_config("params.procedures", JSON, "Procedures that it can start or end."),
        _tool_config("params.enabled_strategies", JSON, "Search strategies for the knowledge base."),
        _tool_config("value", JSON, "Configuration of an MCP tool."),
        column("response_mocks", JSON, "Mocked responses for tests; current API only."),
        column("access_info.is_creator", BOOL, "Whether the owner of the API key created the tool."),
        _creator("access_info.creator_name", "Name of the person who created the tool."),
        _creator("access_info.creator_email", "E-mail address of the person who created the tool."),
        column("access_info.role", TEXT, "Role of the owner of the API key: admin, editor, commenter or viewer."),
        column("access_info.anonymous_access_level_override", TEXT, "Access level without a role; current API only."),
        column("access_info.access_source", TEXT, "Source of the access; current API only."),
        column(
            "usage_stats.total_calls", INT, "Number of tool calls, counted by the vendor.", name="usage_stats_n_calls"
        ),
        column("usage_stats.avg_latency_secs", FLOAT, "Mean latency, measured by the vendor."),
        derived("first_seen_at", TIME, "Start of the first listing that had it.", required=True),
        derived("changed_at", TIME, "Start of the first listing that had its current configuration.", required=True),
        derived("last_seen_at", TIME, "Start of the last listing that had it.", required=True),
        derived("is_gone", BOOL, "Whether the last listing no longer had it.", required=True),
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
    "parameter in the schema of a tool, including the schema itself",
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
        derived("name", TEXT, "Path of the parameter (a.b, a[]); $ is the schema itself.", required=True),
        derived("is_required", BOOL, "Whether the enclosing schema requires it; null if that does not say."),
        column("type", Type.TEXT_OR_JSON, "string, number, integer, boolean, object or array; JSON if several."),
        column("description", TEXT, "Description for the language model."),
        column("enum", JSON, "Allowed values."),
        column("is_system_provided", BOOL, "Whether the system provides the value."),
        column("dynamic_variable", TEXT, "Dynamic variable that provides the value."),
        column("constant_value", JSON, "Constant value, or value of a placeholder; credentials are masked."),
        column("secret_id", TEXT, "Id of the stored secret that provides a header; never the secret itself."),
        column("env_var_label", TEXT, "Environment variable that provides a header; current API only."),
        column("required", JSON, "Names of the parameters below it that it requires."),
        column("required_constraints", JSON, "Groups of parameters below it that it requires; current API only."),
        column("allowed_values", JSON, "Source of the allowed values; current API only."),
        column(
            "allowed_values_dynamic_variable", TEXT, "Dynamic variable that has the allowed values; current API only."
        ),
        column("is_omitted", BOOL, "Whether the parameter is omitted; current API only."),
        EXTRA,
    ),
    is_daily=False,
    ignored_keys=("properties{}", "items"),
)

TOOL_VERSIONS = Table(
    "tool_versions",
    "version of the configuration of a tool",
    ("workspace", "tool_id", "valid_from_at"),
    (
        WORKSPACE,
        derived("tool_id", TEXT, "Id of the tool.", required=True),
        derived("valid_from_at", TIME, "Start of the first listing with this configuration.", required=True),
        derived("content_sha256", TEXT, "SHA-256 of the tool without its usage_stats.", required=True),
        derived("changes", JSON, "JSON paths that differ from the previous configuration; null for the first."),
    ),
    is_daily=False,
)

LLM_PRICES = Table(
    "llm_prices",
    "estimated price of a language model for an agent at a time of request",
    ("workspace", "agent_id", "llm", "asked_at"),
    (
        WORKSPACE,
        AGENT_ID,
        derived("llm", TEXT, "Language model.", required=True),
        derived("asked_at", TIME, "When the price was requested.", required=True),
        column("price_per_minute", FLOAT, "The vendor's estimate per minute of a conversation.", unit="usd"),
        column("price_per_message", FLOAT, "The vendor's estimate per message; current API only.", unit="usd"),
        derived("prompt_length", INT, "Characters of the prompt in the request; null: the API's default."),
        derived("number_of_pages", INT, "Pages of the knowledge base in the request; null: the API's default."),
        derived("is_rag_enabled", BOOL, "Whether the request was for an agent with RAG; null: the API's default."),
        derived(
            "prompt_basis",
            TEXT,
            "Source of prompt_length: given (on the command line), setting, measured (mean input tokens of the "
            "agent's generations, at 4 characters per token) or none.",
            required=True,
        ),
        EXTRA,
    ),
    at=("llm_prices[]",),
    is_daily=False,
    ignored_keys=("llm",),
)

REFERENCE_TABLES: tuple[Table, ...] = (TOOLS, TOOL_PARAMETERS, TOOL_VERSIONS, LLM_PRICES)
"""Tables of the lake that are built from reference data; none is daily."""

LANDED_TOOLS = Table(
    "tools",
    "tool in a complete listing of the tools of a workspace",
    ("tool_id", "listed_at"),
    (
        WORKSPACE,
        derived("tool_id", TEXT, "Id of the tool.", required=True),
        derived("listed_at", TIME, "When the listing began.", required=True),
        derived("content_sha256", TEXT, "SHA-256 of the canonical tool without its usage_stats.", required=True),
        derived("usage_stats", Type.BINARY, "The vendor's usage statistics; they change with every tool call."),
        derived("payload", Type.BINARY, "The tool without its usage_stats, masked; null if already landed."),
    ),
)

LANDED_PRICES = Table(
    "prices",
    "response to a request for the prices of an agent",
    ("agent_id", "asked_at"),
    (
        WORKSPACE,
        AGENT_ID,
        derived("asked_at", TIME, "When the price was requested.", required=True),
        derived("prompt_length", INT, "Characters of the prompt in the request."),
        derived("number_of_pages", INT, "Pages of the knowledge base in the request."),
        derived("is_rag_enabled", BOOL, "Whether the request was for an agent with RAG."),
        derived("prompt_basis", TEXT, "Source of prompt_length.", required=True),
        derived("payload", Type.BINARY, "The response as the API sent it.", required=True),
    ),
)

"""Columns of ``lake.conversations`` from ``conversation_initiation_client_data``: what the client sent at the start."""

from __future__ import annotations

from warehouse.schema.analysis import VALUE_BY_TYPE
from warehouse.schema.types import BOOL, FLOAT, INT, JSON, TEXT, column, derived, free_text, identifier, table

OVERRIDE = "conversation_initiation_client_data.conversation_config_override"

CLIENT_DATA = (
    identifier("conversation_initiation_client_data.user_id", TEXT, "Id of the user that the client sent."),
    column("conversation_initiation_client_data.branch_id", TEXT, "Branch that the client requested."),
    column("conversation_initiation_client_data.environment", TEXT, "Environment that the client requested."),
    column("conversation_initiation_client_data.starting_workflow_node_id", TEXT, "Workflow node to start at."),
    column("conversation_initiation_client_data.procedure_ids", JSON, "Procedures that the client requested."),
    column("conversation_initiation_client_data.start_procedure_ids", JSON, "Procedures to start with."),
    free_text("conversation_initiation_client_data.tool_mock_config", JSON, "Mocked tools of a test conversation."),
    column("conversation_initiation_client_data.source_info.source", TEXT, "SDK of the client."),
    column("conversation_initiation_client_data.source_info.version", TEXT, "Version of the client's SDK."),
    free_text("conversation_initiation_client_data.custom_llm_extra_body", JSON, "Extra body for a custom LLM."),
    free_text(f"{OVERRIDE}.turn.soft_timeout_config.message", TEXT, "Override: message at a soft timeout."),
    free_text(
        f"{OVERRIDE}.turn.soft_timeout_config.additional_soft_timeout_messages",
        JSON,
        "Override: further messages at a soft timeout.",
    ),
    free_text(f"{OVERRIDE}.turn.noisy_environment_message", TEXT, "Override: message in a noisy environment."),
    free_text(f"{OVERRIDE}.asr.keywords", JSON, "Override: keywords of the speech recognition."),
    column(f"{OVERRIDE}.tts.model_id", TEXT, "Override: text-to-speech model."),
    column(f"{OVERRIDE}.tts.clone_strength", FLOAT, "Override: strength of the voice clone."),
    column(f"{OVERRIDE}.tts.supported_voices", JSON, "Override: further voices."),
    column(f"{OVERRIDE}.tts.pronunciation_dictionary_locators", JSON, "Override: pronunciation dictionaries."),
    column(f"{OVERRIDE}.tts.voice_id", TEXT, "Override: voice."),
    column(f"{OVERRIDE}.tts.stability", FLOAT, "Override: stability of the voice."),
    column(f"{OVERRIDE}.tts.speed", FLOAT, "Override: speed of the voice."),
    column(f"{OVERRIDE}.tts.similarity_boost", FLOAT, "Override: similarity of the voice."),
    column(f"{OVERRIDE}.conversation.text_only", BOOL, "Override: chat without audio."),
    column(
        f"{OVERRIDE}.conversation.max_duration_seconds",
        INT,
        "Override: maximum duration of the conversation, in seconds.",
    ),
    free_text(
        f"{OVERRIDE}.agent.max_conversation_duration_message", TEXT, "Override: message at the maximum duration."
    ),
    free_text(f"{OVERRIDE}.agent.first_message", TEXT, "Override: first message."),
    column(f"{OVERRIDE}.agent.language", TEXT, "Override: language."),
    free_text(f"{OVERRIDE}.agent.prompt.prompt", TEXT, "Override: prompt."),
    column(f"{OVERRIDE}.agent.prompt.llm", TEXT, "Override: language model."),
    column(f"{OVERRIDE}.agent.prompt.reasoning_effort", TEXT, "Override: reasoning effort of the language model."),
    column(f"{OVERRIDE}.agent.prompt.tool_ids", JSON, "Override: tools."),
    column(f"{OVERRIDE}.agent.prompt.tool_ids_strict", BOOL, "Override: whether the agent may use these tools only."),
    column(f"{OVERRIDE}.agent.prompt.knowledge_base", JSON, "Override: documents of the knowledge base."),
    column(f"{OVERRIDE}.agent.prompt.native_mcp_server_ids", JSON, "Override: MCP servers."),
)
"""Ids, source and overrides, as the client sent them."""

DYNAMIC_VARIABLES = table(
    "dynamic_variables",
    "dynamic variable that was given at the start or set by the system",
    at="conversation_initiation_client_data.dynamic_variables{name}",
    keys=(derived("name", TEXT, "Name of the variable; those of the system begin with system__.", required=True),),
    columns=(free_text(".", JSON, "The value as JSON text; null when it was null.", name="value"), *VALUE_BY_TYPE),
)

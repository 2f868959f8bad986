"""Columns of ``lake.conversations`` from ``conversation_initiation_client_data``: what the client sent at the start."""

from __future__ import annotations

from warehouse.schema.analysis import VALUE_BY_TYPE
from warehouse.schema.types import BOOL, FLOAT, INT, JSON, TEXT, col, identity, made, table, words

OVERRIDE = "conversation_initiation_client_data.conversation_config_override"

CLIENT_DATA = (
    identity("conversation_initiation_client_data.user_id", TEXT, "User's id that the client sent."),
    col("conversation_initiation_client_data.branch_id", TEXT, "Branch that the client asked for."),
    col("conversation_initiation_client_data.environment", TEXT, "Environment that the client asked for."),
    col("conversation_initiation_client_data.starting_workflow_node_id", TEXT, "Workflow node to start at."),
    col("conversation_initiation_client_data.procedure_ids", JSON, "Procedures that the client asked for."),
    col("conversation_initiation_client_data.start_procedure_ids", JSON, "Procedures to start with."),
    words("conversation_initiation_client_data.tool_mock_config", JSON, "Mocked tools of a test call."),
    col("conversation_initiation_client_data.source_info.source", TEXT, "SDK of the client."),
    col("conversation_initiation_client_data.source_info.version", TEXT, "Version of the client's SDK."),
    words("conversation_initiation_client_data.custom_llm_extra_body", JSON, "Extra body for a custom LLM."),
    words(f"{OVERRIDE}.turn.soft_timeout_config.message", TEXT, "Override: message at a soft time-out."),
    words(f"{OVERRIDE}.turn.soft_timeout_config.additional_soft_timeout_messages", JSON, "Override: more of them."),
    words(f"{OVERRIDE}.turn.noisy_environment_message", TEXT, "Override: message where it is noisy."),
    words(f"{OVERRIDE}.asr.keywords", JSON, "Override: keywords of the speech recognition."),
    col(f"{OVERRIDE}.tts.model_id", TEXT, "Override: speech model."),
    col(f"{OVERRIDE}.tts.clone_strength", FLOAT, "Override: strength of the voice's clone."),
    col(f"{OVERRIDE}.tts.supported_voices", JSON, "Override: further voices."),
    col(f"{OVERRIDE}.tts.pronunciation_dictionary_locators", JSON, "Override: pronunciation dictionaries."),
    col(f"{OVERRIDE}.tts.voice_id", TEXT, "Override: voice."),
    col(f"{OVERRIDE}.tts.stability", FLOAT, "Override: stability of the voice."),
    col(f"{OVERRIDE}.tts.speed", FLOAT, "Override: speed of the voice."),
    col(f"{OVERRIDE}.tts.similarity_boost", FLOAT, "Override: similarity of the voice."),
    col(f"{OVERRIDE}.conversation.text_only", BOOL, "Override: chat without audio."),
    col(f"{OVERRIDE}.conversation.max_duration_seconds", INT, "Override: longest call, in seconds."),
    words(f"{OVERRIDE}.agent.max_conversation_duration_message", TEXT, "Override: message at the longest call."),
    words(f"{OVERRIDE}.agent.first_message", TEXT, "Override: first message."),
    col(f"{OVERRIDE}.agent.language", TEXT, "Override: language."),
    words(f"{OVERRIDE}.agent.prompt.prompt", TEXT, "Override: prompt."),
    col(f"{OVERRIDE}.agent.prompt.llm", TEXT, "Override: model."),
    col(f"{OVERRIDE}.agent.prompt.reasoning_effort", TEXT, "Override: effort of the model's reasoning."),
    col(f"{OVERRIDE}.agent.prompt.tool_ids", JSON, "Override: tools."),
    col(f"{OVERRIDE}.agent.prompt.tool_ids_strict", BOOL, "Override: whether only these tools."),
    col(f"{OVERRIDE}.agent.prompt.knowledge_base", JSON, "Override: documents of the knowledge base."),
    col(f"{OVERRIDE}.agent.prompt.native_mcp_server_ids", JSON, "Override: MCP servers."),
)
"""Ids, source and overrides that the client sent."""

DYNAMIC_VARIABLES = table(
    "dynamic_variables",
    "variable given at the start or set by the system",
    at="conversation_initiation_client_data.dynamic_variables{name}",
    keys=(made("name", TEXT, "Name of the variable; the system's begin with system__.", required=True),),
    columns=(words(".", JSON, "The value as JSON text; null when it was null.", name="value"), *VALUE_BY_TYPE),
)

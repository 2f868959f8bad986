"""THE schema: every table of the lake, every column with its type, its JSON path, its unit and what it means.

All else derives from here: the structs that read a document, the Arrow schema of each Parquet file, the comments in
DuckDB, the checks of Dagster and ``docs/tables.md``. A new column is one line here; a new list or map is one ``table``.
``warehouse.columns`` explains the notation. Sources: the reference's OpenAPI of November 2025 and what today's API adds
to it (docs/api.md).
"""

from __future__ import annotations

from warehouse.columns import (
    BOOL,
    FLOAT,
    INT,
    JSON,
    TEXT,
    TIME,
    TURN_INDEX,
    WORKSPACE,
    Column,
    Table,
    Type,
    col,
    identity,
    made,
    table,
    words,
)
from warehouse.journal_tables import JOURNALS
from warehouse.reference_tables import REFERENCE_TABLES

FEATURES = (
    "language_detection",
    "transfer_to_agent",
    "transfer_to_number",
    "multivoice",
    "dtmf_tones",
    "dtmf_input",
    "external_mcp_servers",
    "tool_dynamic_variable_updates",
    "voicemail_detection",
    "versioning",
    "file_input",
    "freeform_procedure",
    "structured_procedure",
    "workflow.tool_node",
    "workflow.standalone_agent_node",
    "workflow.override_agent_node",
    "workflow.phone_number_node",
    "workflow.end_node",
)


def _feature(name: str) -> tuple[Column, Column]:
    path = f"metadata.features_usage.{name}"
    label = name.replace(".", " ").replace("_", " ")
    return (
        col(f"{path}.enabled", BOOL, f"Whether the agent had the feature switched on: {label}."),
        col(f"{path}.used", BOOL, f"Whether the call used the feature: {label}."),
    )


OVERRIDE = "conversation_initiation_client_data.conversation_config_override"

CONVERSATIONS = table(
    "conversations",
    "conversation",
    at="",
    columns=(
        # who and when
        col("agent_id", TEXT, "Agent that the call was started with."),
        col("agent_name", TEXT, "Name of the agent at the time of reading; only on today's API."),
        col("status", TEXT, "initiated, in-progress, processing, done or failed; open text."),
        made("start_time_at", TIME, "Start of the call (metadata.start_time_unix_secs).", required=True),
        col("metadata.accepted_time_unix_secs", TIME, "When the call was accepted."),
        col("metadata.call_duration_secs", INT, "Length of the call."),
        identity("user_id", TEXT, "User's id as the customer's own system calls it."),
        col("branch_id", TEXT, "Branch of the agent that answered."),
        col("version_id", TEXT, "Version of the agent that answered."),
        col("environment", TEXT, "Environment of the agent, such as production."),
        col("conversation_product", TEXT, "Product that the conversation belongs to."),
        col("user_message_count", INT, "Messages of the user, as the API counts."),
        col("agent_message_count", INT, "Messages of the agent, as the API counts."),
        col("has_audio", BOOL, "Whether audio can be had."),
        col("has_user_audio", BOOL, "Whether the user's audio can be had."),
        col("has_response_audio", BOOL, "Whether the agent's audio can be had."),
        col("has_auxiliary_audio", BOOL, "Whether further audio can be had."),
        # cost
        col("metadata.cost", INT, "Cost of the call in credits: call charge + LLM charge.", unit="credits"),
        col("metadata.cost_fiat", FLOAT, "Cost in US dollars as reported; since mid-2026.", unit="usd"),
        col("metadata.charging.dev_discount", BOOL, "Whether the call part was halved as a development call."),
        col("metadata.charging.is_burst", BOOL, "Whether the call part was doubled as a burst over the concurrency."),
        col("metadata.charging.tier", TEXT, "Plan of the workspace when the call was billed."),
        col("metadata.charging.llm_price", FLOAT, "LLM cost; the sum over initiated_generation.", unit="usd"),
        col("metadata.charging.llm_charge", INT, "LLM part of the cost.", unit="credits"),
        col("metadata.charging.call_charge", INT, "Call part of the cost.", unit="credits"),
        col("metadata.charging.platform_charge", INT, "Platform part of the cost.", unit="credits"),
        col("metadata.charging.platform_price", FLOAT, "Platform part of the cost.", unit="usd"),
        col("metadata.charging.voice_surcharge_charge", FLOAT, "Surcharge of the voice.", unit="credits"),
        col("metadata.charging.free_minutes_consumed", FLOAT, "Minutes taken from the plan's free minutes."),
        col("metadata.charging.free_llm_dollars_consumed", FLOAT, "US dollars taken from the plan's free LLM dollars."),
        col("metadata.charging.tts_usage.primary_tts_model", TEXT, "Speech model that was used most."),
        col("metadata.charging.tts_usage.total_audio_output_seconds", FLOAT, "Speech produced, in seconds."),
        col("metadata.charging.tts_usage.total_characters", INT, "Characters spoken."),
        col("metadata.charging.asr_usage.asr_model", TEXT, "Speech recognition model."),
        col("metadata.charging.asr_usage.total_transcription_calls", INT, "Calls of the speech recognition."),
        col("metadata.charging.asr_usage.total_audio_input_seconds", FLOAT, "Speech heard, in seconds."),
        col("metadata.charging.analysis", JSON, "Charges of the analysis after the call."),
        col("metadata.voice_rewards", JSON, "Rewards to the owners of shared voices."),
        # how it came and ended
        col("metadata.phone_call.type", TEXT, "twilio, sip_trunking, exotel, …: null when no phone call."),
        col("metadata.phone_call.direction", TEXT, "inbound or outbound."),
        col("metadata.phone_call.phone_number_id", TEXT, "Id of the agent's phone number."),
        col("metadata.phone_call.agent_number", TEXT, "Phone number of the agent."),
        identity("metadata.phone_call.external_number", TEXT, "Phone number of the other side."),
        identity("metadata.phone_call.stream_sid", TEXT, "Twilio's id of the stream."),
        identity("metadata.phone_call.call_sid", TEXT, "Provider's id of the call."),
        identity("metadata.phone_call.call_id", TEXT, "Id of the call at other providers."),
        col("metadata.phone_call.call_result", TEXT, "Result of the call attempt."),
        words("metadata.phone_call.sip_header_dynamic_variables", JSON, "Variables that came in SIP headers."),
        col("metadata.batch_call.batch_call_id", TEXT, "Batch that the call belongs to."),
        identity("metadata.batch_call.batch_call_recipient_id", TEXT, "Recipient within the batch."),
        col("metadata.batch_call.campaign", JSON, "Campaign of the batch."),
        col("metadata.whatsapp.whatsapp_business_account_id", TEXT, "WhatsApp account of the business."),
        identity("metadata.whatsapp.whatsapp_user_id", TEXT, "WhatsApp user."),
        col("metadata.whatsapp.direction", TEXT, "Direction of the WhatsApp conversation."),
        col("metadata.whatsapp.whatsapp_phone_number_id", TEXT, "WhatsApp phone number of the business."),
        identity("metadata.whatsapp.recipient", JSON, "Recipient of a WhatsApp conversation."),
        col("metadata.whatsapp.awaiting_first_user_message", BOOL, "Whether the user has not written yet."),
        words("metadata.whatsapp.opening_message", JSON, "Template message that opened the conversation."),
        words("metadata.whatsapp.call_permission_request", JSON, "Permission asked for to call."),
        col("metadata.whatsapp.call_result", TEXT, "Result of the WhatsApp call."),
        words("metadata.sms", JSON, "Data of an SMS conversation."),
        col("metadata.queue_wait_secs", FLOAT, "Time in the queue before the call was taken."),
        col("metadata.termination_reason", TEXT, "Why the call ended, free text."),
        col("metadata.error.code", INT, "Error that ended the call."),
        words("metadata.error.reason", TEXT, "Error in words."),
        col("metadata.main_language", TEXT, "Main language of the call."),
        col("metadata.text_only", BOOL, "Whether the conversation was a chat without audio."),
        col("metadata.timezone", TEXT, "Time zone that the agent was told."),
        col("metadata.authorization_method", TEXT, "How the client was let in."),
        identity("metadata.initiator_id", TEXT, "Who started the conversation."),
        col("metadata.conversation_initiation_source", TEXT, "SDK, widget or provider that started it."),
        col("metadata.conversation_initiation_source_version", TEXT, "Version of that source."),
        col("metadata.initiation_trigger.trigger_type", TEXT, "default or zendesk; gone from today's API."),
        identity("metadata.initiation_trigger.ticket_id", INT, "Zendesk ticket that started it."),
        col("metadata.async_metadata.delivery_status", TEXT, "Delivery to the external system."),
        col(
            "metadata.async_metadata.delivery_timestamp",
            TIME,
            "When it was delivered.",
            name="async_metadata_delivery_at",
        ),
        words("metadata.async_metadata.delivery_error", TEXT, "Why it could not be delivered."),
        col("metadata.async_metadata.external_system", TEXT, "External system."),
        identity("metadata.async_metadata.external_id", TEXT, "Id in the external system."),
        identity("metadata.async_metadata.external_link", TEXT, "Link into the external system."),
        col("metadata.async_metadata.integration_trigger_id", TEXT, "Trigger of the integration."),
        identity("metadata.async_metadata.last_processed_external_message_id", TEXT, "Last message taken from there."),
        words("metadata.async_metadata.platform_metadata", JSON, "What the external system says of it."),
        col("metadata.async_metadata.retry_count", INT, "Deliveries tried again."),
        col("metadata.async_metadata.last_retry_timestamp", TIME, "Last retry.", name="async_metadata_last_retry_at"),
        col("metadata.agent_created_from", TEXT, "Where the agent was created: ui, api, cli."),
        col("metadata.agent_last_updated_from", TEXT, "Where the agent was last changed."),
        col("metadata.eleven_assistant.is_eleven_assistant", BOOL, "Whether the vendor's own assistant was the agent."),
        # what people said of it
        col("metadata.feedback.type", TEXT, "thumbs or rating."),
        col("metadata.feedback.overall_score", TEXT, "like or dislike."),
        col("metadata.feedback.likes", INT, "Thumbs up."),
        col("metadata.feedback.dislikes", INT, "Thumbs down."),
        col("metadata.feedback.rating", INT, "Rating of the call by the user."),
        words("metadata.feedback.comment", TEXT, "Comment of the user."),
        # analysis
        col("analysis.call_successful", TEXT, "success, failure or unknown: the vendor's verdict."),
        words("analysis.transcript_summary", TEXT, "Summary of the call."),
        words("analysis.call_summary_title", TEXT, "Title of the summary."),
        col("analysis.call_success_score", FLOAT, "Score of success."),
        words("analysis.sentiment_analysis", JSON, "Sentiment of the call."),
        words("analysis.scoped", JSON, "Analysis by scope."),
        # retention
        col("metadata.deletion_settings.deletion_time_unix_secs", TIME, "When retention will delete the call."),
        col("metadata.deletion_settings.deleted_logs_at_time_unix_secs", TIME, "When the logs were deleted."),
        col("metadata.deletion_settings.deleted_audio_at_time_unix_secs", TIME, "When the audio was deleted."),
        col(
            "metadata.deletion_settings.deleted_transcript_at_time_unix_secs", TIME, "When the transcript was deleted."
        ),
        col(
            "metadata.deletion_settings.delete_transcript_and_pii",
            BOOL,
            "Whether retention deletes the text.",
        ),
        col("metadata.deletion_settings.delete_audio", BOOL, "Whether retention deletes the audio."),
        # features
        col("metadata.rag_usage.usage_count", INT, "Retrievals from the knowledge base."),
        col("metadata.rag_usage.embedding_model", TEXT, "Embedding model of the retrievals."),
        *(column for name in FEATURES for column in _feature(name)),
        col("metadata.features_usage.workflow.enabled", BOOL, "Whether the agent is a workflow."),
        col("metadata.features_usage.pii_zrm_workspace", BOOL, "Zero retention for the workspace."),
        col("metadata.features_usage.pii_zrm_agent", BOOL, "Zero retention for the agent."),
        col("metadata.features_usage.is_livekit", BOOL, "Whether the call ran over LiveKit."),
        col("metadata.features_usage.agent_testing.enabled", BOOL, "Whether the agent has tests."),
        col(
            "metadata.features_usage.agent_testing.tests_ran_after_last_modification",
            BOOL,
            "Tests ran since then.",
        ),
        col("metadata.features_usage.agent_testing.tests_ran_in_last_7_days", BOOL, "Tests ran in the last 7 days."),
        # what the client sent at the start
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
        # keys of recorded responses that no published schema has
        col("hiding_reason", TEXT, "Why the conversation is hidden."),
        words("smb_metadata", JSON, "Undocumented."),
        words("realtime_config_snapshots", JSON, "Undocumented."),
        words("otlp_traces", JSON, "Traces of the call."),
        # the pipeline's own
        made("fetched_at", TIME, "When this content was first read from the API.", required=True),
        made("checked_at", TIME, "When the conversation was last read, changed or not.", required=True),
        made("content_sha256", TEXT, "SHA-256 of the canonical document.", required=True),
        made("parser_version", INT, "Version of the flattening that made the rows.", required=True),
        made("is_deleted", BOOL, "Whether the API no longer has the conversation.", required=True),
        made("deleted_at", TIME, "When its absence was noticed."),
        made("deletion_reason", TEXT, "deleted (404 to the detail), retention (the API took the content) or null."),
        made("settle_state", TEXT, "open, settling or settled: whether it will be read again.", required=True),
    ),
    known=(
        "conversation_id",
        "metadata.start_time_unix_secs",
        "analysis.evaluation_criteria_results_list",
        "analysis.data_collection_results_list",
    ),
)

TURNS = table(
    "turns",
    "transcript entry",
    at="transcript[turn_index]",
    keys=(TURN_INDEX,),
    columns=(
        col("role", TEXT, "user or agent."),
        words("message", TEXT, "What was said; null on tool entries, '...' for a silent user, cut when interrupted."),
        words("original_message", TEXT, "Whole text of an interrupted agent turn."),
        col("interrupted", BOOL, "Whether the user cut in."),
        col("time_in_call_secs", INT, "Start of the entry from the start of the call."),
        col("source_medium", TEXT, "audio, text, dtmf, image, file."),
        col("id", TEXT, "Id of the entry; today's API."),
        col("created_at_unix_ms", Type.TIME_MS, "When the entry was made; today's API.", name="created_at"),
        col("source_event_id", INT, "Event that the entry stems from."),
        col("agent_metadata.agent_id", TEXT, "Agent that spoke."),
        col("agent_metadata.branch_id", TEXT, "Branch of the agent that spoke."),
        col("agent_metadata.workflow_node_id", TEXT, "Node of the workflow that spoke."),
        col("agent_metadata.version_id", TEXT, "Version of the agent that spoke."),
        col("feedback.score", TEXT, "like or dislike of this entry."),
        col("feedback.time_in_call_secs", INT, "When it was given, from the start of the call."),
        col("llm_override", TEXT, "Model set for this entry."),
        col("producing_llm", TEXT, "Model that made the entry."),
        col("rag_retrieval_info.embedding_model", TEXT, "Embedding model of the retrieval."),
        words("rag_retrieval_info.retrieval_query", TEXT, "Query of the retrieval."),
        col("rag_retrieval_info.rag_latency_secs", FLOAT, "Time of the retrieval."),
        col("rag_retrieval_info.used_chunk_ids", JSON, "Chunks that were used."),
        col("conversation_turn_metrics.convai_asr_provider", TEXT, "Speech recognition of the entry."),
        col("conversation_turn_metrics.convai_tts_model", TEXT, "Speech model of the entry."),
        col("conversation_turn_metrics.convai_tts_cascade", JSON, "Speech models tried in turn."),
        col("conversation_turn_metrics.voice_id", TEXT, "Voice of the entry."),
        identity("user_identifier", TEXT, "Who spoke, where several users do."),
        col("ignored_as_backchannel", BOOL, "Whether the entry was taken as a mere 'mhm'."),
        words("platform_event", JSON, "Event of the platform."),
        words("reasoning", JSON, "Reasoning of the model."),
        col("used_static_kb_document_ids", JSON, "Documents of the knowledge base in the prompt."),
        words("triggered_guardrails", JSON, "Guardrails that fired."),
        words("file_input", JSON, "File that the user sent."),
        words("file_inputs", JSON, "Files that the user sent."),
        col("reasoned", BOOL, "Whether the model reasoned."),
        col("config_snapshot_id", TEXT, "Undocumented key of recorded responses."),
        words("contextual_update_info", JSON, "Context that the client sent."),
        words("analysis", JSON, "Analysis of the entry."),
    ),
)

MULTIVOICE_PARTS = table(
    "multivoice_parts",
    "part of a message that several voices speak",
    at="transcript[turn_index].multivoice_message.parts[part_index]",
    keys=(TURN_INDEX, made("part_index", INT, "Position of the part, from 0.", required=True)),
    columns=(
        words("text", TEXT, "What the part says."),
        col("voice_label", TEXT, "Voice of the part."),
        col("time_in_call_secs", INT, "Start of the part from the start of the call."),
    ),
)

_NESTING = (
    made("turn_index", INT, "Transcript entry that holds it.", required=True),
    made("parent_request_id", TEXT, "request_id of the workflow result that holds it; null at the top."),
    made("depth", INT, "0 in the transcript, +1 for each workflow step around it.", required=True),
)

TOOL_CALLS = table(
    "tool_calls",
    "tool call, those nested in workflow steps included",
    at="transcript[turn_index].tool_calls[call_index]",
    keys=(made("call_index", INT, "Running number of the call in the conversation, from 0.", required=True),),
    columns=(
        *_NESTING,
        col("request_id", TEXT, "Id that a call and its result share."),
        col("tool_name", TEXT, "Name of the tool."),
        col("tool_id", TEXT, "Id of the tool; today's API."),
        col("type", TEXT, "system, webhook, client, mcp, workflow, …; open text."),
        words("params_as_json", TEXT, "Arguments, the API's own JSON text."),
        col("tool_has_been_called", BOOL, "Whether the call was carried out."),
        col("tool_details.type", TEXT, "webhook, client or mcp."),
        col("tool_details.method", TEXT, "HTTP method of a webhook."),
        words("tool_details.url", TEXT, "Address of a webhook."),
        col("tool_details.headers", JSON, "Names of the webhook's headers; the values are masked before landing."),
        words("tool_details.path_params", JSON, "Path parameters of a webhook."),
        words("tool_details.query_params", JSON, "Query parameters of a webhook."),
        words("tool_details.body", TEXT, "Body of a webhook."),
        words("tool_details.parameters", Type.BAG, "Arguments of a client tool (text) or an MCP tool (JSON)."),
        col("tool_details.mcp_server_id", TEXT, "MCP server."),
        col("tool_details.mcp_server_name", TEXT, "Name of the MCP server."),
        col("tool_details.integration_type", TEXT, "Kind of the MCP integration."),
        col("tool_details.approval_policy", TEXT, "Who approves calls of the MCP server."),
        col("tool_details.requires_approval", BOOL, "Whether this call needed an approval."),
        col("tool_details.mcp_tool_name", TEXT, "Name of the tool at the MCP server."),
        col("tool_details.mcp_tool_description", TEXT, "Description of the tool at the MCP server."),
        col("tool_details.integration_id", TEXT, "Integration of an api_integration_webhook tool."),
        col("tool_details.credential_id", TEXT, "Id of the credential it used; never the credential."),
        col("tool_details.integration_connection_id", TEXT, "Connection it used."),
        col("tool_details.webhook_details.type", TEXT, "Kind of the integration's call."),
        col("tool_details.webhook_details.method", TEXT, "HTTP method of the integration's call."),
        words("tool_details.webhook_details.url", TEXT, "Address of the integration's call."),
        col("tool_details.webhook_details.headers", JSON, "Names of its headers; the values are masked."),
        words("tool_details.webhook_details.path_params", JSON, "Its path parameters."),
        words("tool_details.webhook_details.query_params", JSON, "Its query parameters."),
        words("tool_details.webhook_details.body", TEXT, "Its body."),
    ),
)


def _result(name: str, type_: Type, about: str) -> Column:
    return col(f"result.{name}", type_, about)


TOOL_RESULTS = table(
    "tool_results",
    "tool result, those nested in workflow steps included",
    at="transcript[turn_index].tool_results[result_index]",
    keys=(made("result_index", INT, "Running number of the result in the conversation, from 0.", required=True),),
    columns=(
        *_NESTING,
        col("request_id", TEXT, "Id that a call and its result share."),
        col("tool_name", TEXT, "Name of the tool."),
        col("tool_id", TEXT, "Id of the tool; today's API."),
        col("type", TEXT, "system, webhook, client, mcp, workflow, …; open text."),
        words("result_value", TEXT, "The result, the API's own text (often JSON)."),
        col("is_error", BOOL, "Whether the tool failed."),
        col("is_blocked", BOOL, "Whether the call was blocked."),
        col("error_type", TEXT, "Kind of the error."),
        words("raw_error_message", TEXT, "Error in the tool's own words."),
        col("tool_has_been_called", BOOL, "Whether the call was carried out."),
        col("tool_latency_secs", FLOAT, "Time that the tool took."),
        col("integration_id", TEXT, "Integration of an api_integration_webhook tool."),
        col("credential_id", TEXT, "Id of the credential it used; never the credential."),
        col("integration_connection_id", TEXT, "Connection it used."),
        col("result.result_type", TEXT, "Which system result it is; null for other tools.", name="result_type"),
        _result("status", TEXT, "success or error."),
        words("result.reason", TEXT, "Why the system tool was used."),
        words("result.message", TEXT, "Message of end_call."),
        _result("language", TEXT, "Language detected."),
        _result("from_agent", TEXT, "Agent that transferred."),
        _result("to_agent", TEXT, "Agent transferred to; a node id inside a workflow."),
        _result("to_node", TEXT, "Node transferred to; today's API."),
        _result("branch_info", JSON, "Branch transferred to; today's API."),
        _result("condition", TEXT, "Condition of the transfer."),
        _result("delay_ms", INT, "Delay of the transfer."),
        words("result.transfer_message", TEXT, "Message at the transfer."),
        _result("enable_transferred_agent_first_message", BOOL, "Whether the next agent speaks its first message."),
        words("result.error", TEXT, "Error of the system tool."),
        words("result.details", TEXT, "Details of the error."),
        identity("result.transfer_number", TEXT, "Number transferred to."),
        words("result.client_message", TEXT, "Message to the caller at a transfer."),
        words("result.agent_message", TEXT, "Message to the person called at a transfer."),
        identity("result.conference_name", TEXT, "Conference of the transfer."),
        words("result.note", TEXT, "Note on the transfer."),
        words("result.dtmf_tones", TEXT, "Tones played."),
        words("result.voicemail_message", TEXT, "Message left on the voicemail."),
        identity("result.post_dial_digits", TEXT, "Digits dialled after a transfer."),
        _result("preserve_client_tts_overrides", BOOL, "Whether the next agent keeps the client's voice settings."),
        _result("preserve_voice_settings", BOOL, "Whether the next agent keeps the voice."),
        _result("procedure_id", TEXT, "Procedure started or ended."),
        _result("procedure_name", TEXT, "Its name."),
        _result("procedure_entry_workflow_node", TEXT, "Node at which it was entered."),
        _result("procedure_return_workflow_node", TEXT, "Node to which it returns."),
        _result("chunk_count", INT, "Chunks that a look-up in the knowledge base gave."),
        words("result.chunks", JSON, "Those chunks."),
    ),
)

WORKFLOW_STEPS = table(
    "workflow_steps",
    "step of a workflow's tool result",
    at="transcript[turn_index].tool_results[result_index].result.steps[step_index]",
    keys=(
        made("result_index", INT, "Running number of the result that holds the step.", required=True),
        made("step_index", INT, "Position of the step, from 0.", required=True),
    ),
    columns=(
        col("type", TEXT, "edge, nested_tools or max_iterations_exceeded."),
        col("step_latency_secs", FLOAT, "Time that the step took."),
        col("edge_id", TEXT, "Edge that was taken."),
        col("target_node_id", TEXT, "Node that the edge leads to."),
        col("node_id", TEXT, "Node that called tools."),
        col("is_successful", BOOL, "Whether the node's tools succeeded."),
        col("max_iterations", INT, "Limit that was exceeded."),
    ),
)

DYNAMIC_VARIABLE_UPDATES = table(
    "dynamic_variable_updates",
    "variable that a tool result changed",
    at="transcript[turn_index].tool_results[result_index].dynamic_variable_updates[update_index]",
    keys=(
        made("result_index", INT, "Running number of the result that holds the update.", required=True),
        made("update_index", INT, "Position of the update, from 0.", required=True),
    ),
    columns=(
        col("variable_name", TEXT, "Name of the variable."),
        words("old_value", Type.BAG, "Value before."),
        words("new_value", Type.BAG, "Value after."),
        col("updated_at", TIME, "When it changed."),
        col("tool_name", TEXT, "Tool that changed it."),
        col("tool_request_id", TEXT, "Call that changed it."),
    ),
)

TURN_METRICS = table(
    "turn_metrics",
    "timing of a transcript entry",
    at="transcript[turn_index].conversation_turn_metrics.metrics{metric}",
    keys=(TURN_INDEX, made("metric", TEXT, "Name of the metric, as the API calls it.", required=True)),
    columns=(
        col("elapsed_time", FLOAT, "Time measured.", name="elapsed_secs"),
        made("is_repeat", BOOL, "Whether a tool entry repeats the spoken entry before it.", required=True),
    ),
)

RAG_CHUNKS = table(
    "rag_chunks",
    "chunk retrieved from the knowledge base",
    at="transcript[turn_index].rag_retrieval_info.chunks[chunk_index]",
    keys=(TURN_INDEX, made("chunk_index", INT, "Rank of the chunk, from 0.", required=True)),
    columns=(
        col("document_id", TEXT, "Document of the chunk."),
        col("chunk_id", TEXT, "Chunk."),
        col("vector_distance", FLOAT, "Distance to the query; smaller is nearer."),
    ),
)

TOKEN_KINDS = ("input", "input_cache_read", "input_cache_write", "output_total")

LLM_USAGE = table(
    "llm_usage",
    "LLM usage by scope, model and kind of token",
    keys=(
        made("scope", TEXT, "initiated or irreversible (whole call), or turn: never add scopes.", required=True),
        made("turn_index", INT, "Transcript entry for scope turn, -1 for the whole call.", required=True),
        made("model", TEXT, "Model.", required=True),
        made("token_kind", TEXT, f"{', '.join(TOKEN_KINDS)}; open text.", required=True),
    ),
    at=(
        "metadata.charging.llm_usage.initiated_generation.model_usage{model}{token_kind}",
        "metadata.charging.llm_usage.irreversible_generation.model_usage{model}{token_kind}",
        "transcript[turn_index].llm_usage.model_usage{model}{token_kind}",
    ),
    columns=(
        col("tokens", INT, "Tokens."),
        col("price", FLOAT, "Their price.", unit="usd"),
    ),
)

EVALUATION_RESULTS = table(
    "evaluation_results",
    "evaluation criterion",
    at="analysis.evaluation_criteria_results{criteria_id}",
    keys=(made("criteria_id", TEXT, "Criterion: the key of the map.", required=True),),
    columns=(
        col("result", TEXT, "success, failure or unknown."),
        words("rationale", TEXT, "Why."),
        col("scoring_mode", TEXT, "How it is scored; today's API."),
        col("score", FLOAT, "Score; today's API."),
        col("max_score", FLOAT, "Best possible score; today's API."),
    ),
    known=("criteria_id",),
)

_VALUE_BY_TYPE = (
    made("value_text", TEXT, "The value where it is a text."),
    made("value_number", FLOAT, "The value where it is a number."),
    made("value_bool", BOOL, "The value where it is a boolean."),
)

DATA_COLLECTION_RESULTS = table(
    "data_collection_results",
    "field collected from the call",
    at="analysis.data_collection_results{data_collection_id}",
    keys=(made("data_collection_id", TEXT, "Field: the key of the map.", required=True),),
    columns=(
        words("value", JSON, "The value as JSON text; null when it was null."),
        *_VALUE_BY_TYPE,
        words("rationale", TEXT, "Why."),
        col("name", TEXT, "Name of the field; today's API."),
        col("json_schema.type", Type.BAG, "Type asked for: string, boolean, integer, number; JSON where several."),
        col("json_schema.description", TEXT, "What was asked for."),
        col("json_schema.enum", JSON, "Values allowed."),
        col("json_schema.is_system_provided", BOOL, "Whether the system provides it."),
        col("json_schema.dynamic_variable", TEXT, "Variable that provides it."),
        words("json_schema.constant_value", JSON, "Constant that provides it."),
        col("json_schema.allowed_values", JSON, "Values allowed; today's API."),
        col("json_schema.allowed_values_dynamic_variable", TEXT, "Variable that gives the values allowed."),
        col("json_schema.is_omitted", BOOL, "Whether the field is left out."),
    ),
    known=("data_collection_id",),
)

DYNAMIC_VARIABLES = table(
    "dynamic_variables",
    "variable given at the start or set by the system",
    at="conversation_initiation_client_data.dynamic_variables{name}",
    keys=(made("name", TEXT, "Name of the variable; the system's begin with system__.", required=True),),
    columns=(words(".", JSON, "The value as JSON text; null when it was null.", name="value"), *_VALUE_BY_TYPE),
)

PLATFORM_USAGE = table(
    "platform_usage",
    "platform usage of a call by category",
    at="metadata.charging.platform_usage.category_usage{category}",
    keys=(made("category", TEXT, "voice, silence, burst, asr, text_message, …; open text.", required=True),),
    columns=(
        col("credits", FLOAT, "Charge.", name="charge_credits"),
        col("price", FLOAT, "Price.", unit="usd"),
        col("quantity", FLOAT, "Quantity in the category's own unit."),
    ),
)

VOICE_USAGE = table(
    "voice_usage",
    "voice that spoke in a call",
    at="metadata.charging.tts_usage.per_voice_usage[voice_index]",
    keys=(made("voice_index", INT, "Position of the voice, from 0.", required=True),),
    columns=(
        col("voice_id", TEXT, "Voice."),
        col("audio_output_seconds", FLOAT, "Speech of the voice, in seconds."),
    ),
)

VISITED_AGENTS = table(
    "visited_agents",
    "agent that a call passed through",
    at="visited_agents[visit_index]",
    keys=(made("visit_index", INT, "Position of the visit, from 0.", required=True),),
    columns=(
        col("agent_id", TEXT, "Agent visited."),
        col("branch_id", TEXT, "Branch of the agent."),
    ),
)

TAGS = table(
    "tags",
    "tag of a call",
    at="tag_ids[tag_index]",
    keys=(made("tag_index", INT, "Position of the tag, from 0.", required=True),),
    columns=(col(".", TEXT, "Id of the tag.", name="tag_id"),),
)

WARNINGS = table(
    "warnings",
    "warning that the API gives with a call",
    at="metadata.warnings[warning_index]",
    keys=(made("warning_index", INT, "Position of the warning, from 0.", required=True),),
    columns=(words(".", TEXT, "The warning.", name="warning"),),
)

DOCUMENT_TABLES: tuple[Table, ...] = (
    CONVERSATIONS,
    TURNS,
    MULTIVOICE_PARTS,
    TOOL_CALLS,
    TOOL_RESULTS,
    WORKFLOW_STEPS,
    DYNAMIC_VARIABLE_UPDATES,
    TURN_METRICS,
    RAG_CHUNKS,
    LLM_USAGE,
    EVALUATION_RESULTS,
    DATA_COLLECTION_RESULTS,
    DYNAMIC_VARIABLES,
    PLATFORM_USAGE,
    VOICE_USAGE,
    VISITED_AGENTS,
    TAGS,
    WARNINGS,
)
"""Tables that one conversation detail fills; all daily."""

CONVERSATION_LIST = Table(
    "conversation_list",
    "conversation that the list ever showed, its latest row",
    ("conversation_id",),
    (
        WORKSPACE,
        made("conversation_id", TEXT, "Id of the conversation.", required=True),
        made("start_date", Type.DATE, "UTC day on which the conversation started.", required=True),
        made("start_time_at", TIME, "Start of the call.", required=True),
        made("agent_id", TEXT, "Agent of the call."),
        made("agent_name", TEXT, "Name of the agent at the last listing."),
        made("status", TEXT, "Status at the last listing."),
        made("fingerprint", TEXT, "SHA-256 of the canonical list row.", required=True),
        made("first_seen_at", TIME, "First listing that showed it.", required=True),
        made("last_seen_at", TIME, "Last listing that showed it.", required=True),
    ),
)

AGENTS = Table(
    "agents",
    "agent that was ever seen: in a list row, as a call's own, or as one that a call passed through",
    ("workspace", "agent_id"),
    (
        WORKSPACE,
        made("agent_id", TEXT, "Agent.", required=True),
        made("agent_name", TEXT, "Latest name that was seen; null when the API never told one."),
        made("first_call_at", TIME, "Start of the first call in which it was seen.", required=True),
        made("last_call_at", TIME, "Start of the last call in which it was seen.", required=True),
    ),
    is_daily=False,
)

DELETIONS = Table(
    "deletions",
    "conversation that the API no longer has, or no longer whole, or that was erased here",
    ("conversation_id",),
    (
        WORKSPACE,
        made("conversation_id", TEXT, "Id of the conversation.", required=True),
        made("start_date", Type.DATE, "UTC day on which the conversation started.", required=True),
        made("noticed_at", TIME, "Last reading that showed it, or when it was erased.", required=True),
        made(
            "evidence",
            TEXT,
            "not_found (404 to the detail), blanked (a finished call without its text) or erased.",
            required=True,
        ),
        made(
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
        made("conversation_id", TEXT, "Id that was asked for.", required=True),
        made("fetched_at", TIME, "When the document was read.", required=True),
        made(
            "reason",
            TEXT,
            "unreadable (no JSON) or unflattenable (no ids or start).",
            required=True,
        ),
        made("error", TEXT, "The reader's own words.", required=True),
    ),
    is_daily=False,
)

UNKNOWN_FIELDS = Table(
    "unknown_fields",
    "key path or word that the schema does not know",
    ("workspace", "path", "value"),
    (
        WORKSPACE,
        made(
            "path",
            TEXT,
            "JSON path in a conversation detail, in the list of tools (tools[]…) or in prices (llm_prices[]…), without "
            "indexes and map keys.",
            required=True,
        ),
        made("value", TEXT, "The unknown word of a known field; empty for an unknown key or type.", required=True),
        made("kind", TEXT, "key (no column knows it), type (its column cannot hold it) or word.", required=True),
        made("n_rows", INT, "Rows that have it.", required=True),
        made("n_conversations", INT, "Conversations that have it; 0 where tools or prices do.", required=True),
        made("first_seen_at", TIME, "When the first content that has it was read.", required=True),
        made("last_seen_at", TIME, "When the last content that has it was read.", required=True),
        made("example_id", TEXT, "A conversation that has it, one read last; else a tool or an agent.", required=True),
    ),
    is_daily=False,
)

SYNC_RUNS = Table(
    "sync_runs",
    "run of the sync",
    ("workspace", "run_id"),
    (
        WORKSPACE,
        made("run_id", TEXT, "Id of the run.", required=True),
        made("started_at", TIME, "Start of the run.", required=True),
        made("ended_at", TIME, "End of the run.", required=True),
        made("since_at", TIME, "Start of the window that was listed; null for all of history."),
        made("until_at", TIME, "End of the window that was listed."),
        made("agent_id", TEXT, "Agent that the run was limited to."),
        made("n_listed", INT, "Conversations that the list showed.", required=True),
        made("n_new", INT, "Fetched because never landed.", required=True),
        made("n_open", INT, "Fetched because not done or failed when last read.", required=True),
        made("n_changed", INT, "Fetched because the list row changed.", required=True),
        made("n_missing", INT, "Fetched because a complete listing no longer shows it; null before this was counted."),
        made("n_due", INT, "Fetched because a re-read was due.", required=True),
        made(
            "n_asked",
            INT,
            "Fetched because set aside before, or because feedback was sent; null before this was counted.",
        ),
        made("n_fetched", INT, "Details read.", required=True),
        made("n_landed", INT, "Documents with new content that were landed.", required=True),
        made("n_unchanged", INT, "Details whose content was already landed.", required=True),
        made("n_gone", INT, "Details that the API answered with 404.", required=True),
        made("n_flattened", INT, "Conversations written to the lake.", required=True),
        made("n_quarantined", INT, "Documents set aside.", required=True),
        made("n_requests", INT, "HTTP requests, retries included.", required=True),
        made("n_retries", INT, "HTTP requests that were repeated.", required=True),
        made("received_bytes", INT, "Bytes of answers.", required=True),
        made("elapsed_secs", FLOAT, "Length of the run.", required=True),
        made("outcome", TEXT, "complete, incomplete or failed.", required=True),
        made("error", TEXT, "What stopped the run or left it incomplete; null when complete."),
    ),
    is_daily=False,
)

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

TABLES: tuple[Table, ...] = (
    *DOCUMENT_TABLES,
    CONVERSATION_LIST,
    AGENTS,
    DELETIONS,
    QUARANTINE,
    UNKNOWN_FIELDS,
    SYNC_RUNS,
    *REFERENCE_TABLES,
    *JOURNALS,
)
"""Every table of the lake, in the order of the docs."""

BY_NAME: dict[str, Table] = {table_.name: table_ for table_ in TABLES}

/*
description = "Lake table conversations, its columns named for people: one row per conversation."
grain = ["conversation_id"]

[columns]
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
agent_id = "Agent that the call was started with."
agent_name = "Name of the agent at the time of reading; only on today's API."
status = "initiated, in-progress, processing, done or failed; open text."
started_at = "Start of the call (metadata.start_time_unix_secs)."
accepted_at = "When the call was accepted."
call_duration_secs = "Length of the call."
user_id = "User's id as the customer's own system calls it."
branch_id = "Branch of the agent that answered."
version_id = "Version of the agent that answered."
environment = "Environment of the agent, such as production."
conversation_product = "Product that the conversation belongs to."
n_user_messages = "Messages of the user, as the API counts."
n_agent_messages = "Messages of the agent, as the API counts."
has_audio = "Whether audio can be had."
has_user_audio = "Whether the user's audio can be had."
has_response_audio = "Whether the agent's audio can be had."
has_auxiliary_audio = "Whether further audio can be had."
cost_credits = "Cost of the call in credits: call charge + LLM charge."
cost_fiat_usd = "Cost in US dollars as reported; since mid-2026."
is_dev_discount = "Whether the call part was halved as a development call."
is_burst = "Whether the call part was doubled as a burst over the concurrency."
tier = "Plan of the workspace when the call was billed."
llm_price_usd = "LLM cost; the sum over initiated_generation."
llm_cost_credits = "LLM part of the cost."
call_cost_credits = "Call part of the cost."
platform_cost_credits = "Platform part of the cost."
platform_price_usd = "Platform part of the cost."
voice_surcharge_credits = "Surcharge of the voice."
free_minutes = "Minutes taken from the plan's free minutes."
free_llm_usd = "US dollars taken from the plan's free LLM dollars."
primary_tts_model = "Speech model that was used most."
audio_output_secs = "Speech produced, in seconds."
n_tts_characters = "Characters spoken."
asr_model = "Speech recognition model."
n_transcriptions = "Calls of the speech recognition."
audio_input_secs = "Speech heard, in seconds."
analysis_charges = "Charges of the analysis after the call."
voice_rewards = "Rewards to the owners of shared voices."
phone_call_type = "twilio, sip_trunking, exotel, …: null when no phone call."
phone_call_direction = "inbound or outbound."
phone_call_phone_number_id = "Id of the agent's phone number."
phone_call_agent_number = "Phone number of the agent."
phone_call_external_number = "Phone number of the other side."
phone_call_stream_sid = "Twilio's id of the stream."
phone_call_call_sid = "Provider's id of the call."
phone_call_call_id = "Id of the call at other providers."
phone_call_call_result = "Result of the call attempt."
phone_call_sip_header_dynamic_variables = "Variables that came in SIP headers."
batch_call_id = "Batch that the call belongs to."
batch_call_recipient_id = "Recipient within the batch."
batch_call_campaign = "Campaign of the batch."
whatsapp_business_account_id = "WhatsApp account of the business."
whatsapp_user_id = "WhatsApp user."
whatsapp_direction = "Direction of the WhatsApp conversation."
whatsapp_phone_number_id = "WhatsApp phone number of the business."
whatsapp_recipient = "Recipient of a WhatsApp conversation."
whatsapp_awaiting_first_user_message = "Whether the user has not written yet."
whatsapp_opening_message = "Template message that opened the conversation."
whatsapp_call_permission_request = "Permission asked for to call."
whatsapp_call_result = "Result of the WhatsApp call."
sms = "Data of an SMS conversation."
queue_wait_secs = "Time in the queue before the call was taken."
termination_reason = "Why the call ended, free text."
error_code = "Error that ended the call."
error_reason = "Error in words."
main_language = "Main language of the call."
is_text_only = "Whether the conversation was a chat without audio."
timezone = "Time zone that the agent was told."
authorization_method = "How the client was let in."
initiator_id = "Who started the conversation."
initiation_source = "SDK, widget or provider that started it."
initiation_source_version = "Version of that source."
initiation_trigger_type = "default or zendesk; gone from today's API."
initiation_trigger_ticket_id = "Zendesk ticket that started it."
async_metadata_delivery_status = "Delivery to the external system."
async_metadata_delivery_at = "When it was delivered."
async_metadata_delivery_error = "Why it could not be delivered."
async_metadata_external_system = "External system."
async_metadata_external_id = "Id in the external system."
async_metadata_external_link = "Link into the external system."
async_metadata_integration_trigger_id = "Trigger of the integration."
async_metadata_last_processed_external_message_id = "Last message taken from there."
async_metadata_platform_metadata = "What the external system says of it."
n_async_metadata_retries = "Deliveries tried again."
async_metadata_last_retry_at = "Last retry."
agent_created_from = "Where the agent was created: ui, api, cli."
agent_last_updated_from = "Where the agent was last changed."
is_eleven_assistant = "Whether the vendor's own assistant was the agent."
feedback_type = "thumbs or rating."
feedback_overall_score = "like or dislike."
likes = "Thumbs up."
dislikes = "Thumbs down."
rating = "Rating of the call by the user."
feedback_comment = "Comment of the user."
call_successful = "success, failure or unknown: the vendor's verdict."
transcript_summary = "Summary of the call."
summary_title = "Title of the summary."
success_score = "Score of success."
sentiment = "Sentiment of the call."
scoped_analysis = "Analysis by scope."
deletion_due_at = "When retention will delete the call."
logs_deleted_at = "When the logs were deleted."
audio_deleted_at = "When the audio was deleted."
transcript_deleted_at = "When the transcript was deleted."
is_transcript_to_be_deleted = "Whether retention deletes the text."
is_audio_to_be_deleted = "Whether retention deletes the audio."
n_rag_retrievals = "Retrievals from the knowledge base."
rag_embedding_model = "Embedding model of the retrievals."
feature_language_detection_enabled = "Whether the agent had the feature switched on: language detection."
feature_language_detection_used = "Whether the call used the feature: language detection."
feature_transfer_to_agent_enabled = "Whether the agent had the feature switched on: transfer to agent."
feature_transfer_to_agent_used = "Whether the call used the feature: transfer to agent."
feature_transfer_to_number_enabled = "Whether the agent had the feature switched on: transfer to number."
feature_transfer_to_number_used = "Whether the call used the feature: transfer to number."
feature_multivoice_enabled = "Whether the agent had the feature switched on: multivoice."
feature_multivoice_used = "Whether the call used the feature: multivoice."
feature_dtmf_tones_enabled = "Whether the agent had the feature switched on: dtmf tones."
feature_dtmf_tones_used = "Whether the call used the feature: dtmf tones."
feature_dtmf_input_enabled = "Whether the agent had the feature switched on: dtmf input."
feature_dtmf_input_used = "Whether the call used the feature: dtmf input."
feature_external_mcp_servers_enabled = "Whether the agent had the feature switched on: external mcp servers."
feature_external_mcp_servers_used = "Whether the call used the feature: external mcp servers."
feature_tool_dynamic_variable_updates_enabled = "Whether the agent had the feature switched on: tool dynamic variable updates."
feature_tool_dynamic_variable_updates_used = "Whether the call used the feature: tool dynamic variable updates."
feature_voicemail_detection_enabled = "Whether the agent had the feature switched on: voicemail detection."
feature_voicemail_detection_used = "Whether the call used the feature: voicemail detection."
feature_versioning_enabled = "Whether the agent had the feature switched on: versioning."
feature_versioning_used = "Whether the call used the feature: versioning."
feature_file_input_enabled = "Whether the agent had the feature switched on: file input."
feature_file_input_used = "Whether the call used the feature: file input."
feature_freeform_procedure_enabled = "Whether the agent had the feature switched on: freeform procedure."
feature_freeform_procedure_used = "Whether the call used the feature: freeform procedure."
feature_structured_procedure_enabled = "Whether the agent had the feature switched on: structured procedure."
feature_structured_procedure_used = "Whether the call used the feature: structured procedure."
feature_workflow_tool_node_enabled = "Whether the agent had the feature switched on: workflow tool node."
feature_workflow_tool_node_used = "Whether the call used the feature: workflow tool node."
feature_workflow_standalone_agent_node_enabled = "Whether the agent had the feature switched on: workflow standalone agent node."
feature_workflow_standalone_agent_node_used = "Whether the call used the feature: workflow standalone agent node."
feature_workflow_override_agent_node_enabled = "Whether the agent had the feature switched on: workflow override agent node."
feature_workflow_override_agent_node_used = "Whether the call used the feature: workflow override agent node."
feature_workflow_phone_number_node_enabled = "Whether the agent had the feature switched on: workflow phone number node."
feature_workflow_phone_number_node_used = "Whether the call used the feature: workflow phone number node."
feature_workflow_end_node_enabled = "Whether the agent had the feature switched on: workflow end node."
feature_workflow_end_node_used = "Whether the call used the feature: workflow end node."
feature_workflow_enabled = "Whether the agent is a workflow."
feature_pii_zrm_workspace = "Zero retention for the workspace."
feature_pii_zrm_agent = "Zero retention for the agent."
feature_is_livekit = "Whether the call ran over LiveKit."
feature_agent_testing_enabled = "Whether the agent has tests."
feature_agent_testing_tests_ran_after_last_modification = "Tests ran since then."
feature_agent_testing_tests_ran_in_last_7_days = "Tests ran in the last 7 days."
client_user_id = "User's id that the client sent."
client_branch_id = "Branch that the client asked for."
client_environment = "Environment that the client asked for."
client_starting_workflow_node_id = "Workflow node to start at."
client_procedure_ids = "Procedures that the client asked for."
client_start_procedure_ids = "Procedures to start with."
client_tool_mock_config = "Mocked tools of a test call."
client_source_info_source = "SDK of the client."
client_source_info_version = "Version of the client's SDK."
client_custom_llm_extra_body = "Extra body for a custom LLM."
override_turn_soft_timeout_config_message = "Override: message at a soft time-out."
override_turn_soft_timeout_config_additional_soft_timeout_messages = "Override: more of them."
override_turn_noisy_environment_message = "Override: message where it is noisy."
override_asr_keywords = "Override: keywords of the speech recognition."
override_tts_model_id = "Override: speech model."
override_tts_clone_strength = "Override: strength of the voice's clone."
override_tts_supported_voices = "Override: further voices."
override_tts_pronunciation_dictionary_locators = "Override: pronunciation dictionaries."
override_tts_voice_id = "Override: voice."
override_tts_stability = "Override: stability of the voice."
override_tts_speed = "Override: speed of the voice."
override_tts_similarity_boost = "Override: similarity of the voice."
override_conversation_text_only = "Override: chat without audio."
override_conversation_max_duration_seconds = "Override: longest call, in seconds."
override_agent_max_conversation_duration_message = "Override: message at the longest call."
override_agent_first_message = "Override: first message."
override_agent_language = "Override: language."
override_agent_prompt_prompt = "Override: prompt."
override_agent_prompt_llm = "Override: model."
override_agent_prompt_reasoning_effort = "Override: effort of the model's reasoning."
override_agent_prompt_tool_ids = "Override: tools."
override_agent_prompt_tool_ids_strict = "Override: whether only these tools."
override_agent_prompt_knowledge_base = "Override: documents of the knowledge base."
override_agent_prompt_native_mcp_server_ids = "Override: MCP servers."
hiding_reason = "Why the conversation is hidden."
smb_metadata = "Undocumented."
realtime_config_snapshots = "Undocumented."
otlp_traces = "Traces of the call."
fetched_at = "When this content was first read from the API."
checked_at = "When the conversation was last read, changed or not."
content_sha256 = "SHA-256 of the canonical document."
parser_version = "Version of the flattening that made the rows."
is_deleted = "Whether the API no longer has the conversation."
deleted_at = "When its absence was noticed."
deletion_reason = "Evidence of the deletion: not_found."
settle_state = "open, settling or settled: whether it will be read again."
extra = "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none."
*/
with source as (
    select * from lake.conversations
),

final as (
    select
        conversation_id,
        start_date,
        agent_id,
        agent_name,
        status,
        start_time_at as started_at,
        accepted_time_at as accepted_at,
        call_duration_secs,
        user_id,
        branch_id,
        version_id,
        environment,
        conversation_product,
        user_message_count as n_user_messages,
        agent_message_count as n_agent_messages,
        has_audio,
        has_user_audio,
        has_response_audio,
        has_auxiliary_audio,
        cost_credits,
        cost_fiat_usd,
        charging_dev_discount as is_dev_discount,
        charging_is_burst as is_burst,
        charging_tier as tier,
        charging_llm_price_usd as llm_price_usd,
        charging_llm_charge_credits as llm_cost_credits,
        charging_call_charge_credits as call_cost_credits,
        charging_platform_charge_credits as platform_cost_credits,
        charging_platform_price_usd as platform_price_usd,
        charging_voice_surcharge_charge_credits as voice_surcharge_credits,
        charging_free_minutes_consumed as free_minutes,
        charging_free_llm_dollars_consumed as free_llm_usd,
        charging_tts_usage_primary_tts_model as primary_tts_model,
        charging_tts_usage_total_audio_output_seconds as audio_output_secs,
        charging_tts_usage_total_characters as n_tts_characters,
        charging_asr_usage_asr_model as asr_model,
        charging_asr_usage_total_transcription_calls as n_transcriptions,
        charging_asr_usage_total_audio_input_seconds as audio_input_secs,
        charging_analysis as analysis_charges,
        voice_rewards,
        phone_call_type,
        phone_call_direction,
        phone_call_phone_number_id,
        phone_call_agent_number,
        phone_call_external_number,
        phone_call_stream_sid,
        phone_call_call_sid,
        phone_call_call_id,
        phone_call_call_result,
        phone_call_sip_header_dynamic_variables,
        batch_call_batch_call_id as batch_call_id,
        batch_call_batch_call_recipient_id as batch_call_recipient_id,
        batch_call_campaign,
        whatsapp_whatsapp_business_account_id as whatsapp_business_account_id,
        whatsapp_whatsapp_user_id as whatsapp_user_id,
        whatsapp_direction,
        whatsapp_whatsapp_phone_number_id as whatsapp_phone_number_id,
        whatsapp_recipient,
        whatsapp_awaiting_first_user_message,
        whatsapp_opening_message,
        whatsapp_call_permission_request,
        whatsapp_call_result,
        sms,
        queue_wait_secs,
        termination_reason,
        error_code,
        error_reason,
        main_language,
        text_only as is_text_only,
        timezone,
        authorization_method,
        initiator_id,
        conversation_initiation_source as initiation_source,
        conversation_initiation_source_version as initiation_source_version,
        initiation_trigger_trigger_type as initiation_trigger_type,
        initiation_trigger_ticket_id,
        async_metadata_delivery_status,
        async_metadata_delivery_at,
        async_metadata_delivery_error,
        async_metadata_external_system,
        async_metadata_external_id,
        async_metadata_external_link,
        async_metadata_integration_trigger_id,
        async_metadata_last_processed_external_message_id,
        async_metadata_platform_metadata,
        async_metadata_retry_count as n_async_metadata_retries,
        async_metadata_last_retry_at,
        agent_created_from,
        agent_last_updated_from,
        eleven_assistant_is_eleven_assistant as is_eleven_assistant,
        feedback_type,
        feedback_overall_score,
        feedback_likes as likes,
        feedback_dislikes as dislikes,
        feedback_rating as rating,
        feedback_comment,
        analysis_call_successful as call_successful,
        analysis_transcript_summary as transcript_summary,
        analysis_call_summary_title as summary_title,
        analysis_call_success_score as success_score,
        analysis_sentiment_analysis as sentiment,
        analysis_scoped as scoped_analysis,
        deletion_settings_deletion_time_at as deletion_due_at,
        deletion_settings_deleted_logs_at_time_at as logs_deleted_at,
        deletion_settings_deleted_audio_at_time_at as audio_deleted_at,
        deletion_settings_deleted_transcript_at_time_at as transcript_deleted_at,
        deletion_settings_delete_transcript_and_pii as is_transcript_to_be_deleted,
        deletion_settings_delete_audio as is_audio_to_be_deleted,
        rag_usage_usage_count as n_rag_retrievals,
        rag_usage_embedding_model as rag_embedding_model,
        features_usage_language_detection_enabled as feature_language_detection_enabled,
        features_usage_language_detection_used as feature_language_detection_used,
        features_usage_transfer_to_agent_enabled as feature_transfer_to_agent_enabled,
        features_usage_transfer_to_agent_used as feature_transfer_to_agent_used,
        features_usage_transfer_to_number_enabled as feature_transfer_to_number_enabled,
        features_usage_transfer_to_number_used as feature_transfer_to_number_used,
        features_usage_multivoice_enabled as feature_multivoice_enabled,
        features_usage_multivoice_used as feature_multivoice_used,
        features_usage_dtmf_tones_enabled as feature_dtmf_tones_enabled,
        features_usage_dtmf_tones_used as feature_dtmf_tones_used,
        features_usage_dtmf_input_enabled as feature_dtmf_input_enabled,
        features_usage_dtmf_input_used as feature_dtmf_input_used,
        features_usage_external_mcp_servers_enabled as feature_external_mcp_servers_enabled,
        features_usage_external_mcp_servers_used as feature_external_mcp_servers_used,
        features_usage_tool_dynamic_variable_updates_enabled as feature_tool_dynamic_variable_updates_enabled,
        features_usage_tool_dynamic_variable_updates_used as feature_tool_dynamic_variable_updates_used,
        features_usage_voicemail_detection_enabled as feature_voicemail_detection_enabled,
        features_usage_voicemail_detection_used as feature_voicemail_detection_used,
        features_usage_versioning_enabled as feature_versioning_enabled,
        features_usage_versioning_used as feature_versioning_used,
        features_usage_file_input_enabled as feature_file_input_enabled,
        features_usage_file_input_used as feature_file_input_used,
        features_usage_freeform_procedure_enabled as feature_freeform_procedure_enabled,
        features_usage_freeform_procedure_used as feature_freeform_procedure_used,
        features_usage_structured_procedure_enabled as feature_structured_procedure_enabled,
        features_usage_structured_procedure_used as feature_structured_procedure_used,
        features_usage_workflow_tool_node_enabled as feature_workflow_tool_node_enabled,
        features_usage_workflow_tool_node_used as feature_workflow_tool_node_used,
        features_usage_workflow_standalone_agent_node_enabled
            as feature_workflow_standalone_agent_node_enabled,
        features_usage_workflow_standalone_agent_node_used as feature_workflow_standalone_agent_node_used,
        features_usage_workflow_override_agent_node_enabled as feature_workflow_override_agent_node_enabled,
        features_usage_workflow_override_agent_node_used as feature_workflow_override_agent_node_used,
        features_usage_workflow_phone_number_node_enabled as feature_workflow_phone_number_node_enabled,
        features_usage_workflow_phone_number_node_used as feature_workflow_phone_number_node_used,
        features_usage_workflow_end_node_enabled as feature_workflow_end_node_enabled,
        features_usage_workflow_end_node_used as feature_workflow_end_node_used,
        features_usage_workflow_enabled as feature_workflow_enabled,
        features_usage_pii_zrm_workspace as feature_pii_zrm_workspace,
        features_usage_pii_zrm_agent as feature_pii_zrm_agent,
        features_usage_is_livekit as feature_is_livekit,
        features_usage_agent_testing_enabled as feature_agent_testing_enabled,
        features_usage_agent_testing_tests_ran_after_last_modification
            as feature_agent_testing_tests_ran_after_last_modification,
        features_usage_agent_testing_tests_ran_in_last_7_days
            as feature_agent_testing_tests_ran_in_last_7_days,
        conversation_initiation_client_data_user_id as client_user_id,
        conversation_initiation_client_data_branch_id as client_branch_id,
        conversation_initiation_client_data_environment as client_environment,
        conversation_initiation_client_data_starting_workflow_node_id as client_starting_workflow_node_id,
        conversation_initiation_client_data_procedure_ids as client_procedure_ids,
        conversation_initiation_client_data_start_procedure_ids as client_start_procedure_ids,
        conversation_initiation_client_data_tool_mock_config as client_tool_mock_config,
        conversation_initiation_client_data_source_info_source as client_source_info_source,
        conversation_initiation_client_data_source_info_version as client_source_info_version,
        conversation_initiation_client_data_custom_llm_extra_body as client_custom_llm_extra_body,
        conversation_initiation_client_data_conversation_config_override_turn_soft_timeout_config_message
            as override_turn_soft_timeout_config_message,
        conversation_initiation_client_data_conversation_config_override_turn_soft_timeout_config_additional_soft_timeout_messages
            as override_turn_soft_timeout_config_additional_soft_timeout_messages,
        conversation_initiation_client_data_conversation_config_override_turn_noisy_environment_message
            as override_turn_noisy_environment_message,
        conversation_initiation_client_data_conversation_config_override_asr_keywords
            as override_asr_keywords,
        conversation_initiation_client_data_conversation_config_override_tts_model_id
            as override_tts_model_id,
        conversation_initiation_client_data_conversation_config_override_tts_clone_strength
            as override_tts_clone_strength,
        conversation_initiation_client_data_conversation_config_override_tts_supported_voices
            as override_tts_supported_voices,
        conversation_initiation_client_data_conversation_config_override_tts_pronunciation_dictionary_locators
            as override_tts_pronunciation_dictionary_locators,
        conversation_initiation_client_data_conversation_config_override_tts_voice_id
            as override_tts_voice_id,
        conversation_initiation_client_data_conversation_config_override_tts_stability
            as override_tts_stability,
        conversation_initiation_client_data_conversation_config_override_tts_speed as override_tts_speed,
        conversation_initiation_client_data_conversation_config_override_tts_similarity_boost
            as override_tts_similarity_boost,
        conversation_initiation_client_data_conversation_config_override_conversation_text_only
            as override_conversation_text_only,
        conversation_initiation_client_data_conversation_config_override_conversation_max_duration_seconds
            as override_conversation_max_duration_seconds,
        conversation_initiation_client_data_conversation_config_override_agent_max_conversation_duration_message
            as override_agent_max_conversation_duration_message,
        conversation_initiation_client_data_conversation_config_override_agent_first_message
            as override_agent_first_message,
        conversation_initiation_client_data_conversation_config_override_agent_language
            as override_agent_language,
        conversation_initiation_client_data_conversation_config_override_agent_prompt_prompt
            as override_agent_prompt_prompt,
        conversation_initiation_client_data_conversation_config_override_agent_prompt_llm
            as override_agent_prompt_llm,
        conversation_initiation_client_data_conversation_config_override_agent_prompt_reasoning_effort
            as override_agent_prompt_reasoning_effort,
        conversation_initiation_client_data_conversation_config_override_agent_prompt_tool_ids
            as override_agent_prompt_tool_ids,
        conversation_initiation_client_data_conversation_config_override_agent_prompt_tool_ids_strict
            as override_agent_prompt_tool_ids_strict,
        conversation_initiation_client_data_conversation_config_override_agent_prompt_knowledge_base
            as override_agent_prompt_knowledge_base,
        conversation_initiation_client_data_conversation_config_override_agent_prompt_native_mcp_server_ids
            as override_agent_prompt_native_mcp_server_ids,
        hiding_reason,
        smb_metadata,
        realtime_config_snapshots,
        otlp_traces,
        fetched_at,
        checked_at,
        content_sha256,
        parser_version,
        is_deleted,
        deleted_at,
        deletion_reason,
        settle_state,
        extra
    from source
)

select * from final

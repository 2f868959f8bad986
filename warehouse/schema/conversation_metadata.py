"""Columns of ``lake.conversations`` from the branch ``metadata``: charging, channel, end, feedback, retention."""

from __future__ import annotations

from warehouse.schema.types import BOOL, FLOAT, INT, JSON, TEXT, TIME, column, free_text, identifier

CHARGING = (
    column("metadata.cost", INT, "Cost of the call in credits: call charge + LLM charge.", unit="credits"),
    column("metadata.cost_fiat", FLOAT, "Cost in US dollars as reported; since mid-2026.", unit="usd"),
    column("metadata.charging.dev_discount", BOOL, "Whether the call part was halved as a development call."),
    column("metadata.charging.is_burst", BOOL, "Whether the call part was doubled as a burst over the concurrency."),
    column("metadata.charging.tier", TEXT, "Plan of the workspace when the call was billed."),
    column("metadata.charging.llm_price", FLOAT, "LLM cost; the sum over initiated_generation.", unit="usd"),
    column("metadata.charging.llm_charge", INT, "LLM part of the cost.", unit="credits"),
    column("metadata.charging.call_charge", INT, "Call part of the cost.", unit="credits"),
    column("metadata.charging.platform_charge", INT, "Platform part of the cost.", unit="credits"),
    column("metadata.charging.platform_price", FLOAT, "Platform part of the cost.", unit="usd"),
    column("metadata.charging.voice_surcharge_charge", FLOAT, "Surcharge of the voice.", unit="credits"),
    column("metadata.charging.free_minutes_consumed", FLOAT, "Minutes taken from the plan's free minutes."),
    column("metadata.charging.free_llm_dollars_consumed", FLOAT, "US dollars taken from the plan's free LLM dollars."),
    column("metadata.charging.tts_usage.primary_tts_model", TEXT, "Speech model that was used most."),
    column("metadata.charging.tts_usage.total_audio_output_seconds", FLOAT, "Speech produced, in seconds."),
    column("metadata.charging.tts_usage.total_characters", INT, "Characters spoken."),
    column("metadata.charging.asr_usage.asr_model", TEXT, "Speech recognition model."),
    column("metadata.charging.asr_usage.total_transcription_calls", INT, "Calls of the speech recognition."),
    column("metadata.charging.asr_usage.total_audio_input_seconds", FLOAT, "Speech heard, in seconds."),
    column("metadata.charging.analysis", JSON, "Charges of the analysis after the call."),
    column("metadata.voice_rewards", JSON, "Rewards to the owners of shared voices."),
)
"""``metadata.cost*`` and ``metadata.charging``: what the conversation cost."""

CHANNEL = (
    column("metadata.phone_call.type", TEXT, "twilio, sip_trunking, exotel, …: null when no phone call."),
    column("metadata.phone_call.direction", TEXT, "inbound or outbound."),
    column("metadata.phone_call.phone_number_id", TEXT, "Id of the agent's phone number."),
    column("metadata.phone_call.agent_number", TEXT, "Phone number of the agent."),
    identifier("metadata.phone_call.external_number", TEXT, "Phone number of the other side."),
    identifier("metadata.phone_call.stream_sid", TEXT, "Twilio's id of the stream."),
    identifier("metadata.phone_call.call_sid", TEXT, "Provider's id of the call."),
    identifier("metadata.phone_call.call_id", TEXT, "Id of the call at other providers."),
    column("metadata.phone_call.call_result", TEXT, "Result of the call attempt."),
    free_text("metadata.phone_call.sip_header_dynamic_variables", JSON, "Variables that came in SIP headers."),
    column("metadata.batch_call.batch_call_id", TEXT, "Batch that the call belongs to."),
    identifier("metadata.batch_call.batch_call_recipient_id", TEXT, "Recipient within the batch."),
    column("metadata.batch_call.campaign", JSON, "Campaign of the batch."),
    column("metadata.whatsapp.whatsapp_business_account_id", TEXT, "WhatsApp account of the business."),
    identifier("metadata.whatsapp.whatsapp_user_id", TEXT, "WhatsApp user."),
    column("metadata.whatsapp.direction", TEXT, "Direction of the WhatsApp conversation."),
    column("metadata.whatsapp.whatsapp_phone_number_id", TEXT, "WhatsApp phone number of the business."),
    identifier("metadata.whatsapp.recipient", JSON, "Recipient of a WhatsApp conversation."),
    column("metadata.whatsapp.awaiting_first_user_message", BOOL, "Whether the user has not written yet."),
    free_text("metadata.whatsapp.opening_message", JSON, "Template message that opened the conversation."),
    free_text("metadata.whatsapp.call_permission_request", JSON, "Permission asked for to call."),
    column("metadata.whatsapp.call_result", TEXT, "Result of the WhatsApp call."),
    free_text("metadata.sms", JSON, "Data of an SMS conversation."),
)
"""``metadata.phone_call``, ``batch_call``, ``whatsapp`` and ``sms``: the way by which it came."""

TERMINATION = (
    column("metadata.queue_wait_secs", FLOAT, "Time in the queue before the call was taken."),
    column("metadata.termination_reason", TEXT, "Why the call ended, free text."),
    column("metadata.error.code", INT, "Error that ended the call."),
    free_text("metadata.error.reason", TEXT, "Error in words."),
    column("metadata.main_language", TEXT, "Main language of the call."),
    column("metadata.text_only", BOOL, "Whether the conversation was a chat without audio."),
    column("metadata.timezone", TEXT, "Time zone that the agent was told."),
    column("metadata.authorization_method", TEXT, "How the client was let in."),
    identifier("metadata.initiator_id", TEXT, "Who started the conversation."),
    column("metadata.conversation_initiation_source", TEXT, "SDK, widget or provider that started it."),
    column("metadata.conversation_initiation_source_version", TEXT, "Version of that source."),
    column("metadata.initiation_trigger.trigger_type", TEXT, "default or zendesk; gone from today's API."),
    identifier("metadata.initiation_trigger.ticket_id", INT, "Zendesk ticket that started it."),
    column("metadata.async_metadata.delivery_status", TEXT, "Delivery to the external system."),
    column(
        "metadata.async_metadata.delivery_timestamp",
        TIME,
        "When it was delivered.",
        name="async_metadata_delivery_at",
    ),
    free_text("metadata.async_metadata.delivery_error", TEXT, "Why it could not be delivered."),
    column("metadata.async_metadata.external_system", TEXT, "External system."),
    identifier("metadata.async_metadata.external_id", TEXT, "Id in the external system."),
    identifier("metadata.async_metadata.external_link", TEXT, "Link into the external system."),
    column("metadata.async_metadata.integration_trigger_id", TEXT, "Trigger of the integration."),
    identifier("metadata.async_metadata.last_processed_external_message_id", TEXT, "Last message taken from there."),
    free_text("metadata.async_metadata.platform_metadata", JSON, "What the external system says of it."),
    column("metadata.async_metadata.retry_count", INT, "Deliveries tried again."),
    column("metadata.async_metadata.last_retry_timestamp", TIME, "Last retry.", name="async_metadata_last_retry_at"),
    column("metadata.agent_created_from", TEXT, "Where the agent was created: ui, api, cli."),
    column("metadata.agent_last_updated_from", TEXT, "Where the agent was last changed."),
    column("metadata.eleven_assistant.is_eleven_assistant", BOOL, "Whether the vendor's own assistant was the agent."),
)
"""How it was started and why it ended."""

FEEDBACK = (
    column("metadata.feedback.type", TEXT, "thumbs or rating."),
    column("metadata.feedback.overall_score", TEXT, "like or dislike."),
    column("metadata.feedback.likes", INT, "Thumbs up."),
    column("metadata.feedback.dislikes", INT, "Thumbs down."),
    column("metadata.feedback.rating", INT, "Rating of the call by the user."),
    free_text("metadata.feedback.comment", TEXT, "Comment of the user."),
)
"""``metadata.feedback``: ratings by people."""

RETENTION = (
    column("metadata.deletion_settings.deletion_time_unix_secs", TIME, "When retention will delete the call."),
    column("metadata.deletion_settings.deleted_logs_at_time_unix_secs", TIME, "When the logs were deleted."),
    column("metadata.deletion_settings.deleted_audio_at_time_unix_secs", TIME, "When the audio was deleted."),
    column("metadata.deletion_settings.deleted_transcript_at_time_unix_secs", TIME, "When the transcript was deleted."),
    column(
        "metadata.deletion_settings.delete_transcript_and_pii",
        BOOL,
        "Whether retention deletes the text.",
    ),
    column("metadata.deletion_settings.delete_audio", BOOL, "Whether retention deletes the audio."),
)
"""``metadata.deletion_settings``: what the retention of the API deletes and when."""

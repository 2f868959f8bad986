"""Columns of ``lake.conversations`` from the branch ``metadata``: charging, channel, end, feedback, retention."""

from __future__ import annotations

from warehouse.schema.types import BOOL, FLOAT, INT, JSON, TEXT, TIME, col, identity, words

CHARGING = (
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
)
"""``metadata.cost*`` and ``metadata.charging``: what the conversation cost."""

CHANNEL = (
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
)
"""``metadata.phone_call``, ``batch_call``, ``whatsapp`` and ``sms``: the way by which it came."""

TERMINATION = (
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
)
"""How it was started and why it ended."""

FEEDBACK = (
    col("metadata.feedback.type", TEXT, "thumbs or rating."),
    col("metadata.feedback.overall_score", TEXT, "like or dislike."),
    col("metadata.feedback.likes", INT, "Thumbs up."),
    col("metadata.feedback.dislikes", INT, "Thumbs down."),
    col("metadata.feedback.rating", INT, "Rating of the call by the user."),
    words("metadata.feedback.comment", TEXT, "Comment of the user."),
)
"""``metadata.feedback``: ratings by people."""

RETENTION = (
    col("metadata.deletion_settings.deletion_time_unix_secs", TIME, "When retention will delete the call."),
    col("metadata.deletion_settings.deleted_logs_at_time_unix_secs", TIME, "When the logs were deleted."),
    col("metadata.deletion_settings.deleted_audio_at_time_unix_secs", TIME, "When the audio was deleted."),
    col("metadata.deletion_settings.deleted_transcript_at_time_unix_secs", TIME, "When the transcript was deleted."),
    col(
        "metadata.deletion_settings.delete_transcript_and_pii",
        BOOL,
        "Whether retention deletes the text.",
    ),
    col("metadata.deletion_settings.delete_audio", BOOL, "Whether retention deletes the audio."),
)
"""``metadata.deletion_settings``: what the retention of the API deletes and when."""

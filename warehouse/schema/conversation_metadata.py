"""Columns of ``lake.conversations`` from the branch ``metadata``: charging, channel, end, feedback, retention."""

from __future__ import annotations

from warehouse.schema.types import (
    BOOL,
    FLOAT,
    INT,
    JSON,
    TEXT,
    TIME,
    Column,
    Sensitivity,
    column,
    derived,
    free_text,
    identifier,
    name_of,
)

_OPENING = "metadata.whatsapp.opening_message"
_PERMISSION = "metadata.whatsapp.call_permission_request"


def _moment(path: str, text: str) -> Column:
    """A time whose key ends in ``_unix`` without a unit; the API sends Unix seconds."""
    return column(path, TIME, text, name=name_of(path).removesuffix("_unix"))


CHARGING = (
    column("metadata.cost", INT, "Cost of the conversation: call charge + LLM charge.", unit="credits"),
    column("metadata.cost_fiat", FLOAT, "Cost in US dollars as the API reports it; since mid-2026.", unit="usd"),
    column("metadata.charging.dev_discount", BOOL, "Whether the call charge was halved, as for a development call."),
    column(
        "metadata.charging.is_burst",
        BOOL,
        "Whether the call charge was doubled, as for a burst above the concurrency limit.",
    ),
    column("metadata.charging.tier", TEXT, "Plan of the workspace when the conversation was billed."),
    column("metadata.charging.llm_price", FLOAT, "LLM cost: the sum over initiated_generation.", unit="usd"),
    column("metadata.charging.llm_charge", INT, "LLM charge: a part of cost_credits.", unit="credits"),
    column("metadata.charging.call_charge", INT, "Call charge: a part of cost_credits.", unit="credits"),
    column("metadata.charging.platform_charge", INT, "Platform charge: a part of cost_credits.", unit="credits"),
    column("metadata.charging.platform_price", FLOAT, "Platform charge in US dollars.", unit="usd"),
    column("metadata.charging.voice_surcharge_charge", FLOAT, "Surcharge for the voice.", unit="credits"),
    column("metadata.charging.free_minutes_consumed", FLOAT, "Minutes taken from the free minutes of the plan."),
    column(
        "metadata.charging.free_llm_dollars_consumed", FLOAT, "US dollars taken from the free LLM dollars of the plan."
    ),
    column("metadata.charging.tts_usage.primary_tts_model", TEXT, "Text-to-speech model that was used most."),
    column(
        "metadata.charging.tts_usage.total_audio_output_seconds", FLOAT, "Audio produced by text-to-speech, in seconds."
    ),
    column("metadata.charging.tts_usage.total_characters", INT, "Characters turned into speech."),
    column("metadata.charging.asr_usage.asr_model", TEXT, "Speech recognition model."),
    column("metadata.charging.asr_usage.total_transcription_calls", INT, "Requests to the speech recognition."),
    column(
        "metadata.charging.asr_usage.total_audio_input_seconds",
        FLOAT,
        "Audio sent to the speech recognition, in seconds.",
    ),
    *(
        line
        for part, runs in (("total", "all runs of the analysis"), ("last_run", "the last run of the analysis"))
        for line in (
            column(f"metadata.charging.analysis.{part}.price", FLOAT, f"Price of {runs}.", unit="usd"),
            column(f"metadata.charging.analysis.{part}.charge", INT, f"Charge for {runs}.", unit="credits"),
            column(f"metadata.charging.analysis.{part}.price_per_feature", JSON, f"That price by feature of {runs}."),
            column(f"metadata.charging.analysis.{part}.charge_per_feature", JSON, f"That charge by feature of {runs}."),
        )
    ),
    column("metadata.charging.analysis.total.runs", INT, "Runs of the analysis after the conversation."),
)
"""``metadata.cost*`` and ``metadata.charging``: what the conversation cost."""

CHANNEL = (
    column(
        "metadata.phone_call.type", TEXT, "twilio, sip_trunking, exotel, …; open text; null if it was not a phone call."
    ),
    column("metadata.phone_call.direction", TEXT, "inbound or outbound."),
    column("metadata.phone_call.phone_number_id", TEXT, "Id of the agent's phone number."),
    column("metadata.phone_call.agent_number", TEXT, "Phone number of the agent."),
    identifier("metadata.phone_call.external_number", TEXT, "Phone number of the other party."),
    identifier("metadata.phone_call.stream_sid", TEXT, "Twilio's id of the stream."),
    identifier("metadata.phone_call.call_sid", TEXT, "Provider's id of the phone call."),
    identifier("metadata.phone_call.call_id", TEXT, "Id of the phone call at other providers."),
    column("metadata.phone_call.call_result", TEXT, "Result of the call attempt; open text."),
    free_text("metadata.phone_call.sip_header_dynamic_variables", JSON, "Variables that came in SIP headers."),
    column("metadata.batch_call.batch_call_id", TEXT, "Batch call that the conversation belongs to."),
    identifier("metadata.batch_call.batch_call_recipient_id", TEXT, "Recipient within the batch call."),
    column("metadata.batch_call.campaign.campaign_id", TEXT, "Campaign that the batch call belongs to."),
    identifier("metadata.batch_call.campaign.campaign_lead_id", TEXT, "Lead of the campaign that was called."),
    column("metadata.batch_call.campaign.cold_attempt", INT, "Number of the attempt to reach the lead."),
    column("metadata.batch_call.campaign.conversation_type", TEXT, "Kind of the conversation within the campaign."),
    column("metadata.whatsapp.whatsapp_business_account_id", TEXT, "WhatsApp account of the business."),
    identifier("metadata.whatsapp.whatsapp_user_id", TEXT, "WhatsApp user."),
    column("metadata.whatsapp.direction", TEXT, "inbound, outbound or unknown: who began the WhatsApp conversation."),
    column("metadata.whatsapp.whatsapp_phone_number_id", TEXT, "WhatsApp phone number of the business."),
    identifier("metadata.whatsapp.recipient.phone", TEXT, "Phone number of the WhatsApp user who was written to."),
    identifier("metadata.whatsapp.recipient.bsuid", TEXT, "Id of that WhatsApp user within the business account."),
    column("metadata.whatsapp.awaiting_first_user_message", BOOL, "Whether the user has not written yet."),
    column(f"{_OPENING}.template_name", TEXT, "Template of the message that opened the conversation."),
    identifier(f"{_OPENING}.wamid", TEXT, "WhatsApp's id of that message."),
    _moment(f"{_OPENING}.sent_at_unix", "When that message was sent."),
    _moment(f"{_OPENING}.delivered_at_unix", "When it was delivered."),
    _moment(f"{_OPENING}.read_at_unix", "When it was read."),
    _moment(f"{_OPENING}.replied_at_unix", "When it was answered."),
    _moment(f"{_OPENING}.failed_at_unix", "When it failed."),
    column(f"{_OPENING}.error_code", TEXT, "Why it failed: WhatsApp's code."),
    column(f"{_OPENING}.pricing_category", TEXT, "Category in which WhatsApp prices it."),
    column(f"{_OPENING}.billable", BOOL, "Whether WhatsApp bills it."),
    column(f"{_PERMISSION}.state", TEXT, "State of the request for permission to call the user."),
    _moment(f"{_PERMISSION}.requested_at_unix", "When that permission was requested."),
    _moment(f"{_PERMISSION}.responded_at_unix", "When the user responded to the request."),
    column(f"{_PERMISSION}.permanent", BOOL, "Whether the permission is permanent."),
    column(f"{_PERMISSION}.granted_by_user_call", BOOL, "Whether the user gave the permission by calling."),
    column("metadata.whatsapp.call_result", TEXT, "Result of the WhatsApp call; open text."),
    column("metadata.sms.direction", TEXT, "inbound or outbound: who began the SMS conversation."),
    column("metadata.sms.phone_number_id", TEXT, "Id of the agent's phone number for SMS."),
    identifier("metadata.sms.sms_user_phone_number", TEXT, "Phone number of the SMS user."),
    column("metadata.sms.agent_phone_number", TEXT, "Phone number of the agent for SMS."),
    derived(
        "direction",
        TEXT,
        "inbound or outbound, as the phone call, WhatsApp or SMS says; else outbound in a batch, inbound where the "
        "system knows a caller, and null.",
    ),
    Column(
        "caller_id",
        TEXT,
        "Who called or was called: the other phone number, else the WhatsApp user, else the SMS user's number, else "
        "system__caller_id of an inbound call. Phone numbers are in E.164; null if unknown, withheld or erased.",
        sensitivity=Sensitivity.IDENTIFIER,
    ),
)
"""``metadata.phone_call``, ``batch_call``, ``whatsapp`` and ``sms``: the channel of the conversation."""

TERMINATION = (
    column("metadata.queue_wait_secs", FLOAT, "Time in the queue before the conversation was accepted."),
    column("metadata.termination_reason", TEXT, "Why the conversation ended; open text."),
    column("metadata.error.code", INT, "Code of the error that ended the conversation."),
    free_text("metadata.error.reason", TEXT, "Text of the error that ended the conversation."),
    column("metadata.error.error_type", TEXT, "Kind of the error, such as no_answer; open text.", name="error_type"),
    column("metadata.main_language", TEXT, "Main language of the conversation."),
    column("metadata.text_only", BOOL, "Whether the conversation was a chat without audio."),
    column("metadata.timezone", TEXT, "Time zone that was given to the agent."),
    column("metadata.authorization_method", TEXT, "How the client was authorized."),
    identifier("metadata.initiator_id", TEXT, "Who started the conversation."),
    column("metadata.conversation_initiation_source", TEXT, "SDK, widget or provider that started it."),
    column("metadata.conversation_initiation_source_version", TEXT, "Version of that source."),
    column("metadata.initiation_trigger.trigger_type", TEXT, "default or zendesk; no longer in the current API."),
    identifier("metadata.initiation_trigger.ticket_id", INT, "Zendesk ticket that started it."),
    column("metadata.async_metadata.delivery_status", TEXT, "Delivery to the external system."),
    column(
        "metadata.async_metadata.delivery_timestamp",
        TIME,
        "When it was delivered.",
        name="async_metadata_delivery_at",
    ),
    free_text("metadata.async_metadata.delivery_error", TEXT, "Why it was not delivered."),
    column("metadata.async_metadata.external_system", TEXT, "External system that it was delivered to."),
    identifier("metadata.async_metadata.external_id", TEXT, "Id in the external system."),
    identifier("metadata.async_metadata.external_link", TEXT, "Link into the external system."),
    column("metadata.async_metadata.integration_trigger_id", TEXT, "Trigger of the integration."),
    identifier(
        "metadata.async_metadata.last_processed_external_message_id",
        TEXT,
        "Last message that was processed from the external system.",
    ),
    free_text("metadata.async_metadata.platform_metadata", JSON, "Metadata from the external system."),
    column("metadata.async_metadata.retry_count", INT, "Number of repeated deliveries."),
    column(
        "metadata.async_metadata.last_retry_timestamp",
        TIME,
        "When the delivery was last repeated.",
        name="async_metadata_last_retry_at",
    ),
    column("metadata.agent_created_from", TEXT, "Where the agent was created: ui, api, cli."),
    column("metadata.agent_last_updated_from", TEXT, "Where the agent was last changed."),
    column("metadata.eleven_assistant.is_eleven_assistant", BOOL, "Whether the vendor's own assistant was the agent."),
)
"""How the conversation was started and why it ended."""

FEEDBACK = (
    column("metadata.feedback.type", TEXT, "thumbs or rating."),
    column("metadata.feedback.overall_score", TEXT, "like or dislike."),
    column("metadata.feedback.likes", INT, "Thumbs up."),
    column("metadata.feedback.dislikes", INT, "Thumbs down."),
    column("metadata.feedback.rating", INT, "Rating of the conversation by the user."),
    free_text("metadata.feedback.comment", TEXT, "Comment of the user."),
)
"""``metadata.feedback``: ratings of the conversation."""

RETENTION = (
    column("metadata.deletion_settings.deletion_time_unix_secs", TIME, "When retention will delete the conversation."),
    column("metadata.deletion_settings.deleted_logs_at_time_unix_secs", TIME, "When the logs were deleted."),
    column("metadata.deletion_settings.deleted_audio_at_time_unix_secs", TIME, "When the audio was deleted."),
    column("metadata.deletion_settings.deleted_transcript_at_time_unix_secs", TIME, "When the transcript was deleted."),
    column(
        "metadata.deletion_settings.delete_transcript_and_pii",
        BOOL,
        "Whether retention deletes the transcript and personal data.",
    ),
    column("metadata.deletion_settings.delete_audio", BOOL, "Whether retention deletes the audio."),
)
"""``metadata.deletion_settings``: what the retention of the API deletes, and when."""

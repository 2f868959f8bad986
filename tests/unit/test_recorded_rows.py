"""Entire rows of recorded documents, compared with the payloads by hand: every value, and no other."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

OWN = {
    "fetched_at": datetime(2026, 11, 1, tzinfo=UTC),
    "is_deleted": False,
}
"""Columns that the pipeline adds to the row of a conversation."""

CONVERSATION = {
    "fragment_cost_fiat_2026": {"conversation_id": "conv_fragment_cost_fiat", "start_date": date(2026, 8, 4)},
    "fragment_old_tool_result": {"conversation_id": "conv_fragment_old_tool_result", "start_date": date(2025, 9, 5)},
    "webhook_old_turn_metrics_2025": {"conversation_id": "abc", "start_date": date(2025, 2, 14)},
    "webhook_unknown_evaluation_2025": {
        "conversation_id": "conv_13012my5d8x165gaqybb63xkejbk",
        "start_date": date(2025, 11, 21),
    },
}

Rows = list[dict[str, object]]
EXPECTED: dict[str, dict[str, Rows]] = {}


def rows(columns: str, *values: tuple[object, ...]) -> Rows:
    """A row per tuple of the values of some columns, without those that are None."""
    names = columns.split()
    return [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in values]


EXPECTED["fragment_cost_fiat_2026"] = {
    "conversations": [
        {
            **OWN,
            "agent_id": "agent_fragment",
            "status": "done",
            "start_time_at": datetime(2026, 8, 4, 9, 53, 23, tzinfo=UTC),
            "call_duration_secs": 5,
            "cost_credits": 126,
            "cost_fiat_usd": 0.0250345,
            "charging_dev_discount": False,
            "charging_is_burst": False,
            "charging_tier": "pro",
            "charging_llm_price_usd": 0.022034500000000002,
            "charging_llm_charge_credits": 111,
            "charging_call_charge_credits": 15,
            "charging_platform_charge_credits": 15,
            "charging_platform_price_usd": 0.003,
            "charging_free_minutes_consumed": 0.0,
            "charging_free_llm_dollars_consumed": 0.0,
            "charging_tts_usage_primary_tts_model": "eleven_v3_conversational",
            "charging_tts_usage_total_audio_output_seconds": 0.0,
            "charging_tts_usage_total_characters": 0,
            "charging_asr_usage_asr_model": "scribe_realtime",
            "charging_asr_usage_total_transcription_calls": 0,
            "charging_asr_usage_total_audio_input_seconds": 0.0,
            "termination_reason": "end_call tool was called.",
            "text_only": True,
        },
    ],
    "llm_usage": rows(
        "scope turn_index model token_kind tokens price_usd",
        *(
            (scope, -1, "claude-haiku-4-5", *usage)
            for scope in ("initiated", "irreversible")
            for usage in (
                ("input", 12877, 0.012877),
                ("input_cache_read", 0, 0.0),
                ("input_cache_write", 6362, 0.0079525),
                ("output_total", 241, 0.001205),
            )
        ),
    ),
    "platform_usage": [
        {"category": "text_message", "charge_credits": 15.0, "price_usd": 0.003, "quantity": 1.0},
    ],
}

EXPECTED["fragment_old_tool_result"] = {
    "conversations": [
        {
            **OWN,
            "agent_id": "agent_fragment",
            "status": "done",
            "start_time_at": datetime(2025, 9, 5, 16, 15, 12, tzinfo=UTC),
        },
    ],
    "turns": rows(
        "turn_index role message interrupted time_in_call_secs source_medium",
        (0, "agent", "Hello, How can i help you ?", False, 0, None),
        (1, "user", "Hello, um...", False, 4, "audio"),
        (2, "agent", None, False, 110, None),
        (3, "agent", None, False, 110, None),
    ),
    "tool_calls": [
        {
            "call_index": 0,
            "turn_index": 2,
            "depth": 0,
            "request_id": "end_call_080c9d59877b4c3cbbaf1ce34f680b65",
            "tool_name": "end_call",
            "type": "system",
            "params_as_json": '{"message": "Okay, I understand. Thanks for chatting! Take care!", "reason": "User is confused and doesn\'t have any specific questions or tasks."}',
            "tool_has_been_called": True,
        },
    ],
    "tool_results": [
        {
            "result_index": 0,
            "turn_index": 3,
            "depth": 0,
            "request_id": "end_call_080c9d59877b4c3cbbaf1ce34f680b65",
            "tool_name": "end_call",
            "type": "system",
            "result_value": '{"status": "success", "reason": "User is confused and doesn\'t have any specific questions or tasks.", "message": "Okay, I understand. Thanks for chatting! Take care!"}',
            "is_error": False,
            "tool_has_been_called": True,
            "tool_latency_secs": 0.5007003899663687,
        },
    ],
}

EXPECTED["webhook_old_turn_metrics_2025"] = {
    "conversations": [
        {
            **OWN,
            "agent_id": "xyz",
            "status": "done",
            "start_time_at": datetime(2025, 2, 14, 12, 48, 17, tzinfo=UTC),
            "call_duration_secs": 22,
            "user_id": "user123",
            "cost_credits": 296,
            "charging_dev_discount": True,
            "termination_reason": "",
            "authorization_method": "authorization_header",
            "feedback_likes": 0,
            "feedback_dislikes": 0,
            "analysis_call_successful": "success",
            "analysis_transcript_summary": "finish Thanks for calling the example service desk how may I help you today I would like to move my booking to a later time please certainly let me check that for you and confirm the details before we finish Thanks for calling the example service desk how may I help you today I would like to move my booking to a later time please certainly let me check that for you and confirm the details before we finish Thanks for calling the example service desk how may I help you today I would like to move my booking to a later time please certainly let m",
            "deletion_settings_deletion_time_at": datetime(2027, 2, 14, 12, 48, 40, tzinfo=UTC),
            "deletion_settings_delete_transcript_and_pii": True,
            "deletion_settings_delete_audio": True,
            "conversation_initiation_client_data_custom_llm_extra_body": "{}",
            "conversation_initiation_client_data_conversation_config_override_agent_language": "en",
        },
    ],
    "turns": [
        {"turn_index": 0, "role": "agent", "message": "may I help you today I would l", "time_in_call_secs": 0},
        {
            "turn_index": 1,
            "role": "user",
            "message": "later time please certainly let me check that for you",
            "time_in_call_secs": 2,
        },
        {
            "turn_index": 2,
            "role": "agent",
            "message": "the example service desk how may I help you today I would like to move my booking to a later time please certainly let me check that for you and confirm the details before we finish Thanks for calling the example serv...",
            "time_in_call_secs": 9,
        },
    ],
    "turn_metrics": [
        {"turn_index": 2, "metric": "convai_llm_service_ttfb", "elapsed_secs": 0.3704247010173276, "is_repeat": False},
        {
            "turn_index": 2,
            "metric": "convai_llm_service_ttf_sentence",
            "elapsed_secs": 0.5551181449554861,
            "is_repeat": False,
        },
    ],
    "dynamic_variables": [
        {"name": "user_name", "value": '"today"', "value_text": "today"},
    ],
}

FEATURES = (
    *("language_detection", "transfer_to_agent", "transfer_to_number", "multivoice", "dtmf_tones"),
    *("external_mcp_servers", "tool_dynamic_variable_updates", "voicemail_detection", "workflow_tool_node"),
    *("workflow_standalone_agent_node", "workflow_phone_number_node", "workflow_end_node"),
)
EXPECTED["webhook_unknown_evaluation_2025"] = {
    "conversations": [
        {
            **OWN,
            "agent_id": "agent_3101cwd3aerqpa5t0vw0gmh6hvsd",
            "status": "done",
            "start_time_at": datetime(2025, 11, 21, 21, 19, 39, tzinfo=UTC),
            "accepted_time_at": datetime(2025, 11, 21, 21, 19, 39, tzinfo=UTC),
            "call_duration_secs": 12,
            "cost_credits": 84,
            "charging_dev_discount": False,
            "charging_is_burst": False,
            "charging_tier": "creator",
            "charging_llm_price_usd": 0.0,
            "charging_llm_charge_credits": 0,
            "charging_call_charge_credits": 84,
            "charging_free_minutes_consumed": 0.0,
            "charging_free_llm_dollars_consumed": 0.0,
            "phone_call_type": "twilio",
            "phone_call_direction": "inbound",
            "direction": "inbound",
            "caller_id": "+15550105361",
            "phone_call_phone_number_id": "phnum_01k02dcragzz0c1xtwqsj0r8af",
            "phone_call_agent_number": "+15550106067",
            "phone_call_external_number": "+15550105361",
            "phone_call_stream_sid": "MZa71bb1e5185b8ab2cddf8abe826d114a",
            "phone_call_call_sid": "CA9f271dc20328e1ad833b43e03c1a6935",
            "termination_reason": "Call ended by remote party",
            "main_language": "en",
            "text_only": False,
            "timezone": "America/New_York",
            "authorization_method": "signed_url",
            "conversation_initiation_source": "twilio",
            "initiation_trigger_trigger_type": "default",
            "agent_created_from": "unknown",
            "agent_last_updated_from": "ui",
            "eleven_assistant_is_eleven_assistant": False,
            "feedback_likes": 0,
            "feedback_dislikes": 0,
            "analysis_call_successful": "unknown",
            "analysis_transcript_summary": "The agent greeted the caller and offered assistance.\n",
            "analysis_call_summary_title": "Greeting",
            "deletion_settings_delete_transcript_and_pii": False,
            "deletion_settings_delete_audio": False,
            "rag_usage_usage_count": 0,
            "rag_usage_embedding_model": "e5_mistral_7b_instruct",
            **{f"features_usage_{feature}_{state}": False for feature in FEATURES for state in ("enabled", "used")},
            "features_usage_language_detection_enabled": True,
            "features_usage_dtmf_tones_enabled": True,
            "features_usage_workflow_enabled": False,
            "features_usage_pii_zrm_workspace": False,
            "features_usage_pii_zrm_agent": False,
            "features_usage_is_livekit": False,
            "features_usage_agent_testing_enabled": False,
            "features_usage_agent_testing_tests_ran_after_last_modification": False,
            "features_usage_agent_testing_tests_ran_in_last_7_days": False,
            "conversation_initiation_client_data_custom_llm_extra_body": "{}",
        },
    ],
    "turns": [
        {
            "turn_index": 0,
            "role": "agent",
            "message": "Hey there, how can I help you today?",
            "interrupted": False,
            "time_in_call_secs": 0,
            "agent_metadata_agent_id": "agent_3101cwd3aerqpa5t0vw0gmh6hvsd",
        },
    ],
    "turn_metrics": [
        {"turn_index": 0, "metric": "convai_tts_service_ttfb", "elapsed_secs": 0.3345111159997032, "is_repeat": False},
    ],
    "evaluation_results": [
        {
            "scope_index": -1,
            "criteria_id": "goalcheck",
            "result": "unknown",
            "rationale": "The transcript is too short.",
        },
    ],
    "data_collection_results": [
        {
            "scope_index": -1,
            "data_collection_id": name,
            "rationale": "The conversation does not contain this value.",
            "json_schema_type": "string",
            "json_schema_description": description,
            "json_schema_is_system_provided": False,
            "json_schema_dynamic_variable": "",
            "json_schema_constant_value": '""',
        }
        for name, description in {
            "number": "phone number if provided",
            "reason": "reason for the call",
            "name": "name if given",
        }.items()
    ],
    "dynamic_variables": [
        {
            "name": f"system__{name}",
            "value": json.dumps(value),
            "value_text" if isinstance(value, str) else "value_number": value,
        }
        for name, value in {
            "agent_id": "agent_3101cwd3aerqpa5t0vw0gmh6hvsd",
            "current_agent_id": "agent_3101cwd3aerqpa5t0vw0gmh6hvsd",
            "conversation_id": "conv_13012my5d8x165gaqybb63xkejbk",
            "caller_id": "+15550105361",
            "called_number": "+15550106067",
            "call_duration_secs": 12,
            "time_utc": "2025-11-21T21:19:51.877690+00:00",
            "time": "Friday, 16:19 21 November 2025",
            "timezone": "America/New_York",
            "call_sid": "CA9f271dc20328e1ad833b43e03c1a6935",
        }.items()
    ],
    "warnings": [
        {"warning_index": 0, "warning": "Evaluation could not determine if conversation goals were met."},
    ],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_row_of_a_recorded_document(name, recorded, flat):
    expected = {
        table: [CONVERSATION[name] | row for row in EXPECTED[name].get(table, [])] for table in flat(recorded(name))
    }
    assert flat(recorded(name)) == expected

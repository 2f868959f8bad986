"""Keys that the vendor documents and that no column has, of records that come from no conversation.

They stay in ``extra`` and are not drift, nor is what is below them. A configuration has hundreds of values; its table
has those that explain a change in numbers. Of a batch only keys that have a column land. A contract test compares this
file with the vendor's SDK 2.78.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from warehouse.schema.account_data import AGENT_BRANCHES, AGENT_CONFIGS, AGENT_VERSIONS

_CONFIG = {
    "": "phone_numbers whatsapp_accounts workflow access_info procedures default_hold_audio_url",
    "conversation_config": "language_presets vad",
    "conversation_config.agent": (
        "first_message hinglish_mode dynamic_variables disable_first_message_interruptions "
        "max_conversation_duration_message text_behavior_overrides"
    ),
    "conversation_config.agent.prompt": (
        "service_tier thinking_budget enable_reasoning_summary tool_ids_strict built_in_tools "
        "enable_parallel_tool_calls mcp_server_ids native_mcp_server_ids knowledge_base custom_llm "
        "ignore_default_personality rag timezone backup_llm_config cascade_timeout_seconds tools"
    ),
    "conversation_config.asr": "quality user_input_audio_format keywords",
    "conversation_config.conversation": (
        "text_only client_events file_input monitoring_enabled monitoring_events dtmf_input_settings "
        "background_sound source_attribution"
    ),
    "conversation_config.tts": (
        "supported_voices expressive_mode suggested_audio_tags agent_output_audio_format "
        "optimize_streaming_latency stability speed similarity_boost clone_strength text_normalisation_type "
        "pronunciation_dictionary_locators enable_phoneme_tags audio_effects"
    ),
    "conversation_config.turn": (
        "initial_wait_time silence_end_call_timeout turn_eagerness spelling_patience speculative_turn "
        "retranscribe_on_turn_timeout turn_model interruption_ignore_terms interruption_ignore_term_languages "
        "merge_with_default_ignore_terms transcribe_on_disabled_interruptions soft_timeout_config "
        "noisy_environment_detection noisy_environment_message"
    ),
    "platform_settings": (
        "widget data_collection_scopes analysis_items overrides workspace_overrides testing archived guardrails "
        "summary_language auto_translate_transcript_to_app_language auth call_limits queueing_config privacy "
        "trust_context analysis_llm topic_discovery sentiment_analysis alerting safety"
    ),
}
_BRANCH = {
    "": "auto_rebase sync_status access_info draft_exists draft_created_at draft_is_behind_tip calls_7d "
    "commits_ahead commits_behind parent_branch most_recent_versions"
}
_VERSION = {
    "metadata": "merged_authors",
    "metadata.access_info": "is_creator role anonymous_access_level_override access_source",
    "agent": "metadata tags main_branch_id",  # the table of configurations has them
}


def _paths(keys: Mapping[str, str], at: str = "") -> Iterator[str]:
    for parent, names in keys.items():
        yield from (".".join(part for part in (at, parent, name) if part) for name in names.split())


DOCUMENTED_KEYS: Mapping[str, frozenset[str]] = {
    AGENT_CONFIGS.name: frozenset((*_paths(_CONFIG), "metadata.updated_at_unix_secs")),
    AGENT_BRANCHES.name: frozenset(_paths(_BRANCH)),
    AGENT_VERSIONS.name: frozenset((*_paths(_VERSION), *_paths(_CONFIG, "agent"))),
}
"""Paths below the row, by table of the lake."""

"""Tables of usage: tokens by model, platform features and voices."""

from __future__ import annotations

from warehouse.schema.types import FLOAT, INT, TEXT, column, derived, table

TOKEN_KINDS = ("input", "input_cache_read", "input_cache_write", "output_total")

LLM_USAGE = table(
    "llm_usage",
    "scope, language model and token kind of a conversation",
    keys=(
        derived(
            "scope",
            TEXT,
            "initiated or irreversible (entire conversation), or turn; scopes overlap, so never add them.",
            required=True,
        ),
        derived("turn_index", INT, "Transcript entry for scope turn, else -1.", required=True),
        derived("model", TEXT, "Language model.", required=True),
        derived("token_kind", TEXT, f"{', '.join(TOKEN_KINDS)}; open text.", required=True),
    ),
    at=(
        "metadata.charging.llm_usage.initiated_generation.model_usage{model}{token_kind}",
        "metadata.charging.llm_usage.irreversible_generation.model_usage{model}{token_kind}",
        "transcript[turn_index].llm_usage.model_usage{model}{token_kind}",
    ),
    columns=(
        column("tokens", INT, "Number of tokens."),
        column("price", FLOAT, "Price of these tokens.", unit="usd"),
    ),
)

PLATFORM_USAGE = table(
    "platform_usage",
    "category of platform usage of a conversation",
    at="metadata.charging.platform_usage.category_usage{category}",
    keys=(derived("category", TEXT, "voice, silence, burst, asr, text_message, …; open text.", required=True),),
    columns=(
        column("credits", FLOAT, "Charge for the category.", name="charge_credits"),
        column("price", FLOAT, "Price of the category.", unit="usd"),
        column("quantity", FLOAT, "Quantity in the category's own unit."),
    ),
)

VOICE_USAGE = table(
    "voice_usage",
    "voice that spoke in a conversation",
    at="metadata.charging.tts_usage.per_voice_usage[voice_index]",
    keys=(derived("voice_index", INT, "Position of the voice, from 0.", required=True),),
    columns=(
        column("voice_id", TEXT, "Id of the voice."),
        column("audio_output_seconds", FLOAT, "Audio produced with the voice, in seconds."),
    ),
)

"""Tables of the transcript: turns, and the voices, timings and retrieved chunks of a turn."""

from __future__ import annotations

from warehouse.schema.types import (
    BOOL,
    FLOAT,
    INT,
    JSON,
    TEXT,
    TURN_INDEX,
    Type,
    column,
    derived,
    free_text,
    identifier,
    table,
)

TURNS = table(
    "turns",
    "transcript entry",
    at="transcript[turn_index]",
    keys=(TURN_INDEX,),
    columns=(
        column("role", TEXT, "user or agent."),
        free_text(
            "message", TEXT, "What was said; null or empty in tool entries, '...' for silence, cut if interrupted."
        ),
        free_text("original_message", TEXT, "Full text of an interrupted agent turn."),
        column("interrupted", BOOL, "Whether the user interrupted."),
        column("time_in_call_secs", INT, "Start of the entry, counted from the start of the conversation."),
        column("source_medium", TEXT, "audio, text, dtmf, image or file."),
        column("id", TEXT, "Id of the entry; current API only."),
        column("created_at_unix_ms", Type.TIME_MS, "When the entry was created; current API only.", name="created_at"),
        column("source_event_id", INT, "Event that the entry comes from."),
        column("agent_metadata.agent_id", TEXT, "Agent that spoke."),
        column("agent_metadata.branch_id", TEXT, "Branch of the agent that spoke."),
        column("agent_metadata.workflow_node_id", TEXT, "Workflow node that spoke."),
        column("agent_metadata.version_id", TEXT, "Version of the agent that spoke."),
        column("feedback.score", TEXT, "like or dislike."),
        column(
            "feedback.time_in_call_secs",
            INT,
            "When the feedback was given, counted from the start of the conversation.",
        ),
        column("llm_override", TEXT, "Language model that was set for this entry."),
        column("producing_llm", TEXT, "Language model that generated the entry."),
        column("rag_retrieval_info.embedding_model", TEXT, "Embedding model of the retrieval."),
        free_text("rag_retrieval_info.retrieval_query", TEXT, "Query of the retrieval."),
        column("rag_retrieval_info.rag_latency_secs", FLOAT, "Duration of the retrieval."),
        column("rag_retrieval_info.used_chunk_ids", JSON, "Chunks that were used."),
        column("conversation_turn_metrics.convai_asr_provider", TEXT, "Speech recognition provider of the entry."),
        column("conversation_turn_metrics.convai_tts_model", TEXT, "Text-to-speech model of the entry."),
        column("conversation_turn_metrics.convai_tts_cascade", Type.TEXT_OR_JSON, "Cascade of text-to-speech models."),
        column("conversation_turn_metrics.voice_id", TEXT, "Voice of the entry."),
        identifier("user_identifier", TEXT, "Who spoke, if there are several users."),
        column("ignored_as_backchannel", BOOL, "Whether the entry was ignored as a backchannel, such as 'mhm'."),
        column(
            "platform_event", TEXT, "Event of the platform: user_turn_timeout or skip_turn_wait_elapsed; open text."
        ),
        free_text("reasoning", JSON, "Reasoning of the language model."),
        column("used_static_kb_document_ids", JSON, "Documents of the knowledge base in the prompt."),
        column("reasoned", BOOL, "Whether the language model reasoned."),
        column("config_snapshot_id", TEXT, "Undocumented; seen in recorded responses."),
        column("contextual_update_info.context_id", TEXT, "Id of the context that the client sent."),
        column("contextual_update_info.is_superseded", BOOL, "Whether a later context replaced it."),
        free_text("analysis", JSON, "Analysis of the entry."),
    ),
)

MULTIVOICE_PARTS = table(
    "multivoice_parts",
    "part of a message that is spoken by several voices",
    at="transcript[turn_index].multivoice_message.parts[part_index]",
    keys=(TURN_INDEX, derived("part_index", INT, "Position of the part, from 0.", required=True)),
    columns=(
        free_text("text", TEXT, "Text of the part."),
        column("voice_label", TEXT, "Voice of the part."),
        column("time_in_call_secs", INT, "Start of the part, counted from the start of the conversation."),
    ),
)

TURN_FILES = table(
    "turn_files",
    "file of a transcript entry",
    at=("transcript[turn_index].file_inputs[file_index]", "transcript[turn_index].file_input"),
    keys=(
        TURN_INDEX,
        derived(
            "file_index",
            INT,
            "Position in file_inputs, from 0; file_input comes after it unless it is in it.",
            required=True,
        ),
    ),
    columns=(
        column("file_id", TEXT, "Id of the file."),
        free_text("original_filename", TEXT, "Name of the file, as the user sent it."),
        column("mime_type", TEXT, "Media type of the file."),
        free_text("file_url", TEXT, "Where the API keeps the file."),
    ),
)

TRIGGERED_GUARDRAILS = table(
    "triggered_guardrails",
    "guardrail that a transcript entry triggered",
    at="transcript[turn_index].triggered_guardrails[guardrail_index]",
    keys=(TURN_INDEX, derived("guardrail_index", INT, "Position of the guardrail, from 0.", required=True)),
    columns=(
        column("guardrail_type", TEXT, "custom, prompt_injection, violence, …; open text."),
        column("guardrail_name", TEXT, "Name of the guardrail."),
        column("execution_mode", TEXT, "blocking if the response waited for the guardrail, else streaming."),
        column("guardrail_details.type", TEXT, "Who decided: llm, classifier or unknown."),
        free_text("guardrail_details.rationale", TEXT, "Why the guardrail triggered."),
        column("guardrail_details.score", FLOAT, "Score of the entry."),
        column("guardrail_details.threshold", FLOAT, "Score from which on the guardrail triggers."),
    ),
)

TURN_METRICS = table(
    "turn_metrics",
    "timing of a transcript entry",
    at="transcript[turn_index].conversation_turn_metrics.metrics{metric}",
    keys=(TURN_INDEX, derived("metric", TEXT, "Name of the metric in the API.", required=True)),
    columns=(
        column("elapsed_time", FLOAT, "Measured time.", name="elapsed_secs"),
        derived(
            "is_repeat",
            BOOL,
            "Whether the timing is that of the entry before it: the last one of the same role that has timings; after "
            "an entry of the other role only where all timings, two or more, are the same.",
            required=True,
        ),
    ),
)

RAG_CHUNKS = table(
    "rag_chunks",
    "chunk retrieved from the knowledge base",
    at="transcript[turn_index].rag_retrieval_info.chunks[chunk_index]",
    keys=(TURN_INDEX, derived("chunk_index", INT, "Rank of the chunk, from 0.", required=True)),
    columns=(
        column("document_id", TEXT, "Id of the document."),
        column("chunk_id", TEXT, "Id of the chunk."),
        column("vector_distance", FLOAT, "Distance to the query; smaller is more similar."),
    ),
)

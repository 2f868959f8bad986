"""Tables of the transcript: turns, the voices of a turn, its timings and its retrievals."""

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
            "message", TEXT, "What was said; null on tool entries, '...' for a silent user, cut when interrupted."
        ),
        free_text("original_message", TEXT, "Whole text of an interrupted agent turn."),
        column("interrupted", BOOL, "Whether the user cut in."),
        column("time_in_call_secs", INT, "Start of the entry from the start of the call."),
        column("source_medium", TEXT, "audio, text, dtmf, image, file."),
        column("id", TEXT, "Id of the entry; today's API."),
        column("created_at_unix_ms", Type.TIME_MS, "When the entry was made; today's API.", name="created_at"),
        column("source_event_id", INT, "Event that the entry stems from."),
        column("agent_metadata.agent_id", TEXT, "Agent that spoke."),
        column("agent_metadata.branch_id", TEXT, "Branch of the agent that spoke."),
        column("agent_metadata.workflow_node_id", TEXT, "Node of the workflow that spoke."),
        column("agent_metadata.version_id", TEXT, "Version of the agent that spoke."),
        column("feedback.score", TEXT, "like or dislike of this entry."),
        column("feedback.time_in_call_secs", INT, "When it was given, from the start of the call."),
        column("llm_override", TEXT, "Model set for this entry."),
        column("producing_llm", TEXT, "Model that made the entry."),
        column("rag_retrieval_info.embedding_model", TEXT, "Embedding model of the retrieval."),
        free_text("rag_retrieval_info.retrieval_query", TEXT, "Query of the retrieval."),
        column("rag_retrieval_info.rag_latency_secs", FLOAT, "Time of the retrieval."),
        column("rag_retrieval_info.used_chunk_ids", JSON, "Chunks that were used."),
        column("conversation_turn_metrics.convai_asr_provider", TEXT, "Speech recognition of the entry."),
        column("conversation_turn_metrics.convai_tts_model", TEXT, "Speech model of the entry."),
        column("conversation_turn_metrics.convai_tts_cascade", JSON, "Speech models tried in turn."),
        column("conversation_turn_metrics.voice_id", TEXT, "Voice of the entry."),
        identifier("user_identifier", TEXT, "Who spoke, where several users do."),
        column("ignored_as_backchannel", BOOL, "Whether the entry was taken as a mere 'mhm'."),
        free_text("platform_event", JSON, "Event of the platform."),
        free_text("reasoning", JSON, "Reasoning of the model."),
        column("used_static_kb_document_ids", JSON, "Documents of the knowledge base in the prompt."),
        free_text("triggered_guardrails", JSON, "Guardrails that fired."),
        free_text("file_input", JSON, "File that the user sent."),
        free_text("file_inputs", JSON, "Files that the user sent."),
        column("reasoned", BOOL, "Whether the model reasoned."),
        column("config_snapshot_id", TEXT, "Undocumented key of recorded responses."),
        free_text("contextual_update_info", JSON, "Context that the client sent."),
        free_text("analysis", JSON, "Analysis of the entry."),
    ),
)

MULTIVOICE_PARTS = table(
    "multivoice_parts",
    "part of a message that several voices speak",
    at="transcript[turn_index].multivoice_message.parts[part_index]",
    keys=(TURN_INDEX, derived("part_index", INT, "Position of the part, from 0.", required=True)),
    columns=(
        free_text("text", TEXT, "What the part says."),
        column("voice_label", TEXT, "Voice of the part."),
        column("time_in_call_secs", INT, "Start of the part from the start of the call."),
    ),
)

TURN_METRICS = table(
    "turn_metrics",
    "timing of a transcript entry",
    at="transcript[turn_index].conversation_turn_metrics.metrics{metric}",
    keys=(TURN_INDEX, derived("metric", TEXT, "Name of the metric, as the API calls it.", required=True)),
    columns=(
        column("elapsed_time", FLOAT, "Time measured.", name="elapsed_secs"),
        derived("is_repeat", BOOL, "Whether a tool entry repeats the spoken entry before it.", required=True),
    ),
)

RAG_CHUNKS = table(
    "rag_chunks",
    "chunk retrieved from the knowledge base",
    at="transcript[turn_index].rag_retrieval_info.chunks[chunk_index]",
    keys=(TURN_INDEX, derived("chunk_index", INT, "Rank of the chunk, from 0.", required=True)),
    columns=(
        column("document_id", TEXT, "Document of the chunk."),
        column("chunk_id", TEXT, "Chunk."),
        column("vector_distance", FLOAT, "Distance to the query; smaller is nearer."),
    ),
)

"""Tables of the transcript: turns, the voices of a turn, its timings and its retrievals."""

from __future__ import annotations

from warehouse.schema.types import BOOL, FLOAT, INT, JSON, TEXT, TURN_INDEX, Type, col, identity, made, table, words

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

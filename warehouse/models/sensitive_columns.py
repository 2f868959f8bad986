"""The columns of marts and metrics that hold what was said or who it was."""

from __future__ import annotations

from warehouse.schema.types import Sensitivity

FREE_TEXT, IDENTIFIER = Sensitivity.FREE_TEXT, Sensitivity.IDENTIFIER

SENSITIVE_COLUMNS: dict[str, dict[str, Sensitivity]] = {
    "marts.dim_agent_versions": {"author_name": IDENTIFIER},
    "marts.fct_conversations": {
        "caller_id": IDENTIFIER,
        "error_reason": FREE_TEXT,
        "feedback_comment": FREE_TEXT,
        "summary_title": FREE_TEXT,
        "transcript_summary": FREE_TEXT,
        "user_id": IDENTIFIER,
    },
    "marts.fct_data_collection": {"rationale": FREE_TEXT, "value": FREE_TEXT},
    "marts.fct_evaluations": {"rationale": FREE_TEXT},
    "marts.fct_rag_retrievals": {"retrieval_query": FREE_TEXT},
    "marts.fct_tool_calls": {
        "params_as_json": FREE_TEXT,
        "raw_error_message": FREE_TEXT,
        "result_reason": FREE_TEXT,
        "result_value": FREE_TEXT,
    },
    "marts.fct_transfers": {"error": FREE_TEXT, "reason": FREE_TEXT, "to_number": IDENTIFIER},
    "marts.fct_turns": {"message": FREE_TEXT, "original_message": FREE_TEXT},
    "metrics.data_collection_fill": {"top_values": FREE_TEXT},
    "metrics.transfers": {"to_number": IDENTIFIER},
}
"""Texts that are computed from a column of the lake with a sensitivity, and the strictest of these, by model; not those
whose values a test of the model lists, nor ``COMPUTED``. A test compares this with the lineage."""

COMPUTED = {
    ("marts.fct_conversations", "outcome_reason"),  # a word of ours, the type of an error or the name of a guardrail
    ("metrics.experiments", "finding"),  # a sentence of ours about rates
}
"""Texts that are computed from sensitive columns and hold nothing of them."""

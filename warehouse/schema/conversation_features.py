"""Columns of ``lake.conversations`` from ``metadata.features_usage`` and ``metadata.rag_usage``."""

from __future__ import annotations

from warehouse.schema.types import BOOL, INT, TEXT, Column, column

FEATURES = (
    "language_detection",
    "transfer_to_agent",
    "transfer_to_number",
    "multivoice",
    "dtmf_tones",
    "dtmf_input",
    "external_mcp_servers",
    "tool_dynamic_variable_updates",
    "voicemail_detection",
    "versioning",
    "file_input",
    "freeform_procedure",
    "structured_procedure",
    "workflow.tool_node",
    "workflow.standalone_agent_node",
    "workflow.override_agent_node",
    "workflow.phone_number_node",
    "workflow.end_node",
)


def _feature(name: str) -> tuple[Column, Column]:
    path = f"metadata.features_usage.{name}"
    label = name.replace(".", " ").replace("_", " ")
    return (
        column(f"{path}.enabled", BOOL, f"Whether the agent had the feature switched on: {label}."),
        column(f"{path}.used", BOOL, f"Whether the call used the feature: {label}."),
    )


FEATURE_COLUMNS = (
    column("metadata.rag_usage.usage_count", INT, "Retrievals from the knowledge base."),
    column("metadata.rag_usage.embedding_model", TEXT, "Embedding model of the retrievals."),
    *(column for name in FEATURES for column in _feature(name)),
    column("metadata.features_usage.workflow.enabled", BOOL, "Whether the agent is a workflow."),
    column("metadata.features_usage.pii_zrm_workspace", BOOL, "Zero retention for the workspace."),
    column("metadata.features_usage.pii_zrm_agent", BOOL, "Zero retention for the agent."),
    column("metadata.features_usage.is_livekit", BOOL, "Whether the call ran over LiveKit."),
    column("metadata.features_usage.agent_testing.enabled", BOOL, "Whether the agent has tests."),
    column(
        "metadata.features_usage.agent_testing.tests_ran_after_last_modification",
        BOOL,
        "Tests ran since then.",
    ),
    column("metadata.features_usage.agent_testing.tests_ran_in_last_7_days", BOOL, "Tests ran in the last 7 days."),
)
"""Whether each feature was enabled and used."""

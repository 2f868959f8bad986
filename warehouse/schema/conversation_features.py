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
        column(f"{path}.enabled", BOOL, f"Whether the agent had the feature enabled: {label}."),
        column(f"{path}.used", BOOL, f"Whether the conversation used the feature: {label}."),
    )


FEATURE_COLUMNS = (
    column("metadata.rag_usage.usage_count", INT, "Retrievals from the knowledge base."),
    column("metadata.rag_usage.embedding_model", TEXT, "Embedding model of the retrievals."),
    *(flag for name in FEATURES for flag in _feature(name)),
    column("metadata.features_usage.workflow.enabled", BOOL, "Whether the agent is a workflow."),
    column("metadata.features_usage.pii_zrm_workspace", BOOL, "Whether the workspace is in zero retention mode."),
    column("metadata.features_usage.pii_zrm_agent", BOOL, "Whether the agent is in zero retention mode."),
    column("metadata.features_usage.is_livekit", BOOL, "Whether the conversation used LiveKit."),
    column("metadata.features_usage.agent_testing.enabled", BOOL, "Whether the agent has tests."),
    column(
        "metadata.features_usage.agent_testing.tests_ran_after_last_modification",
        BOOL,
        "Whether its tests ran after its last change.",
    ),
    column(
        "metadata.features_usage.agent_testing.tests_ran_in_last_7_days",
        BOOL,
        "Whether its tests ran in the last 7 days.",
    ),
)
"""Whether each feature was enabled and used."""

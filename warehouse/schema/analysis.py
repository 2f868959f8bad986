"""Tables of the analysis of a conversation: evaluation criteria and data collection, of the whole and by scope."""

from __future__ import annotations

from warehouse.schema.types import BOOL, FLOAT, INT, JSON, TEXT, Type, column, derived, free_text, table

SCOPED_ANALYSES = table(
    "scoped_analyses",
    "analysis of a scope: the whole conversation or the part of one agent",
    at="analysis.scoped[scope_index]",
    keys=(derived("scope_index", INT, "Position of the scope, from 0.", required=True),),
    columns=(
        column("scope", TEXT, "conversation (the full transcript) or agent (where that agent was active); open text."),
        column("source_agent_id", TEXT, "Agent whose criteria and fields these are."),
        column("source_branch_id", TEXT, "Branch of that agent."),
        column("successful", TEXT, "success, failure or unknown: the verdict on the scope."),
        column("success_score", FLOAT, "Score of success of the scope."),
    ),
)

_SCOPE_KEY = derived(
    "scope_index", INT, "Position in analysis.scoped, from 0; -1 for the analysis of the conversation.", required=True
)
_SCOPE = (
    derived("scope", TEXT, "Scope of the analysis; null for that of the conversation."),
    derived("source_agent_id", TEXT, "Agent of the scope; null for the analysis of the conversation."),
    derived("source_branch_id", TEXT, "Branch of that agent."),
)
"""The scope that a verdict or value is of. The analysis of the conversation and its scopes overlap: never add them."""


def _places(name: str, key: str) -> tuple[str, str, str]:
    """Paths of verdicts or values: the map, its twin as a list, and the maps of the scopes."""
    return (
        f"analysis.{name}{{{key}}}",
        f"analysis.{name}_list[list_index]",
        f"analysis.scoped[scope_index].{name}{{{key}}}",
    )


EVALUATION_RESULTS = table(
    "evaluation_results",
    "evaluation criterion of a conversation, and of each scope of its analysis",
    at=_places("evaluation_criteria_results", "criteria_id"),
    keys=(_SCOPE_KEY, derived("criteria_id", TEXT, "Id of the criterion: the key of the map.", required=True)),
    columns=(
        *_SCOPE,
        column("criteria_id", TEXT, "Id inside the entry; null where it is the key.", name="inner_criteria_id"),
        column("result", TEXT, "success, failure or unknown."),
        free_text("rationale", TEXT, "Reason for the result."),
        column("scoring_mode", TEXT, "How it is scored: binary or numeric_uniform; current API only."),
        column("score", FLOAT, "Score; current API only."),
        column("max_score", FLOAT, "Highest possible score; current API only."),
    ),
)

VALUE_BY_TYPE = (
    derived("value_text", TEXT, "The value if it is a text, else null."),
    derived("value_number", FLOAT, "The value if it is a number, else null."),
    derived("value_bool", BOOL, "The value if it is a boolean, else null."),
)

DATA_COLLECTION_RESULTS = table(
    "data_collection_results",
    "data collection field of a conversation, and of each scope of its analysis",
    at=_places("data_collection_results", "data_collection_id"),
    keys=(_SCOPE_KEY, derived("data_collection_id", TEXT, "Id of the field: the key of the map.", required=True)),
    columns=(
        *_SCOPE,
        column(
            "data_collection_id",
            TEXT,
            "Id inside the entry; null where it is the key.",
            name="inner_data_collection_id",
        ),
        free_text("value", JSON, "The value as JSON text; null if it was null."),
        *VALUE_BY_TYPE,
        free_text("rationale", TEXT, "Reason for the value."),
        column("name", TEXT, "Name of the field; current API only."),
        column(
            "json_schema.type",
            Type.TEXT_OR_JSON,
            "Requested type: string, boolean, integer or number; JSON if several.",
        ),
        column("json_schema.description", TEXT, "Description of the field: what to collect."),
        column("json_schema.enum", JSON, "Allowed values."),
        column("json_schema.is_system_provided", BOOL, "Whether the system provides the value."),
        column("json_schema.dynamic_variable", TEXT, "Dynamic variable that provides the value."),
        free_text("json_schema.constant_value", JSON, "Constant value of the field."),
        column("json_schema.allowed_values", JSON, "Allowed values; current API only."),
        column("json_schema.allowed_values_dynamic_variable", TEXT, "Dynamic variable that has the allowed values."),
        column("json_schema.is_omitted", BOOL, "Whether the field is omitted."),
    ),
)

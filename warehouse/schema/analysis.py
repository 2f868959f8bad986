"""Tables of the analysis: evaluation criteria and collected data."""

from __future__ import annotations

from warehouse.schema.types import BOOL, FLOAT, JSON, TEXT, Type, column, derived, free_text, table

EVALUATION_RESULTS = table(
    "evaluation_results",
    "evaluation criterion",
    at="analysis.evaluation_criteria_results{criteria_id}",
    keys=(derived("criteria_id", TEXT, "Criterion: the key of the map.", required=True),),
    columns=(
        column("result", TEXT, "success, failure or unknown."),
        free_text("rationale", TEXT, "Why."),
        column("scoring_mode", TEXT, "How it is scored; today's API."),
        column("score", FLOAT, "Score; today's API."),
        column("max_score", FLOAT, "Best possible score; today's API."),
    ),
    ignored_keys=("criteria_id",),
)

VALUE_BY_TYPE = (
    derived("value_text", TEXT, "The value where it is a text."),
    derived("value_number", FLOAT, "The value where it is a number."),
    derived("value_bool", BOOL, "The value where it is a boolean."),
)

DATA_COLLECTION_RESULTS = table(
    "data_collection_results",
    "field collected from the call",
    at="analysis.data_collection_results{data_collection_id}",
    keys=(derived("data_collection_id", TEXT, "Field: the key of the map.", required=True),),
    columns=(
        free_text("value", JSON, "The value as JSON text; null when it was null."),
        *VALUE_BY_TYPE,
        free_text("rationale", TEXT, "Why."),
        column("name", TEXT, "Name of the field; today's API."),
        column(
            "json_schema.type",
            Type.TEXT_OR_JSON,
            "Type asked for: string, boolean, integer, number; JSON where several.",
        ),
        column("json_schema.description", TEXT, "What was asked for."),
        column("json_schema.enum", JSON, "Values allowed."),
        column("json_schema.is_system_provided", BOOL, "Whether the system provides it."),
        column("json_schema.dynamic_variable", TEXT, "Variable that provides it."),
        free_text("json_schema.constant_value", JSON, "Constant that provides it."),
        column("json_schema.allowed_values", JSON, "Values allowed; today's API."),
        column("json_schema.allowed_values_dynamic_variable", TEXT, "Variable that gives the values allowed."),
        column("json_schema.is_omitted", BOOL, "Whether the field is left out."),
    ),
    ignored_keys=("data_collection_id",),
)

"""Tables of the analysis: evaluation criteria and collected data."""

from __future__ import annotations

from warehouse.schema.types import BOOL, FLOAT, JSON, TEXT, Type, col, made, table, words

EVALUATION_RESULTS = table(
    "evaluation_results",
    "evaluation criterion",
    at="analysis.evaluation_criteria_results{criteria_id}",
    keys=(made("criteria_id", TEXT, "Criterion: the key of the map.", required=True),),
    columns=(
        col("result", TEXT, "success, failure or unknown."),
        words("rationale", TEXT, "Why."),
        col("scoring_mode", TEXT, "How it is scored; today's API."),
        col("score", FLOAT, "Score; today's API."),
        col("max_score", FLOAT, "Best possible score; today's API."),
    ),
    known=("criteria_id",),
)

VALUE_BY_TYPE = (
    made("value_text", TEXT, "The value where it is a text."),
    made("value_number", FLOAT, "The value where it is a number."),
    made("value_bool", BOOL, "The value where it is a boolean."),
)

DATA_COLLECTION_RESULTS = table(
    "data_collection_results",
    "field collected from the call",
    at="analysis.data_collection_results{data_collection_id}",
    keys=(made("data_collection_id", TEXT, "Field: the key of the map.", required=True),),
    columns=(
        words("value", JSON, "The value as JSON text; null when it was null."),
        *VALUE_BY_TYPE,
        words("rationale", TEXT, "Why."),
        col("name", TEXT, "Name of the field; today's API."),
        col("json_schema.type", Type.BAG, "Type asked for: string, boolean, integer, number; JSON where several."),
        col("json_schema.description", TEXT, "What was asked for."),
        col("json_schema.enum", JSON, "Values allowed."),
        col("json_schema.is_system_provided", BOOL, "Whether the system provides it."),
        col("json_schema.dynamic_variable", TEXT, "Variable that provides it."),
        words("json_schema.constant_value", JSON, "Constant that provides it."),
        col("json_schema.allowed_values", JSON, "Values allowed; today's API."),
        col("json_schema.allowed_values_dynamic_variable", TEXT, "Variable that gives the values allowed."),
        col("json_schema.is_omitted", BOOL, "Whether the field is left out."),
    ),
    known=("data_collection_id",),
)

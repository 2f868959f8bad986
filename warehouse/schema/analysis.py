"""Tables of the analysis of a conversation: evaluation criteria and data collection."""

from __future__ import annotations

from warehouse.schema.types import BOOL, FLOAT, JSON, TEXT, Type, column, derived, free_text, table

EVALUATION_RESULTS = table(
    "evaluation_results",
    "evaluation criterion of a conversation",
    at="analysis.evaluation_criteria_results{criteria_id}",
    keys=(derived("criteria_id", TEXT, "Id of the criterion: the key of the map.", required=True),),
    columns=(
        column("result", TEXT, "success, failure or unknown."),
        free_text("rationale", TEXT, "Reason for the result."),
        column("scoring_mode", TEXT, "How it is scored: binary or numeric_uniform; current API only."),
        column("score", FLOAT, "Score; current API only."),
        column("max_score", FLOAT, "Highest possible score; current API only."),
    ),
    ignored_keys=("criteria_id",),
)

VALUE_BY_TYPE = (
    derived("value_text", TEXT, "The value if it is a text, else null."),
    derived("value_number", FLOAT, "The value if it is a number, else null."),
    derived("value_bool", BOOL, "The value if it is a boolean, else null."),
)

DATA_COLLECTION_RESULTS = table(
    "data_collection_results",
    "data collection field of a conversation",
    at="analysis.data_collection_results{data_collection_id}",
    keys=(derived("data_collection_id", TEXT, "Id of the field: the key of the map.", required=True),),
    columns=(
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
    ignored_keys=("data_collection_id",),
)

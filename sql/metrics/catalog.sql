/*
description = "Every metric of the warehouse and how it is defined: one row per metric, taken from the headers of the models."
grain = ["id"]

[columns]
id = "Id of the metric: model and column."
model = "Model that holds it."
column_name = "Column that holds it."
name = "Readable name."
description = "What the column says."
grain = "Columns that identify a row of the model."
unit = "Unit."
numerator = "What is summed or measured."
denominator = "By what it is divided; null when it is not a ratio."
null_rule = "When it is null."
good = "Which direction is better: high, low or neither."
source = "Who else defines it this way; convohouse if it is our own."
differs = "How it differs from the vendor's dashboard."

[tests]
not_null = ["id", "model", "column_name", "name", "description", "grain", "unit", "numerator", "null_rule", "good", "source", "differs"]
accepted = { good = ["high", "low", "neither"] }
same_count_as = "seeds.metric_headers"
*/
with metric_headers as (
    select * from seeds.metric_headers
),

final as (
    select
        id,
        model,
        column_name,
        name,
        description,
        grain,
        unit,
        numerator,
        denominator,
        null_rule,
        good,
        source,
        differs
    from metric_headers
)

select * from final

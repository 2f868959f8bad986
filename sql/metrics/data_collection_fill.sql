/*
description = """How well a field is collected: one row per workspace, agent and field, over all days and over \
conversations that count. A field was asked for when the analysis of a conversation has a \
place for it, filled when there is a value in it: neither null nor blank text nor an empty list or object. A redacted \
value still counts as filled, but is not a value of top_values. top_values shows what was said in conversations, so it can hold \
personal data; an erasure takes it out with the conversation."""
grain = ["workspace", "agent_id", "data_collection_id"]

[columns]
workspace = "Workspace of the API that the conversations belong to."
agent_id = "Agent that the conversations were started with."
agent_name = "Latest name of the agent; null when the API never reported one."
data_collection_id = "Field."
declared_type = "Type asked for, as the newest conversation reports it; null when it does not."
n_asked = "Finished conversations that were asked for the field."
n_filled = "Conversations in which it was filled."
fill_rate = "Conversations in which it was filled among those asked."
n_typed = "Filled values whose type can be compared with the one asked for on that conversation."
n_of_declared_type = "Those that have the type asked for."
of_declared_type_rate = "Values of the type asked for among those that can be compared."
n_values = "Different values, as JSON text."
top_values = 'JSON text: the five most frequent values, [{"value": ..., "n": count}], most frequent first, equals by their text.'

[tests]
not_null = ["workspace", "data_collection_id", "n_asked", "n_filled", "fill_rate", "n_typed", "n_of_declared_type", "n_values", "top_values"]
references = { agent_id = "marts.dim_agents.agent_id" }

[metrics.fill_rate]
name = "Fill rate"
numerator = "n_filled: neither null nor blank nor an empty list or object"
denominator = "n_asked: finished conversations whose analysis has a place for the field"
null_when = "never null"
direction = "high"
differs_from_vendor = "No counterpart known. Conversations without an analysis were not asked."

[metrics.of_declared_type_rate]
name = "Values of the declared type"
numerator = "n_of_declared_type"
denominator = "n_typed: filled values of fields declared string, boolean, integer or number, not redacted"
null_when = "null when no value can be compared"
direction = "high"

[metrics.top_values]
name = "Most frequent values"
unit = "JSON text"
numerator = "the five most frequent values and how often each came"
null_when = "never null; [] without values"
direction = "neither"
differs_from_vendor = "No counterpart known. Values are compared by their JSON text: 1 and 1.0 are two, as are 1 and '1'."
*/
with agent_names as (
    select * from intermediate.int_agent_names
),

collected as (
    select * from marts.fct_data_collection
),

counted as (
    select
        *,
        -- a redaction leaves no value to show
        is_filled and coalesce(value_text <> '<redacted>', true) as is_shown
    from collected
    where is_counted and is_main
),

declared as (
    select
        workspace,
        agent_id,
        data_collection_id,
        declared_type
    from counted
    qualify row_number() over (
        partition by workspace, agent_id, data_collection_id
        order by start_date desc, conversation_id desc
    ) = 1
),

fields as (
    select
        workspace,
        agent_id,
        data_collection_id,
        count(*) as n_asked,
        count(*) filter (where is_filled) as n_filled,
        count(is_of_declared_type) as n_typed,
        count(*) filter (where is_of_declared_type) as n_of_declared_type
    from counted
    group by all
),

frequencies as (
    select
        workspace,
        agent_id,
        data_collection_id,
        value,
        count(*) as n
    from counted
    where is_shown
    group by all
),

ranked as (
    select
        *,
        row_number() over (partition by workspace, agent_id, data_collection_id order by n desc, value) as place
    from frequencies
),

entries as (
    select
        workspace,
        agent_id,
        data_collection_id,
        place,
        concat('{"value": ', value, ', "n": ', cast(n as varchar), '}') as entry
    from ranked
),

tops as (
    select
        workspace,
        agent_id,
        data_collection_id,
        count(*) as n_values,
        concat_ws(
            ', ',
            max(entry) filter (where place = 1),
            max(entry) filter (where place = 2),
            max(entry) filter (where place = 3),
            max(entry) filter (where place = 4),
            max(entry) filter (where place = 5)
        ) as entries
    from entries
    group by all
),

final as (
    select
        fields.workspace,
        fields.agent_id,
        agent_names.agent_name,
        fields.data_collection_id,
        declared.declared_type,
        fields.n_asked,
        fields.n_filled,
        fields.n_filled / fields.n_asked as fill_rate,
        fields.n_typed,
        fields.n_of_declared_type,
        fields.n_of_declared_type / nullif(fields.n_typed, 0) as of_declared_type_rate,
        coalesce(tops.n_values, 0) as n_values,
        concat('[', coalesce(tops.entries, ''), ']') as top_values
    from fields
    left join agent_names
        on fields.workspace = agent_names.workspace and fields.agent_id = agent_names.agent_id
    inner join declared
        on
            fields.workspace = declared.workspace
            and fields.agent_id is not distinct from declared.agent_id
            and fields.data_collection_id = declared.data_collection_id
    left join tops
        on
            fields.workspace = tops.workspace
            and fields.agent_id is not distinct from tops.agent_id
            and fields.data_collection_id = tops.data_collection_id
)

select * from final

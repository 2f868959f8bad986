/*
description = """Tools: one row per tool that the API ever listed, and one per name of a tool that calls used and no listing \
shows, such as those of MCP servers. A call belongs to the listed tool whose id it reports; where it reports none, as before \
2026, to the listed tool of its name, the one listed last where several share it."""
grain = ["workspace", "tool_key"]

[columns]
workspace = "Workspace of the API that the tool belongs to."
tool_key = "tool_id; where the tool was never listed, workspace and name."
tool_id = "Id of the tool; null when never listed."
tool_name = "Name of the tool, as transcripts call it."
tool_type = "webhook, client, system, mcp, …; open text."
system_tool_type = "Which system tool it is; null for others."
description = "Description that the language model gets."
url = "Address of its request, credentials masked; null for tools without one."
method = "HTTP method of its request."
response_timeout_secs = "Time after which the agent no longer waits for it."
execution_mode = "immediate, post_tool_speech or async."
n_parameters = "Parameters that the language model or a constant fills, nested ones too; headers and placeholders do not count."
first_seen_at = "First listing that showed it; null when never listed."
changed_at = "First listing that showed it as it is now; its statistics of use do not count."
last_seen_at = "Last listing that showed it."
n_versions = "Configurations that listings showed."
is_listed = "Whether a listing ever showed it."
is_gone = "Whether the last listing no longer showed it; null when never listed."
vendor_n_calls = "The vendor's own count of its calls, over all time, at the last listing."
vendor_latency_mean_secs = "The vendor's own mean latency at the last listing."
n_calls = "Finished conversations that used it; excluded ones do not count."
n_tool_calls = "Calls of the tool in them."
n_answered = "Calls of the tool that have a result."
n_errors = "Calls of the tool whose result is an error."
error_rate = "Errors among the answered calls of the tool."
first_used_date = "UTC day of the first conversation that used it."
last_used_date = "UTC day of the last conversation that used it."
is_never_used = "Whether no conversation here used it, excluded and open ones too."

[tests]
not_null = [
  "workspace",
  "tool_key",
  "n_parameters",
  "n_versions",
  "is_listed",
  "n_calls",
  "n_tool_calls",
  "n_answered",
  "n_errors",
  "is_never_used",
]
*/
with tools as (
    select * from staging.stg_tools
),

tool_parameters as (
    select * from staging.stg_tool_parameters
),

tool_versions as (
    select * from staging.stg_tool_versions
),

tool_calls as (
    select * from marts.fct_tool_calls
),

by_name as (
    select
        workspace,
        tool_name,
        tool_id
    from tools
    where tool_name is not null
    qualify row_number() over (partition by workspace, tool_name order by last_seen_at desc, tool_id) = 1
),

uses as (
    select
        tool_calls.workspace,
        coalesce(listed.tool_id, named.tool_id, tool_calls.workspace || '/' || tool_calls.tool_name) as tool_key,
        tool_calls.tool_name,
        tool_calls.tool_type,
        tool_calls.conversation_id,
        tool_calls.start_date,
        tool_calls.is_counted,
        tool_calls.is_answered,
        tool_calls.is_error
    from tool_calls
    left join tools as listed
        on tool_calls.workspace = listed.workspace and tool_calls.tool_id = listed.tool_id
    left join by_name as named
        on tool_calls.workspace = named.workspace and tool_calls.tool_name = named.tool_name
    where coalesce(listed.tool_id, tool_calls.tool_name) is not null
),

used as (
    select
        workspace,
        tool_key,
        max(tool_name) as tool_name,
        arg_max(tool_type, row(start_date, tool_type)) as tool_type,
        count(distinct conversation_id) filter (where is_counted) as n_calls,
        count(*) filter (where is_counted) as n_tool_calls,
        count(*) filter (where is_counted and is_answered) as n_answered,
        count(*) filter (where is_counted and is_error) as n_errors,
        min(start_date) as first_used_date,
        max(start_date) as last_used_date
    from uses
    group by all
),

parameters as (
    select
        workspace,
        tool_id,
        count(*) as n_parameters
    from tool_parameters
    where
        parameter_name <> '$'
        and location in ('parameters', 'path', 'query', 'body', 'base_path', 'base_query', 'base_body')
    group by all
),

versions as (
    select
        workspace,
        tool_id,
        count(*) as n_versions
    from tool_versions
    group by all
),

final as (
    select
        coalesce(tools.workspace, used.workspace) as workspace,
        coalesce(tools.tool_id, used.tool_key) as tool_key,
        tools.tool_id,
        coalesce(tools.tool_name, used.tool_name) as tool_name,
        coalesce(tools.tool_type, used.tool_type) as tool_type,
        tools.params_system_tool_type as system_tool_type,
        tools.description,
        coalesce(tools.api_schema_url, tools.base_api_schema_url) as url,
        coalesce(tools.api_schema_method, tools.base_api_schema_method) as method,
        tools.response_timeout_secs,
        tools.execution_mode,
        coalesce(parameters.n_parameters, 0) as n_parameters,
        tools.first_seen_at,
        tools.changed_at,
        tools.last_seen_at,
        coalesce(versions.n_versions, 0) as n_versions,
        tools.tool_id is not null as is_listed,
        tools.is_gone,
        tools.usage_stats_n_calls as vendor_n_calls,
        tools.usage_stats_avg_latency_secs as vendor_latency_mean_secs,
        coalesce(used.n_calls, 0) as n_calls,
        coalesce(used.n_tool_calls, 0) as n_tool_calls,
        coalesce(used.n_answered, 0) as n_answered,
        coalesce(used.n_errors, 0) as n_errors,
        used.n_errors / nullif(used.n_answered, 0) as error_rate,
        used.first_used_date,
        used.last_used_date,
        used.tool_key is null as is_never_used
    from tools
    full outer join used on tools.workspace = used.workspace and tools.tool_id = used.tool_key
    left join parameters on tools.workspace = parameters.workspace and tools.tool_id = parameters.tool_id
    left join versions on tools.workspace = versions.workspace and tools.tool_id = versions.tool_id
)

select * from final

/*
description = """Where conversations were transferred: one row per workspace, UTC day, origin and destination, over conversations that count. \
A conversation can be transferred several times. A step to another node of a workflow \
is not a transfer to an agent; a transfer to a number counts wherever it was made."""
grain = ["workspace", "start_date", "kind", "from_agent_id", "to_agent_id", "to_number"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversations belong to."
start_date = "UTC day on which the conversations started."
kind = "agent or number: where the transfers lead."
from_agent_id = "Agent that transferred."
from_agent_name = "Latest name of that agent; null when the API never reported one."
to_agent_id = "Agent transferred to; null when not reported, and for numbers."
to_agent_name = "Latest name of that agent; null when the API never reported one."
to_number = "Number transferred to; null when not reported or once deleted, and for agents."
n_calls = "Finished conversations with such a transfer, whether it took place or not."
n_transfers = "Transfers tried."
n_errors = "Transfers that did not take place: an error, blocked or never carried out."
error_rate = "Transfers that did not take place among those tried."

[tests]
not_null = ["workspace", "start_date", "kind", "n_calls", "n_transfers", "n_errors", "error_rate"]
accepted = { kind = ["agent", "number"] }

[metrics.n_transfers]
name = "Transfers"
numerator = "transfers tried in finished conversations; steps inside a workflow are none"
null_when = "never null"
direction = "neither"
differs_from_vendor = "Each transfer of a conversation counts, those that failed too; transfer_rate of agent_daily counts conversations that were transferred."

[metrics.error_rate]
name = "Transfer error rate"
numerator = "n_errors: an error, blocked or never carried out"
denominator = "n_transfers"
null_when = "never null"
direction = "low"
*/
with agent_names as (
    select * from intermediate.int_agent_names
),

transfers as (
    select * from marts.fct_transfers
),

counted as (
    select
        workspace,
        start_date,
        kind,
        from_agent_id,
        to_agent_id,
        to_number,
        count(distinct conversation_id) as n_calls,
        count(*) as n_transfers,
        count(*) filter (where is_error) as n_errors
    from transfers
    where is_counted and (kind = 'number' or depth = 0)
    group by all
),

final as (
    select
        counted.workspace,
        counted.start_date,
        counted.kind,
        counted.from_agent_id,
        from_names.agent_name as from_agent_name,
        counted.to_agent_id,
        to_names.agent_name as to_agent_name,
        counted.to_number,
        counted.n_calls,
        counted.n_transfers,
        counted.n_errors,
        counted.n_errors / counted.n_transfers as error_rate
    from counted
    left join agent_names as from_names
        on counted.workspace = from_names.workspace and counted.from_agent_id = from_names.agent_id
    left join agent_names as to_names
        on counted.workspace = to_names.workspace and counted.to_agent_id = to_names.agent_id
)

select * from final

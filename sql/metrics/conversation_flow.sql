/*
description = """How far conversations get: one row per workspace, agent and position of a spoken turn, over all days \
and over conversations that count. Turns are entries in which the user or the \
agent said something, numbered from 1 in their order; entries of tools and of a silent user ('...') are not turns, and \
a conversation in which nobody spoke is in no row."""
grain = ["workspace", "agent_id", "turn_position"]

[columns]
workspace = "Workspace of the API that the conversations belong to."
agent_id = "Agent that the conversations were started with."
agent_name = "Latest name of the agent; null when the API never reported one."
turn_position = "Position among the spoken turns of a conversation, from 1."
n_calls = "Finished conversations that reach the position: the turns at it."
survival_rate = "Conversations that last to the position among those in which somebody spoke."
n_ended = "Conversations whose last spoken turn this is."
drop_off_rate = "Conversations that end there among those that reach the position."
n_agent_turns = "Turns at the position that are the agent's."
n_interruptions = "Agent turns at the position that the user cut."
interruption_rate = "Interruptions per agent turn at the position."

[tests]
not_null = ["workspace", "turn_position", "n_calls", "survival_rate", "n_ended", "drop_off_rate", "n_agent_turns", "n_interruptions"]
references = { agent_id = "marts.dim_agents.agent_id" }

[metrics.survival_rate]
name = "Conversations that last to a turn"
numerator = "n_calls at the position"
denominator = "n_calls at position 1"
null_when = "never null"
direction = "neither"

[metrics.drop_off_rate]
name = "Drop-off at a turn"
numerator = "n_ended: conversations whose last spoken turn this is"
denominator = "n_calls that reach the position"
null_when = "never null"
direction = "neither"
differs_from_vendor = "No counterpart known. A conversation that was brought to its end drops off too."

[metrics.interruption_rate]
name = "Interruptions at a turn"
numerator = "n_interruptions"
denominator = "n_agent_turns at the position"
null_when = "null when no turn at the position is the agent's"
direction = "low"
*/
with agent_names as (
    select * from intermediate.int_agent_names
),

turns as (
    select * from marts.fct_turns
),

spoken as (
    select
        workspace,
        agent_id,
        role,
        is_interrupted,
        row_number() over (partition by workspace, conversation_id order by turn_index) as turn_position
    from turns
    where is_counted and is_spoken and not is_silent
),

positions as (
    select
        workspace,
        agent_id,
        turn_position,
        count(*) as n_calls,
        count(*) filter (where role = 'agent') as n_agent_turns,
        count(*) filter (where role = 'agent' and is_interrupted) as n_interruptions
    from spoken
    group by all
),

-- every conversation has all positions up to its last, so what the next position lacks has ended here
reached as (
    select
        *,
        max(n_calls) over (partition by workspace, agent_id) as n_spoken_calls,
        n_calls
        - coalesce(lead(n_calls) over (partition by workspace, agent_id order by turn_position), 0) as n_ended
    from positions
),

final as (
    select
        workspace,
        agent_id,
        agent_name,
        turn_position,
        n_calls,
        n_calls / n_spoken_calls as survival_rate,
        n_ended,
        n_ended / n_calls as drop_off_rate,
        n_agent_turns,
        n_interruptions,
        n_interruptions / nullif(n_agent_turns, 0) as interruption_rate
    from reached
    left join agent_names using (workspace, agent_id)
)

select * from final

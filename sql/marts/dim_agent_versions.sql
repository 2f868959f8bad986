/*
description = """Versions of agents: one row per agent and version that a conversation was answered by, or that the API keeps of an agent \
with conversations. What was changed, when and by whom is null where the API does not keep the version. Conversations whose \
version is not reported (older ones, and agents without versioning) are in no row."""
grain = ["workspace", "agent_id", "version_id"]

[columns]
workspace = "Workspace of the API that the agent belongs to."
agent_id = "Agent that the conversations were started with; null when not reported."
agent_name = "Latest name of the agent; null when the API never reported one."
version_id = "Version of the agent that answered."
branch_id = "Branch of the version."
branch_name = "Name of the branch, when it was last listed."
branch_live_percentage = "Share of the traffic that the branch gets, in per cent, when it was last listed."
seq_no_in_branch = "Number of the version in its branch."
description = "What its author says about it."
committed_at = "When it was published."
author_name = "Name of the person who published it."
parent_version_id = "Version that it came from."
changes = "JSON paths at which its configuration differs from that of its parent; null if the parent is not known."
prompt_length = "Characters of the prompt."
llm = "Language model."
voice_id = "Voice."
tts_model = "Text-to-speech model."
n_tools = "Tools of the workspace that it can use."
n_criteria = "Evaluation criteria."
first_call_at = "Start of its first conversation; null without any."
last_call_at = "Start of its last conversation; null without any."
n_calls = "Finished conversations (done or failed) that it answered; excluded ones do not count."
n_open = "Conversations that it answers and that are not finished; excluded ones do not count."

[tests]
not_null = ["workspace", "version_id", "n_calls", "n_open"]
references = { agent_id = "marts.dim_agents.agent_id" }
*/
with conversations as (
    select * from marts.fct_conversations
),

agents as (
    select * from staging.stg_agents
),

versions as (
    select * from staging.stg_agent_versions
),

branch_states as (
    select * from staging.stg_agent_branches
),

branches as (
    select * from branch_states
    qualify row_number() over (partition by workspace, agent_id, branch_id order by valid_from_at desc) = 1
),

listed as (
    select
        versions.workspace,
        versions.agent_id,
        agents.agent_name,
        versions.version_id,
        versions.branch_id,
        branches.branch_name,
        branches.current_live_percentage as branch_live_percentage,
        versions.seq_no_in_branch,
        versions.description,
        versions.committed_at,
        versions.author_name,
        versions.parent_version_id,
        versions.changes,
        versions.prompt_length,
        versions.llm,
        versions.voice_id,
        versions.tts_model,
        versions.n_tools,
        versions.n_criteria
    from versions
    inner join agents on versions.workspace = agents.workspace and versions.agent_id = agents.agent_id
    left join branches
        on
            versions.workspace = branches.workspace
            and versions.agent_id = branches.agent_id
            and versions.branch_id = branches.branch_id
),

answered as (
    select
        workspace,
        agent_id,
        max(agent_name) as agent_name,
        version_id,
        min(started_at) as first_call_at,
        max(started_at) as last_call_at,
        count(*) filter (where is_counted) as n_calls,
        count(*) filter (where not is_finished and not is_excluded) as n_open
    from conversations
    where version_id is not null
    group by all
),

final as (
    select
        coalesce(answered.workspace, listed.workspace) as workspace,
        coalesce(answered.agent_id, listed.agent_id) as agent_id,
        coalesce(answered.agent_name, listed.agent_name) as agent_name,
        coalesce(answered.version_id, listed.version_id) as version_id,
        listed.branch_id,
        listed.branch_name,
        listed.branch_live_percentage,
        listed.seq_no_in_branch,
        listed.description,
        listed.committed_at,
        listed.author_name,
        listed.parent_version_id,
        listed.changes,
        listed.prompt_length,
        listed.llm,
        listed.voice_id,
        listed.tts_model,
        listed.n_tools,
        listed.n_criteria,
        answered.first_call_at,
        answered.last_call_at,
        coalesce(answered.n_calls, 0) as n_calls,
        coalesce(answered.n_open, 0) as n_open
    from answered
    full outer join listed
        on
            answered.workspace = listed.workspace
            and answered.agent_id = listed.agent_id
            and answered.version_id = listed.version_id
)

select * from final

/*
description = "Who talked how long: one row per conversation whose seconds of audio, silence or backchannels the API reports."
grain = ["conversation_id"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversation belongs to."
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
agent_audio_secs = "Audio that text-to-speech produced; null when not reported, or neither side has any."
user_audio_secs = "Audio that went to the speech recognition; null as agent_audio_secs."
silence_secs = "Quantity of the category silence of the platform's usage, which is long silence billed at a lower price; 0 when the usage has a category voice and none of silence, null when neither. The API does not report its unit: that of voice is seconds."
n_backchannels = "Entries of the user that were ignored as a backchannel, such as 'mhm'."
*/
with conversations as (
    select * from staging.stg_conversations
),

platform_usage as (
    select * from staging.stg_platform_usage
),

turns as (
    select * from marts.fct_turns
),

usage as (
    select
        workspace,
        conversation_id,
        cast(coalesce(sum(cast(quantity as decimal(38, 9))) filter (where category = 'silence'), 0) as double)
            as silence_secs
    from platform_usage
    where category in ('voice', 'silence')
    group by all
),

backchannels as (
    select
        workspace,
        conversation_id,
        count(*) as n_backchannels
    from turns
    where role = 'user' and is_backchannel
    group by all
),

final as (
    select
        conversations.workspace,
        conversations.conversation_id,
        conversations.start_date,
        case when conversations.audio_output_secs + conversations.audio_input_secs > 0
            then conversations.audio_output_secs
        end as agent_audio_secs,
        case when conversations.audio_output_secs + conversations.audio_input_secs > 0
            then conversations.audio_input_secs
        end as user_audio_secs,
        usage.silence_secs,
        coalesce(backchannels.n_backchannels, 0) as n_backchannels
    from conversations
    left join usage
        on conversations.workspace = usage.workspace and conversations.conversation_id = usage.conversation_id
    left join backchannels
        on
            conversations.workspace = backchannels.workspace
            and conversations.conversation_id = backchannels.conversation_id
    where
        conversations.audio_output_secs + conversations.audio_input_secs > 0
        or usage.silence_secs is not null
        or backchannels.n_backchannels > 0
)

select * from final

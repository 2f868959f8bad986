/*
description = "Lake table voice_rewards, with readable column names: one row per reward to the owner of a shared voice."
grain = ["conversation_id", "reward_index"]
inherits_columns_from = "lake.voice_rewards"
*/
with source as (
    select * from lake.voice_rewards
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        reward_index,
        voice_id,
        reward_usd_cents,
        extra
    from source
)

select * from final

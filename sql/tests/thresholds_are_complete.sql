/*
description = "Every threshold that a metric compares with has its row in seeds.thresholds, as a user's file replaces all of ours."
*/
with thresholds as (
    select * from seeds.thresholds
),

final as (
    select count(*) as n_thresholds
    from thresholds
    having count(*) <> 5
)

select * from final

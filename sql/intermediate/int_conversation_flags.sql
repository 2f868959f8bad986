/*
description = """Which conversations count, whose they are, and by which channel they came: one row per conversation. A conversation counts when it is finished (done \
or failed) and no pattern of seeds.excluded_callers fits its caller, user, agent or id. Every fact and every metric takes \
its answer from here. A redaction takes the caller's identity, so a deleted conversation is then left out only by its agent or id."""
grain = ["conversation_id"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversation belongs to."
conversation_id = "Id of the conversation."
agent_id = "Agent that the conversation was started with."
agent_name = "Latest name of the agent; null when the API never reported one."
version_id = "Version of the agent that answered."
start_date = "UTC day on which the conversation started."
user_id = "Id of the user, as the client gave it; null when unknown or erased."
caller_id = "Who called or was called: the phone number in E.164, else the WhatsApp user, else the user's id; null when unknown, withheld or erased."
channel = "phone (a phone call, or started by a provider of telephony), whatsapp, sms, chat (text only, or messages of a help desk or a messenger) or voice (audio over an SDK or the widget)."
is_text_only = "Whether the conversation was written: a chat without audio, or SMS."
is_finished = "Whether the conversation is done or failed."
is_excluded = "Whether seeds.excluded_callers leaves the conversation out of the metrics."
is_counted = "Whether the conversation counts in the metrics: finished and not excluded."

[tests]
not_null = ["workspace", "conversation_id", "start_date", "is_finished", "is_excluded", "is_counted"]
same_count_as = "staging.stg_conversations"
*/
with agent_names as (
    select * from intermediate.int_agent_names
),

conversations as (
    select * from staging.stg_conversations
),

excluded_callers as (
    select * from seeds.excluded_callers
),

identified as (
    select
        workspace,
        conversation_id,
        agent_id,
        version_id,
        start_date,
        -- a blank id is nobody's, and not that of one caller who calls all the time
        coalesce(nullif(trim(user_id), ''), nullif(trim(client_user_id), '')) as user_id,
        coalesce(caller_id, nullif(trim(user_id), ''), nullif(trim(client_user_id), '')) as caller_id,
        phone_call_external_number,
        whatsapp_user_id,
        sms_user_phone_number,
        coalesce(is_text_only, false) as is_text_only,
        async_metadata_external_system is not null as is_async,
        coalesce(
            phone_call_type, phone_call_direction, phone_call_external_number, phone_call_agent_number,
            phone_call_call_result
        ) is not null as is_phone_call,
        coalesce(
            whatsapp_direction, whatsapp_user_id, whatsapp_phone_number_id, whatsapp_recipient_phone,
            whatsapp_recipient_bsuid, whatsapp_call_result
        ) is not null as is_whatsapp,
        coalesce(sms_direction, sms_user_phone_number, sms_phone_number_id, sms_agent_phone_number) is not null
            as is_sms,
        -- older documents name the source only in the data of the client, or say no more than who was let in
        coalesce(
            nullif(initiation_source, 'unknown'),
            nullif(client_source_info_source, 'unknown'),
            case authorization_method
                when 'genesys_api_key' then 'genesys'
                when 'avaya_api_key' then 'avaya'
                when 'audiocodes_api_key' then 'audiocodes'
                when 'whatsapp' then 'whatsapp'
                when 'sms' then 'twilio_sms'
            end
        ) as source,
        coalesce(status in ('done', 'failed'), false) as is_finished
    from conversations
),

channels as (
    select
        workspace,
        conversation_id,
        case
            when is_phone_call then 'phone'
            when is_whatsapp then 'whatsapp'
            when is_sms then 'sms'
            when source = 'whatsapp' then 'whatsapp'
            when source = 'twilio_sms' then 'sms'
            -- messages of a help desk or a messenger
            when is_text_only or is_async or source like '%integration' then 'chat'
            when
                source in (
                    'twilio', 'sip_trunk', 'exotel', 'genesys', 'genesys_bot_connector', 'avaya', 'audiocodes',
                    'amazon_connect'
                )
                then 'phone'
            else 'voice'
        end as channel
    from identified
),

identities as (
    select
        workspace,
        conversation_id,
        'conversation_id' as kind,
        conversation_id as identity
    from identified
    union all
    select
        workspace,
        conversation_id,
        'agent_id' as kind,
        agent_id as identity
    from identified
    union all
    select
        workspace,
        conversation_id,
        'user_id' as kind,
        user_id as identity
    from identified
    union all
    select
        workspace,
        conversation_id,
        'caller_id' as kind,
        caller_id as identity
    from identified
    union all
    -- a pattern may also be of the form in which the provider writes the number
    select
        workspace,
        conversation_id,
        'caller_id' as kind,
        coalesce(phone_call_external_number, whatsapp_user_id, sms_user_phone_number) as identity
    from identified
),

patterns as (
    select
        kind,
        pattern
    from excluded_callers
    union
    -- spaces and punctuation of a number are gone in caller_id
    select
        kind,
        regexp_replace(pattern, '[ ().\-/]', '', 'g') as pattern
    from excluded_callers
    where kind = 'caller_id' and regexp_matches(pattern, '^\+?[0-9 ().\-/%_]+$')
),

excluded as (
    select distinct
        identities.workspace,
        identities.conversation_id
    from identities
    inner join patterns on identities.kind = patterns.kind and identities.identity like patterns.pattern
),

final as (
    select
        identified.workspace,
        identified.conversation_id,
        identified.agent_id,
        agent_names.agent_name,
        identified.version_id,
        identified.start_date,
        identified.user_id,
        identified.caller_id,
        channels.channel,
        identified.is_text_only or channels.channel in ('chat', 'sms') as is_text_only,
        identified.is_finished,
        excluded.conversation_id is not null as is_excluded,
        identified.is_finished and excluded.conversation_id is null as is_counted
    from identified
    inner join channels
        on identified.workspace = channels.workspace and identified.conversation_id = channels.conversation_id
    left join agent_names
        on identified.workspace = agent_names.workspace and identified.agent_id = agent_names.agent_id
    left join excluded
        on identified.workspace = excluded.workspace and identified.conversation_id = excluded.conversation_id
)

select * from final

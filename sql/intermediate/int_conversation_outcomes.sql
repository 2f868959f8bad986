/*
description = """What became of a conversation: one row per conversation. The outcome is the first that holds, in the order of its \
description; docs/outcomes.md explains it. It is null while a conversation is open. Every flag follows from it, and every mart and metric \
takes it from here. A transfer to another agent is a path and no outcome."""
grain = ["conversation_id"]
incremental_by = "start_date"

[columns]
workspace = "Workspace of the API that the conversation belongs to."
conversation_id = "Id of the conversation."
start_date = "UTC day on which the conversation started."
outcome = "The first value that holds; null when open."
outcome_reason = "What decided the outcome, such as no_answer, by_tool, the type of the error or the name of the guardrail; null when open."
is_voicemail = "Whether an answering machine took the conversation; null when open."
is_error = "Whether it failed or ended with an error; null when open."
is_abandoned = "Whether it ended without a word of the user; null when open."
is_transferred_to_human = "Whether it was transferred to a human; null when open."
is_contained = "Whether it was served to its end without a human; null when open."
is_reached = "Whether it reached somebody: the outcome is neither not_reached nor voicemail; null when open."

[tests]
not_null = ["workspace", "conversation_id", "start_date"]
same_count_as = "staging.stg_conversations"

[values.outcome.unknown]
holds_when = "a transcript is missing: the workspace or the agent keeps none (zero retention), it was deleted at the vendor, or the document or the list reports messages and none is there; and neither an attempt, an answering machine, an error nor a guardrail says what became of it"
reasons = "`no_transcript`"

[values.outcome.not_reached]
holds_when = "nobody was on the line: `call_result` is no_answer, busy, canceled or failed; or the type of the error is no_answer, line_busy, call_rejected, blocked_by_user or call_initialization_error; or it failed after 0 s, was never accepted, and nobody said a word"
reasons = "`no_answer`, `busy`, `refused`, `not_connected`"

[values.outcome.voicemail]
holds_when = "an answering machine: the system tool succeeded or its feature was used; or `call_result` is voicemail or begins with machine; or the termination text says so"
reasons = "`by_tool`, `by_provider`, `by_text`"

[values.outcome.error]
holds_when = "it failed, or has an error (code, reason or type), or the platform stopped it (quota, credits, the rate or the number of conversations at a time, a dependency), and no guardrail ended it"
reasons = "the type of the error, else `quota`, `dependency` or `other`"

[values.outcome.blocked]
holds_when = "a guardrail ended it: the termination text or the type of the error says so; or it failed without either, and its last entry triggered one"
reasons = "the name of the guardrail, else its type"

[values.outcome.abandoned]
holds_when = "the user said no word, whoever hung up and however long it took"
reasons = "`silence` after the silence timeout, else `hung_up`"

[values.outcome.transferred]
holds_when = "it was transferred to a human, and the transfer did not fail"
reasons = "`number`, `queue`"

[values.outcome.cut_off]
holds_when = "words were said, and a limit ended it: the time limit, or the silence timeout after a dialogue"
reasons = "`time_limit`, `silence`"

[values.outcome.contained]
holds_when = "everything else: served to its end without a human"
reasons = "`ended_by_agent`, `ended_by_user`, `other`"
*/
with conversations as (
    select * from staging.stg_conversations
),

conversation_list as (
    select * from staging.stg_conversation_list
),

flags as (
    select * from intermediate.int_conversation_flags
),

turns as (
    select * from intermediate.int_conversation_turns
),

entries as (
    select * from staging.stg_turns
),

triggered_guardrails as (
    select * from staging.stg_triggered_guardrails
),

tools as (
    select * from intermediate.int_conversation_tools
),

termination_groups as (
    select * from intermediate.int_termination_groups
),

last_entries as (
    select
        workspace,
        conversation_id,
        max(turn_index) as last_index
    from entries
    group by all
),

last_guardrails as (
    select
        workspace,
        conversation_id,
        turn_index,
        coalesce(nullif(guardrail_name, ''), guardrail_type) as guardrail
    from triggered_guardrails
    qualify
        row_number() over (partition by workspace, conversation_id order by turn_index desc, guardrail_index) = 1
),

guardrails as (
    select
        last_guardrails.workspace,
        last_guardrails.conversation_id,
        last_guardrails.guardrail,
        last_guardrails.turn_index = last_entries.last_index as is_last
    from last_guardrails
    inner join last_entries
        on
            last_guardrails.workspace = last_entries.workspace
            and last_guardrails.conversation_id = last_entries.conversation_id
),

facts as (
    select
        conversations.workspace,
        conversations.conversation_id,
        conversations.start_date,
        flags.is_finished,
        coalesce(conversations.status = 'failed', false) as is_failed,
        coalesce(conversations.call_duration_secs = 0, false) and conversations.accepted_at is null
            as is_never_accepted,
        replace(
            lower(coalesce(conversations.phone_call_call_result, conversations.whatsapp_call_result, '')), '-', '_'
        ) as call_result,
        coalesce(lower(conversations.error_type), '') as error_type,
        -- the codes of a quota that ended during the conversation, and of the agent's daily limit
        conversations.error_code in (1002, 4300)
        or termination_groups.termination_group = 'quota'
        or lower(conversations.error_reason) like '%quota%'
        or lower(conversations.error_reason) like '%rate_limit%'
        or lower(conversations.error_reason) like '%concurren%'
        or lower(conversations.error_reason) like '%credits%' as is_out_of_quota,
        conversations.error_code is not null
        or coalesce(conversations.error_reason, '') <> ''
        or coalesce(conversations.error_type, '') <> '' as has_error,
        lower(coalesce(conversations.termination_reason, '')) as termination_text,
        coalesce(termination_groups.termination_group, '') as termination_group,
        coalesce(turns.n_user_turns, 0) > 0 as has_user_words,
        coalesce(turns.n_user_turns, 0) + coalesce(turns.n_agent_turns, 0) > 0 as has_words,
        -- a transcript of which nothing can be read, though there was one
        coalesce(turns.n_user_turns, 0) + coalesce(turns.n_agent_turns, 0) + coalesce(turns.n_silent_turns, 0) = 0
        and tools.conversation_id is null
        and (
            coalesce(conversations.feature_pii_zrm_workspace, false)
            or coalesce(conversations.feature_pii_zrm_agent, false)
            or conversations.transcript_deleted_at is not null
            or coalesce(conversations.n_user_messages, 0) + coalesce(conversations.n_agent_messages, 0) > 0
            or coalesce(conversation_list.n_listed_messages, 0) > 0
        ) as is_transcript_missing,
        coalesce(tools.is_voicemail, false) or coalesce(conversations.feature_voicemail_detection_used, false)
            as is_voicemail_by_tool,
        coalesce(tools.is_transferred_to_human, false) as is_transferred_to_human,
        coalesce(tools.is_transferred_to_number, false) as is_transferred_to_number,
        coalesce(guardrails.is_last, false) as is_guardrail_last,
        -- one on the way may be another than the one that ended it
        coalesce(
            case when guardrails.is_last then guardrails.guardrail end,
            nullif(trim(regexp_extract(conversations.termination_reason, '^[^:]*:(.*)$', 1)), ''),
            guardrails.guardrail,
            'guardrail'
        ) as guardrail
    from conversations
    inner join flags
        on conversations.workspace = flags.workspace and conversations.conversation_id = flags.conversation_id
    left join conversation_list
        on
            conversations.workspace = conversation_list.workspace
            and conversations.conversation_id = conversation_list.conversation_id
            and conversations.start_date = conversation_list.start_date
    left join turns
        on conversations.workspace = turns.workspace and conversations.conversation_id = turns.conversation_id
    left join tools
        on conversations.workspace = tools.workspace and conversations.conversation_id = tools.conversation_id
    left join guardrails
        on conversations.workspace = guardrails.workspace and conversations.conversation_id = guardrails.conversation_id
    left join termination_groups
        on
            conversations.start_date = termination_groups.start_date
            and conversations.termination_reason = termination_groups.termination_reason
),

-- what each outcome needs, as its reason; null where it does not hold
reasons as (
    select
        workspace,
        conversation_id,
        start_date,
        is_finished,
        is_transcript_missing,
        case
            when call_result = 'no_answer' or error_type = 'no_answer' then 'no_answer'
            when call_result = 'busy' or error_type = 'line_busy' then 'busy'
            when call_result in ('canceled', 'cancelled') or error_type in ('call_rejected', 'blocked_by_user')
                then 'refused'
            when call_result = 'failed' or error_type = 'call_initialization_error' then 'not_connected'
            when is_failed and is_never_accepted and not has_words then 'not_connected'
        end as not_reached,
        case
            when is_voicemail_by_tool then 'by_tool'
            when call_result = 'voicemail' or call_result like 'machine%' then 'by_provider'
            when termination_group = 'voicemail' then 'by_text'
        end as voicemail,
        case
            when error_type <> '' then error_type
            when is_out_of_quota then 'quota'
            when termination_text like '%dependency%' then 'dependency'
            when is_failed or has_error then 'other'
        end as error,
        case
            when termination_group = 'guardrail' or error_type = 'guardrail_triggered' then guardrail
            when is_failed and is_guardrail_last and termination_text = '' and not has_error then guardrail
        end as blocked,
        case
            when has_user_words then null
            when termination_group = 'silence' then 'silence'
            else 'hung_up'
        end as abandoned,
        case
            when is_transferred_to_number then 'number'
            when is_transferred_to_human then 'queue'
        end as transferred,
        case
            when termination_group = 'limit' then 'time_limit'
            when termination_group = 'silence' then 'silence'
        end as cut_off,
        case
            when termination_group = 'agent_ended' then 'ended_by_agent'
            when termination_group = 'client_left' then 'ended_by_user'
            else 'other'
        end as contained
    from facts
),

outcomes as (
    select
        *,
        case
            when not is_finished then null
            -- nothing else says what became of it
            when
                is_transcript_missing
                and coalesce(not_reached, voicemail, blocked, error) is null
                then 'unknown'
            when not_reached is not null then 'not_reached'
            when voicemail is not null then 'voicemail'
            -- the API reports a guardrail's stop as failed, which alone is not an error
            when error is not null and blocked is null then 'error'
            when blocked is not null then 'blocked'
            when abandoned is not null then 'abandoned'
            when transferred is not null then 'transferred'
            when cut_off is not null then 'cut_off'
            else 'contained'
        end as outcome
    from reasons
),

final as (
    select
        workspace,
        conversation_id,
        start_date,
        outcome,
        case outcome
            when 'unknown' then 'no_transcript'
            when 'not_reached' then not_reached
            when 'voicemail' then voicemail
            when 'error' then error
            when 'blocked' then blocked
            when 'abandoned' then abandoned
            when 'transferred' then transferred
            when 'cut_off' then cut_off
            when 'contained' then contained
        end as outcome_reason,
        outcome = 'voicemail' as is_voicemail,
        outcome = 'error' as is_error,
        outcome = 'abandoned' as is_abandoned,
        outcome = 'transferred' as is_transferred_to_human,
        outcome = 'contained' as is_contained,
        outcome not in ('not_reached', 'voicemail') as is_reached
    from outcomes
)

select * from final

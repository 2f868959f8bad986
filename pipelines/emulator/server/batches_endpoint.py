"""What ``/v1/convai/batch-calling`` answers: a batch for each week, with the recipients that were called and others."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from pipelines.emulator.generator.blueprint import Blueprint
from pipelines.emulator.generator.schedule import DAY_SECS
from pipelines.emulator.generator.transcript import Json
from pipelines.emulator.generator.world import World

_DAYS_PER_WEEK = 7
_MONDAY = 3
"""Days from the Monday before 1970 to its first day."""
_STATUS = {"no_answer": "failed", "voicemail": "voicemail"}


def batches(world: World, now: datetime) -> dict[str, Json]:
    """Every batch by id, the newest first, with its recipients."""
    by_batch: dict[str, list[tuple[Blueprint, str]]] = defaultdict(list)
    for blueprint, _, batch in world.billed(now):
        if batch:
            by_batch[batch["batch_call_id"]].append((blueprint, batch["batch_call_recipient_id"]))
    return {id_: _batch(world, id_, calls, int(now.timestamp())) for id_, calls in reversed(by_batch.items())}


def without_recipients(batch: Json) -> Json:
    """The batch in the list."""
    return {key: value for key, value in batch.items() if key != "recipients"}


def _batch(world: World, batch_id: str, calls: list[tuple[Blueprint, str]], now: int) -> Json:
    agent = calls[0][0].agent
    week = int(batch_id[-8:])
    begin = (week * _DAYS_PER_WEEK - _MONDAY) * DAY_SECS + int(world.shift.total_seconds())
    end = begin + _DAYS_PER_WEEK * DAY_SECS
    recipients = [_recipient(blueprint, recipient_id, begin, now) for blueprint, recipient_id in calls]
    waiting = "pending" if now < end else "cancelled"
    recipients += [
        {
            "id": f"rcpt_never{week}x{number}",
            "phone_number": f"+1555012{number:04d}",
            "status": waiting,
            "created_at_unix": begin,
            "updated_at_unix": begin,
            "conversation_id": None,
        }
        for number in range(2 + week % 3)
    ]
    n_finished = sum(blueprint.done_at <= now for blueprint, _ in calls)
    return {
        "id": batch_id,
        "phone_number_id": agent.phone_number_id,
        "phone_provider": "twilio",
        "name": f"Week {week}",
        "agent_id": agent.agent_id,
        "branch_id": agent.branch_id,
        "created_at_unix": begin,
        "scheduled_time_unix": begin,
        "timezone": agent.timezone,
        "total_calls_dispatched": len(calls),
        "total_calls_scheduled": len(recipients),
        "total_calls_finished": n_finished,
        "last_updated_at_unix": min(now, end),
        "status": "in_progress" if now < end else "completed",
        "retry_count": 0,
        "telephony_call_config": {"ringing_timeout_secs": 60},
        "agent_name": agent.name,
        "recipients": recipients,
    }


def _recipient(blueprint: Blueprint, recipient_id: str, created_at: int, now: int) -> Json:
    is_done = blueprint.done_at <= now
    return {
        "id": recipient_id,
        "phone_number": blueprint.phone,
        "status": _STATUS.get(blueprint.scenario, "completed") if is_done else "in_progress",
        "created_at_unix": created_at,
        "updated_at_unix": blueprint.done_at if is_done else blueprint.start,
        "conversation_id": blueprint.conversation_id,
    }

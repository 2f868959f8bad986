"""What the usage endpoints answer: the credits of each UTC day, for conversations and for another product.

Deleted conversations stay on the bill. Speech that the workspace has generated beside them is drawn by the day.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

from pipelines.emulator.generator.schedule import DAY_SECS
from pipelines.emulator.generator.transcript import Json
from pipelines.emulator.generator.world import World

AGENTS, SPEECH = "conversational-ai", "text-to-speech"
"""Names of products."""
_SPEECH_CREDITS, _SPEECH_STEP = 900, 37


def credit_usage(world: World, now: datetime, begin: int, end: int) -> Json:
    """The bill of the days that begin in a time range (Unix seconds), of a workspace that is billed in credits."""
    credits_by_day: dict[int, int] = defaultdict(int)
    for blueprint, cost, _ in world.billed(now):
        credits_by_day[blueprint.start // DAY_SECS] += cost
    first_day, last_day = -(-begin // DAY_SECS), (min(end, int(now.timestamp()) + 1) - 1) // DAY_SECS
    rows = []
    for day in range(first_day, last_day + 1):
        timestamp = datetime.fromtimestamp(day * DAY_SECS, UTC).isoformat().replace("+00:00", "Z")
        if credits_by_day[day]:
            rows.append([timestamp, AGENTS, float(credits_by_day[day])])
            rows.append([timestamp, SPEECH, float(_SPEECH_CREDITS + _SPEECH_STEP * (day % 7))])
    return {
        "columns": ["timestamp", "product_type", "credits_used"],
        "column_types": ["DateTime", "String", "Float"],
        "column_units": [None, None, "credits"],
        "rows": rows,
    }

"""What ``/v1/convai/agents`` answers: the workspace's agents, with their configurations, versions and branches.

The agent's versions are those of its conversations, so each is current in a part of the story's cycle.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipelines.emulator.data.agents import CRITERIA, Agent
from pipelines.emulator.data.story import STORY
from pipelines.emulator.data.tools import TOOLS
from pipelines.emulator.generator.transcript import TTS_MODEL, Json

_FIRST_DAY = datetime(2024, 11, 1, tzinfo=UTC)
"""When the workspace began."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RULES = (
    "Answer in one or two short sentences, and ask one question at a time.",
    "Confirm names, dates and numbers before you use a tool.",
)
_AUTHORS = (("Robin Demo", "robin.demo@example.com"), ("Kim Example", "kim.example@example.com"))
_DESCRIPTIONS = ("First version", "Confirm before tools are used", "Further rules")


def summary(agent: Agent) -> Json:
    """The agent in the list."""
    return {
        "agent_id": agent.agent_id,
        "name": agent.name,
        "voice_id": agent.voice_id,
        "tags": [agent.key],
        "created_at_unix_secs": _secs(0),
        "updated_at_unix_secs": _secs(agent.versions[-1].released_on),
        "access_info": _access_info(0),
        "last_call_time_unix_secs": None,
        "archived": False,
    }


def current_version(agent: Agent, now: datetime) -> str:
    """Id of the version that answers at a moment of the world that is not shifted."""
    return agent.version(STORY.day_of_cycle((now - _EPOCH).days)).version_id


def document(agent: Agent, version_id: str) -> Json | None:
    """The configuration of a version; None where there is none of this id."""
    number = _number(agent, version_id)
    if number is None:
        return None
    is_new = agent.key == STORY.new_version.agent and number == len(agent.versions) - 1
    return {
        "agent_id": agent.agent_id,
        "name": agent.name,
        "conversation_config": {
            "asr": {"quality": "high", "provider": "elevenlabs", "user_input_audio_format": "ulaw_8000"},
            "turn": {"turn_timeout": 7.0, "turn_eagerness": "normal"},
            "tts": {"model_id": TTS_MODEL, "voice_id": agent.voice_id, "stability": 0.5, "speed": 1.0},
            "conversation": {"text_only": agent.channel == "chat", "max_duration_seconds": 600},
            "agent": {
                "first_message": agent.greeting,
                "language": agent.languages[0],
                "prompt": {
                    "prompt": "\n".join([f"You are the assistant of {agent.name}.", *_RULES[: number + 1]]),
                    "llm": STORY.new_version.model if is_new else agent.model,
                    "temperature": 0.0,
                    "max_tokens": -1,
                    "tool_ids": [TOOLS[name].tool_id for name in agent.tools],
                    "knowledge_base": [
                        {"type": "file", "name": "Handbook", "id": agent.document_id, "usage_mode": "auto"}
                    ],
                },
            },
        },
        "metadata": {
            "created_at_unix_secs": _secs(0),
            "updated_at_unix_secs": _secs(_released_on(agent, number)),
        },
        "platform_settings": {
            "evaluation": {"criteria": [_criterion(name) for name in agent.criteria]},
            "data_collection": {
                field.name: {"type": field.type, "description": field.description} for field in agent.fields
            },
        },
        "phone_numbers": [],
        "tags": [agent.key],
        "access_info": _access_info(0),
        "version_id": version_id,
        "branch_id": _branch_id(agent, number),
        "main_branch_id": agent.branch_id,
    }


def version(agent: Agent, version_id: str) -> Json | None:
    """What is known about a version; None where there is none of this id."""
    number = _number(agent, version_id)
    if number is None:
        return None
    is_of_branch = number == len(agent.versions)
    return {
        "id": version_id,
        "agent_id": agent.agent_id,
        "branch_id": _branch_id(agent, number),
        "version_description": _DESCRIPTIONS[min(number, len(_DESCRIPTIONS) - 1)],
        "seq_no_in_branch": 1 if is_of_branch else number + 1,
        "time_committed_secs": _secs(_released_on(agent, number)),
        "parents": {
            "in_branch_parent_id": agent.versions[number - 1].version_id if number and not is_of_branch else None,
            "out_of_branch_parent_id": agent.versions[0].version_id if is_of_branch else None,
        },
        "access_info": _access_info(number),
    }


def branches(agent: Agent) -> list[Json]:
    """The branches: the main one, the one that the story has beside it, and one of an attempt that was given up."""
    live = STORY.branch.share * 100 if agent.key == STORY.branch.agent else 0.0
    main = {
        "id": agent.branch_id,
        "name": "Main",
        "agent_id": agent.agent_id,
        "description": "",
        "created_at": _secs(0),
        "last_committed_at": _secs(agent.versions[-1].released_on),
        "is_archived": False,
        "access_info": _access_info(0),
        "current_live_percentage": 100.0 - live,
        "parent_branch_id": None,
        "draft_exists": False,
        "calls_7d": 12,
    }
    attempt = main | {
        "id": f"agtbrch_0001{agent.branch_id[12:]}",
        "name": "Shorter greeting",
        "is_archived": True,
        "current_live_percentage": 0.0,
        "parent_branch_id": agent.branch_id,
    }
    beside = main | {
        "id": STORY.branch.branch_id,
        "name": "Shorter answers",
        "current_live_percentage": live,
        "parent_branch_id": agent.branch_id,
        "last_committed_at": _secs(0),
    }
    tried = [attempt] if agent.key == STORY.new_version.agent else []
    return [main, *([beside] if live else []), *tried]


def _number(agent: Agent, version_id: str) -> int | None:
    """The place of a version of the agent; that of the story's branch comes after those of the main one."""
    ids = [version.version_id for version in agent.versions]
    if agent.key == STORY.branch.agent:
        ids.append(STORY.branch.version_id)
    return ids.index(version_id) if version_id in ids else None


def _released_on(agent: Agent, number: int) -> int:
    return agent.versions[number].released_on if number < len(agent.versions) else 0


def _branch_id(agent: Agent, number: int) -> str:
    return agent.branch_id if number < len(agent.versions) else STORY.branch.branch_id


def _criterion(name: str) -> Json:
    words = CRITERIA[name].success[0]
    return {"id": name, "name": name, "type": "prompt", "conversation_goal_prompt": f"Success means: {words}"}


def _access_info(author: int) -> Json:
    name, email = _AUTHORS[author % len(_AUTHORS)]
    return {"is_creator": author == 0, "creator_name": name, "creator_email": email, "role": "admin"}


def _secs(days: int) -> int:
    return int((_FIRST_DAY + timedelta(days=days)).timestamp())

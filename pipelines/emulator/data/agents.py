"""The agents of the workspace and the criteria of their conversations (``agents.toml``)."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from pipelines.emulator.data.callers import VARIABLES
from pipelines.emulator.data.data_files import Record, check_names, check_template, read
from pipelines.emulator.data.dialogues import DIALOGUES, Topic
from pipelines.emulator.data.prices import PRICES
from pipelines.emulator.data.tools import TOOLS

FILE = "agents.toml"
_NO_SCHEMA = {"enum": None, "dynamic_variable": "", "constant_value": ""}


class Field(Record, frozen=True):
    """A field of data collection: ``template`` gives its value, else one is drawn for its type."""

    name: str
    type: Literal["string", "boolean", "integer", "number"]
    description: str
    template: str = ""
    schema: dict[str, Any] = msgspec.field(default_factory=_NO_SCHEMA.copy)


class Criterion(Record, frozen=True):
    """How a judge words each verdict on a criterion; all are templates."""

    success: list[str]
    failure: list[str]
    unknown: list[str]


class Version(Record, frozen=True):
    """A version of an agent, and the day of the story's cycle from which it answers."""

    version_id: str
    released_on: int


class Agent(Record, frozen=True):
    """An agent; ``share`` of all conversations, ``model`` is the LLM it speaks with."""

    key: str
    agent_id: str
    branch_id: str
    name: str
    greeting: str
    channel: Literal["twilio", "twilio_outbound", "sip_trunking", "chat"]
    model: str
    share: float
    voice_id: str
    languages: list[str]
    criteria: list[str]
    tools: list[str]
    document_id: str
    versions: list[Version]
    fields: list[Field]
    phone_number_id: str = ""
    number: str = ""
    timezone: str | None = None
    embedding_model: str = "multilingual_e5_large_instruct"

    @property
    def topics(self) -> list[Topic]:
        """What its conversations are about."""
        return TOPICS[self.key]

    def version(self, day: int) -> Version:
        """The version that answers on a day of the story's cycle."""
        return next(version for version in reversed(self.versions) if version.released_on <= day)


class AgentsFile(Record, frozen=True):
    """All of ``agents.toml``."""

    agent: list[Agent]
    criteria: dict[str, Criterion]

    def __post_init__(self) -> None:
        """Check every name that means something of another file, and every template."""
        for agent in self.agent:
            key = f"agent {agent.key}"
            topics = [topic for topic in DIALOGUES.topic if topic.agent == agent.key]
            tool_names = {name for topic in topics for turn in topic.turns for name in turn.get("tool", ())}
            check_names(f"{key}.criteria", agent.criteria, self.criteria)
            check_names(f"{key}.tools", agent.tools, TOOLS)
            check_names(f"{key}.model", [agent.model], PRICES.models)
            check_names(f"dialogues.toml: tools of {key}", tool_names, agent.tools)
            check_names(f"dialogues.toml: languages of {key}", {topic.language for topic in topics}, agent.languages)
            for field in agent.fields:
                check_template(f"{key}.fields.{field.name}", field.template, VARIABLES)
        for name, criterion in self.criteria.items():
            for template in (*criterion.success, *criterion.failure, *criterion.unknown):
                check_template(f"criteria.{name}", template, VARIABLES)
        check_names("dialogues.toml: topic.agent", {topic.agent for topic in DIALOGUES.topic}, self.keys())

    def keys(self) -> list[str]:
        """The short names of the agents."""
        return [agent.key for agent in self.agent]


_FILE = read(FILE, AgentsFile)
AGENTS: tuple[Agent, ...] = tuple(_FILE.agent)
CRITERIA = _FILE.criteria
BY_ID = {agent.agent_id: agent for agent in AGENTS}
BY_KEY = {agent.key: agent for agent in AGENTS}
TOPICS = {agent.key: [topic for topic in DIALOGUES.topic if topic.agent == agent.key] for agent in AGENTS}

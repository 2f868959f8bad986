"""The tools of the workspace (``tools.toml``): what agents use, and what ``GET /v1/convai/tools`` lists."""

from __future__ import annotations

from typing import Literal

import msgspec

from pipelines.emulator.data.callers import VARIABLES
from pipelines.emulator.data.data_files import Record, check_template, read

FILE = "tools.toml"
Kind = Literal["webhook", "client", "mcp", "api_integration_webhook", "api_integration_mcp"]


class Tool(Record, frozen=True):
    """A tool: its parameters and its answer are templates.

    ``method`` and ``url`` matter to webhooks alone; ``sets`` names a dynamic variable that the answer changes.
    """

    kind: Kind
    name: str
    tool_id: str
    description: str
    parameters: dict[str, str]
    answer: dict[str, str]
    error: str
    method: str = "POST"
    url: str = "https://backoffice.example.com/v2/{name}"
    sets: str | None = None
    latency_secs: float = 0.8
    headers: dict[str, str] = msgspec.field(default_factory=dict)

    def endpoint(self) -> str:
        """The URL that a webhook is sent to."""
        return self.url.replace("{name}", self.name)


class ToolsFile(Record, frozen=True):
    """All of ``tools.toml``."""

    tool: list[Tool]

    def __post_init__(self) -> None:
        """Check the templates."""
        for tool in self.tool:
            for name, template in (*tool.parameters.items(), *tool.answer.items(), ("url", tool.url)):
                check_template(f"tool {tool.name}.{name}", template, VARIABLES)


TOOLS: dict[str, Tool] = {tool.name: tool for tool in read(FILE, ToolsFile).tool}

"""The tools of the workspace: what agents call in conversations, and what ``GET /v1/convai/tools`` lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["webhook", "client", "mcp", "api_integration_webhook", "api_integration_mcp"]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: its parameters and its answer are templates with the slots of ``pipelines.emulator.data.callers``.

    ``method`` and ``url`` matter to webhooks alone; ``sets`` names a dynamic variable that the answer changes.
    """

    kind: Kind
    name: str
    tool_id: str
    description: str
    parameters: Mapping[str, str]
    answer: Mapping[str, str]
    method: str = "POST"
    url: str = "https://backoffice.example.com/v2/{name}"
    sets: str | None = None
    latency_secs: float = 0.8
    error: str = "Upstream service timed out"
    headers: Mapping[str, str] = field(default_factory=dict)

    def endpoint(self) -> str:
        """The URL that a webhook is sent to."""
        return self.url.replace("{name}", self.name)


_AUTHORISED = {"Authorization": "Bearer emulated-secret-0123456789", "X-Request-Source": "voice-agent"}

TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(
            kind="webhook",
            name="find_customer",
            tool_id="tool_3901k8fqz2ye5n9t7d0xw4rj6hbc",
            description="Looks a customer up by name or customer number.",
            parameters={"name": "{name}", "reference": "{order}"},
            answer={"customer_id": "C-{room}{number}", "email": "{email}", "segment": "standard"},
            method="GET",
            sets="customer_id",
            headers=_AUTHORISED,
        ),
        Tool(
            kind="webhook",
            name="list_slots",
            tool_id="tool_5701k8fr3qhtmn2c8v6yd9pzx4wa",
            description="Lists the free times of a day.",
            parameters={"day": "{day}", "not_before": "{time}"},
            answer={"day": "{day}", "slots": "{time}, {later}"},
            method="GET",
            latency_secs=0.5,
        ),
        Tool(
            kind="webhook",
            name="book_slot",
            tool_id="tool_8801k8fr9bdx0s5k3n7wqe2mthyj",
            description="Books a time and sends the confirmation.",
            parameters={"day": "{day}", "time": "{later}", "email": "{email}"},
            answer={"booking": "{order}", "status": "confirmed"},
            sets="booking",
            latency_secs=1.3,
            error="409 Conflict: slot is no longer free",
            headers=_AUTHORISED,
        ),
        Tool(
            kind="mcp",
            name="lookup_reservation",
            tool_id="tool_1201k8frcw7v4q8yj6hnx0z9tp3e",
            description="Finds a reservation in the hotel's property management system.",
            parameters={"reservation": "{order}"},
            answer={"guest": "{name}", "room": "{room}", "nights": "{number}"},
            latency_secs=0.9,
            error="MCP server returned error -32001: request timed out",
        ),
        Tool(
            kind="api_integration_mcp",
            name="book_table",
            tool_id="tool_6601k8frf1gm9d2xs7b5cy8wqk4z",
            description="Books a table in the restaurant.",
            parameters={"day": "{day}", "time": "{later}", "guests": "{number}"},
            answer={"table": "{room}", "status": "confirmed"},
        ),
        Tool(
            kind="api_integration_webhook",
            name="track_parcel",
            tool_id="tool_7401k8frh8zp3w6qc1vnt5ejx9ym",
            description="Gives the state of a parcel at the carrier.",
            parameters={"tracking_number": "{order}"},
            answer={"state": "in_transit", "depot": "{city}", "expected": "{day}"},
            url="https://carrier.example.net/track/{order}",
            method="GET",
            error="404 Not Found: unknown tracking number",
        ),
        Tool(
            kind="client",
            name="open_form",
            tool_id="tool_2501k8frkd5ncx7f9a4zmq2hwv8s",
            description="Opens a form in the visitor's browser.",
            parameters={"form": "neighbour_delivery", "parcel": "{order}"},
            answer={"opened": "true"},
            latency_secs=0.2,
            error="Client tool open_form is not defined on the client",
        ),
        Tool(
            kind="webhook",
            name="create_claim",
            tool_id="tool_9301k8frn0twy4e8b6gjv3xdqc7k",
            description="Opens a claim with the carrier.",
            parameters={"parcel": "{order}", "reason": "reported by phone", "contact": "{email}"},
            answer={"claim": "CL-{room}", "answer_by": "{day}"},
            latency_secs=1.6,
            sets="claim",
            headers=_AUTHORISED,
        ),
        Tool(
            kind="webhook",
            name="correct_reading",
            tool_id="tool_4101k8frqyv2m6x9w5htz8bdn3cp",
            description="Replaces an estimated meter reading.",
            parameters={"customer": "{order}", "reading": "{room}"},
            answer={"corrected_amount": "{amount}", "bill": "reissued"},
            method="PATCH",
            url="https://billing.example.com/customers/{order}/readings",
            headers=_AUTHORISED,
        ),
    )
}

"""Answers that are errors: the four bodies that the real API has been seen to send, and when it sends which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Refusal(Exception):  # noqa: N818 - it ends a request as meant, it is no error of the emulator
    """A request that is answered with ``status`` and the ``detail`` of one of the four shapes."""

    status: int
    detail: Any


def modern(status: int, kind: str, code: str, message: str, request_id: str) -> Refusal:
    """Today's shape, which names the request."""
    detail = {"type": kind, "code": code, "message": message, "status": code, "request_id": request_id}
    return Refusal(status, detail)


def plain(status: int, code: str, message: str) -> Refusal:
    """The shape of 2025."""
    return Refusal(status, {"status": code, "message": message})


def invalid(where: str, name: str, kind: str, message: str, value: object) -> Refusal:
    """422: what is wrong with which parameter."""
    return Refusal(422, [{"type": kind, "loc": [where, name], "msg": message, "input": value}])


def no_conversation(conversation_id: str) -> Refusal:
    """404 for a conversation that is not, or no longer, there."""
    return plain(404, "conversation_not_found", f"Conversation {conversation_id} was not found.")


def no_agent(agent_id: str) -> Refusal:
    """404 for an agent that is not there."""
    return plain(404, "agent_not_found", f"Agent {agent_id} was not found.")

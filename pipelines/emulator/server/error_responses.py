"""Answers that are errors: the four bodies that the real API has been seen to send, and when it sends which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ErrorResponse(Exception):  # noqa: N818 - it ends a request as meant, it is not an error of the emulator
    """A request that is answered with ``status`` and the ``detail`` of one of the four shapes."""

    status: int
    detail: Any


def error_2026(status: int, kind: str, code: str, message: str, request_id: str) -> ErrorResponse:
    """The shape of 2026, which names the request."""
    detail = {"type": kind, "code": code, "message": message, "status": code, "request_id": request_id}
    return ErrorResponse(status, detail)


def error_2025(status: int, code: str, message: str) -> ErrorResponse:
    """The shape of 2025."""
    return ErrorResponse(status, {"status": code, "message": message})


def validation_error(where: str, name: str, kind: str, message: str, value: object) -> ErrorResponse:
    """422: what is wrong with which parameter."""
    return ErrorResponse(422, [{"type": kind, "loc": [where, name], "msg": message, "input": value}])


def no_conversation(conversation_id: str) -> ErrorResponse:
    """404 for a conversation that is not, or no longer, there."""
    return error_2025(404, "conversation_not_found", f"Conversation {conversation_id} was not found.")


def no_agent(agent_id: str) -> ErrorResponse:
    """404 for an agent that is not there."""
    return error_2025(404, "agent_not_found", f"Agent {agent_id} was not found.")

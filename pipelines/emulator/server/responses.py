"""Bodies of requests and responses, for every endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from pipelines.emulator.server.error_responses import ErrorResponse, validation_error

Endpoint = Callable[[Request], Awaitable[Response]]


def with_errors(endpoint: Endpoint) -> Endpoint:
    """Turn an error into its response."""

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ErrorResponse as error:
            return json_response({"detail": error.detail}, error.status)

    return answer


async def read_object(request: Request) -> dict[str, Any]:
    """The object in the body of a request; an empty one without a body."""
    raw = await request.body()
    try:
        body = msgspec.json.decode(raw or b"{}")
    except msgspec.DecodeError:
        raise validation_error(
            "body", "body", "json_invalid", "JSON decode error", raw.decode(errors="replace")
        ) from None
    if not isinstance(body, dict):
        raise validation_error("body", "body", "model_attributes_type", "Input should be a valid dictionary", body)
    return body


def json_response(content: object, status: int = 200) -> Response:
    """A response with this JSON."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")

"""The endpoints of the API as a starlette app over a ``World``."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Collection
from datetime import datetime

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from pipelines.emulator.data import prices
from pipelines.emulator.data.agents import BY_ID
from pipelines.emulator.generator.transcript import Json
from pipelines.emulator.generator.world import World
from pipelines.emulator.server import audio
from pipelines.emulator.server.account_endpoints import account_routes
from pipelines.emulator.server.error_responses import (
    ErrorResponse,
    error_2025,
    error_2026,
    no_agent,
    no_conversation,
    validation_error,
)
from pipelines.emulator.server.fault_middleware import FaultMiddleware
from pipelines.emulator.server.faults import Faults
from pipelines.emulator.server.list_endpoint import page, read_cursor, read_query
from pipelines.emulator.server.responses import json_response, read_object, with_errors

_REPEATED_ROWS = 5


def create_app(
    world: World,
    *,
    clock: Callable[[], datetime],
    key: str = "demo",
    faults: Faults | None = None,
    denied: Collection[str] = (),
) -> Starlette:
    """Serve ``world`` as it is at ``clock()``, to requests whose ``xi-api-key`` is ``key``.

    ``denied`` are ends of paths, such as ``/tools``, that the key has no scope for.
    """
    api = _Api(world, clock, key, tuple(denied))
    root = "/v1/convai"
    conversation = f"{root}/conversations/{{conversation_id}}"
    return Starlette(
        routes=[
            Route(f"{root}/conversations", with_errors(api.list_conversations), methods=["GET"]),
            Route(conversation, with_errors(api.conversation), methods=["GET"]),
            Route(conversation, with_errors(api.delete), methods=["DELETE"]),
            Route(f"{conversation}/audio", with_errors(api.audio), methods=["GET"]),
            Route(f"{conversation}/feedback", with_errors(api.feedback), methods=["POST"]),
            Route(f"{root}/conversation/get-signed-url", with_errors(api.signed_url), methods=["GET"]),
            Route(f"{root}/conversation/token", with_errors(api.token), methods=["GET"]),
            Route(f"{root}/agent/{{agent_id}}/llm-usage/calculate", with_errors(api.prices), methods=["POST"]),
            *account_routes(world, clock, api.authorise),
        ],
        middleware=[Middleware(FaultMiddleware, faults=faults or Faults())],
    )


class _Api:
    """The endpoints. Each reads its parameters before it looks at the key, as the real API does."""

    def __init__(self, world: World, clock: Callable[[], datetime], key: str, denied: tuple[str, ...]) -> None:
        self._world = world
        self._clock = clock
        self._key = key
        self._denied = denied
        self._deletes = itertools.count()

    async def list_conversations(self, request: Request) -> Response:
        """A page of rows, newest first."""
        query = read_query(request.query_params)
        self.authorise(request)
        fault, below = request.scope["state"]["fault"], None
        if query.cursor is not None:
            anchor = read_cursor(query.cursor)
            below = self._world.place(anchor, above=_REPEATED_ROWS if fault == "repeat_rows" else 0) if anchor else None
            if below is None:
                raise error_2026(400, "invalid_request", "invalid_cursor", "The cursor is not valid.", _trace(request))
        answer = page(self._world, query, self._clock(), below)
        if fault == "repeat_cursor":
            answer |= {"next_cursor": query.cursor, "has_more": True}
        return json_response(answer)

    async def conversation(self, request: Request) -> Response:
        """The whole document of a conversation."""
        self.authorise(request)
        return json_response(self._document(request.path_params["conversation_id"]))

    async def delete(self, request: Request) -> Response:
        """Delete a conversation; the answer takes turns between the three forms that were seen."""
        self.authorise(request)
        conversation_id = request.path_params["conversation_id"]
        if not self._world.delete(conversation_id, self._clock()):
            raise no_conversation(conversation_id)
        turn = next(self._deletes) % 3
        return json_response({}) if turn == 0 else json_response(None) if turn == 1 else Response(status_code=204)

    async def audio(self, request: Request) -> Response:
        """The recording, for every other conversation without a length."""
        self.authorise(request)
        conversation_id = request.path_params["conversation_id"]
        document = self._document(conversation_id)
        if not document["has_audio"]:
            raise ErrorResponse(404, "There is no audio for this conversation.")
        sound = audio.silence(document["metadata"]["call_duration_secs"])
        if int.from_bytes(conversation_id.encode()) % 2:
            return StreamingResponse(audio.chunks(sound), media_type=audio.MEDIA_TYPE)
        return Response(sound, media_type=audio.MEDIA_TYPE)

    async def feedback(self, request: Request) -> Response:
        """Give a thumb, or take it back."""
        body = await read_object(request)
        score = body.get("feedback")
        if score not in ("like", "dislike", None):
            raise validation_error("body", "feedback", "enum", "Input should be 'like' or 'dislike'", score)
        self.authorise(request)
        conversation_id = request.path_params["conversation_id"]
        if not self._world.feedback(conversation_id, score, self._clock()):
            raise no_conversation(conversation_id)
        return json_response({})

    async def signed_url(self, request: Request) -> Response:
        """A secret that lets a browser begin a conversation."""
        agent_id = self._agent(request)
        extra = "&conversation_id=conv_new" if request.query_params.get("include_conversation_id") == "true" else ""
        secret = self._secret(agent_id)
        url = f"wss://api.elevenlabs.io/v1/convai/conversation?agent_id={agent_id}&conversation_signature={secret}"
        return json_response({"signed_url": url + extra})

    async def token(self, request: Request) -> Response:
        """A secret that lets a browser begin a conversation over WebRTC."""
        secret = self._secret(self._agent(request))
        return json_response({"token": f"emulated.{secret}", "conversation_id": f"conv_{secret[:28]}"})

    async def prices(self, request: Request) -> Response:
        """Estimated prices of an agent by model; of an agent of the oldest kind the calculator knows none."""
        body = await read_object(request)
        for name, kind in (("prompt_length", int), ("number_of_pages", int), ("rag_enabled", bool)):
            value = body.get(name)
            if value is not None and type(value) is not kind:
                raise validation_error(
                    "body", name, f"{kind.__name__}_type", f"Input should be a valid {kind.__name__}", value
                )
        self.authorise(request)
        agent_id = request.path_params["agent_id"]
        if agent_id not in BY_ID:
            raise no_agent(agent_id)
        if not agent_id.startswith("agent_"):
            return json_response({"llm_prices": []})
        length, pages = body.get("prompt_length") or 3000, body.get("number_of_pages") or 0
        is_rag = bool(body.get("rag_enabled"))
        factors = self._world.price_factors(self._clock())
        estimates = [
            (model, prices.price_per_minute(model, length, pages, factors, is_rag=is_rag))
            for model in prices.MODEL_RATES
        ]
        return json_response(
            {
                "llm_prices": [
                    {"llm": model, "price_per_minute": price, "price_per_message": price / 5}
                    for model, price in estimates
                ]
            }
        )

    def _document(self, conversation_id: str) -> Json:
        document = self._world.detail(conversation_id, self._clock())
        if document is None:
            raise no_conversation(conversation_id)
        return document

    def _agent(self, request: Request) -> str:
        agent_id = request.query_params.get("agent_id")
        if not agent_id:
            raise validation_error("query", "agent_id", "missing", "Field required", None)
        self.authorise(request)
        if agent_id not in BY_ID:
            raise no_agent(agent_id)
        return agent_id

    def authorise(self, request: Request) -> None:
        """Raise the error of a request without a key, with a wrong one, or with one that lacks the scope."""
        key = request.headers.get("xi-api-key")
        if key is None and "authorization" in request.headers:
            raise error_2025(401, "invalid_authorization_header", "An API key belongs into the header xi-api-key.")
        if key is None:
            raise error_2025(401, "needs_authorization", "Neither authorization header nor xi-api-key received.")
        if key != self._key:
            raise error_2026(401, "authentication_error", "invalid_api_key", "Invalid API key.", _trace(request))
        if request.url.path.endswith(self._denied):
            raise error_2025(
                403, "missing_permissions", "The API key you used is missing a permission for this operation."
            )

    def _secret(self, agent_id: str) -> str:
        return hashlib.blake2b(f"{agent_id}:{self._clock().timestamp()}".encode(), digest_size=20).hexdigest()


def _trace(request: Request) -> str:
    return str(request.scope["state"]["trace_id"])

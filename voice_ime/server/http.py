"""What all requests over HTTP have in common: who may ask, how much, and what errors become."""

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Coroutine
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from voice_ime import errors
from voice_ime.errors import BadRequest, NoSuchAddress, RequestTooLarge, VoiceImeError, WrongMethod
from voice_ime.log import told
from voice_ime.messages import Messages
from voice_ime.server.allowance import Allowance
from voice_ime.server.auth import Gate

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
METHODS = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))

_STATUSES: tuple[tuple[type[VoiceImeError], int], ...] = (
    (errors.WrongToken, 401),
    (errors.AccessError, 403),
    (errors.NotFound, 404),
    (errors.NoSuchAddress, 404),
    (errors.WrongMethod, 405),
    (errors.AlreadyExists, 409),
    (errors.ChangedSince, 409),
    (errors.NotConfirmed, 409),
    (errors.ProfileFull, 409),
    (errors.Outdated, 412),
    (errors.NotSwitched, 409),
    (errors.RequestTooLarge, 413),
    (errors.ImportTooLarge, 413),
    (errors.WrongValue, 422),
    (errors.WrongName, 422),
    (errors.ConfigError, 422),
    (errors.WrongDate, 422),
    (errors.ImportUnreadable, 422),
    (errors.ImportEncoding, 422),
    (errors.UnknownFormat, 422),
    (errors.TooFast, 429),
    (errors.BadRequest, 400),
    (errors.ProtocolError, 400),
    (errors.DiskFull, 507),
    (errors.StoreError, 503),
)

logger = logging.getLogger(__name__)


def status_of(error: VoiceImeError) -> int:
    """The one place where errors become statuses of HTTP."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def messages_of(request: Request) -> Messages:
    """In the language that the client asks for."""
    return Messages("zh" if request.headers.get("accept-language", "").lower().startswith("zh") else "en")


def guarded(gate: Gate, allowance: Allowance) -> type[APIRoute]:
    """Routes for those who may ask. What goes wrong is answered in two sentences, and logged without its values."""

    class Guarded(APIRoute):
        def get_route_handler(self) -> Handler:
            inner = super().get_route_handler()

            async def handle(request: Request) -> Response:
                try:
                    gate.check(request.headers)
                    allowance.spend()
                    return await inner(request)
                except VoiceImeError as error:
                    return _answer(error, request)
                except Exception as error:
                    logger.error("a request failed by a fault of ours: %s", told(error))
                    return _answer(VoiceImeError(), request)

            return handle

    return Guarded


def refuse_others(router: APIRouter) -> None:
    """What `router` does not know is answered in two sentences, too. To be called when it has all its routes."""
    known: defaultdict[str, set[str]] = defaultdict(set)
    for route in router.routes:
        if isinstance(route, APIRoute):
            known[route.path.removeprefix(router.prefix)] |= route.methods or set()

    def refuse(path: str, methods: Collection[str], error: Callable[[], VoiceImeError]) -> None:
        async def answer(request: Request) -> Response:
            raise error()

        router.add_api_route(path, answer, methods=sorted(methods), response_model=None)

    for path, methods in known.items():
        refuse(path, METHODS - methods, partial(WrongMethod, tuple(sorted(methods))))
    refuse("/{rest:path}", METHODS, NoSuchAddress)


async def body_of(request: Request, limit: int) -> bytes:
    """RequestTooLarge over `limit` bytes; no more than that is ever held."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > limit:
            raise RequestTooLarge(limit=limit)
    return bytes(content)


async def json_of(request: Request, limit: int) -> dict[str, Any]:
    """The object in the body. RequestTooLarge, BadRequest."""
    content = await body_of(request, limit)
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise BadRequest(detail="JSON") from None
    if not isinstance(body, dict):
        raise BadRequest(detail="JSON")
    return body


def number_in(request: Request, name: str, usual: int | None, most: int, *, least: int = 1) -> int | None:
    """A whole number of at least `least` out of the query; BadRequest. What is more than `most` counts as that."""
    text = request.query_params.get(name)
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 19 and int(text) >= least):
        raise BadRequest(detail=name)
    return min(int(text), most)


def truth_in(request: Request, name: str) -> bool:
    """`name=true` in the query; BadRequest."""
    text = request.query_params.get(name, "false")
    if text not in ("true", "false"):
        raise BadRequest(detail=name)
    return text == "true"


def _answer(error: VoiceImeError, request: Request) -> JSONResponse:
    message, remedy = messages_of(request).error(error)
    body: dict[str, Any] = {"code": error.code, "message": message, "remedy": remedy}
    if isinstance(error, errors.Outdated | errors.EntryExists | errors.ChangedSince | errors.NotSwitched):
        body |= error.values
    status = status_of(error)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if isinstance(error, WrongMethod):
        headers["Allow"] = ", ".join(error.allowed)
    return JSONResponse({"error": body}, status_code=status, headers=headers)

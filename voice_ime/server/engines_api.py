"""The engines over HTTP: which are loaded, and changing them while people dictate."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from voice_ime.engine.engines import Engines
from voice_ime.errors import ConfigError, NotSwitched, VoiceImeError
from voice_ime.messages import Messages
from voice_ime.server.http import json_of, messages_of, refuse_others
from voice_ime.settings import EngineSettings, Settings, merged

PATH = "/v1/engine"
MOST_BODY = 65_536
"""Bytes of a request."""

TABLES = ("by_language", "others")
"""What takes the place of the whole table that was there."""

logger = logging.getLogger(__name__)


def engines_router(
    engines: Engines, settings: Settings, languages: Callable[[], Collection[str]], route: type[Any]
) -> APIRouter:
    """`languages`: those in which people are dictating, which must stay.

    `route`: the class of its routes, which lets in who may.
    """
    router = APIRouter(prefix=PATH, route_class=route)

    async def tell(request: Request) -> Response:
        return JSONResponse(_facts(engines, messages_of(request)))

    async def switch(request: Request) -> Response:
        """Body: what is to be different in the settings under `[engine]`."""
        wanted = _wanted(engines.settings, await json_of(request, MOST_BODY), settings)
        try:
            await run_in_threadpool(engines.switch, wanted, languages())
        except VoiceImeError as error:
            reason, advice = messages_of(request).error(error)
            stays = engines.capabilities.engine
            raise NotSwitched(engine=stays, reason=reason, advice=advice, cause=error.code) from error
        logger.info("the engine is now %s", engines.capabilities.engine)
        return JSONResponse(_facts(engines, messages_of(request)))

    router.add_api_route("", tell, methods=["GET"], response_model=None)
    router.add_api_route("", switch, methods=["POST"], response_model=None)
    refuse_others(router)
    return router


def _wanted(present: EngineSettings, body: Mapping[str, Any], settings: Settings) -> EngineSettings:
    """`present` with what `body` says in its place; threads that decode stay. ConfigError."""
    tables = {name: body[name] for name in TABLES if name in body}
    changed = merged(present.model_dump(), body) | tables | {"workers": present.workers}
    try:
        wanted = EngineSettings.model_validate(changed)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, ("engine", *first["loc"])))
        raise ConfigError(where=where, detail=first["msg"]) from None
    return wanted.filled(languages=settings.languages, speed_file=present.whisper.speed_file)


def _facts(engines: Engines, messages: Messages) -> dict[str, Any]:
    settings = engines.settings
    return {
        "name": settings.name,
        "final": settings.final,
        "by_language": {language: route.model_dump() for language, route in settings.by_language.items()},
        "capabilities": asdict(engines.capabilities),
        "loaded": {name: asdict(can) for name, can in engines.loaded.items()},
        "missing": {name: _why(error, messages) for name, error in engines.missing.items()},
    }


def _why(error: VoiceImeError, messages: Messages) -> dict[str, str]:
    message, remedy = messages.error(error)
    return {"code": error.code, "message": message, "remedy": remedy}

"""Whether the server is alive, and whether it would take another speaker. Nobody needs a token to ask."""

from collections.abc import Callable
from dataclasses import asdict

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from voice_ime import __version__
from voice_ime.engine.base import Engine
from voice_ime.server import lateness
from voice_ime.server.sessions import Sessions


def health_router(engine: Engine, sessions: Callable[[], Sessions], *, tell_lateness: bool) -> APIRouter:
    """`sessions`: asked for at each request. `tell_lateness`: also how late the event loop is."""
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok", "server": f"voice-ime {__version__}"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """Whether another speaker would be served now."""
        here = sessions()
        body = {
            "ready": here.free > 0,
            "engine": engine.capabilities.engine,
            "sessions": here.connected,
            "free": here.free,
            "load": {name: round(value, 4) for name, value in asdict(here.load()).items()},
        }
        return JSONResponse(body, status_code=200 if here.free > 0 else 503)

    async def late(seconds: float) -> dict[str, float]:
        """How late the event loop is in the next seconds, in milliseconds."""
        return await lateness.lateness_ms(seconds)

    if tell_lateness:
        router.add_api_route(lateness.PATH, late)
    return router
